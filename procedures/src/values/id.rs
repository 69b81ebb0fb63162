//! One newtype an entity, so that a `CourseId` cannot be passed where a `UserId` is meant.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types;
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use crate::db::types::UuidKey;

/// What an [`Id`] identifies, and the name its type has in TypeScript.
pub trait Entity: 'static {
    const ID: &'static str;
}

macro_rules! entities {
    ($($entity:ident $id:ident),+ $(,)?) => { $(
        /// Marks the ids of this entity; it is never built.
        pub enum $entity {}
        impl Entity for $entity { const ID: &'static str = stringify!($id); }
        pub type $id = Id<$entity>;
    )+ };
}
entities! {
    OrganizationEntity OrganizationId,
    IdentityProviderEntity IdentityProviderId,
    UserEntity UserId,
    ServiceTokenEntity ServiceTokenId,
    CourseEntity CourseId,
    ModuleEntity ModuleId,
    EnrollmentEntity EnrollmentId,
    ModuleEnrollmentEntity ModuleEnrollmentId,
    CertificateEntity CertificateId,
    CohortEntity CohortId,
    WebhookEntity WebhookId,
    DeliveryEntity DeliveryId,
    ProcessEntity ProcessId,
    PrincipalEntity PrincipalId,
}

/// A UUID (version 7 where this service makes it, so that ids sort by creation).
#[derive(AsExpression, FromSqlRow)]
#[diesel(sql_type = UuidKey)]
pub struct Id<E: Entity>(Uuid, PhantomData<fn() -> E>);

impl<E: Entity> Id<E> {
    /// Sorts before every other id: the cursor of a first page.
    pub const NIL: Self = Id(Uuid::nil(), PhantomData);

    #[expect(clippy::new_without_default, reason = "a default id would be a new one each time")]
    pub fn new() -> Self {
        Self::from(Uuid::now_v7())
    }

    pub fn uuid(self) -> Uuid {
        self.0
    }
}

/// Whoever acts, a user or a service token: where a row keeps only which one it was.
impl From<UserId> for PrincipalId {
    fn from(user: UserId) -> Self {
        user.0.into()
    }
}
impl From<ServiceTokenId> for PrincipalId {
    fn from(token: ServiceTokenId) -> Self {
        token.0.into()
    }
}

impl<E: Entity> From<Uuid> for Id<E> {
    fn from(uuid: Uuid) -> Self {
        Id(uuid, PhantomData)
    }
}
impl<E: Entity> FromStr for Id<E> {
    type Err = &'static str;

    /// Takes the hyphenated form alone, so that an id has one spelling (but for the case of its digits).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() {
            36 => Uuid::try_parse(text).map(Self::from).map_err(|_| "not a UUID"),
            _ => Err("not a UUID"),
        }
    }
}

// Derived implementations would demand the same of `E`, which is only a name.
impl<E: Entity> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Entity> Copy for Id<E> {}
impl<E: Entity> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<E: Entity> Eq for Id<E> {}
impl<E: Entity> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E: Entity> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<E: Entity> Hash for Id<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<E: Entity> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl<E: Entity> fmt::Display for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

super::wire_string!(for Id<E>, where E: Entity; name: E::ID, doc: "A UUID.", schema: { "format": "uuid" });

impl<E: Entity> ToSql<UuidKey, Pg> for Id<E> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql_types::Uuid, Pg>::to_sql(&self.0, out)
    }
}
impl<E: Entity> FromSql<UuidKey, Pg> for Id<E> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <Uuid as FromSql<sql_types::Uuid, Pg>>::from_sql(value).map(Self::from)
    }
}
impl<E: Entity> ToSql<UuidKey, Sqlite> for Id<E> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}
impl<E: Entity> FromSql<UuidKey, Sqlite> for Id<E> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<sql_types::Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from(Uuid::from_slice(&bytes)?))
    }
}
