//! What happens to enrollments by itself, as time passes: access ends, reminders fall due, waitlists lead nowhere.
//!
//! A sweep finds what is due, whoever's it is, and then decides each by the rules, with the course locked, as if someone
//! had asked. So any number of processes may sweep at once: what one of them has done, the others find done.

mod due;

use std::collections::BTreeMap;

use super::rules::{By, Command, Wish};
use super::write;
use crate::App;
use crate::caller::Tenant;
use crate::db::repeated;
use crate::error::Result;
use crate::limits::SWEEP_CHUNK;
use crate::metric;
use crate::policy;
use due::Due;

/// Under which request events say that the scheduler caused them.
const REQUEST: &str = "scheduler";

/// A kind of thing that happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Access ends before completion (D7): seats are freed, and whoever waits gets them.
    Expiry,
    /// Whoever waits for a course that has ended waits no more.
    ClosedWaitlists,
    /// Access or a certificate ends soon (D22).
    Reminders,
}

impl Sweep {
    /// In the order in which they are made: nobody is reminded of what ends now.
    pub const ALL: [Self; 3] = [Sweep::Expiry, Sweep::ClosedWaitlists, Sweep::Reminders];

    pub const fn name(self) -> &'static str {
        match self {
            Sweep::Expiry => "expiry",
            Sweep::ClosedWaitlists => "closed waitlists",
            Sweep::Reminders => "reminders",
        }
    }

    const fn wish(self) -> Wish {
        match self {
            Sweep::Expiry => Wish::RunOut,
            Sweep::ClosedWaitlists => Wish::GiveUpWaiting,
            Sweep::Reminders => Wish::Remind,
        }
    }
}

/// What one step of a sweep has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Enrollments that it changed.
    pub changed: usize,
    /// Whether there may be more that is due.
    pub more: bool,
}

/// Makes one step of a sweep: finds as much as one transaction an organization should change, and changes it.
pub async fn sweep(app: &App, sweep: Sweep) -> Result<Swept> {
    let found = due::find(&mut *app.db.read().await?, sweep, app.clock.now(), SWEEP_CHUNK).await?;
    let full = found.len() == SWEEP_CHUNK;
    let mut by_organization: BTreeMap<_, Vec<Command>> = BTreeMap::new();
    for Due { organization_id, course_id, user_id } in found {
        by_organization.entry(organization_id).or_default().push(Command {
            course_id,
            subject: policy::subject_of_system(user_id),
            by: By::system(REQUEST),
            wish: sweep.wish(),
        });
    }
    let mut changed = 0;
    // What fails for one organization is told once the others have had their turn.
    let mut failed = Ok(());
    for (organization, commands) in by_organization {
        let tenant = Tenant::of(organization);
        match repeated(|| write::by_itself(app, tenant, &commands)).await {
            Ok(carried_out) => {
                metric::swept(sweep, carried_out);
                changed += carried_out;
            }
            Err(error) => failed = Err(error),
        }
    }
    failed?;
    // Where nothing that was due could be changed, looking again at once would find the same.
    Ok(Swept { changed, more: full && changed > 0 })
}
