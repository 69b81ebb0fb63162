//! One transaction for the enrollment commands of one organization, a single one or many: keys claimed, facts loaded,
//! each decided, changes and events written, all set-wise.

use super::rules::{self, By, Changes, Command, Wish};
use super::view::Enrollment;
use super::{EnrollmentRow, store};
use crate::App;
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::event;
use crate::idempotency::{self, Claim, Claimed};
use crate::policy::{self, Subject};
use crate::values::CourseId;

/// A command with the particulars of the call it came by.
pub(crate) struct Order {
    command: Command,
    claim: Option<Claim>,
    /// Whether the answer may show notes.
    sees_notes: bool,
}

/// Carries out one caller's wish.
pub(crate) async fn one(
    cx: Cx<Insider>,
    course_id: CourseId,
    subject: Subject,
    wish: Wish,
) -> Result<Enrollment> {
    let by = By::of(&cx.caller, &cx.request_id);
    let order = Order {
        command: Command { course_id, subject, by, wish },
        claim: cx.key.map(|call| Claim::new(&cx.caller, call)),
        sees_notes: policy::may_read_notes(&cx.caller),
    };
    let mut answers = all(&cx.app, &cx.caller, vec![order]).await?;
    answers.pop().unwrap_or_else(|| Err(Error::internal("one order has one answer")))
}

/// Carries out many orders of one organization in their order; each has its own answer, and one that the rules refuse
/// costs the others nothing.
pub(crate) async fn all(app: &App, caller: &Insider, orders: Vec<Order>) -> Result<Vec<Result<Enrollment>>> {
    let tenant = caller.tenant;
    let now = app.clock.now();
    let (answers, happened) = app
        .db
        .transaction(now, async |tx| {
            let claims: Vec<Option<Claim>> = orders.iter().map(|order| order.claim.clone()).collect();
            let claimed = idempotency::claim::<Enrollment>(tx, &claims, now).await?;
            let undecided = |order: &usize| matches!(claimed[*order], Claimed::Fresh);
            let fresh: Vec<usize> = (0..orders.len()).filter(undecided).collect();
            let mut facts =
                store::load(tx, tenant, fresh.iter().map(|order| &orders[*order].command)).await?;
            // Whoever had the courses before has committed: from here on, time follows the order of changes.
            tx.now = app.clock.now();
            let now = tx.now;

            let mut changes = Changes::default();
            let mut answers = Vec::with_capacity(orders.len());
            for (order, claimed) in orders.iter().zip(claimed) {
                let decided = match claimed {
                    // Who may read notes is decided each time.
                    Claimed::Answered(answer) => Ok(answer.without_notes_unless(order.sees_notes)),
                    Claimed::Refused(error) => Err(error),
                    Claimed::Fresh => rules::decide(&mut facts, &mut changes, now, &order.command)
                        .map(|row| answer(row, order.sees_notes)),
                };
                match decided {
                    // A defect may have left facts half-changed: nothing of this batch is written.
                    Err(defect) if defect.cause().is_some() => return Err(defect),
                    decided => answers.push(decided),
                }
            }

            let events = std::mem::take(&mut changes.events);
            store::apply(tx, changes).await?;
            let stored = fresh
                .iter()
                .filter_map(|order| Some((orders[*order].claim.as_ref()?, answers[*order].as_ref().ok()?)));
            idempotency::record(tx, stored, now).await?;
            let happened = !events.is_empty();
            event::store::append(tx, tenant, events).await?;
            Ok((answers, happened))
        })
        .await?;
    if happened {
        app.wakeups.announce(tenant.organization_id());
    }
    Ok(answers)
}

/// A decision never leaves its row on a waitlist without a place, so the answer needs no further look-up.
fn answer(row: EnrollmentRow, sees_notes: bool) -> Enrollment {
    Enrollment::of(row, None, sees_notes)
}
