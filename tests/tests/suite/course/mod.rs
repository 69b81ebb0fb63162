//! `course.*`

mod create;
mod get;
mod list;
mod modules;
mod publication;
mod update;
