//! Commands by which whoever runs the service sets up organizations, on the database itself and without a session.

pub mod organization;
pub mod service_token;

use anyhow::bail;
use procedures::error::Reason;
use procedures::{App, Database, Error, development};

use crate::cli::cause;

/// The application on a database whose schema is current, with its time.
async fn app(db: Database) -> anyhow::Result<App> {
    if !db.is_current().await.map_err(cause)? {
        bail!("the database's schema is not current: run `rollbook migrate`");
    }
    let app = App::new(db);
    app.synchronize().await.map_err(cause)?;
    // Development mode may have moved the clock; then tokens end by that.
    app.clock.set_offset_micros(development::clock_offset(&app.db).await.map_err(cause)?);
    Ok(app)
}

/// Why a command is refused: of an input, the field and what is wrong with it.
fn refused(error: Error) -> anyhow::Error {
    match error.reason() {
        Some(Reason::InvalidInput { field, problem }) if field.is_empty() => anyhow::anyhow!("{problem}"),
        Some(Reason::InvalidInput { field, problem }) => anyhow::anyhow!("{field}: {problem}"),
        Some(_) | None => cause(error),
    }
}
