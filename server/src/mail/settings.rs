//! How mail is set up on the command line.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use super::Mailer;
use super::templates::Templates;
use crate::limits::MAIL_TIMEOUT;

#[derive(Args)]
pub struct MailArgs {
    /// The server that sends mail: `smtps://user:password@host[:port]`, `smtp://…?tls=required` (STARTTLS), or
    /// `smtp://host[:port]` without encryption; nobody is written to unless told.
    #[arg(
        long,
        env = "ROLLBOOK_SMTP_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "mail_from"
    )]
    smtp_url: Option<String>,
    /// Who writes: `no-reply@example.com` or `Rollbook <no-reply@example.com>`.
    #[arg(long, env = "ROLLBOOK_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<Mailbox>,
    /// Templates to use instead of the built-in ones: `DIR/<slug>/` for one organization, `DIR` for all.
    #[arg(long, env = "ROLLBOOK_MAIL_TEMPLATES", value_name = "DIR", requires = "smtp_url")]
    mail_templates: Option<PathBuf>,
}

impl MailArgs {
    /// The mailer that was asked for; its templates are read, and what is wrong with them is told.
    pub fn mailer(self) -> anyhow::Result<Option<Mailer>> {
        let (Some(url), Some(from)) = (self.smtp_url, self.mail_from) else { return Ok(None) };
        let address: &str = from.email.as_ref();
        if !address.is_ascii() {
            bail!("--mail-from: only an address in ASCII is understood by every mail server");
        }
        // The address may have a password in it, so it is not repeated.
        let Ok(transport) = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url) else {
            bail!(
                "--smtp-url is not the address of a mail server, such as smtps://user:password@mail.example.com, \
                 smtp://mail.example.com?tls=required or smtp://127.0.0.1:25"
            );
        };
        let transport = transport.timeout(Some(MAIL_TIMEOUT)).build();
        let templates = Templates::open(self.mail_templates.as_deref()).context("--mail-templates")?;
        Ok(Some(Mailer { transport, from, templates }))
    }
}
