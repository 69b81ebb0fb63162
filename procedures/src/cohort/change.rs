//! What changes of cohorts have in common.

use std::collections::BTreeSet;

use super::store::{self, AttachmentRow, CohortRow, MemberRow};
use super::{Cohort, view};
use crate::caller::{Cx, Insider};
use crate::db::Transaction;
use crate::error::{Error, Result, Rule};
use crate::limits::{MAX_COHORT_COURSES, MAX_COHORT_MEMBERS, MAX_LIST_INPUT};
use crate::policy::{self, Action};
use crate::values::{CohortId, CourseId, UserId};

/// Changes a cohort of the caller's organization: nobody else changes it until that is done.
pub(super) async fn cohort(
    cx: &Cx<Insider>,
    id: CohortId,
    work: impl AsyncFnOnce(&mut Transaction<'_>, &CohortRow) -> Result<()>,
) -> Result<Changed> {
    policy::require(&cx.caller, Action::WriteCohorts)?;
    let tenant = cx.caller.tenant;
    written(cx, async |tx| {
        let cohort = store::find_locked(tx, tenant, id).await?.ok_or_else(Error::not_found)?;
        work(tx, &cohort).await?;
        view::present_one(tx, tenant, cohort).await
    })
    .await
}

/// A cohort, and whether this call has changed it: a stored answer is of one that has.
pub(super) struct Changed {
    pub cohort: Cohort,
    pub by_this_call: bool,
}

/// Writes a cohort under the call's idempotency key.
pub(super) async fn written(
    cx: &Cx<Insider>,
    work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<Cohort>,
) -> Result<Changed> {
    let mut by_this_call = false;
    let cohort = cx
        .write(async |tx| {
            by_this_call = true;
            work(tx).await
        })
        .await?;
    Ok(Changed { cohort, by_this_call })
}

/// Adds those who are not in it. Neither the membership's status nor the role matters here: they do when the members are
/// enrolled.
pub(super) async fn add_members(
    tx: &mut Transaction<'_>,
    cx: &Cx<Insider>,
    cohort: &CohortRow,
    named: &[UserId],
) -> Result<()> {
    let mut joining = members_named(tx, cohort, named).await?;
    let mut rows = store::members_among(tx, cohort, Vec::from_iter(joining.iter().copied())).await?;
    for member in &rows {
        joining.remove(&member.user_id);
    }
    if store::count_members(tx, cohort).await? + joining.len() > MAX_COHORT_MEMBERS {
        let problem = format!("the cohort would have more than {MAX_COHORT_MEMBERS} members");
        return Err(Error::invalid_input("userIds", problem));
    }
    // Who was added as a learner alone is in it for good once someone adds them who enrolls anyone.
    rows.retain(|member| member.learners_only && !policy::enrolls_learners_only(&cx.caller));
    for member in &mut rows {
        member.learners_only = false;
    }
    rows.extend(joining.into_iter().map(|user_id| MemberRow {
        organization_id: cohort.organization_id,
        cohort_id: cohort.id,
        user_id,
        added_at: tx.now,
        removed_at: None,
        learners_only: policy::enrolls_learners_only(&cx.caller) && !cx.caller.is(user_id),
    }));
    store::save_members(tx, &rows).await
}

/// Takes out those who are in it; their rows stay (D24).
pub(super) async fn remove_members(
    tx: &mut Transaction<'_>,
    cohort: &CohortRow,
    named: &[UserId],
) -> Result<()> {
    let leaving = members_named(tx, cohort, named).await?;
    let mut rows = store::members_among(tx, cohort, Vec::from_iter(leaving)).await?;
    for row in &mut rows {
        row.removed_at = Some(tx.now);
    }
    store::save_members(tx, &rows).await
}

/// Each of the named once. All are members of the organization, or nothing is said of any (D17).
async fn members_named(
    tx: &mut Transaction<'_>,
    cohort: &CohortRow,
    named: &[UserId],
) -> Result<BTreeSet<UserId>> {
    if named.len() > MAX_LIST_INPUT {
        return Err(Error::invalid_input("userIds", format!("more than {MAX_LIST_INPUT}")));
    }
    let named = BTreeSet::from_iter(named.iter().copied());
    let known = store::users_among(tx, cohort, Vec::from_iter(named.iter().copied())).await?;
    match known.len() == named.len() {
        true => Ok(named),
        false => Err(Error::not_found().by_rule(Rule::ValidUserId)),
    }
}

/// Gives it the courses that it does not have, in whatever status; `field` is where the input names them.
pub(super) async fn attach(
    tx: &mut Transaction<'_>,
    cx: &Cx<Insider>,
    cohort: &CohortRow,
    field: &str,
    named: &[CourseId],
) -> Result<()> {
    if named.len() > MAX_COHORT_COURSES {
        return Err(Error::invalid_input(field, format!("more than {MAX_COHORT_COURSES}")));
    }
    let mut added = courses_named(tx, cohort, named).await?;
    let mut rows = store::courses_of(tx, cohort).await?;
    let present = rows.len();
    rows.retain(|attachment| added.remove(&attachment.course_id));
    if present + added.len() > MAX_COHORT_COURSES {
        let problem = format!("the cohort would have more than {MAX_COHORT_COURSES} courses");
        return Err(Error::invalid_input(field, problem));
    }
    // What was attached for learners alone is there for all once someone attaches it who enrolls anyone.
    rows.retain(|attachment| attachment.learners_only && !policy::enrolls_learners_only(&cx.caller));
    for attachment in &mut rows {
        attachment.learners_only = false;
    }
    rows.extend(added.into_iter().map(|course_id| AttachmentRow {
        organization_id: cohort.organization_id,
        cohort_id: cohort.id,
        course_id,
        added_at: tx.now,
        removed_at: None,
        learners_only: policy::enrolls_learners_only(&cx.caller),
    }));
    store::save_courses(tx, &rows).await
}

/// Takes a course from it; the row stays (D24).
pub(super) async fn detach(tx: &mut Transaction<'_>, cohort: &CohortRow, named: CourseId) -> Result<()> {
    courses_named(tx, cohort, &[named]).await?;
    let mut rows = store::courses_of(tx, cohort).await?;
    rows.retain(|row| row.course_id == named);
    for row in &mut rows {
        row.removed_at = Some(tx.now);
    }
    store::save_courses(tx, &rows).await
}

/// Each of the named once. All are courses of the organization, or nothing is said of any (D17).
async fn courses_named(
    tx: &mut Transaction<'_>,
    cohort: &CohortRow,
    named: &[CourseId],
) -> Result<BTreeSet<CourseId>> {
    let named = BTreeSet::from_iter(named.iter().copied());
    let known = store::courses_among(tx, cohort, Vec::from_iter(named.iter().copied())).await?;
    match known.len() == named.len() {
        true => Ok(named),
        false => Err(Error::not_found().by_rule(Rule::ValidCourseId)),
    }
}
