//! `module.*`

mod list_by_enrollment;
