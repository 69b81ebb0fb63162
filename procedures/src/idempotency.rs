//! Repeating a mutation safely: a key, the fingerprint of its input, and the answer it got.
//!
//! The record is written in the transaction of the change itself, so an answer is stored exactly when its change
//! is. It holds for [`KEY_RETENTION`]; the same key and input get the stored answer, another input is
//! UNPROCESSABLE_CONTENT, and a key whose first call is still running is CONFLICT `keyInFlight`. Refusals and faults
//! are not stored: repeating such a call decides anew. Nor are secrets: whoever is to tell one puts it into the answer
//! of the first call alone, after the transaction.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::{Config, TS, TypeVisitor};

use crate::caller::{Cx, Insider};
use crate::db::{Connection, Transaction};
use crate::error::{Code, Error, Reason, Result};
use crate::limits::KEY_RETENTION;
use crate::values::{IdempotencyKey, Moment, OrganizationId, PrincipalId};

mod store;
pub(crate) use store::forget;
pub use store::purge;

/// A mutation's key and what it was sent with.
#[derive(Clone, Debug)]
pub struct KeyedCall {
    procedure: &'static str,
    key: IdempotencyKey,
    fingerprint: Vec<u8>,
}

impl KeyedCall {
    /// The fingerprint is of the input as it was understood, so spelling and the order of fields do not matter.
    pub fn new(procedure: &'static str, key: IdempotencyKey, input: &impl Serialize) -> Result<Self> {
        let canonical = serde_json::to_vec(input).map_err(Error::internal)?;
        Ok(KeyedCall { procedure, key, fingerprint: Sha256::digest(canonical).to_vec() })
    }
}

/// A keyed call with whom it belongs to: one key of two callers is two keys.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    organization: OrganizationId,
    owner: PrincipalId,
    call: KeyedCall,
}

impl Claim {
    pub(crate) fn new(caller: &Insider, call: KeyedCall) -> Self {
        Claim { organization: caller.tenant.organization_id(), owner: caller.principal(), call }
    }

    fn lock(&self) -> i64 {
        let mut digest = Sha256::new();
        digest.update(self.organization.uuid());
        digest.update(self.owner.uuid());
        digest.update(self.call.procedure.as_bytes());
        digest.update([0]);
        digest.update(self.call.key.as_str().as_bytes());
        let bytes = digest.finalize();
        i64::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }
}

/// What a key says about the call that carries it.
pub(crate) enum Claimed {
    /// Nothing yet: decide, then [`record`] the answer.
    Fresh,
    /// It was answered before, with this JSON.
    Answered(String),
    /// It may not run.
    Refused(Error),
}

impl Claimed {
    /// The answer that was given before, if there was one.
    pub(crate) fn answer<T: DeserializeOwned>(self) -> Result<Option<T>> {
        match self {
            Claimed::Fresh => Ok(None),
            Claimed::Answered(answer) => serde_json::from_str(&answer).map(Some).map_err(Error::internal),
            Claimed::Refused(error) => Err(error),
        }
    }
}

/// Claims the key of a call that has its transaction to itself.
pub(crate) async fn claim_one(conn: &mut Connection, key: Option<&Claim>, now: Moment) -> Result<Claimed> {
    let claimed = claim(conn, &[key], now).await?.pop();
    claimed.ok_or_else(|| Error::internal("each claim is answered"))
}

/// Claims the keys of one transaction's calls, all in two statements; a call without a key is fresh.
pub(crate) async fn claim(
    conn: &mut Connection,
    claims: &[Option<&Claim>],
    now: Moment,
) -> Result<Vec<Claimed>> {
    let keyed: Vec<&Claim> = claims.iter().flatten().copied().collect();
    if keyed.is_empty() {
        return Ok(claims.iter().map(|_| Claimed::Fresh).collect());
    }
    let mut free = store::try_lock(conn, &keyed).await?;
    let known = store::known(conn, &keyed, now.minus(KEY_RETENTION)).await?;
    let answers: BTreeMap<_, _> =
        known.iter().map(|row| ((row.caller_id, row.procedure.as_str(), row.key.as_str()), row)).collect();
    let claimed = |claim: &Option<&Claim>| {
        let Some(claim) = claim else { return Claimed::Fresh };
        if !free.remove(&claim.lock()) {
            return Claimed::Refused(Reason::KeyInFlight.into());
        }
        match answers.get(&(claim.owner, claim.call.procedure, claim.call.key.as_str())) {
            None => Claimed::Fresh,
            Some(row) if row.fingerprint != claim.call.fingerprint => Claimed::Refused(reused()),
            Some(row) => Claimed::Answered(row.answer.clone()),
        }
    };
    Ok(claims.iter().map(claimed).collect())
}

