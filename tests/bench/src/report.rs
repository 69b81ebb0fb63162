//! The report, as Markdown.

use std::fmt::Write;
use std::time::Duration;

use crate::growth::Growth;
use crate::idle::Idle;
use crate::operation::Operation;
use crate::statistics::{Row, median};
use crate::targets::{Bound, Target, megabytes};

/// All that is told.
pub struct Report<'a> {
    pub conditions: Vec<(String, String)>,
    pub rows: &'a [Row],
    pub targets: &'a [Target],
    pub growth: &'a [Growth],
    pub idle: Option<&'a Idle>,
    /// The name of the plot.
    pub plot: &'a str,
}

/// What the figures are, said once for all of them.
const READING: &str = "\
Figures are the middle of the rounds; in each round everything was measured once, in turn. Calls a second are those answered \
within the window, p50 and p99 how long they took from the first byte sent to the last one received, each call counted. CPU is \
in microseconds a call; server, PostgreSQL, load and the rest of the machine share its cores. The memory is the most that the \
server ever had. The ratio is to what the database does by itself, in the same round at as many connections: `pgbench`'s first \
script, and for SQLite one thread with 32 enrollments a transaction.

After each measurement the rows were counted: as many enrollments as were acknowledged, five modules and one event for each, and \
the courses' counts raised by as many; reading wrote nothing.

`pgbench` runs statements made for the purpose on the same tables and data (`tests/bench/sql/pgbench`), prepared, over a Unix \
socket, with no token to verify and nothing to parse. Its `enroll` is one statement: the checks, the row, its modules, its event. \
It keeps no count of the course and numbers events from a sequence, so unlike the server's its transactions do not wait for each \
other, which is less work; `step by step` is the same as five statements between BEGIN and COMMIT. Its ids are made from numbers \
in SQL, which takes about a microsecond each. `SQLite` is one thread that does an enrollment's work by statements prepared once.";

impl Report<'_> {
    /// Writing to a text never fails.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "# Measured\n\n![Calls a second]({})\n", self.plot)?;
        self.write_targets(text)?;
        for operation in operations(self.rows) {
            writeln!(text, "\n## {operation}: {}\n", operation.meaning())?;
            write_rows(text, self.rows.iter().filter(|row| row.operation == operation))?;
        }
        if !self.growth.is_empty() {
            write_growth(text, self.growth)?;
        }
        if let Some(idle) = self.idle {
            write_idle(text, idle)?;
        }
        writeln!(text, "\n## How it was measured\n\n{READING}\n\n| what | |\n|---|---|")?;
        self.conditions.iter().try_for_each(|(what, how)| writeln!(text, "| {what} | {how} |"))
    }

    fn write_targets(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "| target | of | wanted | measured | |\n|---|---|--:|--:|---|")?;
        for target in self.targets {
            let Target { what, who, bound, unit, measured } = target;
            let wanted = match bound {
                Bound::AtLeast(least) => format!("≥ {least}{unit}"),
                Bound::AtMost(most) => format!("≤ {most}{unit}"),
            };
            let measured = measured.map_or_else(|| "–".to_owned(), |measured| format!("{measured:.2}{unit}"));
            let verdict = match target.is_met() {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => "not measured",
            };
            writeln!(text, "| {what} | {who} | {wanted} | {measured} | {verdict} |")?;
        }
        Ok(())
    }
}

/// In the order of the rows, each once.
pub fn operations(rows: &[Row]) -> Vec<Operation> {
    let mut operations: Vec<Operation> = rows.iter().map(|row| row.operation).collect();
    operations.dedup();
    operations
}

fn write_rows<'a>(text: &mut String, rows: impl Iterator<Item = &'a Row>) -> std::fmt::Result {
    writeln!(
        text,
        "| connections | | calls a second | least … most | p50, ms | p99, ms | CPU: server | PostgreSQL | load | memory, MB | ratio |\n\
         |--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    for row in rows {
        let Row { connections, who, per_second, least, most, load_cpu, .. } = row;
        writeln!(
            text,
            "| {connections} | {who} | {per_second:.0} | {least:.0} … {most:.0} | {} | {} | {} | {} | {load_cpu:.0} \
             | {} | {} |",
            milliseconds(row.p50),
            milliseconds(row.p99),
            row.server_cpu.map_or_else(String::new, |cpu| format!("{cpu:.0}")),
            row.postgres_cpu.map_or_else(String::new, |cpu| format!("{cpu:.0}")),
            row.peak.map_or_else(String::new, |peak| format!("{:.0}", megabytes(peak))),
            row.ratio.map_or_else(String::new, |ratio| format!("**{ratio:.2}**")),
        )?;
    }
    Ok(())
}

fn write_growth(text: &mut String, growth: &[Growth]) -> std::fmt::Result {
    writeln!(
        text,
        "\n## A hundred times as much\n\nCalls a second at 64 connections, with 10,000 enrollments and with 1,000,000: 50 and 5,000 \
         in each of the courses that are read.\n\n\
         | operation | | at 10,000 | at 1,000,000 | times as long |\n|---|---|--:|--:|--:|"
    )?;
    for grown in growth {
        let speed = |measurements: &[crate::measure::Measurement]| {
            median(measurements.iter().map(|measurement| measurement.per_second())).unwrap_or_default()
        };
        let (small, large) = (speed(&grown.small), speed(&grown.large));
        writeln!(
            text,
            "| {} | {} | {small:.0} | {large:.0} | {:.2} |",
            grown.operation,
            grown.who,
            grown.factor()
        )?;
    }
    Ok(())
}

fn write_idle(text: &mut String, idle: &Idle) -> std::fmt::Result {
    let Idle { who, sockets, idle, without, with } = idle;
    let each = with.now.saturating_sub(without.now) as f64 / *sockets as f64;
    writeln!(
        text,
        "\n## Idle WebSockets\n\n{who}, {sockets} WebSockets on `/rpc`, each opened with a token and idle for {idle:?}: {:.0} MB \
         ({:.0} MB at the most), {each:.1} KiB for each; {:.0} MB without them.",
        megabytes(with.now),
        megabytes(with.peak),
        megabytes(without.now),
    )
}

fn milliseconds(took: Option<Duration>) -> String {
    took.map_or_else(String::new, |took| format!("{:.2}", took.as_secs_f64() * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{self, tests::example};
    use crate::targets::targets;

    #[test]
    fn the_report_has_a_row_for_each_cell() {
        let (measurements, contenders) = example();
        let rows = statistics::rows(&measurements, &contenders);
        let targets = targets(&contenders, &rows, &[], None);
        let report = Report {
            conditions: vec![("CPU".into(), "2 × fast".into())],
            rows: &rows,
            targets: &targets,
            growth: &[],
            idle: None,
            plot: "results.svg",
        };
        let text = report.markdown();
        for line in [
            "| enroll at 64, to pgbench's one statement | a | ≥ 1.5 × | 2.00 × | met |",
            "| enroll at 1, to pgbench's one statement | a | ≥ 0.7 × | – | not measured |",
            "| 64 | a | 1500 | 1000 … 2000 | 2.00 | 9.00 | 375 | 188 | 94 | 41 | **2.00** |",
            "| CPU | 2 × fast |",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
