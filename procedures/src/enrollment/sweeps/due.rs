//! What is due, in all organizations together. Only where to look is found here; the rules decide what is done.

use diesel::dsl::{exists, max, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::Sweep;
use crate::db::schema::{
    certificates, course_enrollments as enrollments, courses, memberships, reminder_leads as leads,
};
use crate::db::{Connection, days_before};
use crate::enrollment::EnrollmentStatus;
use crate::error::{Error, Result};
use crate::limits::REMINDER_WINDOW;
use crate::member::MembershipStatus;
use crate::values::{CourseId, Moment, OrganizationId, UserId};

// In the words of the indexes that have just those: a plan that is made for any parameters could not use them otherwise.
const ENROLLED: &str = "course_enrollments.status = 'enrolled'";
const WAITS: &str = "course_enrollments.status = 'waitlisted'";
const WAITED_FOR: &str = "courses.waitlisted_count > 0";

/// Somebody's enrollment in a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Queryable)]
pub(super) struct Due {
    pub organization_id: OrganizationId,
    pub course_id: CourseId,
    pub user_id: UserId,
}

/// At most so many, those that have been due longest first.
pub(super) async fn find(conn: &mut Connection, sweep: Sweep, now: Moment, most: usize) -> Result<Vec<Due>> {
    let most = i64::try_from(most).map_err(Error::internal)?;
    match sweep {
        Sweep::Expiry => access_ended(conn, now, most).await,
        Sweep::ClosedWaitlists => waiting_in_vain(conn, now, most).await,
        Sweep::Reminders => {
            let Some(until) = horizon(conn, now).await? else { return Ok(Vec::new()) };
            let mut due = access_ending(conn, now, until, most).await?;
            if let left @ 1.. = most - i64::try_from(due.len()).map_err(Error::internal)? {
                due.extend(certificates_ending(conn, now, until, left).await?);
            }
            Ok(due)
        }
    }
}

async fn access_ended(conn: &mut Connection, now: Moment, most: i64) -> Result<Vec<Due>> {
    let query = enrollments::table
        .filter(sql::<Bool>(ENROLLED))
        .filter(enrollments::expires_at.le(now))
        .order((enrollments::expires_at, enrollments::id))
        .limit(most)
        .select((enrollments::organization_id, enrollments::course_id, enrollments::user_id));
    Ok(conn.load(query).await?)
}

async fn waiting_in_vain(conn: &mut Connection, now: Moment, most: i64) -> Result<Vec<Due>> {
    let query = courses::table
        .inner_join(enrollments::table.on(enrollments::course_id.eq(courses::id)))
        .filter(courses::ends_at.le(now))
        .filter(sql::<Bool>(WAITED_FOR))
        .filter(sql::<Bool>(WAITS))
        .order((courses::ends_at, enrollments::id))
        .limit(most)
        .select((enrollments::organization_id, enrollments::course_id, enrollments::user_id));
    Ok(conn.load(query).await?)
}

/// The last moment at which anything may end that anyone is to be reminded of now; none if nobody is ever reminded.
async fn horizon(conn: &mut Connection, now: Moment) -> Result<Option<Moment>> {
    let longest: Option<i32> = conn.one(leads::table.select(max(leads::days))).await?;
    Ok(longest.and_then(|days| u32::try_from(days).ok()).map(|days| now.plus_days(days)))
}

/// People who are no active members are not reminded; who is one again later may be.
#[diesel::dsl::auto_type]
fn is_active_member() -> _ {
    let active: MembershipStatus = MembershipStatus::Active;
    memberships::user_id
        .eq(enrollments::user_id)
        .and(memberships::organization_id.eq(enrollments::organization_id))
        .and(memberships::status.eq(active))
}

async fn access_ending(conn: &mut Connection, now: Moment, until: Moment, most: i64) -> Result<Vec<Due>> {
    let ends_at = enrollments::expires_at.assume_not_null();
    let last = enrollments::reminder_sent_at;
    let lead = leads::table
        .filter(leads::organization_id.eq(enrollments::organization_id))
        .filter(days_before(ends_at, leads::days).le(now))
        .filter(last.is_null().or(last.assume_not_null().lt(days_before(ends_at, leads::days))));
    let query = enrollments::table
        .inner_join(memberships::table.on(is_active_member()))
        .filter(sql::<Bool>(ENROLLED))
        .filter(enrollments::expires_at.gt(now))
        .filter(enrollments::expires_at.le(until))
        .filter(last.is_null().or(last.le(now.minus(REMINDER_WINDOW))))
        .filter(exists(lead))
        .order((enrollments::expires_at, enrollments::id))
        .limit(most)
        .select((enrollments::organization_id, enrollments::course_id, enrollments::user_id));
    Ok(conn.load(query).await?)
}

async fn certificates_ending(
    conn: &mut Connection,
    now: Moment,
    until: Moment,
    most: i64,
) -> Result<Vec<Due>> {
    let ends_at = certificates::expires_at.assume_not_null();
    let last = enrollments::reminder_sent_at;
    let lead = leads::table
        .filter(leads::organization_id.eq(certificates::organization_id))
        .filter(days_before(ends_at, leads::days).le(now))
        .filter(last.is_null().or(last.assume_not_null().lt(days_before(ends_at, leads::days))));
    let query = certificates::table
        .inner_join(enrollments::table.on(enrollments::certificate_id.eq(certificates::id.nullable())))
        .inner_join(memberships::table.on(is_active_member()))
        .filter(certificates::voided_at.is_null())
        .filter(certificates::expires_at.gt(now))
        .filter(certificates::expires_at.le(until))
        .filter(enrollments::status.eq(EnrollmentStatus::Completed))
        .filter(last.is_null().or(last.le(now.minus(REMINDER_WINDOW))))
        .filter(exists(lead))
        .order((certificates::expires_at, certificates::id))
        .limit(most)
        .select((enrollments::organization_id, enrollments::course_id, enrollments::user_id));
    Ok(conn.load(query).await?)
}
