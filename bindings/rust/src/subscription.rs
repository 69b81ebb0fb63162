//! What a subscription tells, item by item.

use jsonrpsee_core::client::SubscriptionCloseReason;
use serde::de::DeserializeOwned;

use crate::refusal::CallError;

/// A running subscription; dropping it stops it.
#[derive(Debug)]
pub struct Subscription<T> {
    items: jsonrpsee_core::client::Subscription<T>,
    ended: bool,
}

impl<T: DeserializeOwned> Subscription<T> {
    pub(crate) fn new(items: jsonrpsee_core::client::Subscription<T>) -> Self {
        Subscription { items, ended: false }
    }

    /// The next item, as soon as there is one. An error is the last thing it says; then there is nothing more.
    pub async fn next(&mut self) -> Option<Result<T, CallError>> {
        if self.ended {
            return None;
        }
        match self.items.next().await {
            Some(Ok(item)) => return Some(Ok(item)),
            Some(Err(error)) => {
                self.ended = true;
                return Some(Err(CallError::from(jsonrpsee_core::client::Error::from(error))));
            }
            None => self.ended = true,
        }
        Some(Err(CallError::Ended(match self.items.close_reason() {
            Some(SubscriptionCloseReason::Lagged) => "its items were not taken fast enough",
            Some(SubscriptionCloseReason::ConnectionClosed) | None => "it was closed by the server",
        })))
    }

    /// Stops it, and waits until the server knows.
    pub async fn stop(self) -> Result<(), CallError> {
        Ok(self.items.unsubscribe().await?)
    }
}
