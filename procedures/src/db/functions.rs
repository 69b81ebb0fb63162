//! SQL functions that both databases have.

use diesel::define_sql_function;
use diesel::sql_types::{Nullable, Text};

define_sql_function! {
    /// Folds case: in PostgreSQL as its locale says, in SQLite ASCII letters only.
    fn lower(text: Text) -> Text;
}
define_sql_function! {
    fn coalesce(text: Nullable<Text>, otherwise: Text) -> Text;
}
