use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Scope;
use crate::caller::{Actor, Cx, Insider};
use crate::error::Result;
use crate::member::Role;
use crate::router::{NoInput, signature};
use crate::text_enum;
use crate::values::{OrganizationId, UserId};

text_enum! {
    /// Who is behind a session.
    pub enum SessionKind {
        User = "user",
        Service = "service",
    }
}

/// What a session is and may do.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub kind: SessionKind,
    /// The person; null for a service.
    pub user_id: Option<UserId>,
    /// The organization that the session acts in.
    pub organization_id: OrganizationId,
    /// The person's role there, if they are an active member.
    pub role: Option<Role>,
    pub global_admin: bool,
    pub display_name: Option<String>,
    /// What a service's token allows; empty for a person.
    pub scopes: Vec<Scope>,
}

signature!(Me: Query "session.me" (NoInput) -> Session);

/// Who the caller is, and in which organization.
pub async fn me(cx: Cx<Insider>, _: NoInput) -> Result<Session> {
    let organization_id = cx.caller.tenant.organization_id();
    Ok(match cx.caller.actor {
        Actor::Person(person) => Session {
            kind: SessionKind::User,
            user_id: Some(person.user_id),
            organization_id,
            role: person.role,
            global_admin: person.global_admin,
            display_name: person.display_name,
            scopes: Vec::new(),
        },
        Actor::Service(service) => Session {
            kind: SessionKind::Service,
            user_id: None,
            organization_id,
            role: None,
            global_admin: false,
            display_name: None,
            scopes: service.scopes,
        },
    })
}
