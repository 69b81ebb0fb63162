use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Certificate, store};
use crate::caller::{Cx, Insider};
use crate::error::Result;
use crate::policy;
use crate::router::signature;
use crate::values::{CertificateId, Cursor, Limit, Page, UserId};

/// The certificates of the caller, or of another member, oldest first, voided and expired ones included.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CertificateListByUserInput", optional_fields = nullable)]
#[schemars(rename = "CertificateListByUserInput")]
pub struct ListByUserInput {
    /// The caller, unless told.
    pub user_id: Option<UserId>,
    pub cursor: Option<Cursor<CertificateId>>,
    pub limit: Option<Limit>,
}

signature!(ListByUser: Query "certificate.listByUser" (ListByUserInput) -> Page<Certificate>);

pub async fn list_by_user(cx: Cx<Insider>, input: ListByUserInput) -> Result<Page<Certificate>> {
    let subject = policy::subject_of_reading(&cx.caller, input.user_id)?;
    let limit = input.limit.unwrap_or_default();
    let after = input.cursor.map(|cursor| cursor.0);
    let mut conn = cx.app.db.read().await?;
    let rows = store::list_by_subject(&mut conn, cx.caller.tenant, subject, after, limit).await?;
    let certificates: Vec<Certificate> = rows.into_iter().map(Certificate::from).collect();
    Ok(Page::of(certificates, limit, |certificate| certificate.id))
}
