//! The one source of the time: rules are told it, tokens are checked against it.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::values::Moment;

/// The system's time, plus an offset that only development mode ever moves.
#[derive(Debug, Default)]
pub struct Clock {
    offset_micros: AtomicI64,
}

impl Clock {
    pub fn now(&self) -> Moment {
        let micros = Moment::system().micros() + self.offset_micros.load(Ordering::Relaxed);
        Moment::from_micros(micros).unwrap_or_else(Moment::system)
    }

    pub fn set_offset_micros(&self, offset: i64) {
        self.offset_micros.store(offset, Ordering::Relaxed);
    }
}
