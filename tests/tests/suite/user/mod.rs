//! `user.*`

mod anonymize;
