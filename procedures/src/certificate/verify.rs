use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{CertificateNumber, store};
use crate::caller::{Cx, Public};
use crate::error::Result;
use crate::router::signature;
use crate::text_enum;
use crate::values::{Moment, Search, Title};

/// Whether a certificate with this number is valid. For anyone, also without a session; it tells nothing of a person.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[ts(rename = "CertificateVerifyInput")]
#[schemars(rename = "CertificateVerifyInput")]
pub struct VerifyInput {
    /// As it is printed; case, hyphens and spaces do not matter.
    pub number: Search,
}

text_enum! {
    /// What a number stands for.
    pub enum CertificateState {
        Valid = "valid",
        Expired = "expired",
        Voided = "voided",
        /// No certificate has this number.
        Unknown = "unknown",
    }
}

/// What anyone may know of a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    pub state: CertificateState,
    /// Null if the number is unknown.
    pub course_title: Option<Title>,
    pub issued_at: Option<Moment>,
    /// Null if it is valid for ever.
    pub expires_at: Option<Moment>,
}

signature!(Verify: Query "certificate.verify" (VerifyInput) -> Verification);

pub async fn verify(cx: Cx<Public>, input: VerifyInput) -> Result<Verification> {
    let unknown = Verification {
        state: CertificateState::Unknown,
        course_title: None,
        issued_at: None,
        expires_at: None,
    };
    let Ok(number) = input.number.as_str().parse::<CertificateNumber>() else { return Ok(unknown) };
    let found = store::find_by_number(&mut *cx.app.db.read().await?, number).await?;
    let Some((certificate, title)) = found else { return Ok(unknown) };
    let state = match (certificate.voided_at, certificate.expires_at) {
        (Some(_), _) => CertificateState::Voided,
        (None, Some(at)) if at <= cx.app.clock.now() => CertificateState::Expired,
        (None, _) => CertificateState::Valid,
    };
    Ok(Verification {
        state,
        course_title: Some(title),
        issued_at: Some(certificate.issued_at),
        expires_at: certificate.expires_at,
    })
}
