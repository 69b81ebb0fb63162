//! Registered issuers with their keys, remembered for a few seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use procedures::App;
use procedures::error::Result;
use procedures::session::Provider;

use super::keys::{KeySource, VerificationKey};
use crate::limits::{MAX_REMEMBERED_ISSUERS, PROVIDER_FRESHNESS};

/// A registered issuer and what it signs with.
pub struct KnownProvider {
    pub provider: Provider,
    pub keys: Vec<VerificationKey>,
}

type Remembered = (Instant, Option<Arc<KnownProvider>>);

pub struct Providers {
    app: Arc<App>,
    keys: Arc<dyn KeySource>,
    /// By issuer; an unknown one is remembered as such.
    remembered: Mutex<HashMap<String, Remembered>>,
}

impl Providers {
    pub fn new(app: Arc<App>, keys: Arc<dyn KeySource>) -> Self {
        Providers { app, keys, remembered: Mutex::default() }
    }

    /// The provider registered under this issuer, exactly as it is written.
    pub async fn find(&self, issuer: &str) -> Result<Option<Arc<KnownProvider>>> {
        // No registration has U+0000, and PostgreSQL cannot even be asked for it.
        if issuer.contains('\0') {
            return Ok(None);
        }
        if let Some((since, known)) = self.lock().get(issuer)
            && since.elapsed() < PROVIDER_FRESHNESS
        {
            return Ok(known.clone());
        }
        let known = match Provider::find(&self.app.db, issuer).await? {
            None => None,
            Some(provider) => {
                let keys = self.keys.keys(&provider).await?;
                Some(Arc::new(KnownProvider { provider, keys }))
            }
        };
        let mut remembered = self.lock();
        if remembered.len() >= MAX_REMEMBERED_ISSUERS {
            // Anyone can invent issuers; the real ones stay.
            remembered.retain(|_, (_, known)| known.is_some());
        }
        remembered.insert(issuer.to_owned(), (Instant::now(), known.clone()));
        Ok(known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
