//! How long calls took: every one is counted, to within one part in 128.

use std::time::Duration;

/// Buckets of the same width between two powers of two.
const STEPS: u64 = 128;

#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// By bucket of nanoseconds.
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub fn record(&mut self, took: Duration) {
        let bucket = bucket(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
    }

    pub fn count(&self) -> u64 {
        self.total
    }

    /// The time that this part (0.99 for p99) of the calls took at the most; none of none.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let rank = ((self.total as f64 * part).ceil() as u64).max(1);
        let mut passed = 0;
        let bucket = self.counts.iter().position(|count| {
            passed += count;
            passed >= rank
        })?;
        Some(Duration::from_nanos(middle(bucket as u64)))
    }
}

fn bucket(nanoseconds: u64) -> usize {
    let halvings = u64::from((nanoseconds / STEPS).checked_ilog2().map_or(0, |log| log + 1));
    // The first STEPS are exact; each later power of two has STEPS / 2 more.
    let bucket = match halvings {
        0 => nanoseconds,
        halvings => (halvings * STEPS / 2) + (nanoseconds >> halvings),
    };
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

fn middle(bucket: u64) -> u64 {
    let half = STEPS / 2;
    match bucket.checked_sub(STEPS) {
        None => bucket,
        Some(beyond) => {
            let halvings = beyond / half + 1;
            let first = (beyond % half + half) << halvings;
            first + (1 << halvings) / 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_are_narrow() {
        let mut last = 0;
        for nanoseconds in (0..100_000).chain((100_000..40_000_000).step_by(997)) {
            let bucket = bucket(nanoseconds);
            assert!(bucket == last || bucket == last + 1 || nanoseconds > 100_000 && bucket > last);
            last = bucket;
            let error = middle(bucket as u64).abs_diff(nanoseconds);
            assert!(error * STEPS <= nanoseconds, "{nanoseconds} is told as {}", middle(bucket as u64));
        }
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        (1..=1000).for_each(|millisecond| histogram.record(Duration::from_millis(millisecond)));
        assert_eq!(histogram.count(), 1000);
        for (part, expected) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0), (0.0, 1.0)] {
            let told = histogram.quantile(part).unwrap().as_secs_f64() * 1e3;
            assert!((told - expected).abs() / expected < 0.01, "{part}: {told}");
        }
    }
}
