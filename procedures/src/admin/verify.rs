use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::invariants::Proof;
use super::{Invariant, store};
use crate::App;
use crate::caller::{Cx, Insider, Tenant};
use crate::clock::Clock;
use crate::db::Connection;
use crate::error::Result;
use crate::event::{self, EventId, LastSeal};
use crate::limits::STATEMENT_TIMEOUT;
use crate::policy::{self, Action};
use crate::router::{NoInput, signature};
use crate::values::{CertificateId, CourseId, EnrollmentId, ModuleId, OrganizationId, UserId};

/// Proves every invariant of the organization on all of its rows, as they are at one moment.
///
/// For admins, and services with `events:read`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvariantReport {
    /// Whether all of them hold.
    pub ok: bool,
    /// Every invariant, always in the same order.
    pub checks: Vec<InvariantCheck>,
}

/// Whether one invariant holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvariantCheck {
    pub name: Invariant,
    pub ok: bool,
    /// Where it does not hold. There may be more of them once there are 100.
    pub violations: Vec<Violation>,
}

/// One thing that is not as it must be, in words, and the ids of what it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[ts(optional_fields)]
pub struct Violation {
    pub problem: String,
    pub organization_id: OrganizationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course_id: Option<CourseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrollment_id: Option<EnrollmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_id: Option<ModuleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_id: Option<CertificateId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
}

signature!(Verify: Query "admin.verify" (NoInput) -> InvariantReport);

pub async fn verify(cx: Cx<Insider>, _: NoInput) -> Result<InvariantReport> {
    policy::require(&cx.caller, Action::ReadEvents)?;
    Ok(prove(&cx.app, cx.caller.tenant, STATEMENT_TIMEOUT).await?.report)
}

/// What is known of an organization once all of it was looked at.
#[derive(Clone, Debug)]
pub struct Proved {
    pub report: InvariantReport,
    /// None until its first event is sealed.
    pub last_seal: Option<LastSeal>,
}

/// All checks see one snapshot: no change that is made meanwhile can look like a violation.
pub(super) async fn prove(app: &App, tenant: Tenant, patience: Duration) -> Result<Proved> {
    let _turn = app.verification.lock().await;
    app.db
        .snapshot(patience, async |conn| {
            let mut checks = Vec::with_capacity(Invariant::ALL.len());
            for name in Invariant::ALL {
                let violations = violations(conn, &app.clock, tenant, *name).await?;
                checks.push(InvariantCheck { name: *name, ok: violations.is_empty(), violations });
            }
            let report = InvariantReport { ok: checks.iter().all(|check| check.ok), checks };
            Ok(Proved { report, last_seal: event::last_seal(conn, tenant).await? })
        })
        .await
}

/// Where an invariant does not hold.
async fn violations(
    conn: &mut Connection,
    clock: &Clock,
    tenant: Tenant,
    invariant: Invariant,
) -> Result<Vec<Violation>> {
    match invariant.proof() {
        Proof::NothingFound(sought) => store::found(conn, clock, tenant, sought).await,
        Proof::SealsFit => {
            let misfit = event::first_misfit(conn, tenant).await?;
            let violation = misfit.map(|misfit| Violation {
                problem: misfit.problem.to_owned(),
                organization_id: tenant.organization_id(),
                course_id: misfit.about.map(|(course, _, _)| course),
                enrollment_id: misfit.about.map(|(_, enrollment, _)| enrollment),
                user_id: misfit.about.map(|(_, _, user)| user),
                module_id: None,
                certificate_id: None,
                event_id: Some(misfit.event_id),
            });
            Ok(violation.into_iter().collect())
        }
    }
}
