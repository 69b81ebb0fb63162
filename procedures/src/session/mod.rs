//! Sessions: from a verified token to a [`Caller`], and what a session says of itself.
//!
//! The user is the pair of issuer and subject, never an e-mail address; the organization is the issuer's (D18).

mod look_up;
mod me;
mod service_token;
mod sign_in;
pub(crate) mod store;

pub(crate) use look_up::{LookUps, look_ups};
pub use me::{Me, Session, SessionKind};
pub(crate) use service_token::issue_service_token;
pub use service_token::{
    NewServiceToken, PREFIX as SERVICE_TOKEN_PREFIX, create_service_token, use_service_token,
};
pub use sign_in::{VerifiedToken, sign_in};
pub use store::Provider;
pub(crate) use store::{NewPerson, insert_person};

use crate::Router;
use crate::text_enum;

pub fn router() -> Router {
    Router::default().query(Me, me::me)
}

text_enum! {
    /// What a service token allows.
    pub enum Scope {
        EnrollmentsRead = "enrollments:read",
        EnrollmentsWrite = "enrollments:write",
        ProgressWrite = "progress:write",
        CoursesWrite = "courses:write",
        CohortsWrite = "cohorts:write",
        MembersWrite = "members:write",
        EventsRead = "events:read",
    }
}

text_enum! {
    /// The family of signatures a provider's tokens carry (RFC 7518, section 3.1; RFC 8037).
    pub enum Algorithm {
        Rs256 = "RS256",
        Ps256 = "PS256",
        Es256 = "ES256",
        EdDsa = "EdDSA",
    }
}
