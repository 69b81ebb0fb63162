use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Course, store, view};
use crate::caller::{Actor, Cx, Insider};
use crate::error::{Error, Result};
use crate::member::Role;
use crate::router::signature;
use crate::values::{CourseId, UserId};

/// A course by its id. Learners see published courses and those they are enrolled in.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CourseGetInput")]
#[schemars(rename = "CourseGetInput")]
pub struct GetInput {
    pub course_id: CourseId,
}

signature!(Get: Query "course.get" (GetInput) -> Course);

pub async fn get(cx: Cx<Insider>, input: GetInput) -> Result<Course> {
    let mut conn = cx.app.db.read().await?;
    let found =
        store::find_visible(&mut conn, cx.caller.tenant, input.course_id, learner(&cx.caller)).await?;
    view::present_one(&mut conn, cx.caller.tenant, found.ok_or_else(Error::not_found)?).await
}

/// The caller, if courses are shown to them as to a learner.
pub(super) fn learner(caller: &Insider) -> Option<UserId> {
    match &caller.actor {
        Actor::Person(person) if person.role == Some(Role::Learner) && !person.global_admin => {
            Some(person.user_id)
        }
        Actor::Person(_) | Actor::Service(_) => None,
    }
}
