//! SQL functions that both databases have.

use diesel::sql_types::{Nullable, Text};
use diesel::{QueryResult, SqliteConnection, define_sql_function};

use crate::values::Search;

define_sql_function! {
    /// Folds case: in PostgreSQL as its locale says, in SQLite as Unicode does ([`register`]).
    fn lower(text: Text) -> Text;
}
define_sql_function! {
    fn coalesce(text: Nullable<Text>, otherwise: Text) -> Text;
}

/// SQLite's own `lower` knows ASCII letters only.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    lower_utils::register_impl(connection, |text: String| text.to_lowercase())
}

/// The LIKE pattern (with `\\` as its escape) for a text that contains what is searched for; everything, if nothing is.
/// Both sides of the comparison are to be folded by the database, whose idea of case they then share.
pub fn contains(search: Option<&Search>) -> String {
    let mut pattern = String::from("%");
    for c in search.map_or("", Search::as_str).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
