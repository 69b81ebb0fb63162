//! One transaction for the enrollment commands of one organization, a single one or many: keys claimed, facts loaded,
//! each decided, changes and events written, all set-wise.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::facts::{self, Courses, Wanted};
use super::rules::{self, By, Changes, Command, Decided, Facts, Wish};
use super::view::{ActingOn, Enrollment};
use super::{EnrollmentRow, EnrollmentStatus, group, store};
use crate::App;
use crate::caller::{Cx, Insider, Tenant};
use crate::course::{self, ModuleRow};
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::event;
use crate::idempotency::{self, Claim, Claimed};
use crate::metric;
use crate::module::ModuleEnrollmentRow;
use crate::policy::{self, Subject};
use crate::values::{CourseId, EnrollmentId, Moment};

/// A command with what its caller may see, and the idempotency key of the call it came by.
pub(crate) struct Order {
    pub command: Command,
    sees_notes: bool,
    keyed: Option<Keyed>,
}

/// The key of an order, and how its answer is written down under it.
struct Keyed {
    claim: Claim,
    answer: fn(&Order, &Told) -> Result<String>,
}

impl Order {
    /// An order that is answered by a `T`.
    pub fn new<T: Answer>(caller: &Insider, command: Command, claim: Option<Claim>) -> Self {
        let keyed = claim.map(|claim| Keyed { claim, answer: written::<T> });
        Order { command, sees_notes: policy::may_read_notes(caller), keyed }
    }
}

fn written<T: Answer>(order: &Order, told: &Told) -> Result<String> {
    serde_json::to_string(&T::of(told.clone(), order.sees_notes)?).map_err(Error::internal)
}

/// What was decided, with what is told beside it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub row: EnrollmentRow,
    /// The place on the waitlist, of one that waits.
    pub position: Option<i32>,
    /// The module that the command was about.
    pub module: Option<(ModuleEnrollmentRow, ModuleRow)>,
}

/// What came of an order.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done(Box<Told>),
    /// It was done before, under the same key; this is what was answered then.
    Repeated(String),
}

impl Outcome {
    /// The answer, for a caller who may or may not read notes.
    pub fn answer<T: Answer>(self, sees_notes: bool) -> Result<T> {
        match self {
            Outcome::Done(told) => T::of(*told, sees_notes),
            Outcome::Repeated(answer) => {
                let answer: T = serde_json::from_str(&answer).map_err(Error::internal)?;
                Ok(if sees_notes { answer } else { answer.without_notes() })
            }
        }
    }
}

/// An answer to a command, which is kept under its idempotency key.
pub(crate) trait Answer: Serialize + DeserializeOwned {
    /// What was decided, as a caller sees it who may or may not read notes.
    fn of(told: Told, sees_notes: bool) -> Result<Self>;

    /// Who may read notes is decided each time a stored answer is given.
    fn without_notes(self) -> Self;
}

impl Answer for Enrollment {
    fn of(told: Told, sees_notes: bool) -> Result<Self> {
        Ok(Enrollment::of(told.row, told.position, sees_notes))
    }

    fn without_notes(self) -> Self {
        Enrollment { notes: None, ..self }
    }
}

/// Carries out one caller's wish about one enrollment, together with what others want at the same time.
pub(crate) async fn one<T: Answer>(
    cx: Cx<Insider>,
    course_id: CourseId,
    subject: Subject,
    wish: Wish,
) -> Result<T> {
    let by = By::of(&cx.caller, &cx.request_id);
    let claim = cx.key.map(|call| Claim::new(&cx.caller, call));
    let order = Order::new::<T>(&cx.caller, Command { course_id, subject, by, wish }, claim);
    let outcome = group::carry_out(&cx.app, cx.caller.tenant, order).await?;
    outcome.answer(policy::may_read_notes(&cx.caller))
}

/// The same for an enrollment that was named by its id.
pub(crate) async fn acting_on<T: Answer>(cx: Cx<Insider>, on: ActingOn, wish: Wish) -> Result<T> {
    one(cx, on.course_id, on.subject, wish).await
}

/// Carries out many orders of one organization in their order; each has its own outcome, and one that the rules refuse
/// costs the others nothing.
pub(crate) async fn batch(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    orders: &[Order],
) -> Result<Vec<Result<Outcome>>> {
    let now = tx.now;
    let claims: Vec<Option<&Claim>> =
        orders.iter().map(|order| order.keyed.as_ref().map(|keyed| &keyed.claim)).collect();
    let claimed = idempotency::claim(tx, &claims, now).await?;
    let fresh: Vec<&Order> = orders
        .iter()
        .zip(&claimed)
        .filter_map(|(order, claimed)| matches!(claimed, Claimed::Fresh).then_some(order))
        .collect();
    let commands: Vec<&Command> = fresh.iter().map(|order| &order.command).collect();
    let outcomes = carry_out(tx, app, tenant, &commands).await?;
    let told = told(tx, tenant, outcomes).await?;
    let mut answers = Vec::new();
    for (order, told) in fresh.iter().zip(&told) {
        if let (Some(Keyed { claim, answer }), Ok(told)) = (&order.keyed, told) {
            answers.push((claim, answer(order, told)?));
        }
    }
    idempotency::record(tx, answers, now);

    let mut told = told.into_iter();
    let outcome = |claimed| match claimed {
        Claimed::Answered(answer) => Ok(Outcome::Repeated(answer)),
        Claimed::Refused(error) => Err(error),
        Claimed::Fresh => match told.next() {
            Some(told) => told.map(|told| Outcome::Done(Box::new(told))),
            None => Err(Error::internal("each command has an outcome")),
        },
    };
    Ok(claimed.into_iter().map(outcome).collect())
}

