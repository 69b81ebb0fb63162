//! Users: the people behind memberships.

mod anonymize;
mod store;

pub use anonymize::{Anonymize, AnonymizeInput, Anonymized};

use crate::Router;

pub fn router() -> Router {
    Router::default().mutation(Anonymize, anonymize::anonymize)
}
