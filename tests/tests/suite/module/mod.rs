//! `module.*`

mod assign;
mod complete;
mod drift;
mod list_by_enrollment;
mod start;
mod unassign;
