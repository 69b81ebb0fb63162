//! One transaction for the enrollment commands of one organization, a single one or many: keys claimed, facts loaded,
//! each decided, changes and events written, all set-wise.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::EnrollmentStatus;
use super::facts::{self, Courses, Wanted};
use super::rules::{self, By, Changes, Command, Decided, Facts, Wish};
use super::store;
use super::view::{ActingOn, Enrollment};
use crate::App;
use crate::caller::{Cx, Insider, Tenant};
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::event;
use crate::idempotency::{self, Claim, Claimed};
use crate::metric;
use crate::policy::{self, Subject};
use crate::values::{CourseId, Moment};

/// A command with the idempotency key of the call it came by.
pub(crate) struct Order {
    pub command: Command,
    pub claim: Option<Claim>,
}

/// An answer to a command, which is kept under its idempotency key.
pub(crate) trait Answer: Serialize + DeserializeOwned + Send {
    /// What was decided, as the caller sees it.
    fn of(
        tx: &mut Transaction<'_>,
        caller: &Insider,
        decided: Decided,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// Who may read notes is decided each time a stored answer is given.
    fn without_notes(self) -> Self;
}

impl Answer for Enrollment {
    async fn of(tx: &mut Transaction<'_>, caller: &Insider, decided: Decided) -> Result<Self> {
        let Decided { row, position, .. } = decided;
        let position = match (row.status, position) {
            (EnrollmentStatus::Waitlisted, None) => {
                store::waitlist_positions(tx, caller.tenant, vec![row.id]).await?.remove(&row.id)
            }
            (_, position) => position,
        };
        Ok(Enrollment::of(row, position, policy::may_read_notes(caller)))
    }

