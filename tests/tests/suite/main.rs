//! The procedures, called without a socket, on both databases.

mod answers;

mod session;

mod enrollment;

mod module;

mod course;

mod member;

mod organization;

mod input;

mod idempotency;

mod tenancy;

mod constraints;

mod races;

mod matrix;
