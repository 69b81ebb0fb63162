//! The signature of a webhook: HMAC-SHA256 over its id, its time and its body, under the secret that the organization was
//! told when it made the webhook.

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use procedures::values::Secret;
use procedures::webhook::SECRET_PREFIX;
use sha2::Sha256;

/// The value of the header `webhook-signature`; `timestamp` is in seconds since 1970.
pub fn sign(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> anyhow::Result<String> {
    let key = secret.expose().strip_prefix(SECRET_PREFIX).context("not a webhook's secret")?;
    // What is wrong with it is not told: that would tell of the secret.
    let key = STANDARD.decode(key).ok().context("a secret that is not base64")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
        sign(&Secret::new(secret.into()), id, timestamp, body.as_bytes()).unwrap()
    }

    /// The first is an example that Svix, who began Standard Webhooks, publishes; the second was computed by Python.
    #[test]
    fn known_signatures() {
        let body = r#"{"event_type":"ping","data":{"success":true}}"#;
        assert_eq!(
            signed("whsec_plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf", 1_731_705_121, body),
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
        );
        assert_eq!(
            signed(
                "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "019a0000-0000-7000-8000-000000000000-0000000000000001",
                1_767_225_600,
                r#"{"type":"enrollment.enrolled","data":"ä"}"#,
            ),
            "v1,6/HcjrxgJHqKEF2Z8rWTDmeNqK5srPylKhf5VkCqDA4="
        );
    }

    #[test]
    fn what_is_no_secret() {
        for secret in ["", "plJ3nmyCDGBKInavdOK15jsl", "whsec_not base64"] {
            let error = sign(&Secret::new(secret.into()), "id", 0, b"").unwrap_err();
            assert!(secret.is_empty() || !format!("{error:#}").contains(secret), "{error:#}");
        }
    }
}
