//! Who calls, as a type: a handler's signature says whom it serves, and the router narrows a [`Caller`] to that
//! before the handler runs.
//!
//! Architecture invariant: a [`Caller`] is only made by [`crate::session`], from a verified token.

use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::App;
use crate::error::{Error, Reason, Result};
use crate::idempotency::KeyedCall;
use crate::member::Role;
use crate::session::Scope;
use crate::values::{OrganizationId, PrincipalId, ServiceTokenId, UserId};

/// The organization a call is in. It comes from the verified session alone (D18), and whatever reads or writes
/// tenant rows demands it: there is no way to ask a store by a bare id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tenant(OrganizationId);

impl Tenant {
    pub(crate) fn of(organization: OrganizationId) -> Self {
        Tenant(organization)
    }

    pub fn organization_id(self) -> OrganizationId {
        self.0
    }
}

/// Whoever makes a call.
#[derive(Clone, Debug)]
pub enum Caller {
    /// No session was presented.
    Anonymous,
    /// A person or a service, acting inside one organization.
    Insider(Insider),
}

/// Someone acting inside one organization.
#[derive(Clone, Debug)]
pub struct Insider {
    pub(crate) tenant: Tenant,
    pub(crate) actor: Actor,
}

#[derive(Clone, Debug)]
pub enum Actor {
    Person(Person),
    Service(Service),
}

/// A member of the organization, a global admin who chose it (D18), or both.
#[derive(Clone, Debug)]
pub struct Person {
    pub(crate) user_id: UserId,
    pub(crate) display_name: Option<String>,
    /// The role as an active member of the organization, if one.
    pub(crate) role: Option<Role>,
    pub(crate) global_admin: bool,
}

/// An internal caller with a token of the organization.
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) token_id: ServiceTokenId,
    pub(crate) scopes: Vec<Scope>,
}

impl Insider {
    /// The person who calls; none for a service.
    pub fn user_id(&self) -> Option<UserId> {
        match &self.actor {
            Actor::Person(person) => Some(person.user_id),
            Actor::Service(_) => None,
        }
    }

    pub(crate) fn is(&self, user: UserId) -> bool {
        self.user_id() == Some(user)
    }

    /// What names this caller in records and events, and what the caller's calls are counted by.
    pub fn principal(&self) -> PrincipalId {
        match &self.actor {
            Actor::Person(person) => person.user_id.into(),
            Actor::Service(service) => service.token_id.into(),
        }
    }
}

impl AsRef<Insider> for Insider {
    fn as_ref(&self) -> &Insider {
        self
    }
}

/// A kind of caller that a handler can ask for.
pub trait CallerKind: Clone + Send + Sync + Sized + 'static {
    /// As the documentation calls it.
    const NAME: &'static str;

    fn narrow(caller: Caller) -> Result<Self>;
}

/// Anyone, with or without a session.
#[derive(Clone, Debug)]
pub struct Public;

impl CallerKind for Public {
    const NAME: &'static str = "anyone";

    fn narrow(_: Caller) -> Result<Self> {
        Ok(Public)
    }
}

impl CallerKind for Insider {
    const NAME: &'static str = "a session in an organization";

    fn narrow(caller: Caller) -> Result<Self> {
        match caller {
            Caller::Anonymous => Err(Error::unauthorized()),
            Caller::Insider(insider) => Ok(insider),
        }
    }
}

/// A person who administers the platform, not one organization of it.
#[derive(Clone, Debug)]
pub struct GlobalAdmin(Insider);

impl Deref for GlobalAdmin {
    type Target = Insider;
    fn deref(&self) -> &Insider {
        &self.0
    }
}
impl AsRef<Insider> for GlobalAdmin {
    fn as_ref(&self) -> &Insider {
        &self.0
    }
}
impl CallerKind for GlobalAdmin {
    const NAME: &'static str = "a global admin";

    fn narrow(caller: Caller) -> Result<Self> {
        let insider = Insider::narrow(caller)?;
        match &insider.actor {
            Actor::Person(Person { global_admin: true, .. }) => Ok(GlobalAdmin(insider)),
            Actor::Person(_) | Actor::Service(_) => Err(Reason::RoleRequired.into()),
        }
    }
}

/// The context of one call: the application, the caller, and the call's own particulars.
#[derive(Clone)]
pub struct Cx<K> {
    pub app: Arc<App>,
    pub caller: K,
    pub request_id: Arc<str>,
    /// The idempotency key of a mutation, if the client sent one.
    pub(crate) key: Option<KeyedCall>,
}

/// A session that can be asked anew whose it is.
pub trait Session: Send + Sync {
    fn caller(&self) -> BoxFuture<'_, Result<Caller>>;
}

/// The context of a subscription. It outlives the moment in which its caller was verified, so it has the session too:
/// every [`SESSION_RECHECK`](crate::limits::SESSION_RECHECK) the handler renews it, and decides anew what the caller
/// may see.
pub struct Live<K> {
    pub cx: Cx<K>,
    session: Arc<dyn Session>,
}

impl<K: CallerKind> Live<K> {
    pub(crate) fn new(cx: Cx<K>, session: Arc<dyn Session>) -> Self {
        Live { cx, session }
    }

    /// Verifies the session again; an error if it has ended.
    pub async fn renew(&mut self) -> Result<()> {
        self.cx.caller = K::narrow(self.session.caller().await?)?;
        Ok(())
    }
}
