//! `enrollment.*`

mod access;
mod count;
mod enroll;
mod find;
mod get;
mod history;
mod list_by_course;
mod list_by_user;
mod on_change;
mod unenroll;
