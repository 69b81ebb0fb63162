//! Certificates: proofs of completion. They are issued with the completion and voided with its revocation, in
//! [`crate::enrollment`]'s transactions; here they are read.

mod get;
mod list_by_user;
mod number;
pub(crate) mod store;
mod verify;

pub use get::{Certificate, Get, GetInput};
pub use list_by_user::{ListByUser, ListByUserInput};
pub use number::CertificateNumber;
pub use store::CertificateRow;
pub use verify::{CertificateState, Verification, Verify, VerifyInput};

use crate::Router;
use crate::course::CourseRow;
use crate::enrollment::EnrollmentRow;
use crate::values::{CertificateId, Moment};

pub fn router() -> Router {
    Router::default()
        .query(Get, get::get)
        .query(ListByUser, list_by_user::list_by_user)
        .query(Verify, verify::verify)
}

impl CertificateRow {
    /// The certificate of an enrollment's present attempt.
    pub(crate) fn issued(course: &CourseRow, enrollment: &EnrollmentRow, at: Moment) -> Self {
        let days = course.certificate_valid_days.and_then(|days| u32::try_from(days).ok());
        CertificateRow {
            id: CertificateId::new(),
            number: CertificateNumber::random(),
            organization_id: enrollment.organization_id,
            enrollment_id: enrollment.id,
            attempt: enrollment.attempt,
            user_id: enrollment.user_id,
            course_id: enrollment.course_id,
            issued_at: at,
            expires_at: days.map(|days| at.plus_days(days)),
            voided_at: None,
            void_reason: None,
        }
    }
}
