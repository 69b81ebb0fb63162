//! The one source of the time: rules are told it, tokens are checked against it.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::limits::CLOCK_ANSWER;
use crate::values::Moment;

/// The database's time, so that processes agree, plus an offset that only development mode ever moves.
///
/// How far the system's clock is from the database's is measured now and then ([`App::synchronize`](crate::App)), so
/// that asking for the time costs nothing.
#[derive(Debug, Default)]
pub struct Clock {
    /// The database's clock minus the system's, in microseconds.
    skew: AtomicI64,
    offset: AtomicI64,
}

impl Clock {
    /// What rules, tokens and the scheduler go by.
    pub fn now(&self) -> Moment {
        shifted(self.skew.load(Ordering::Relaxed) + self.offset.load(Ordering::Relaxed))
    }

    /// The same without development mode's offset, for what waits for the world outside: leases and deliveries.
    pub fn real(&self) -> Moment {
        shifted(self.skew.load(Ordering::Relaxed))
    }

    pub fn set_offset_micros(&self, offset: i64) {
        self.offset.store(offset, Ordering::Relaxed);
    }

    /// Takes over what the database said its time was, which it did between these two moments of the system's clock.
    ///
    /// An answer that took long, or was slept over, says too little of when it was given.
    pub(crate) fn follow(&self, database: Moment, asked: Moment, answered: Moment) {
        if answered > asked.plus(CLOCK_ANSWER) {
            return;
        }
        let here = asked.micros() + (answered.micros() - asked.micros()) / 2;
        self.skew.store(database.micros() - here, Ordering::Relaxed);
    }
}

fn shifted(micros: i64) -> Moment {
    Moment::from_micros(Moment::system().micros() + micros).unwrap_or_else(Moment::system)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_database_s_time_and_an_offset() {
        let clock = Clock::default();
        let minute = Duration::from_secs(60);
        let asked = Moment::system();
        clock.follow(asked.plus(minute), asked, asked);
        let apart = |moment: Moment| (moment.micros() - Moment::system().micros()) / 1_000_000;
        assert!((59..=60).contains(&apart(clock.now())));
        let late = asked.plus(minute);
        clock.follow(late.plus(minute * 60), asked, late);
        assert!((59..=60).contains(&apart(clock.now())), "a late answer is not believed");
        clock.set_offset_micros(3_600_000_000);
        assert!((3659..=3660).contains(&apart(clock.now())));
        assert!((59..=60).contains(&apart(clock.real())));
    }
}
