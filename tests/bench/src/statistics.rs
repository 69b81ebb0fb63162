//! Rounds summed up.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contender::{Contender, DatabaseKind};
use crate::measure::Measurement;
use crate::operation::Operation;
use crate::plan::limit;

/// What all rounds of a cell come to.
#[derive(Clone, Debug)]
pub struct Row {
    pub operation: Operation,
    pub connections: usize,
    pub who: String,
    /// Calls a second.
    pub per_second: f64,
    pub least: f64,
    pub most: f64,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    /// CPU a call, in microseconds; none where it is none of the server's or PostgreSQL's work.
    pub server_cpu: Option<f64>,
    pub postgres_cpu: Option<f64>,
    pub load_cpu: f64,
    /// The most in any round, in KiB.
    pub peak: Option<u64>,
    /// To what the database does by itself, in the same round.
    pub ratio: Option<f64>,
}

/// The middle one, or the mean of the two in the middle; none of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values = Vec::from_iter(values);
    values.sort_by(f64::total_cmp);
    let (lower, upper) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*lower, *upper))
}

/// Sums up the rounds, in the order in which they were measured.
pub fn rows(measurements: &[Measurement], contenders: &[Contender]) -> Vec<Row> {
    let mut places = BTreeMap::new();
    let mut groups: Vec<Vec<&Measurement>> = Vec::new();
    for measurement in measurements {
        let cell = &measurement.cell;
        let place = *places.entry((cell.operation, cell.connections, &cell.who)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(measurement),
            None => groups.push(vec![measurement]),
        }
    }
    let mut rows: Vec<Row> = groups.iter().filter_map(|group| row(group, measurements, contenders)).collect();
    // Stable: what was measured first stays first.
    rows.sort_by_key(|row| {
        let place = measurements.iter().position(|measurement| measurement.cell.operation == row.operation);
        (place, row.connections)
    });
    rows
}

fn row(rounds: &[&Measurement], all: &[Measurement], contenders: &[Contender]) -> Option<Row> {
    let cell = &rounds.first()?.cell;
    let database = contenders.iter().find(|contender| contender.name == cell.who).map(|found| found.database);
    let speeds = || rounds.iter().map(|round| round.per_second());
    let time = |of: fn(&Measurement) -> Option<Duration>| {
        median(rounds.iter().filter_map(|round| Some(of(round)?.as_secs_f64()))).map(Duration::from_secs_f64)
    };
    Some(Row {
        operation: cell.operation,
        connections: cell.connections,
        who: cell.who.clone(),
        per_second: median(speeds())?,
        least: speeds().fold(f64::INFINITY, f64::min),
        most: speeds().fold(0.0, f64::max),
        p50: time(|round| round.p50),
        p99: time(|round| round.p99),
        server_cpu: median(rounds.iter().filter_map(|round| Some(round.per_call(round.cpu.server?)))),
        postgres_cpu: median(rounds.iter().filter_map(|round| Some(round.per_call(round.cpu.postgres?)))),
        load_cpu: median(rounds.iter().map(|round| round.per_call(round.cpu.load)))?,
        peak: rounds.iter().filter_map(|round| round.peak).max(),
        ratio: median(rounds.iter().filter_map(|round| ratio(round, database?, all))),
    })
}

/// To what was measured of the database in the same round.
fn ratio(measured: &Measurement, database: DatabaseKind, all: &[Measurement]) -> Option<f64> {
    let cell = &measured.cell;
    let (who, connections) = limit(cell.operation, database, cell.connections)?;
    let limit = all.iter().find(|other| {
        let other = &other.cell;
        (other.operation, other.connections, &other.who, other.round)
            == (cell.operation, connections, &who, cell.round)
    })?;
    Some(measured.per_second() / limit.per_second())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::contender;
    use crate::measure::Cell;
    use crate::sample::Cpu;

    /// A contender at twice what pgbench does, in two rounds of which the second was twice as fast.
    pub fn example() -> (Vec<Measurement>, Vec<Contender>) {
        let contenders = contender::read("a | rpc | postgres | true").unwrap();
        let measurement = |who: &str, round, calls| Measurement {
            cell: Cell { operation: Operation::Enroll, connections: 64, who: who.into(), round },
            calls,
            seconds: 2.0,
            p50: Some(Duration::from_millis(2)),
            p99: Some(Duration::from_millis(9)),
            cpu: Cpu { server: (who == "a").then_some(1.0), postgres: Some(0.5), load: 0.25, other: 0.0 },
            peak: (who == "a").then_some(40_000),
        };
        let measurements = vec![
            measurement("pgbench", 1, 1_000),
            measurement("a", 1, 2_000),
            measurement("pgbench", 2, 2_000),
            measurement("a", 2, 4_000),
        ];
        (measurements, contenders)
    }

    #[test]
    fn the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([1.0, 2.0, 4.0, 9.0]), Some(3.0));
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let (measurements, contenders) = example();
        let rows = rows(&measurements, &contenders);
        assert_eq!(rows.iter().map(|row| row.who.as_str()).collect::<Vec<_>>(), ["pgbench", "a"]);
        assert_eq!(rows[0].ratio, None);
        assert_eq!(rows[1].ratio, Some(2.0));
        assert_eq!((rows[1].per_second, rows[1].least, rows[1].most), (1_500.0, 1_000.0, 2_000.0));
        assert_eq!(rows[1].peak, Some(40_000));
    }
}
