//! The domain once more, from its decisions alone (`procedures/DOMAIN.md`): small, slow, without a database, and written
//! by nobody's rules. Random commands are given to it and to Rollbook, and both must give the same answers and end in
//! the same state.
//!
//! Whatever can be counted is counted anew each time. Time is in hours. Courses, people and modules are numbered from 0.
//!
//! The modules, in reading order.

mod world;

mod answers;

mod effects;

mod check;

mod random;

pub use answers::{Answer, Ask, Caller, Command};
pub use check::{Action, Check, Outcome};
pub use random::{Turn, turns};
pub use world::{Course, Kind, Part, Person, Place, Removal, Role, Standing, Status, Told, World};

pub use effects::Change;

/// The word for what refuses: the `type` of the reason, or `notFound`.
pub type Word = &'static str;
