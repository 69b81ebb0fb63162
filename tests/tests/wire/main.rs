//! The server from outside: the real binary, its sockets, real clients and hostile ones.
//!
//! Each test starts a server of its own ([`Site`](site::Site)), names an actor and says what is on the wire.

mod http;
mod socket;

mod site;

mod shape;

mod hold;

mod clients;

mod official_client;

mod trpc_http;

mod trpc_socket;

mod rust_client;

mod batches;

mod malformed;

mod patience;

mod mint;

mod forged;

mod sessions;

mod service_tokens;

mod oidc;

mod global_admins;

mod crash;

mod departures;

mod shutdown;

mod flood;

mod slow_readers;

mod processes;

mod scheduler;

mod mail;

mod webhooks;

mod rate_limits;

mod serve;

mod development;

mod verify;

mod metrics;

mod fuzz;

/// `on_both![a, b];` makes each of these functions, `async fn a(site: Site)`, a test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                crate::site::Site::run(tests::Kind::Sqlite, super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                crate::site::Site::run(tests::Kind::Postgres, super::$name).await;
            }
        }
    )+ };
}

/// `on_sqlite![a, b];`, for what has nothing to do with the database.
macro_rules! on_sqlite {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                crate::site::Site::run(tests::Kind::Sqlite, super::$name).await;
            }
        }
    )+ };
}

/// `on_postgres![a, b];`, for what only a database of several processes can show.
macro_rules! on_postgres {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                crate::site::Site::run(tests::Kind::Postgres, super::$name).await;
            }
        }
    )+ };
}

pub(crate) use {on_both, on_postgres, on_sqlite};
