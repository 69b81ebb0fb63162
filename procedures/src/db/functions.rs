//! SQL functions that both databases have.

use diesel::define_sql_function;
use diesel::sql_types::{Nullable, Text};

use crate::values::Search;

define_sql_function! {
    /// Folds case: in PostgreSQL as its locale says, in SQLite ASCII letters only.
    fn lower(text: Text) -> Text;
}
define_sql_function! {
    fn coalesce(text: Nullable<Text>, otherwise: Text) -> Text;
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
