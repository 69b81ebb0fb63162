//! What somebody is written to about an event, as it is when it is sent.

use diesel::prelude::*;

use super::Claimed;
use crate::App;
use crate::caller::Tenant;
use crate::certificate::CertificateNumber;
use crate::db::Connection;
use crate::db::schema::{certificates, courses, memberships, organizations, users};
use crate::error::{Error, Result};
use crate::event::{Event, EventKind};
use crate::member::MembershipStatus;
use crate::values::{CertificateId, Email, Moment, Name, OrganizationId, Slug, Title};

/// All that a message about an event needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    pub to: Email,
    pub name: Option<Name>,
    pub organization_id: OrganizationId,
    pub organization_slug: Slug,
    pub organization: Name,
    pub course: Title,
    pub subject: Subject,
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Access to the course ends at this moment.
    AccessEnds {
        at: Moment,
    },
    /// The certificate of the course ends at this moment.
    CertificateEnds {
        at: Moment,
        number: CertificateNumber,
    },
    /// Whoever waited has a seat.
    Promoted,
    CertificateIssued {
        number: CertificateNumber,
    },
}

/// What is to be written; nothing if there is nobody to write to any more: without an address (as who was anonymized),
/// or without an active membership.
pub async fn letter(app: &App, claimed: &Claimed) -> Result<Option<Letter>> {
    let event = &claimed.event;
    let found = find(&mut *app.db.read().await?, Tenant::of(event.organization_id), event).await?;
    let Some(Found {
        email: Some(to),
        status: MembershipStatus::Active,
        name,
        slug,
        organization,
        course,
        number,
    }) = found
    else {
        return Ok(None);
    };
    Ok(Some(Letter {
        to,
        name,
        organization_id: event.organization_id,
        organization_slug: slug,
        organization,
        course,
        subject: subject(event, number)?,
    }))
}

fn subject(event: &Event, number: Option<CertificateNumber>) -> Result<Subject> {
    let number = || number.ok_or_else(|| Error::internal("mail about a certificate that is not there"));
    match event.kind {
        EventKind::ReminderSent => {
            let at = event.data.ends_at.ok_or_else(|| Error::internal("a reminder without an end"))?;
            match event.data.certificate_id {
                Some(_) => Ok(Subject::CertificateEnds { at, number: number()? }),
                None => Ok(Subject::AccessEnds { at }),
            }
        }
        EventKind::Promoted => Ok(Subject::Promoted),
        EventKind::CertificateIssued => Ok(Subject::CertificateIssued { number: number()? }),
        EventKind::Enrolled
        | EventKind::Waitlisted
        | EventKind::Reactivated
        | EventKind::Cancelled
        | EventKind::Completed
        | EventKind::Expired
        | EventKind::Revoked
        | EventKind::NotesSet
        | EventKind::ModuleStarted
        | EventKind::ModuleCompleted
        | EventKind::ModuleAssigned
        | EventKind::ModuleUnassigned
        | EventKind::CertificateVoided => Err(Error::internal("mail about what nobody is written to about")),
    }
}

#[derive(Queryable)]
struct Found {
    email: Option<Email>,
    status: MembershipStatus,
    name: Option<Name>,
    slug: Slug,
    organization: Name,
    course: Title,
    number: Option<CertificateNumber>,
}

/// The person whom an event is about, their organization, the course, and the certificate if the event has one.
async fn find(conn: &mut Connection, tenant: Tenant, event: &Event) -> Result<Option<Found>> {
    let certificate = event.data.certificate_id.unwrap_or(CertificateId::NIL);
    let query = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .inner_join(organizations::table.on(organizations::id.eq(memberships::organization_id)))
        .inner_join(courses::table.on(courses::organization_id.eq(memberships::organization_id)))
        .left_join(
            certificates::table.on(certificates::organization_id
                .eq(memberships::organization_id)
                .and(certificates::id.eq(certificate))),
        )
        .filter(memberships::organization_id.eq(tenant.organization_id()))
        .filter(memberships::user_id.eq(event.user_id))
        .filter(courses::id.eq(event.course_id))
        .select((
            users::email,
            memberships::status,
            users::display_name,
            organizations::slug,
            organizations::name,
            courses::title,
            certificates::number.nullable(),
        ));
    Ok(conn.first(query).await?)
}
