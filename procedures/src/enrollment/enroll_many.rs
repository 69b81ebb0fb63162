use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::rules::{By, Command, Wish};
use super::view::Enrollment;
use super::write::{self, Answer, Order};
use crate::caller::{Cx, Insider};
use crate::error::{Error, ErrorShape, Reason, Result};
use crate::idempotency::{self, Claim, KeyedCall};
use crate::limits::MAX_LIST_INPUT;
use crate::policy::{self, Action};
use crate::router::{Signature, objects, signature};
use crate::values::{CourseId, IdempotencyKey, Notes, UserId};

/// Enrolls many people at once, each as `enrollment.enroll` would, in their order and in one transaction: earlier rows
/// queue first, and a row that is refused costs the others nothing.
///
/// Each row for whom `enrollment.enroll` would take it: coordinators (of learners alone), admins, services with
/// `enrollments:write`, and anyone for themselves.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "EnrollmentEnrollManyInput")]
#[schemars(rename = "EnrollmentEnrollManyInput")]
pub struct EnrollManyInput {
    /// At most 1000.
    #[serde(deserialize_with = "objects")]
    #[schemars(length(max = MAX_LIST_INPUT))]
    pub items: Vec<EnrollManyItem>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct EnrollManyItem {
    pub course_id: CourseId,
    pub user_id: UserId,
    /// For those who may read notes.
    pub notes: Option<Notes>,
    /// Makes the row safe to repeat, in whichever call.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// The rows' answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrollManyResults {
    /// In the order of the rows.
    pub results: Vec<EnrollManyResult>,
}

/// What came of one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum EnrollManyResult {
    Ok(Box<Enrollment>),
    Error(ErrorShape),
}

signature!(EnrollMany: Mutation "enrollment.enrollMany" (EnrollManyInput) -> EnrollManyResults);

/// Under which name the keys of rows are kept: a row's key is not a call's.
const ROW: &str = "enrollment.enrollMany.items";

pub async fn enroll_many(cx: Cx<Insider>, input: EnrollManyInput) -> Result<EnrollManyResults> {
    if input.items.len() > MAX_LIST_INPUT {
        return Err(Error::invalid_input("items", format!("more than {MAX_LIST_INPUT}")));
    }
    let (rows, orders) = plan(&cx, &input.items);
    let sees_notes = policy::may_read_notes(&cx.caller);
    let answer = cx.write(async |tx| {
        let outcomes = write::batch(tx, &cx.app, cx.caller.tenant, &orders).await?;
        let answers: Vec<Result<Enrollment>> =
            outcomes.into_iter().map(|outcome| outcome?.answer(sees_notes)).collect();
        let in_flight = |answer: &Result<Enrollment>| {
            answer.as_ref().is_err_and(|error| error.reason() == Some(&Reason::KeyInFlight))
        };
        if cx.key.is_some() && answers.iter().any(in_flight) {
            // Such a row is not decided yet, so the call cannot be answered for good.
            return Err(Reason::KeyInFlight.into());
        }
        let answered: Vec<EnrollManyResult> = answers.into_iter().map(|answer| result(&cx, answer)).collect();
        let answer_to = |row: &Row| match row {
            Row::Ordered(order) => answered.get(*order).cloned(),
            Row::Refused(error) => Some(EnrollManyResult::Error(error.clone())),
        };
        let results: Option<Vec<EnrollManyResult>> = rows.iter().map(answer_to).collect();
        Ok(EnrollManyResults { results: results.ok_or_else(|| Error::internal("each order has an answer"))? })
    });
    let EnrollManyResults { results } = answer.await?;
    // A stored answer is older than the caller's role, and says no more than they may know now.
    let known = |(row, result): (&Row, EnrollManyResult)| match (row, result) {
        (Row::Refused(error), _) => EnrollManyResult::Error(error.clone()),
        (Row::Ordered(_), EnrollManyResult::Ok(enrollment)) if !sees_notes => {
            EnrollManyResult::Ok(Box::new(enrollment.without_notes()))
        }
        (Row::Ordered(_), result) => result,
    };
    Ok(EnrollManyResults { results: rows.iter().zip(results).map(known).collect() })
}

/// What a row comes to.
enum Row {
    /// One of the orders, by its place; rows that say the same under one key are one order.
    Ordered(usize),
    Refused(ErrorShape),
}

fn plan(cx: &Cx<Insider>, items: &[EnrollManyItem]) -> (Vec<Row>, Vec<Order>) {
    let mut orders = Vec::with_capacity(items.len());
    let mut keyed: BTreeMap<&IdempotencyKey, (&EnrollManyItem, usize)> = BTreeMap::new();
    let mut row = |item| {
        let order = order(cx, item)?;
        match item.idempotency_key.as_ref().map(|key| keyed.entry(key)) {
            Some(Entry::Occupied(earlier)) => match earlier.get() {
                (first, place) if *first == item => return Ok(*place),
                (_, _) => return Err(idempotency::reused()),
            },
            Some(Entry::Vacant(place)) => {
                place.insert((item, orders.len()));
            }
            None => {}
        }
        orders.push(order);
        Ok(orders.len() - 1)
    };
    let rows: Vec<Row> = items
        .iter()
        .map(|item| row(item).map_or_else(|refusal| Row::Refused(shape(cx, &refusal)), Row::Ordered))
        .collect();
    (rows, orders)
}

/// A row as `enrollment.enroll` takes it.
fn order(cx: &Cx<Insider>, item: &EnrollManyItem) -> Result<Order> {
    let subject = policy::subject_of_change(&cx.caller, Some(item.user_id))?;
    if item.notes.is_some() {
        policy::require(&cx.caller, Action::ReadNotes)?;
    }
    let claim = match &item.idempotency_key {
        Some(key) => Some(Claim::new(&cx.caller, KeyedCall::new(ROW, key.clone(), item)?)),
        None => None,
    };
    let by = By::of(&cx.caller, &cx.request_id);
    let wish = Wish::Enroll { notes: item.notes.clone(), waitlist: true };
    let command = Command { course_id: item.course_id, subject, by, wish };
    Ok(Order::new::<Enrollment>(&cx.caller, command, claim))
}

fn result(cx: &Cx<Insider>, answer: Result<Enrollment>) -> EnrollManyResult {
    match answer {
        Ok(enrollment) => EnrollManyResult::Ok(Box::new(enrollment)),
        Err(refusal) => EnrollManyResult::Error(shape(cx, &refusal)),
    }
}

fn shape(cx: &Cx<Insider>, refusal: &Error) -> ErrorShape {
    refusal.shape(Some(EnrollMany::PATH), &cx.request_id)
}
