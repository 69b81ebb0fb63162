//! The procedures, called without a socket, on both databases.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

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

mod lost_commits;

mod matrix;
