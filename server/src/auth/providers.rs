//! Registered issuers, remembered for a few seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use procedures::App;
use procedures::error::Result;
use procedures::session::Provider;

use super::keys::{KeySource, Keys};
use crate::limits::{MAX_REMEMBERED_ISSUERS, PROVIDER_FRESHNESS};

type Remembered = (Instant, Option<Arc<Provider>>);

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
    pub async fn find(&self, issuer: &str) -> Result<Option<Arc<Provider>>> {
        // No registration has U+0000, and PostgreSQL cannot even be asked for it.
        if issuer.contains('\0') {
            return Ok(None);
        }
        if let Some((since, known)) = self.lock().get(issuer)
            && since.elapsed() < PROVIDER_FRESHNESS
        {
            return Ok(known.clone());
        }
        let known = Provider::find(&self.app.db, issuer).await?.map(Arc::new);
        let mut remembered = self.lock();
        if remembered.len() >= MAX_REMEMBERED_ISSUERS {
            // Anyone can invent issuers; the real ones stay.
            remembered.retain(|_, (_, known)| known.is_some());
        }
        remembered.insert(issuer.to_owned(), (Instant::now(), known.clone()));
        Ok(known)
    }

    /// What a provider signs with; `wanted` is the id of the key that a token names.
    pub async fn keys(&self, provider: &Provider, wanted: Option<&str>) -> Result<Keys> {
        self.keys.keys(provider, wanted).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
