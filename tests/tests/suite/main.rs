//! The procedures, called without a socket, on both databases.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod answers;

mod session;

mod enrollment;

mod module;

mod certificate;

mod user;

mod cohort;

mod event;

mod webhook;

mod service_token;

mod course;

mod member;

mod organization;

mod admin;

mod input;

mod idempotency;

mod tenancy;

mod constraints;

mod machine;

mod races;

mod groups;

mod lost_commits;

mod matrix;