/// Has the answers of fresh calls stored, as JSON. A record that has outlived its time gives way to the new one.
pub(crate) fn record(tx: &mut Transaction<'_>, answers: Vec<(&Claim, String)>, now: Moment) {
    let rows = answers.into_iter().map(|(claim, answer)| store::Row::new(claim, answer, now));
    tx.last.replace(rows.collect());
}

pub(crate) fn reused() -> Error {
    Error::new(Code::UnprocessableContent, "The idempotency key was used before with another input.")
}

impl<K: AsRef<Insider>> Cx<K> {
    /// Runs one mutation's load → decide → write in one transaction, under its idempotency key if it has one.
    ///
    /// Only for handlers that have decided whether the caller may; others [authorize](Self::write_authorized) within.
    pub(crate) async fn write<T: Serialize + DeserializeOwned>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.write_authorized(async |_| Ok(()), async |tx, ()| work(tx).await).await
    }

    /// The same where it takes a look at the database to know whether the caller may: that comes first, so that a
    /// stored answer too is given only to those who may still have it.
    pub(crate) async fn write_authorized<A, T: Serialize + DeserializeOwned>(
        &self,
        authorize: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<A>,
        work: impl AsyncFnOnce(&mut Transaction<'_>, A) -> Result<T>,
    ) -> Result<T> {
        let claim = self.key.clone().map(|call| Claim::new(self.caller.as_ref(), call));
        self.app
            .transaction(async |tx| {
                let now = tx.now;
                let authorized = authorize(tx).await?;
                if let Some(answer) = claim_one(tx, claim.as_ref(), now).await?.answer()? {
                    return Ok(answer);
                }
                let answer = work(tx, authorized).await?;
                if let Some(claim) = &claim {
                    let json = serde_json::to_string(&answer).map_err(Error::internal)?;
                    record(tx, vec![(claim, json)], now);
                }
                Ok(answer)
            })
            .await
    }
}

/// A mutation's input with the key that may stand beside its fields.
#[derive(Debug)]
pub struct KeyedInput<I> {
    pub key: Option<IdempotencyKey>,
    pub input: I,
}

const KEY_FIELD: &str = "idempotencyKey";

impl<'de, I: Deserialize<'de>> Deserialize<'de> for KeyedInput<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<I>(PhantomData<I>);
        impl<'de, I: Deserialize<'de>> Visitor<'de> for Object<I> {
            type Value = KeyedInput<I>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                let mut key = None;
                let rest = WithoutKey { map, key: &mut key };
                let input = I::deserialize(MapAccessDeserializer::new(rest))?;
                Ok(KeyedInput { key: key.flatten(), input })
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// An object's fields but the key, which is put aside.
struct WithoutKey<'a, M> {
    map: M,
    key: &'a mut Option<Option<IdempotencyKey>>,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for WithoutKey<'_, M> {
    type Error = M::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, M::Error> {
        while let Some(field) = self.map.next_key::<Cow<'de, str>>()? {
            if field != KEY_FIELD {
                return seed.deserialize(CowStrDeserializer::new(field)).map(Some);
            }
            let key = self.map.next_value()?;
            if self.key.replace(key).is_some() {
                return Err(M::Error::duplicate_field(KEY_FIELD));
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}

/// What every mutation takes beside its input.
#[derive(TS)]
#[ts(rename_all = "camelCase", optional_fields = nullable)]
#[expect(dead_code, reason = "only its TypeScript declaration is used")]
struct Idempotent {
    /// Makes the call safe to repeat: the same key and input give the same answer for 24 hours.
    idempotency_key: Option<IdempotencyKey>,
}

impl<I: TS> TS for KeyedInput<I> {
    type WithoutGenerics = I::WithoutGenerics;
    type OptionInnerType = Self;

    fn docs() -> Option<String> {
        I::docs()
    }
    fn name(config: &Config) -> String {
        format!("{} & {}", I::name(config), Idempotent::name(config))
    }
    fn inline(config: &Config) -> String {
        Self::name(config)
    }
    fn visit_dependencies(visitor: &mut impl TypeVisitor)
    where
        Self: 'static,
    {
        visitor.visit::<I>();
        visitor.visit::<Idempotent>();
    }
}

impl<I: JsonSchema> JsonSchema for KeyedInput<I> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        I::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = I::json_schema(generator);
        let key = generator.subschema_for::<Option<IdempotencyKey>>();
        let properties = schema.ensure_object().entry("properties").or_insert_with(|| serde_json::json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert(KEY_FIELD.into(), key.to_value());
        }
        schema
    }
}
