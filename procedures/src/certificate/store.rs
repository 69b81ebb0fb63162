//! `certificates`.

use diesel::prelude::*;

use super::CertificateNumber;
use crate::caller::Tenant;
use crate::db::schema::{certificates, course_authors, courses};
use crate::db::{Connection, table_row};
use crate::error::Result;
use crate::policy::Subject;
use crate::values::{CertificateId, CourseId, EnrollmentId, Limit, Moment, OrganizationId, Title, UserId};

table_row! {
    pub struct CertificateRow: certificates "certificates" by (id) {
        id: CertificateId,
        number: CertificateNumber,
        organization_id: OrganizationId,
        enrollment_id: EnrollmentId,
        attempt: i32,
        user_id: UserId,
        course_id: CourseId,
        issued_at: Moment,
        expires_at: Option<Moment>,
        voided_at: Option<Moment>,
        void_reason: Option<String>,
    }
}

/// A certificate by its id, and whether `reader` is an author of its course.
pub(super) async fn find(
    conn: &mut Connection,
    tenant: Tenant,
    id: CertificateId,
    reader: Option<UserId>,
) -> Result<Option<(CertificateRow, bool)>> {
    let reader = reader.unwrap_or(UserId::NIL);
    let is_author =
        course_authors::course_id.eq(certificates::course_id).and(course_authors::user_id.eq(reader));
    let query = certificates::table
        .left_join(course_authors::table.on(is_author))
        .filter(certificates::organization_id.eq(tenant.organization_id()))
        .filter(certificates::id.eq(id))
        .select((certificates::all_columns, course_authors::user_id.nullable()));
    let found: Option<(CertificateRow, Option<UserId>)> = conn.first(query).await?;
    Ok(found.map(|(row, author)| (row, author.is_some())))
}

/// A person's certificates after a cursor, oldest first.
pub(super) async fn list_by_subject(
    conn: &mut Connection,
    tenant: Tenant,
    subject: Subject,
    after: Option<CertificateId>,
    limit: Limit,
) -> Result<Vec<CertificateRow>> {
    let query = certificates::table
        .filter(certificates::organization_id.eq(tenant.organization_id()))
        .filter(certificates::user_id.eq(subject.user_id()))
        .filter(certificates::id.gt(after.unwrap_or(CertificateId::NIL)))
        .order(certificates::id)
        .limit(limit.with_lookahead())
        .select(certificates::all_columns);
    Ok(conn.load(query).await?)
}

/// The certificates among these.
pub(crate) async fn among(
    conn: &mut Connection,
    tenant: Tenant,
    ids: Vec<CertificateId>,
) -> Result<Vec<CertificateRow>> {
    let query = certificates::table
        .filter(certificates::organization_id.eq(tenant.organization_id()))
        .filter(certificates::id.eq_any(ids))
        .select(certificates::all_columns);
    Ok(conn.load(query).await?)
}

/// What anyone may learn who has a certificate's number: in whichever organization, and nothing of a person.
pub(super) async fn find_by_number(
    conn: &mut Connection,
    number: CertificateNumber,
) -> Result<Option<(CertificateRow, Title)>> {
    let query = certificates::table
        .inner_join(courses::table.on(courses::id.eq(certificates::course_id)))
        .filter(certificates::number.eq(number))
        .select((certificates::all_columns, courses::title));
    Ok(conn.first(query).await?)
}
