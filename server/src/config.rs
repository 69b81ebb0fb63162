//! How `rollbook serve` is set up: every setting is a flag and a variable of the environment. What would be unsafe is
//! refused before anything is done, with what to do instead.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::bail;
use clap::Args;
use clap::builder::BoolishValueParser;

use crate::mail::settings::MailArgs;
use crate::origins::{AllowedOrigins, Origin};
use crate::rates::RateArgs;

#[derive(Args)]
pub struct ServeArgs {
    /// The address to listen on; one that other machines reach needs --behind-tls.
    #[arg(long, env = "ROLLBOOK_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, env = "ROLLBOOK_PORT", default_value_t = 4400)]
    port: u16,
    /// `postgres://…` (with `sslmode=require` encrypted and verified), or `sqlite:PATH`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
    /// A proxy in front of the server takes encrypted connections alone, and nobody reaches the server but by it.
    #[arg(long, env = "ROLLBOOK_BEHIND_TLS", value_parser = BoolishValueParser::new())]
    behind_tls: bool,
    /// What clients call the server by, such as https://rollbook.example.com; pages served from there may call it.
    #[arg(long, env = "ROLLBOOK_PUBLIC_URL", value_name = "URL")]
    public_url: Option<Origin>,
    /// A web page's origin that may call too, such as https://learn.example.com.
    #[arg(
        long = "allow-origin",
        env = "ROLLBOOK_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    origins: Vec<Origin>,
    #[command(flatten)]
    pub rates: RateArgs,
    #[command(flatten)]
    pub mail: MailArgs,
}

impl ServeArgs {
    /// An error if sessions would cross a network for everyone on it to read.
    pub fn check(&self) -> anyhow::Result<()> {
        if !self.host.is_loopback() && !self.behind_tls {
            bail!(
                "--host {}: other machines would call unencrypted, and whoever is between could take their sessions; \
                 let a proxy that terminates TLS stand before the server, reachable by it alone, and say so with \
                 --behind-tls (ROLLBOOK_BEHIND_TLS=true), or listen on 127.0.0.1",
                self.host
            );
        }
        if let Some(url) = self.public_url.as_ref().filter(|url| !url.is_secure()) {
            bail!(
                "--public-url {url}: clients would call unencrypted, and whoever is between could take their sessions; \
                 have the proxy terminate TLS, and give the address that begins with https://"
            );
        }
        Ok(())
    }

    pub fn address(&self) -> SocketAddr {
        (self.host, self.port).into()
    }

    /// The pages that may call: none of this machine's, other than in development mode.
    pub fn allowed_origins(&self) -> AllowedOrigins {
        let named = self.public_url.iter().chain(&self.origins).cloned().collect();
        AllowedOrigins { loopback: false, named }
    }

    /// Whether all clients would be counted as one, because the proxy's word about them is not taken.
    pub fn counts_all_as_one(&self) -> bool {
        (self.behind_tls || self.public_url.is_some()) && self.rates.trusted_proxies.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use http::HeaderMap;
    use http::header::ORIGIN;

    use super::ServeArgs;
    use crate::limits::{ADDRESS_BURST, ADDRESS_CALLS_PER_SECOND, CALLER_BURST, CALLER_CALLS_PER_SECOND};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn parsed(more: &[&str]) -> Result<ServeArgs, clap::Error> {
        let line = ["serve", "--database-url", "sqlite:x"].iter().chain(more).copied();
        Line::try_parse_from(line).map(|line| line.args)
    }

    /// What is said to these flags, which are well-formed.
    fn refusal(more: &[&str]) -> Option<String> {
        parsed(more).unwrap_or_else(|error| panic!("{error}")).check().err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_safe() {
        let safe: [&[&str]; 7] = [
            &[],
            &["--host", "127.0.0.2"],
            &["--host", "::1"],
            &["--host", "0.0.0.0", "--behind-tls"],
            &["--host", "::", "--behind-tls", "--public-url", "https://rollbook.example.com"],
            &["--public-url", "http://localhost:4400"],
            &["--public-url", "http://[::1]:4400"],
        ];
        for safe in safe {
            assert_eq!(refusal(safe), None, "{safe:?}");
        }
    }

    #[test]
    fn a_public_address_needs_a_proxy_before_it() {
        let alone: &[&str] = &[];
        for host in ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            for more in [alone, &["--public-url", "https://rollbook.example.com"]] {
                let told = refusal(&[&["--host", host][..], more].concat()).expect(host);
                assert!(told.starts_with(&format!("--host {host}: ")), "{told}");
                assert!(told.contains("say so with --behind-tls (ROLLBOOK_BEHIND_TLS=true)"), "{told}");
            }
        }
    }

    #[test]
    fn clients_call_encrypted() {
        for url in ["http://rollbook.example.com", "http://192.0.2.1:4400", "http://localhost.example.com"] {
            let told = refusal(&["--behind-tls", "--public-url", url]).expect(url);
            assert!(told.starts_with(&format!("--public-url {url}: ")), "{told}");
            assert!(told.ends_with("give the address that begins with https://"), "{told}");
        }
    }

    #[test]
    fn what_is_no_setting() {
        let wrong: [&[&str]; 9] = [
            &["--host", "localhost"],
            &["--port", "65536"],
            &["--public-url", "https://rollbook.example.com/"],
            &["--allow-origin", "*"],
            &["--trusted-proxy", "0.0.0.0/0"],
            &["--trusted-proxy", "10.0.0.0/28,::/0"],
            &["--rate-limit-caller", "50"],
            &["--rate-limit-address", "50:19"],
            &["--smtp-url", "smtp://127.0.0.1:25"],
        ];
        for wrong in wrong {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_pages_that_may_call() {
        let args = parsed(&[
            "--public-url",
            "https://rollbook.example.com",
            "--allow-origin",
            "https://a.example,https://b.example",
            "--allow-origin",
            "https://c.example",
        ]);
        let allowed = args.unwrap_or_else(|error| panic!("{error}")).allowed_origins();
        let may = |origin: &str| allowed.allow(&HeaderMap::from_iter([(ORIGIN, origin.parse().unwrap())]));
        for origin in
            ["https://rollbook.example.com", "https://a.example", "https://b.example", "https://c.example"]
        {
            assert!(may(origin), "{origin}");
        }
        assert!(!may("http://localhost:5173") && !may("https://d.example"));
    }

    #[test]
    fn clients_that_are_counted_as_one() {
        let rows: [(&[&str], bool); 4] = [
            (&[], false),
            (&["--behind-tls"], true),
            (&["--public-url", "https://rollbook.example.com"], true),
            (&["--behind-tls", "--trusted-proxy", "10.0.0.0/28"], false),
        ];
        for (more, expected) in rows {
            let args = parsed(more).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(args.counts_all_as_one(), expected, "{more:?}");
        }
    }

    #[test]
    fn the_help_tells_every_variable_and_the_defaults() {
        let command = Line::command();
        for flag in command.get_arguments() {
            let variable = flag.get_env().unwrap_or_else(|| panic!("{} has no variable", flag.get_id()));
            let variable = variable.to_str().unwrap();
            assert!(variable.starts_with("ROLLBOOK_") || variable == "DATABASE_URL", "{variable}");
        }
        let help = Line::command().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for (per_second, burst) in
            [(CALLER_CALLS_PER_SECOND, CALLER_BURST), (ADDRESS_CALLS_PER_SECOND, ADDRESS_BURST)]
        {
            assert!(help.contains(&format!("default: {per_second}:{burst};")), "{help}");
        }
    }
}
