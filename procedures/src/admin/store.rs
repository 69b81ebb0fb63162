//! Looks for what must not be there. The statements are SQL rather than diesel's builder: each is one aggregate or
//! anti-join over an organization's rows, which its words say shorter, and every verification runs all of them.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::Violation;
use super::invariants::Sought;
use crate::caller::Tenant;
use crate::clock::Clock;
use crate::db::Connection;
use crate::db::types::{Instant, UuidKey};
use crate::error::Result;
use crate::event::EventId;
use crate::limits::MAX_VIOLATIONS;
use crate::values::{CertificateId, CourseId, EnrollmentId, ModuleId, UserId};

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    problem: String,
    #[diesel(sql_type = Nullable<UuidKey>)]
    course_id: Option<CourseId>,
    #[diesel(sql_type = Nullable<UuidKey>)]
    enrollment_id: Option<EnrollmentId>,
    #[diesel(sql_type = Nullable<UuidKey>)]
    user_id: Option<UserId>,
    #[diesel(sql_type = Nullable<UuidKey>)]
    module_id: Option<ModuleId>,
    #[diesel(sql_type = Nullable<UuidKey>)]
    certificate_id: Option<CertificateId>,
    #[diesel(sql_type = Nullable<BigInt>)]
    event_number: Option<i64>,
}

/// The rows that there must not be, as far as [`MAX_VIOLATIONS`].
pub(super) async fn found(
    conn: &mut Connection,
    clock: &Clock,
    tenant: Tenant,
    all_sought: &[Sought],
) -> Result<Vec<Violation>> {
    let organization_id = tenant.organization_id();
    let mut violations = Vec::new();
    for sought in all_sought {
        let statement = statement(sought);
        let query = diesel::sql_query(&statement).bind::<UuidKey, _>(organization_id);
        let found: Vec<Found> = if statement.contains("$2") {
            // Later than the snapshot: what had not ended by now had not ended at any change that it sees.
            conn.load(query.bind::<Instant, _>(clock.now())).await?
        } else {
            conn.load(query).await?
        };
        violations.extend(found.into_iter().map(|found| Violation {
            problem: found.problem,
            organization_id,
            course_id: found.course_id,
            enrollment_id: found.enrollment_id,
            user_id: found.user_id,
            module_id: found.module_id,
            certificate_id: found.certificate_id,
            event_id: found.event_number.map(EventId),
        }));
        violations.truncate(MAX_VIOLATIONS);
    }
    Ok(violations)
}

/// The same text for both databases. Violations come in the order of their ids.
fn statement(sought: &Sought) -> String {
    let Sought { problem, course, enrollment, user, module, certificate, event, among } = sought;
    format!(
        "SELECT {problem} AS problem, {course} AS course_id, {enrollment} AS enrollment_id, {user} AS user_id, \
         {module} AS module_id, {certificate} AS certificate_id, {event} AS event_number \
         FROM {among} ORDER BY 2, 3, 4, 5, 6, 7 LIMIT {MAX_VIOLATIONS}"
    )
}
