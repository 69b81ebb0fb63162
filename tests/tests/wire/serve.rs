//! `rollbook serve`: what it refuses to start with, in which words, and what it does not have.

use std::time::Duration;

use procedures::Database;
use procedures::db::PoolSizes;
use procedures::development::{NewOrganization, ensure_organization};
use procedures::values::{Moment, Secret};
use serde_json::json;
use tests::process::{Process, command};
use tests::{Fresh, Kind};
use tokio::time::timeout;

use crate::http::{header, request};
use crate::shape::code_of;
use crate::site::{Client, JSON, Site};
use crate::socket::{Socket, upgrade};
use crate::{on_both, on_sqlite};

on_both![unsafe_databases_are_refused, nothing_of_development_mode_is_there];
on_sqlite![unsafe_settings_are_refused];

/// How long the command may take to be refused, and a server to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `rollbook serve` says as it ends with 1.
async fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut serve = command(&[&["serve", "--port", "0"][..], arguments].concat());
    serve.envs(variables.iter().copied());
    let output = timeout(PATIENCE, serve.output()).await.expect("it ends").expect("it starts");
    let errors = String::from_utf8(output.stderr).expect("a text");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{errors}");
    errors
}

async fn run(database: &str, sql: &str) {
    let db = Database::open(database, PoolSizes::default()).expect("a database");
    let mut connection = db.read().await.expect("a connection");
    connection.execute(diesel::sql_query(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A database with an organization and its identity provider, as its operator has set them up.
async fn set_up(kind: Kind) -> Fresh {
    let database = Fresh::create(kind).await;
    let db = Database::open(&database.url, PoolSizes::default()).expect("a database");
    let organization = NewOrganization {
        slug: "acme".parse().expect("a slug"),
        name: "Acme".parse().expect("a name"),
        issuer: "https://issuer.example".into(),
        audience: "rollbook".into(),
        key_id: "none".into(),
        private_key: Secret::new("none".into()),
    };
    ensure_organization(&db, Moment::EPOCH, organization).await.expect("an organization");
    run(&database.url, "DELETE FROM development_keys").await;
    database
}

async fn unsafe_databases_are_refused(site: Site) {
    assert_eq!(
        refused(&["--database-url", &site.database_url], &[]).await,
        "rollbook: the database is one of development mode: the keys that its issuers sign with are in it, so whoever \
         has read it could be anyone (acme, globex); serve from a database that `rollbook dev` has never run on, set up \
         by `rollbook migrate`, `rollbook organization create` and `rollbook organization set-identity-provider`\n"
    );

    let empty = Fresh::create(site.kind).await;
    assert_eq!(
        refused(&["--database-url", &empty.url], &[]).await,
        "rollbook: no organization has an identity provider, so nobody could sign in: run `rollbook organization \
         set-identity-provider`\n"
    );
    let latest = "(SELECT max(version) FROM __diesel_schema_migrations)";
    run(&empty.url, &format!("DELETE FROM __diesel_schema_migrations WHERE version = {latest}")).await;
    assert_eq!(
        refused(&["--database-url", &empty.url], &[]).await,
        "rollbook: the database's schema is not current: run `rollbook migrate`\n"
    );
    empty.remove().await;

    let database = set_up(site.kind).await;
    let unencrypted = |url: &str| {
        format!(
            "rollbook: the identity provider of acme is not reached by https ({url}), so whoever is between could be \
             anyone: run `rollbook organization set-identity-provider` with an address that begins with https://\n"
        )
    };
    let jwks = "http://issuer.example/keys";
    run(&database.url, &format!("UPDATE identity_providers SET jwks_uri = '{jwks}'")).await;
    assert_eq!(refused(&["--database-url", &database.url], &[]).await, unencrypted(jwks));
    let issuer = "http://issuer.example";
    run(&database.url, &format!("UPDATE identity_providers SET issuer = '{issuer}'")).await;
    assert_eq!(refused(&["--database-url", &database.url], &[]).await, unencrypted(issuer));
    database.remove().await;
}

async fn unsafe_settings_are_refused(site: Site) {
    let database = set_up(site.kind).await;
    let public = "rollbook: --host 0.0.0.0: other machines would call unencrypted, and whoever is between could take \
                  their sessions; let a proxy that terminates TLS stand before the server, reachable by it alone, and \
                  say so with --behind-tls (ROLLBOOK_BEHIND_TLS=true), or listen on 127.0.0.1\n";
    assert_eq!(refused(&["--database-url", &database.url, "--host", "0.0.0.0"], &[]).await, public);
    let variables = [("DATABASE_URL", database.url.as_str()), ("ROLLBOOK_HOST", "0.0.0.0")];
    assert_eq!(refused(&[], &variables).await, public);
    let not_so = [variables[0], variables[1], ("ROLLBOOK_BEHIND_TLS", "false")];
    assert_eq!(refused(&[], &not_so).await, public);
    let told = refused(&["--public-url", "http://rollbook.example.com"], &variables[..1]).await;
    assert!(
        told.starts_with("rollbook: --public-url http://rollbook.example.com: clients would call unenc"),
        "{told}"
    );

    // Without a database there is nothing to refuse: it is no valid command.
    let output = timeout(PATIENCE, command(&["serve"]).output()).await.expect("it ends").expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--database-url <URL>"));

    // The operator has said that there is a proxy.
    let mut server = Process::serve(&database.url, &["--host", "0.0.0.0", "--behind-tls"]).await;
    assert!(server.guide.starts_with("Rollbook listens on http://0.0.0.0:"), "{}", server.guide);
    assert!(server.log().contains("no --trusted-proxy"), "{}", server.log());
    server.terminate().await;
    assert!(server.ended(PATIENCE).await.is_some_and(|ended| ended.success()));
    database.remove().await;
}

async fn nothing_of_development_mode_is_there(site: Site) {
    let database = set_up(site.kind).await;
    let pages =
        ["--allow-origin", "https://learn.example.com", "--public-url", "https://rollbook.example.com"];
    let mut server = Process::serve(&database.url, &pages).await;
    assert_eq!(server.guide, format!("Rollbook listens on http://{}\n", server.address));
    let token = json!({ "organization": "acme", "subject": "ada", "role": "admin" }).to_string();
    for (method, path) in [
        ("POST", "/dev/token"),
        ("POST", "/dev/service-token"),
        ("POST", "/dev/organization"),
        ("POST", "/dev/clock"),
        ("GET", "/dev/token"),
        ("GET", "/dev/idp/acme/jwks.json"),
        ("GET", "/dev/idp/acme/.well-known/openid-configuration"),
    ] {
        let answer = request(server.address, method, path, &[JSON.header()], token.as_bytes()).await;
        assert_eq!((answer.status, code_of(&answer.json()["error"])), (404, "NOT_FOUND"), "{method} {path}");
    }

    // Else it is the server that it is in development mode.
    assert_eq!(request(server.address, "GET", "/readyz", &[], b"").await.status, 200);
    let nobody = Client::anonymous(server.address);
    assert_eq!(code_of(&nobody.refused("session.me", json!({})).await), "UNAUTHORIZED");
    let verified = nobody.ok("certificate.verify", json!({ "number": "RB-0000-0000-0000" })).await;
    assert_eq!(verified["state"], "unknown");
    for (origin, status) in [
        ("https://learn.example.com", 101),
        ("https://rollbook.example.com", 101),
        ("http://localhost:5173", 403),
        ("https://evil.example", 403),
    ] {
        assert_eq!(upgrade(&nobody, &[header("origin", origin)]).await.status, status, "{origin}");
    }
    let mut socket = Socket::open_at(&nobody, "/trpc").await;
    server.terminate().await;
    assert_eq!(socket.next().await, json!({ "id": null, "method": "reconnect" }));
    assert_eq!(socket.close_code().await, 1001);
    assert!(server.ended(PATIENCE).await.is_some_and(|ended| ended.success()));
    database.remove().await;
}
