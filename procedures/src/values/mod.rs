//! The values that travel between wire, rules and database: ids, moments, scores, bounded texts, pages.
//!
//! Each is parsed once, at the edge, into a type that cannot hold a wrong value, and each says itself how
//! JSON, TypeScript and both databases write it.

mod enums;
mod id;
mod moment;
mod page;
mod patch;
mod score;
mod text;
mod whole;

pub use id::*;
pub use moment::Moment;
pub use page::{Cursor, Limit, Page};
pub use patch::Patch;
pub use score::Score;
pub(crate) use text::wire_string;
pub use text::{
    Audience, ClaimName, Email, IdempotencyKey, Issuer, Name, Notes, ProviderSubject, ReasonText, Search,
    Secret, Slug, Text, Title,
};
pub use whole::{Capacity, Days, LeadDays, Position, Version, Whole};
