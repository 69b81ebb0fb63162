//! Who calls, by the session they present.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use procedures::caller::Session;
use procedures::db::Database;
use procedures::development::{self, IssuerKey, NewOrganization, NewUser};
use procedures::member::Role;
use procedures::session::{
    NewServiceToken, Scope, VerifiedToken, create_service_token, sign_in, use_service_token,
};
use procedures::values::{Moment, Name, Secret, Slug};
use procedures::{App, Caller, Result};

/// Whoever makes a call. Each call presents the session anew, as on a wire.
#[derive(Clone, Debug)]
pub enum Actor {
    Anonymous,
    Person {
        token: VerifiedToken,
        /// The organization that the client named (D18).
        chosen: Option<String>,
    },
    Service {
        secret: String,
    },
}

impl Actor {
    pub(crate) async fn caller(&self, app: &App) -> Result<Caller> {
        match self {
            Actor::Anonymous => Ok(Caller::Anonymous),
            Actor::Person { token, chosen } => sign_in(app, token, chosen.as_deref()).await,
            Actor::Service { secret } => use_service_token(app, secret, None).await,
        }
    }

    /// The session, for what goes on for long.
    pub(crate) fn session(&self, app: &Arc<App>) -> Arc<dyn Session> {
        Arc::new(Held { actor: self.clone(), app: app.clone() })
    }

    /// The same person, naming an organization to act in.
    #[must_use]
    pub fn choosing(&self, organization: &str) -> Self {
        match self {
            Actor::Person { token, .. } => {
                Actor::Person { token: token.clone(), chosen: Some(organization.to_owned()) }
            }
            Actor::Anonymous | Actor::Service { .. } => panic!("only a person chooses an organization"),
        }
    }
}

/// A session that can be asked anew whose it is.
struct Held {
    actor: Actor,
    app: Arc<App>,
}

impl Session for Held {
    fn caller(&self) -> BoxFuture<'_, Result<Caller>> {
        self.actor.caller(&self.app).boxed()
    }
}

/// An organization with its people.
#[derive(Debug)]
pub struct Organization {
    pub id: String,
    issuer: IssuerKey,
    pub learner: Actor,
    /// Another learner.
    pub peer: Actor,
    pub author: Actor,
    pub coordinator: Actor,
    pub admin: Actor,
}

impl Organization {
    /// Makes the organization and its people; `named` is told what each id is called.
    pub(crate) async fn create(
        db: &Database,
        now: Moment,
        slug: &str,
        named: &mut impl FnMut(String, String),
    ) -> Self {
        let issuer = issuer(db, now, slug).await;
        let id = issuer.organization_id.to_string();
        named(slug.to_owned(), id.clone());
        let mut people = Vec::new();
        let roles = [Role::Learner, Role::Learner, Role::Author, Role::Coordinator, Role::Admin];
        for (role, name) in roles.into_iter().zip(["learner", "peer", "author", "coordinator", "admin"]) {
            let (actor, user) = person(db, now, &issuer, name, role, false).await;
            named(if slug == "acme" { name.to_owned() } else { format!("{slug} {name}") }, user);
            people.push(actor);
        }
        let [learner, peer, author, coordinator, admin] =
            <[Actor; 5]>::try_from(people).expect("a person for each role");
        Organization { id, issuer, learner, peer, author, coordinator, admin }
    }

    /// One more member, or the one there is by this name; with their user id.
    pub async fn person(&self, app: &App, name: &str, role: Role, global_admin: bool) -> (Actor, String) {
        person(&app.db, app.clock.now(), &self.issuer, name, role, global_admin).await
    }

    /// Someone whom the organization's issuer knows, but nobody else does yet.
    pub fn stranger(&self, subject: &str) -> Actor {
        Actor::Person { token: token(&self.issuer, subject, None), chosen: None }
    }

    pub async fn service(&self, app: &App, scopes: &[Scope]) -> Actor {
        let token = NewServiceToken {
            organization_id: self.issuer.organization_id,
            name: text("integration"),
            scopes: scopes.to_vec(),
            expires_at: None,
        };
        let secret = create_service_token(&app.db, app.clock.now(), token).await.expect("a service token");
        Actor::Service { secret }
    }
}

async fn issuer(db: &Database, now: Moment, slug: &str) -> IssuerKey {
    let new = NewOrganization {
        slug: slug.parse::<Slug>().expect("a slug"),
        name: text(slug),
        issuer: format!("https://issuer.example/{slug}"),
        audience: "rollbook".into(),
        key_id: "key".into(),
        private_key: Secret::new("none: these tests begin where a signature has been verified".into()),
    };
    development::ensure_organization(db, now, new.clone()).await.expect("an organization");
    development::issuer_key(db, &new.slug).await.expect("its issuer").expect("its issuer")
}

async fn person(
    db: &Database,
    now: Moment,
    issuer: &IssuerKey,
    name: &str,
    role: Role,
    global_admin: bool,
) -> (Actor, String) {
    let token = token(issuer, name, Some(text(name)));
    let new = NewUser { subject: token.subject.clone(), role, name: token.name.clone(), global_admin };
    let user = development::ensure_user(db, now, issuer, new).await.expect("a user");
    (Actor::Person { token, chosen: None }, user.to_string())
}

fn token(issuer: &IssuerKey, subject: &str, name: Option<Name>) -> VerifiedToken {
    VerifiedToken {
        provider_id: issuer.provider_id,
        organization_id: issuer.organization_id,
        subject: subject.parse().expect("a subject"),
        name,
        role: None,
        global_admin: false,
    }
}

fn text(text: &str) -> Name {
    text.parse().expect("a text")
}
