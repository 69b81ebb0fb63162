//! The database: one of PostgreSQL and SQLite, as the address says.

mod bulk;
mod connection;
mod fault;
mod functions;
mod lists;
mod migrate;
mod moments;
mod pool;
mod retry;
mod transaction;
mod writes;

pub mod schema;
pub mod types;

pub use bulk::{BulkRow, Columns};
pub(crate) use bulk::{append_after, table_row};
pub use connection::{Connection, Rows, Statement};
pub(crate) use connection::{locked, shared, together, unclaimed};
pub(crate) use functions::{coalesce, contains, lower};
pub(crate) use lists::{also, one_of, pairs};
pub(crate) use moments::days_before;
pub(crate) use pool::time;
pub use pool::{Database, Lease, PoolFigures, PoolSizes};
pub use retry::repeated;
pub use transaction::Transaction;
pub(crate) use writes::{Part, Step, Writes};