    fn without_notes(self) -> Self {
        Enrollment { notes: None, ..self }
    }
}

/// Carries out one caller's wish about one enrollment.
pub(crate) async fn one<T: Answer>(
    cx: Cx<Insider>,
    course_id: CourseId,
    subject: Subject,
    wish: Wish,
) -> Result<T> {
    let by = By::of(&cx.caller, &cx.request_id);
    let claim = cx.key.map(|call| Claim::new(&cx.caller, call));
    let orders = [Order { command: Command { course_id, subject, by, wish }, claim }];
    let answers = cx.app.transaction(async |tx| batch(tx, &cx.app, &cx.caller, &orders).await).await?;
    answers.into_iter().next().unwrap_or_else(|| Err(Error::internal("one order has one answer")))
}

/// The same for an enrollment that was named by its id.
pub(crate) async fn acting_on<T: Answer>(cx: Cx<Insider>, on: ActingOn, wish: Wish) -> Result<T> {
    one(cx, on.course_id, on.subject, wish).await
}

/// Carries out many orders of one organization in their order; each has its own answer, and one that the rules refuse
/// costs the others nothing.
pub(crate) async fn batch<T: Answer>(
    tx: &mut Transaction<'_>,
    app: &App,
    caller: &Insider,
    orders: &[Order],
) -> Result<Vec<Result<T>>> {
    let sees_notes = policy::may_read_notes(caller);
    let claims: Vec<Option<Claim>> = orders.iter().map(|order| order.claim.clone()).collect();
    let now = tx.now;
    let claimed = idempotency::claim::<T>(tx, &claims, now).await?;
    let undecided = |order: &usize| matches!(claimed[*order], Claimed::Fresh);
    let fresh: Vec<usize> = (0..orders.len()).filter(undecided).collect();
    let commands: Vec<&Command> = fresh.iter().map(|order| &orders[*order].command).collect();
    let Carried { outcomes, events } = carry_out(tx, app, caller.tenant, &commands).await?;

    let mut outcomes = outcomes.into_iter();
    let mut answers = Vec::with_capacity(orders.len());
    for claimed in claimed {
        answers.push(match claimed {
            Claimed::Answered(answer) if sees_notes => Ok(answer),
            Claimed::Answered(answer) => Ok(answer.without_notes()),
            Claimed::Refused(error) => Err(error),
            Claimed::Fresh => match outcomes.next() {
                Some(Ok(decided)) => Ok(<T as Answer>::of(tx, caller, decided).await?),
                Some(Err(refusal)) => Err(refusal),
                None => return Err(Error::internal("each command has an outcome")),
            },
        });
    }
    let stored = fresh
        .iter()
        .filter_map(|order| Some((orders[*order].claim.as_ref()?, answers[*order].as_ref().ok()?)));
    idempotency::record(tx, stored, now).await?;
    event::store::tell(tx, caller.tenant, events);
    Ok(answers)
}

/// What came of commands that were carried out.
struct Carried {
    outcomes: Vec<Result<Decided>>,
    events: Vec<event::NewEvent>,
}

async fn carry_out(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    commands: &[&Command],
) -> Result<Carried> {
    metric::batch(commands.len());
    let mut facts = facts::load(tx, tenant, Wanted::of(commands), Courses::Locked).await?;
    let (outcomes, changes) = decided(tx, app, &mut facts, |facts, changes, now| {
        let mut outcomes = Vec::with_capacity(commands.len());
        for command in commands {
            match rules::decide(facts, changes, now, command) {
                // A defect may have left facts half-changed: nothing of this batch is written.
                Err(defect) if defect.cause().is_some() => return Err(defect),
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    })?;
    let events = apply(tx, changes).await?;
    Ok(Carried { outcomes, events })
}

/// Decides on facts that are loaded and locked: whoever had the courses before has committed, so from here on, time
/// follows the order of changes.
fn decided<T>(
    tx: &mut Transaction<'_>,
    app: &App,
    facts: &mut Facts,
    decide: impl FnOnce(&mut Facts, &mut Changes, Moment) -> Result<T>,
) -> Result<(T, Changes)> {
    tx.now = app.clock.now();
    let mut changes = Changes::default();
    let outcome = decide(facts, &mut changes, tx.now)?;
    Ok((outcome, changes))
}

async fn apply(tx: &mut Transaction<'_>, mut changes: Changes) -> Result<Vec<event::NewEvent>> {
    let events = std::mem::take(&mut changes.events);
    facts::apply(tx, changes).await?;
    Ok(events)
}

/// Carries out what is due by itself in one organization; answers how much of it was. What the rules refuse has been
/// done meanwhile, or is not due any more.
pub(crate) async fn by_itself(app: &App, tenant: Tenant, commands: &[Command]) -> Result<usize> {
    let commands: Vec<&Command> = commands.iter().collect();
    app.transaction(async |tx| {
        let Carried { outcomes, events } = carry_out(tx, app, tenant, &commands).await?;
        event::store::tell(tx, tenant, events);
        Ok(outcomes.iter().filter(|outcome| outcome.is_ok()).count())
    })
    .await
}

/// Carries out what follows from a change that this transaction has made: all of it, or none of the change either.
pub(crate) async fn follow_up(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    commands: &[Command],
) -> Result<()> {
    let Carried { outcomes, events } =
        carry_out(tx, app, tenant, &commands.iter().collect::<Vec<_>>()).await?;
    for outcome in outcomes {
        outcome
            .map_err(|refusal| Error::internal(format!("what follows by itself was refused: {refusal}")))?;
    }
    event::store::tell(tx, tenant, events);
    Ok(())
}

/// Gives a course's free seats to those who wait (D11): after its capacity was raised, or it was published again.
pub(crate) async fn fill(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    course_id: CourseId,
    request_id: &str,
) -> Result<()> {
    let mut facts = facts::load(tx, tenant, Wanted::to_fill(course_id), Courses::Locked).await?;
    let ((), changes) = decided(tx, app, &mut facts, |facts, changes, now| {
        rules::fill(facts, changes, now, course_id, request_id)
    })?;
    let events = apply(tx, changes).await?;
    event::store::tell(tx, tenant, events);
    Ok(())
}
