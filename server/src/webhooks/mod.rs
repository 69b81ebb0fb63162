//! Sending events to webhooks, as Standard Webhooks say (<https://www.standardwebhooks.com>).

mod client;
mod signature;

use std::time::Duration;

use http::StatusCode;
use procedures::App;
use procedures::delivery::{Channel, Claimed, Settlement};
use procedures::event::Event;
use procedures::limits::CLAIM_TIMEOUT;
use procedures::outside::callable_url;
use procedures::values::Moment;
use procedures::webhook;
use serde::Serialize;

use crate::answer;
use crate::limits::{WEBHOOK_TIMEOUT, WEBHOOKS_AT_ONCE};
use crate::outbound::Sender;
use client::{Client, Message};

/// Whoever claims a delivery has sent it long before somebody else may.
const _: () = assert!(WEBHOOK_TIMEOUT.as_secs() * 2 < CLAIM_TIMEOUT.as_secs());

pub struct Webhooks {
    client: Client,
}

impl Webhooks {
    /// They go to public addresses alone, and to this machine where that is trusted.
    pub fn new(trusts_loopback: bool) -> Self {
        Webhooks { client: Client::new(trusts_loopback) }
    }
}

impl Sender for Webhooks {
    const CHANNEL: Channel = Channel::Webhook;
    const AT_ONCE: usize = WEBHOOKS_AT_ONCE;
    const TIMEOUT: Duration = WEBHOOK_TIMEOUT;

    /// Any 2xx means that the event arrived, 410 that nothing more is wanted; everything else is tried again.
    async fn send(&self, app: &App, claimed: &Claimed) -> Settlement {
        let receiver = match webhook::receiver(app, claimed).await {
            Ok(Some(receiver)) => receiver,
            Ok(None) => return Settlement::Hopeless("the webhook is deleted or disabled".into()),
            Err(error) => {
                answer::log(&error, None, Self::CHANNEL.as_str());
                return Settlement::Failed("the webhook could not be looked up".into());
            }
        };
        let url = match callable_url(&receiver.url, app.trusts_loopback) {
            Ok(url) => url,
            Err(problem) => return Settlement::Hopeless(problem.into()),
        };
        let (id, timestamp) = (claimed.message_id(), app.clock.real().unix_seconds());
        let signed = body(&claimed.event).and_then(|body| {
            let signature = signature::sign(&receiver.secret, &id, timestamp, &body)?;
            Ok(Message { id, timestamp, signature, body })
        });
        let message = match signed {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(delivery = %claimed.id(), %error, "a webhook could not be signed");
                return Settlement::Failed("it could not be signed".into());
            }
        };
        match self.client.post(url, message).await {
            Ok(status) if status.is_success() => Settlement::Delivered,
            Ok(StatusCode::GONE) => match webhook::disable(app, claimed).await {
                Ok(()) => Settlement::Hopeless("the receiver is gone (410)".into()),
                Err(error) => {
                    answer::log(&error, None, Self::CHANNEL.as_str());
                    Settlement::Failed("the receiver is gone (410), which could not be noted".into())
                }
            },
            Ok(status) => Settlement::Failed(format!("answered {}", status.as_u16())),
            Err(problem) => Settlement::Failed(problem),
        }
    }
}

fn body(event: &Event) -> anyhow::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "type")]
        kind: String,
        timestamp: Moment,
        data: &'a Event,
    }
    let kind = format!("enrollment.{}", event.kind.as_str());
    Ok(serde_json::to_vec(&Body { kind, timestamp: event.at, data: event })?)
}
