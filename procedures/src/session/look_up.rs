//! Who calls: looked up at each call, for all who call at the same time in one query.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::VerifiedToken;
use super::store::{FoundPerson, IdentityKey, find_people};
use crate::App;
use crate::error::Result;
use crate::gather::{Gathering, Turn};
use crate::limits::MAX_LOOKED_UP;

/// The identities that are asked for.
pub(crate) type LookUps = Arc<Gathering<(), IdentityKey, Option<FoundPerson>>>;

pub(crate) fn look_ups() -> LookUps {
    Gathering::new(1, MAX_LOOKED_UP)
}

/// The person a token is of, as they are now.
pub(super) async fn look_up(app: &App, token: &VerifiedToken) -> Result<Option<FoundPerson>> {
    let key = (token.provider_id, token.subject.clone());
    match app.look_ups.turn((), key.clone()).await {
        Some(Turn::Done(person)) => Ok(person),
        Some(Turn::Lead(lead, own)) => {
            let place = lead.place().await?;
            let conn = app.db.read().await;
            // Who came until now comes along.
            let lot = lead.gather(own);
            let found = match conn {
                Ok(mut conn) => find_people(&mut conn, &lot.jobs.iter().cloned().collect()).await,
                Err(error) => Err(error),
            };
            drop(place);
            drop(lead);
            match found {
                Ok(people) => {
                    let answers: Vec<_> = lot.jobs.iter().map(|key| people.get(key).cloned()).collect();
                    lot.done(answers)
                }
                Err(error) => {
                    lot.one_by_one()?;
                    Err(error)
                }
            }
        }
        // The lot it was in failed, or was cut short with its leader.
        Some(Turn::Alone(_)) | None => {
            let found = find_people(&mut *app.db.read().await?, &BTreeSet::from([key.clone()])).await?;
            Ok(found.get(&key).cloned())
        }
    }
}
