//! What is sent of the log into the world: to webhooks, and by mail. Readers of the one log, like the live feed.
//!
//! New events are [dispatched](dispatch()) into deliveries, one a receiver, by a cursor into the log that moves in the
//! same transaction: none is left out, none is made twice. Whoever sends one [claims](claim) it first, and
//! [settles](settle) it afterwards. A failed one is tried again, later from time to time, until it is dead. A claim that
//! is not settled is given up after [`CLAIM_TIMEOUT`](crate::limits::CLAIM_TIMEOUT), which is far longer than sending may
//! take: so a process that was paused finds its claim as it left it, and only one that died may have sent what is sent
//! again. At least once, that is, and under the same id each time.

mod claim;
mod dispatch;
mod letter;
mod purge;
pub(crate) mod store;

pub use claim::{Claimed, Settlement, claim, settle};
pub use dispatch::{Dispatched, dispatch};
pub use letter::{Letter, Subject, letter};
pub use purge::purge;
pub(crate) use store::MailCursor;

use crate::event::EventKind;
use crate::text_enum;

text_enum! {
    /// By which way an event is sent.
    pub enum Channel {
        Webhook = "webhook",
        /// To the person whom the event is about.
        Mail = "mail",
    }
}

text_enum! {
    /// How far a delivery has come.
    pub enum DeliveryState {
        /// To be sent, at its time.
        Pending = "pending",
        /// Somebody is sending it.
        Claimed = "claimed",
        Delivered = "delivered",
        /// Given up.
        Dead = "dead",
    }
}

/// What people are written to about.
pub const MAILED: [EventKind; 3] =
    [EventKind::ReminderSent, EventKind::Promoted, EventKind::CertificateIssued];
