//! Whether the rows are what was acknowledged.

use std::path::Path;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};

use crate::cluster::Cluster;
use crate::data::MODULES_PER_COURSE;

/// What is counted in either database.
const COUNTS: &str = "SELECT (SELECT count(*) FROM course_enrollments), (SELECT count(*) FROM module_enrollments),
    (SELECT count(*) FROM events),
    (SELECT CAST(sum(enrolled_count + waitlisted_count + completed_count + cancelled_count + expired_count) AS bigint)
        FROM courses)";

/// Rows, and what the courses count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    enrollments: i64,
    modules: i64,
    events: i64,
    counted: i64,
}

impl Counts {
    pub async fn of_postgres(cluster: &Cluster, database: &str) -> Result<Self> {
        let row = cluster.connect(database).await?.query_one(COUNTS, &[]).await?;
        let (enrollments, modules, events, counted) = (row.get(0), row.get(1), row.get(2), row.get(3));
        Ok(Counts { enrollments, modules, events, counted })
    }

    pub fn of_sqlite(path: &Path) -> Result<Self> {
        let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok(file.query_row(COUNTS, [], |row| {
            let (enrollments, modules, events, counted) =
                (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Counts { enrollments, modules, events, counted })
        })?)
    }

    /// Fails unless so many enrollments have been added since, with all that belongs to them. `counting` says whether
    /// the courses count them.
    pub fn check(self, now: Counts, enrolled: u64, counting: bool) -> Result<()> {
        let enrolled = i64::try_from(enrolled).context("more than can be counted")?;
        let modules = enrolled * i64::try_from(MODULES_PER_COURSE).context("more than can be counted")?;
        let expected = Counts {
            enrollments: self.enrollments + enrolled,
            modules: self.modules + modules,
            events: self.events + enrolled,
            counted: self.counted + if counting { enrolled } else { 0 },
        };
        if now != expected {
            bail!(
                "{enrolled} enrollments were acknowledged: there should be {expected:?}, but there are {now:?}"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enrollment_that_was_acknowledged_has_to_be_there() {
        let before = Counts { enrollments: 10, modules: 50, events: 12, counted: 10 };
        let after = Counts { enrollments: 13, modules: 65, events: 15, counted: 13 };
        assert!(before.check(after, 3, true).is_ok());
        assert!(before.check(after, 4, true).is_err());
        assert!(before.check(after, 2, true).is_err());
        assert!(before.check(Counts { modules: 64, ..after }, 3, true).is_err());
        assert!(before.check(Counts { events: 16, ..after }, 3, true).is_err());
        assert!(before.check(Counts { counted: 12, ..after }, 3, true).is_err());
        assert!(before.check(Counts { counted: 10, ..after }, 3, false).is_ok());
        assert!(before.check(before, 0, true).is_ok());
    }
}
