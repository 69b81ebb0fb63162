//! What is measured, in which order, and what each is compared with.

use crate::contender::{Contender, DatabaseKind};
use crate::measure::Cell;
use crate::operation::Operation;
use crate::pgbench::{Extent, Script};

/// How many SQLite enrolls in one transaction, to be compared with.
const PER_TRANSACTION: [u64; 2] = [1, 32];

/// What is to be measured.
pub struct Plan {
    pub operations: Vec<Operation>,
    pub connections: Vec<usize>,
    pub rounds: usize,
    pub contenders: Vec<Contender>,
}

/// Who does the work of a cell.
#[derive(Clone)]
pub enum Who {
    Contender(Contender),
    Script(Script),
    Sqlite(u64),
}

impl Who {
    pub fn name(&self) -> String {
        match self {
            Who::Contender(contender) => contender.name.clone(),
            Who::Script(script) => script.name.to_owned(),
            Who::Sqlite(1) => "SQLite".to_owned(),
            Who::Sqlite(per_transaction) => sqlite_name(*per_transaction),
        }
    }

    pub fn database(&self) -> DatabaseKind {
        match self {
            Who::Contender(contender) => contender.database,
            Who::Script(_) => DatabaseKind::Postgres,
            Who::Sqlite(_) => DatabaseKind::Sqlite,
        }
    }
}

fn sqlite_name(per_transaction: u64) -> String {
    format!("SQLite, {per_transaction} a transaction")
}

/// What a contender's figures are compared with, and at how many connections: what its database does by itself.
pub fn limit(operation: Operation, database: DatabaseKind, connections: usize) -> Option<(String, usize)> {
    match database {
        DatabaseKind::Postgres => Some((Script::of(operation).first()?.name.to_owned(), connections)),
        DatabaseKind::Sqlite if operation == Operation::Enroll => Some((sqlite_name(PER_TRANSACTION[1]), 1)),
        DatabaseKind::Sqlite => None,
    }
}

impl Plan {
    pub fn uses(&self, database: DatabaseKind) -> bool {
        self.contenders.iter().any(|contender| contender.database == database)
    }

    /// What the report says of it.
    pub fn conditions(&self, extent: &Extent) -> Vec<(String, String)> {
        let each = format!("{:?} each, after {:?} to warm up", extent.length, extent.warm_up);
        let data = format!(
            "20 organizations, 100,000 users, 2,000 courses of 5 modules, {} enrollments",
            extent.enrollments
        );
        [("rounds", format!("{}, {each}", self.rounds)), ("data", data)]
            .map(|(what, how)| (what.to_owned(), how))
            .into()
    }

    /// Everything to be measured, in this order.
    pub fn cells(&self) -> Vec<(Cell, Who)> {
        let mut cells = Vec::new();
        for round in 1..=self.rounds {
            for operation in self.operations.iter().copied() {
                if operation == Operation::Enroll && self.uses(DatabaseKind::Sqlite) {
                    for who in PER_TRANSACTION.map(Who::Sqlite) {
                        cells.push((Cell { operation, connections: 1, who: who.name(), round }, who));
                    }
                }
                for connections in self.connections.iter().copied() {
                    let scripts = if self.uses(DatabaseKind::Postgres) { Script::of(operation) } else { &[] };
                    let contenders = self.contenders.iter().cloned().map(Who::Contender);
                    for who in scripts.iter().copied().map(Who::Script).chain(contenders) {
                        cells.push((Cell { operation, connections, who: who.name(), round }, who));
                    }
                }
            }
        }
        cells
    }
}