/// Looks up what is told of decisions beside them: the places of those that wait, and the modules they were about.
async fn told(
    tx: &mut Transaction<'_>,
    tenant: Tenant,
    outcomes: Vec<Result<Decided>>,
) -> Result<Vec<Result<Told>>> {
    let decided = || outcomes.iter().flatten();
    let waits =
        |decided: &&Decided| decided.row.status == EnrollmentStatus::Waitlisted && decided.position.is_none();
    let waiting: Vec<EnrollmentId> = decided().filter(waits).map(|decided| decided.row.id).collect();
    if !waiting.is_empty() {
        // Who has left the waitlist is no longer counted.
        tx.flush().await?;
    }
    let positions = store::waitlist_positions(tx, tenant, waiting).await?;
    let modules = decided().filter_map(|decided| Some(decided.module.as_ref()?.module_id)).collect();
    let modules = course::store::modules_among(tx, tenant, modules).await?;
    let tell = |Decided { row, position, module }: Decided| {
        let position = position.or_else(|| positions.get(&row.id).copied());
        let module = match module {
            Some(given) => {
                let module = modules.get(&given.module_id).cloned();
                Some((given, module.ok_or_else(|| Error::internal("a module that is not there"))?))
            }
            None => None,
        };
        Ok(Told { row, position, module })
    };
    Ok(outcomes.into_iter().map(|outcome| outcome.and_then(tell)).collect())
}

/// Decides commands in their order, and has what changes written.
async fn carry_out(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    commands: &[&Command],
) -> Result<Vec<Result<Decided>>> {
    metric::batch(commands.len());
    // What is still to be written is among the facts.
    tx.flush().await?;
    let facts = facts::load(tx, tenant, Wanted::of(commands), Courses::Locked).await?;
    decided(tx, app, tenant, facts, |facts, changes, now| {
        let mut outcomes = Vec::with_capacity(commands.len());
        for command in commands {
            match rules::decide(facts, changes, now, command) {
                // A defect may have left facts half-changed: nothing of this batch is written.
                Err(defect) if defect.cause().is_some() => return Err(defect),
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    })
}

/// Decides on facts that are loaded and locked: whoever had the courses before has committed, so from here on, time
/// follows the order of changes.
fn decided<T>(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    mut facts: Facts,
    decide: impl FnOnce(&mut Facts, &mut Changes, Moment) -> Result<T>,
) -> Result<T> {
    tx.now = app.clock.now();
    let mut changes = Changes::default();
    let outcome = decide(&mut facts, &mut changes, tx.now)?;
    event::store::tell(tx, tenant, std::mem::take(&mut changes.events));
    facts::apply(changes, &mut tx.last);
    Ok(outcome)
}

/// Carries out what is due by itself in one organization; answers how much of it was. What the rules refuse has been
/// done meanwhile, or is not due any more.
pub(crate) async fn by_itself(app: &App, tenant: Tenant, commands: &[Command]) -> Result<usize> {
    let commands: Vec<&Command> = commands.iter().collect();
    let outcomes = app.transaction(async |tx| carry_out(tx, app, tenant, &commands).await).await?;
    Ok(outcomes.iter().filter(|outcome| outcome.is_ok()).count())
}

/// Carries out what follows from a change that this transaction has made: all of it, or none of the change either.
pub(crate) async fn follow_up(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    commands: &[Command],
) -> Result<()> {
    let outcomes = carry_out(tx, app, tenant, &commands.iter().collect::<Vec<_>>()).await?;
    for outcome in outcomes {
        outcome
            .map_err(|refusal| Error::internal(format!("what follows by itself was refused: {refusal}")))?;
    }
    Ok(tx.flush().await?)
}

/// Gives a course's free seats to those who wait (D11): after its capacity was raised, or it was published again.
pub(crate) async fn fill(
    tx: &mut Transaction<'_>,
    app: &App,
    tenant: Tenant,
    course_id: CourseId,
    request_id: &str,
) -> Result<()> {
    let facts = facts::load(tx, tenant, Wanted::to_fill(course_id), Courses::Locked).await?;
    decided(tx, app, tenant, facts, |facts, changes, now| {
        rules::fill(facts, changes, now, course_id, request_id)
    })?;
    Ok(tx.flush().await?)
}
