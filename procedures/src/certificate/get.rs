use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CertificateNumber, CertificateRow, store};
use crate::caller::{Cx, Insider};
use crate::error::{Error, Result};
use crate::policy;
use crate::router::signature;
use crate::values::{CertificateId, CourseId, EnrollmentId, Moment, OrganizationId, UserId};

/// A certificate by its id, for whoever may see its enrollment.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CertificateGetInput")]
#[schemars(rename = "CertificateGetInput")]
pub struct GetInput {
    pub certificate_id: CertificateId,
}

/// Proof of a completion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    pub id: CertificateId,
    /// What `certificate.verify` takes.
    pub number: CertificateNumber,
    pub enrollment_id: EnrollmentId,
    pub user_id: UserId,
    pub course_id: CourseId,
    pub organization_id: OrganizationId,
    pub issued_at: Moment,
    /// Null if it is valid for ever.
    pub expires_at: Option<Moment>,
    /// When the completion was revoked (D5).
    pub voided_at: Option<Moment>,
    pub void_reason: Option<String>,
}

impl From<CertificateRow> for Certificate {
    fn from(row: CertificateRow) -> Self {
        Certificate {
            id: row.id,
            number: row.number,
            enrollment_id: row.enrollment_id,
            user_id: row.user_id,
            course_id: row.course_id,
            organization_id: row.organization_id,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
            voided_at: row.voided_at,
            void_reason: row.void_reason,
        }
    }
}

signature!(Get: Query "certificate.get" (GetInput) -> Certificate);

pub async fn get(cx: Cx<Insider>, input: GetInput) -> Result<Certificate> {
    let mut conn = cx.app.db.read().await?;
    let found = store::find(&mut conn, cx.caller.tenant, input.certificate_id, cx.caller.user_id()).await?;
    let Some((row, is_author)) = found else {
        return Err(policy::may_see_enrollments(&cx.caller).err().unwrap_or_else(Error::not_found));
    };
    policy::may_see_enrollment(&cx.caller, row.user_id, is_author)?;
    Ok(row.into())
}
