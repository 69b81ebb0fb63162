//! The live subscriptions of one connection, by the ids that its client gave them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use procedures::error::{Code, Error, Result};
use tokio_util::sync::CancellationToken;

use crate::limits::MAX_SUBSCRIPTIONS_PER_CONNECTION;

#[derive(Clone, Default)]
pub struct Subscriptions(Arc<Mutex<Live>>);

#[derive(Default)]
struct Live {
    by_id: HashMap<String, Entry>,
    begun: u64,
}

struct Entry {
    number: u64,
    stop: CancellationToken,
}

/// A subscription's place among the live ones, for as long as it is held.
pub struct Place {
    live: Subscriptions,
    id: String,
    number: u64,
    stop: CancellationToken,
}

impl Subscriptions {
    /// Makes a subscription known by its id, which no other live one may have. To be called in the order of the
    /// client's messages, before anything is waited for: so a stop that comes right after finds it.
    pub fn begin(&self, id: &str) -> Result<Place> {
        let mut live = self.lock();
        if live.by_id.get(id).is_some_and(Entry::is_live) {
            return Err(Error::invalid_input("id", "a subscription with this id is live"));
        }
        if live.by_id.values().filter(|entry| entry.is_live()).count() >= MAX_SUBSCRIPTIONS_PER_CONNECTION {
            return Err(Error::new(Code::TooManyRequests, "Too many subscriptions on this connection."));
        }
        live.begun += 1;
        let (number, stop) = (live.begun, CancellationToken::new());
        live.by_id.insert(id.to_owned(), Entry { number, stop: stop.clone() });
        Ok(Place { live: self.clone(), id: id.to_owned(), number, stop })
    }

    /// Stops the subscription with this id, if there is one.
    pub fn stop(&self, id: &str) {
        if let Some(entry) = self.lock().by_id.get(id) {
            entry.stop.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// One that was stopped is still there until it knows.
    fn is_live(&self) -> bool {
        !self.stop.is_cancelled()
    }
}

impl Place {
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut live = self.live.lock();
        // The id may be another's by now.
        if live.by_id.get(&self.id).is_some_and(|entry| entry.number == self.number) {
            live.by_id.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Subscriptions;
    use crate::limits::MAX_SUBSCRIPTIONS_PER_CONNECTION;
    use procedures::error::Code;

    #[test]
    fn a_stop_frees_the_id_at_once_and_its_owner_takes_nothing_away() {
        let live = Subscriptions::default();
        let first = live.begin("1").unwrap();
        assert_eq!(live.begin("1").err().unwrap().code(), Code::BadRequest);
        live.stop("1");
        let second = live.begin("1").unwrap();
        drop(first);
        assert!(live.begin("1").is_err(), "the second is live");
        live.stop("unknown");
        drop(second);
        assert!(live.begin("1").is_ok());
    }

    #[test]
    fn there_are_so_many_and_no_more() {
        let live = Subscriptions::default();
        let mut places: Vec<_> =
            (0..MAX_SUBSCRIPTIONS_PER_CONNECTION).map(|id| live.begin(&id.to_string()).unwrap()).collect();
        assert_eq!(live.begin("more").err().unwrap().code(), Code::TooManyRequests);
        places.pop();
        live.begin("more").unwrap();
    }
}
