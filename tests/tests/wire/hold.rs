//! Holding the database, so that a call is certainly under way while something else happens.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tests::Kind;
use tokio_postgres::NoTls;

use crate::site::Site;

/// No course can be written to (on SQLite: nothing at all) until this is dropped or released.
pub enum Hold {
    Sqlite(SqliteConnection),
    Postgres(tokio_postgres::Client),
}

impl Hold {
    /// Takes the lock of one course that every change of its enrollments needs.
    pub async fn course(site: &Site, course: &str) -> Self {
        match site.kind {
            Kind::Sqlite => {
                let path = site.database_url.strip_prefix("sqlite:").expect("its address");
                let mut connection = SqliteConnection::establish(path).expect("the same file");
                connection
                    .batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE")
                    .expect("the lock is free");
                Hold::Sqlite(connection)
            }
            Kind::Postgres => {
                let connected = tokio_postgres::connect(&site.database_url, NoTls).await;
                let (client, connection) = connected.expect("the test cluster is running");
                tokio::spawn(connection);
                let lock = format!("BEGIN; SELECT 1 FROM courses WHERE id = '{course}' FOR UPDATE");
                client.batch_execute(&lock).await.expect("the lock is free");
                Hold::Postgres(client)
            }
        }
    }

    pub async fn release(self) {
        match self {
            Hold::Sqlite(mut connection) => connection.batch_execute("ROLLBACK").expect("a transaction"),
            Hold::Postgres(client) => client.batch_execute("ROLLBACK").await.expect("a transaction"),
        }
    }
}
