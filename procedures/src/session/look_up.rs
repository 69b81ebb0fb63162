//! Who calls: looked up at each call, for all who call at the same time in one query.

use std::sync::Arc;

use super::VerifiedToken;
use super::store::{FoundPerson, IdentityKey, find_people};
use crate::App;
use crate::db::Connection;
use crate::error::Result;
use crate::gather::Gathering;
use crate::limits::MAX_LOOKED_UP;

/// The identities that are asked for.
pub(crate) type LookUps = Arc<Gathering<(), IdentityKey, Result<Option<FoundPerson>>>>;

pub(crate) fn look_ups() -> LookUps {
    Gathering::new(MAX_LOOKED_UP)
}

/// The person a token is of, as they are now.
pub(super) async fn look_up(app: &App, token: &VerifiedToken) -> Result<Option<FoundPerson>> {
    let key = (token.provider_id, token.subject.clone());
    let find = async |conn: &mut Connection, keys: &[IdentityKey]| {
        let people = find_people(conn, keys).await?;
        Ok(keys.iter().map(|key| people.get(key).cloned()).collect())
    };
    app.look_ups.read(&app.db, (), key, find).await
}
