//! Administration of an organization as a whole: the proof, on demand, that what must hold of its rows does hold.

mod fitness;
mod invariants;
mod operator;
mod store;
mod verify;

pub use fitness::{Unfit, unfit};
pub use invariants::Invariant;
pub use operator::{tenants, verify_tenant};
pub use verify::{InvariantCheck, InvariantReport, Proved, Verify, Violation};

use crate::Router;

pub fn router() -> Router {
    Router::default().query(Verify, verify::verify)
}
