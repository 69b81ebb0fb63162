//! What clients are told of the procedures, written from the router itself, so that it cannot drift: the TypeScript
//! types that the tRPC client wants, and an OpenRPC document.
//!
//! Architecture invariant: nothing here knows a procedure by name. What a procedure is called, takes, answers and
//! means is read off its declaration.

mod layout;
mod openrpc;
mod typescript;

pub use openrpc::openrpc;
pub use typescript::typescript;

use ts_rs::{Config, TS};

use crate::router::{NoInput, Procedure};

/// How Rust's types are written in TypeScript: no integer of this API leaves the range that a `number` holds exactly.
fn config() -> Config {
    Config::new().with_large_int("number")
}

/// Whether a procedure takes no input of its own, though maybe an idempotency key.
fn takes_nothing(procedure: &Procedure) -> bool {
    let config = config();
    (procedure.input.name)(&config).split(" & ").next() == Some(&*NoInput::name(&config))
}

/// What a procedure does, a line each: its input's docs, or, where there is no input, those of its answer.
fn docs(procedure: &Procedure) -> Vec<String> {
    let documented = if takes_nothing(procedure) { procedure.output } else { procedure.input };
    (documented.docs)().map(|comment| layout::comment_lines(&comment)).unwrap_or_default()
}
