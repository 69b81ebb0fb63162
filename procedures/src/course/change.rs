//! What creating and editing a course have in common.

use super::{CourseRow, store};
use crate::caller::Insider;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::policy::{self, Action, Verdict};
use crate::values::UserId;

/// How many authors a course may have.
const MAX_AUTHORS: usize = 100;

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
