//! What the tests share: worlds in which procedures are called, and what to expect of their answers.
//!
//! A test names an actor, makes one call by the procedure's path with JSON, and checks the whole answer. It runs
//! once on each database ([`on_both!`]).
//!
//! The modules, in reading order.

mod world;

mod actor;

mod labels;

mod expected;

mod database;

mod contents;

pub mod process;

pub use actor::{Actor, Organization};
pub use database::{Fresh, Kind};
pub use expected::{expect, merged, refusal};
pub use labels::Labels;
pub use world::{REQUEST_ID, World, app_at, call, router};

/// `on_both![a, b];` makes each of these functions, `async fn a(world: World)`, a test on SQLite and one on
/// PostgreSQL. A function that is not named in such a list is dead code, which the lints refuse.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                $crate::World::run($crate::Kind::Sqlite, super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                $crate::World::run($crate::Kind::Postgres, super::$name).await;
            }
        }
    )+ };
}

/// `on_postgres![a, b];`, for claims that only PostgreSQL can put to the test.
#[macro_export]
macro_rules! on_postgres {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                $crate::World::run($crate::Kind::Postgres, super::$name).await;
            }
        }
    )+ };
}
