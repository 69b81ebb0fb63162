//! Mail by SMTP, to the person whom an event is about.
//!
//! An address and what is written to it are in no log, and in no word about what went wrong.

pub mod settings;
mod templates;

use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use procedures::App;
use procedures::delivery::{Channel, Claimed, Letter, Settlement, letter};
use procedures::limits::CLAIM_TIMEOUT;

use crate::answer;
use crate::limits::{MAIL_AT_ONCE, MAIL_TIMEOUT};
use crate::outbound::Sender;
use templates::Templates;

/// A claim that is given up while its mail is under way would be sent twice.
const _: () = assert!(MAIL_TIMEOUT.as_secs() * 2 < CLAIM_TIMEOUT.as_secs());

/// Says that no person wrote it, so that none of those who answer by themselves does (RFC 3834).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Refusals of how this server signs in, not of a message: whoever runs it can mend that, and the message can wait.
const REFUSED_SIGN_IN: [u16; 4] = [530, 534, 535, 538];

/// Writes to people.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    templates: Templates,
}

impl Sender for Mailer {
    const CHANNEL: Channel = Channel::Mail;
    const AT_ONCE: usize = MAIL_AT_ONCE;
    const TIMEOUT: Duration = MAIL_TIMEOUT;

    async fn send(&self, app: &App, claimed: &Claimed) -> Settlement {
        let settlement = self.attempt(app, claimed).await;
        match &settlement {
            Settlement::Delivered => {}
            Settlement::Failed(problem) | Settlement::Hopeless(problem) => {
                tracing::warn!(delivery = %claimed.id(), attempt = claimed.attempt(), problem, "mail was not sent");
            }
        }
        settlement
    }
}

impl Mailer {
    async fn attempt(&self, app: &App, claimed: &Claimed) -> Settlement {
        let letter = match letter(app, claimed).await {
            Ok(Some(letter)) => letter,
            Ok(None) => return Settlement::Hopeless("there is nobody to write to any more".into()),
            Err(error) => {
                answer::log(&error, None, Channel::Mail.as_str());
                return Settlement::Failed("what to write could not be read".into());
            }
        };
        let message = match self.message(claimed, &letter) {
            Ok(message) => message,
            Err(problem) => return Settlement::Hopeless(problem.into()),
        };
        match tokio::time::timeout(MAIL_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Settlement::Delivered,
            Ok(Err(error)) => judged(&error),
            Err(_) => Settlement::Failed(format!("not sent within {} s", MAIL_TIMEOUT.as_secs())),
        }
    }

    /// The same in every attempt, but for its date.
    fn message(&self, claimed: &Claimed, letter: &Letter) -> Result<Message, &'static str> {
        let to: Address =
            letter.to.to_string().parse().map_err(|_| "mail cannot be sent to such an address")?;
        let written = self.templates.write(letter, claimed.event.at);
        Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(written.subject)
            .message_id(Some(format!("<{}@{}>", claimed.message_id(), self.from.email.domain())))
            .date_now()
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".into()))
            .multipart(MultiPart::alternative_plain_html(written.text, written.html))
            .map_err(|_| "no message can be made of it")
    }
}

/// What is to become of a message that was not taken. A server's own words may quote the address; its code does not.
fn judged(error: &smtp::Error) -> Settlement {
    let Some(code) = error.status() else { return Settlement::Failed(unanswered(error).into()) };
    let problem = format!("the mail server answered with {code}");
    match error.is_permanent() && !REFUSED_SIGN_IN.contains(&code.into()) {
        true => Settlement::Hopeless(problem),
        false => Settlement::Failed(problem),
    }
}

fn unanswered(error: &smtp::Error) -> &'static str {
    if error.is_timeout() {
        "the mail server did not answer in time"
    } else if error.is_tls() {
        "the connection to the mail server could not be encrypted"
    } else if error.is_client() {
        "the mail server lacks what is needed: encryption, a way to sign in, or addresses beyond ASCII"
    } else if error.is_response() {
        "the mail server broke off, or does not speak SMTP"
    } else {
        "the mail server is out of reach"
    }
}
