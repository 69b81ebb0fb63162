//! What creating and editing a course have in common.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CourseRow, ModuleRow, store};
use crate::caller::{Cx, Insider};
use crate::db::Transaction;
use crate::enrollment;
use crate::error::{Error, Result};
use crate::limits::MAX_AUTHORS;
use crate::policy::{self, Action, Verdict};
use crate::values::{CourseId, ModuleId, UserId};

/// Changes a course that the caller may write: nobody else changes it until that is done.
pub(super) async fn course<T: Serialize + DeserializeOwned>(
    cx: &Cx<Insider>,
    id: CourseId,
    work: impl AsyncFnOnce(&mut Transaction<'_>, CourseRow) -> Result<T>,
) -> Result<T> {
    // Whoever writes no courses at all is refused without a transaction.
    policy::course_claim(&cx.caller, Action::WriteCourses)?;
    let authorize = async |tx: &mut Transaction<'_>| {
        let grant = store::grant(tx, &cx.caller, Action::WriteCourses, id).await?;
        let course = store::load_locked(tx, cx.caller.tenant, grant).await?;
        // Whoever had the course before has committed, so from here on, time follows the order of changes.
        tx.now = cx.app.clock.now();
        Ok(course)
    };
    cx.write_authorized(authorize, work).await
}

/// Saves a course that this transaction has locked, and gives the seats that the change has freed to those who wait.
pub(super) async fn saved(
    tx: &mut Transaction<'_>,
    cx: &Cx<Insider>,
    course: CourseRow,
) -> Result<CourseRow> {
    let (id, tenant) = (course.id, cx.caller.tenant);
    let waited_for = course.waitlisted_count > 0;
    store::save(tx, course.clone()).await?;
    if !waited_for {
        return Ok(course);
    }
    enrollment::fill(tx, &cx.app, tenant, id, &cx.request_id).await?;
    store::find(tx, tenant, id).await?.ok_or_else(|| Error::internal("a course just saved is not there"))
}

/// Changes a module, with its course and all of the course's modules at hand.
pub(super) async fn module<T: Serialize + DeserializeOwned>(
    cx: &Cx<Insider>,
    id: ModuleId,
    work: impl AsyncFnOnce(&mut Transaction<'_>, CourseRow, ModuleRow, Vec<ModuleRow>) -> Result<T>,
) -> Result<T> {
    policy::course_claim(&cx.caller, Action::WriteCourses)?;
    let authorize = async |tx: &mut Transaction<'_>| {
        let found = store::find_module(tx, cx.caller.tenant, id).await?.ok_or_else(Error::not_found)?;
        let grant = store::grant(tx, &cx.caller, Action::WriteCourses, found.course_id).await?;
        let course = store::load_locked(tx, cx.caller.tenant, grant).await?;
        tx.now = cx.app.clock.now();
        // As they are now that nobody else changes them.
        let modules = store::modules_of(tx, &course).await?;
        let (own, others): (Vec<_>, Vec<_>) = modules.into_iter().partition(|module| module.id == id);
        let own = own.into_iter().next().ok_or_else(Error::not_found)?;
        Ok((course, own, others))
    };
    cx.write_authorized(authorize, async |tx, (course, own, others)| work(tx, course, own, others).await)
        .await
}

/// The modules that make room for one at this position; none if nobody is there.
pub(super) fn moved_back(modules: &[ModuleRow], position: i32) -> Vec<ModuleRow> {
    if modules.iter().all(|module| module.position != position) {
        return Vec::new();
    }
    let from_there_on = modules.iter().filter(|module| module.position >= position);
    from_there_on.map(|module| ModuleRow { position: module.position + 1, ..module.clone() }).collect()
}

/// What a single field's type cannot say.
pub(super) fn check(course: &CourseRow) -> Result<()> {
    let Some(opens_at) = course.opens_at else { return Ok(()) };
    for (field, end) in [("closesAt", course.closes_at), ("endsAt", course.ends_at)] {
        if end.is_some_and(|end| end <= opens_at) {
            return Err(Error::invalid_input(field, "not after opensAt"));
        }
    }
    Ok(())
}

/// The authors a course gets unless told: an author's own course is theirs.
pub(super) fn default_authors(caller: &Insider) -> Vec<UserId> {
    match policy::verdict(caller, Action::WriteCourses) {
        Verdict::OwnCoursesOnly => caller.user_id().into_iter().collect(),
        Verdict::Allowed | Verdict::LearnersOnly | Verdict::Refused(_) => Vec::new(),
    }
}

/// Authors are members, and an author who edits a course stays one of them.
pub(super) async fn check_authors(tx: &mut Transaction<'_>, caller: &Insider, ids: &[UserId]) -> Result<()> {
    if ids.len() > MAX_AUTHORS {
        return Err(Error::invalid_input("authorIds", format!("more than {MAX_AUTHORS}")));
    }
    let members = store::members_among(tx, caller.tenant, ids.to_vec()).await?;
    if let Some(place) = ids.iter().position(|id| !members.contains(id)) {
        return Err(Error::invalid_input(format!("authorIds[{place}]"), "not a member of the organization"));
    }
    if let Some(place) = (1..ids.len()).find(|place| ids[..*place].contains(&ids[*place])) {
        return Err(Error::invalid_input(format!("authorIds[{place}]"), "named twice"));
    }
    match default_authors(caller).iter().all(|own| ids.contains(own)) {
        true => Ok(()),
        false => Err(Error::invalid_input("authorIds", "an author's own id is missing")),
    }
}
