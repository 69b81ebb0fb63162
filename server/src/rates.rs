//! How many calls there may be: by address, before anyone knows who calls, and then by caller. Refusals say after how
//! many seconds to come back.
//!
//! Each process counts for itself, in memory.

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Args;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{InsufficientCapacity, Quota, RateLimiter};
use http::request::Parts;
use procedures::Caller;
use procedures::error::{Reason, Result};
use procedures::metric::{self, CountedBy};
use procedures::values::PrincipalId;

use crate::addresses::{ClientAddress, TrustedProxies, TrustedProxy};
use crate::limits::{
    ADDRESS_BURST, ADDRESS_CALLS_PER_SECOND, CALLER_BURST, CALLER_CALLS_PER_SECOND, DEVELOPMENT_BURST,
    DEVELOPMENT_CALLS_PER_SECOND, MAX_BATCH, MAX_CALLS_PER_SECOND, MIN_SWEPT_KEYS,
};

/// So many calls a second in the long run, and so many at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

impl RateLimit {
    /// Zero counts as one.
    const fn new(per_second: u32, burst: u32) -> Self {
        const fn positive(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        RateLimit { per_second: positive(per_second), burst: positive(burst) }
    }

    const CALLER: Self = RateLimit::new(CALLER_CALLS_PER_SECOND, CALLER_BURST);
    const ADDRESS: Self = RateLimit::new(ADDRESS_CALLS_PER_SECOND, ADDRESS_BURST);
    const DEVELOPMENT: Self = RateLimit::new(DEVELOPMENT_CALLS_PER_SECOND, DEVELOPMENT_BURST);

    fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }
}

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MAX_CALLS_PER_SECOND);
        let (per_second, burst) = text
            .split_once(':')
            .and_then(|(per_second, burst)| Some((number(per_second)?, number(burst)?)))
            .ok_or_else(|| {
                format!("not two numbers up to {MAX_CALLS_PER_SECOND} such as {}", RateLimit::CALLER)
            })?;
        if per_second == 0 {
            return Err("at least 1 call per second".to_owned());
        }
        // Else there would be batches that are refused however long their caller waits.
        if usize::try_from(burst).is_ok_and(|burst| burst < MAX_BATCH) {
            return Err(format!("a burst of at least {MAX_BATCH}, the calls of one batch"));
        }
        Ok(RateLimit::new(per_second, burst))
    }
}
impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.per_second, self.burst)
    }
}

/// How rates are set up on the command line.
#[derive(Args, Debug)]
pub struct RateArgs {
    /// The calls that one user or service token may make: per second in the long run, and at once after a rest
    /// [default: 50:200; in development mode more than anyone makes].
    #[arg(long, env = "ROLLBOOK_RATE_LIMIT_CALLER", value_name = "PER_SECOND:BURST")]
    rate_limit_caller: Option<RateLimit>,
    /// The calls that may come from one address, whoever makes them (of IPv6, from one /64) [default: 500:2000; in
    /// development mode more than anyone makes].
    #[arg(long, env = "ROLLBOOK_RATE_LIMIT_ADDRESS", value_name = "PER_SECOND:BURST")]
    rate_limit_address: Option<RateLimit>,
    /// A proxy in front of the server, by its address or a range of them (10.0.0.0/28): what it says in Forwarded or
    /// X-Forwarded-For about whom it calls for is believed.
    #[arg(
        long = "trusted-proxy",
        env = "ROLLBOOK_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<TrustedProxy>,
}

impl RateArgs {
    pub fn rates(self) -> Rates {
        self.or(RateLimit::ADDRESS, RateLimit::CALLER)
    }

    /// For development, where nobody is to be held up unless asked for.
    pub fn development_rates(self) -> Rates {
        self.or(RateLimit::DEVELOPMENT, RateLimit::DEVELOPMENT)
    }

    fn or(self, address: RateLimit, caller: RateLimit) -> Rates {
        Rates {
            addresses: Limiter::new(self.rate_limit_address.unwrap_or(address), CountedBy::Address),
            callers: Limiter::new(self.rate_limit_caller.unwrap_or(caller), CountedBy::Caller),
            proxies: TrustedProxies::new(self.trusted_proxies),
        }
    }
}

/// The calls of addresses and callers, counted.
pub struct Rates {
    addresses: Limiter<ClientAddress>,
    callers: Limiter<PrincipalId>,
    proxies: TrustedProxies,
}

impl Rates {
    /// Whom a request is counted by before anyone knows who calls.
    pub fn address_of(&self, head: &Parts) -> ClientAddress {
        self.proxies.client(head)
    }

    /// Counts calls from an address; TOO_MANY_REQUESTS `rateLimited` if these would be too many, of which none counts.
    pub fn count_address(&self, address: ClientAddress, calls: usize) -> Result<()> {
        self.addresses.count(&address, calls)
    }

    /// Counts calls of a caller; one without a session has only an address.
    pub fn count_caller(&self, caller: &Caller, calls: usize) -> Result<()> {
        match caller {
            Caller::Anonymous => Ok(()),
            Caller::Insider(insider) => self.callers.count(&insider.principal(), calls),
        }
    }
}

/// One limit, kept for each key.
struct Limiter<K: Hash + Eq + Clone, C: Clock = DefaultClock> {
    limiter: RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    limit: RateLimit,
    by: CountedBy,
    /// At how many keys those are forgotten that have rested long enough to be like new.
    sweep_at: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(limit: RateLimit, by: CountedBy) -> Self {
        Limiter::with_clock(limit, by, DefaultClock::default())
    }
}

impl<K: Hash + Eq + Clone, C: Clock> Limiter<K, C> {
    fn with_clock(limit: RateLimit, by: CountedBy, clock: C) -> Self {
        let limiter = RateLimiter::hashmap_with_clock(limit.quota(), clock);
        Limiter { limiter, limit, by, sweep_at: AtomicUsize::new(MIN_SWEPT_KEYS) }
    }

    fn count(&self, key: &K, calls: usize) -> Result<()> {
        self.sweep();
        let calls = u32::try_from(calls).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        let wait = match self.limiter.check_key_n(key, calls) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(until)) => until.wait_time_from(self.limiter.clock().now()),
            // No burst is smaller than a batch, and no wire counts more at once.
            Err(InsufficientCapacity(_)) => self.limit.quota().burst_size_replenished_in(),
        };
        metric::rate_limited(self.by, calls.get());
        Err(Reason::RateLimited { retry_after_seconds: whole_seconds(wait) }.into())
    }

    /// Whoever comes from many addresses leaves many keys behind. Those that have rested are forgotten whenever there
    /// are twice as many keys as were left the last time: so there are never many more than calls of late, and
    /// forgetting costs each call little.
    fn sweep(&self) {
        if self.limiter.len() < self.sweep_at.load(Ordering::Relaxed) {
            return;
        }
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.sweep_at.store(MIN_SWEPT_KEYS.max(2 * self.limiter.len()), Ordering::Relaxed);
    }
}

/// As `Retry-After` counts (RFC 9110, section 10.2.3): who waits so long does not come too early.
fn whole_seconds(wait: Duration) -> u32 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    u32::try_from(wait.as_secs().saturating_add(begun)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use procedures::error::Reason;
    use procedures::metric::CountedBy;

    use super::{Limiter, RateLimit, whole_seconds};
    use crate::limits::MIN_SWEPT_KEYS;

    fn limiter(limit: &str) -> (Limiter<u32, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        // Not its very beginning, where all counts are zero.
        clock.advance(Duration::from_secs(1));
        (Limiter::with_clock(limit.parse().unwrap(), CountedBy::Caller, clock.clone()), clock)
    }

    /// After how many seconds to come back; none if the calls may be made.
    fn refused(limiter: &Limiter<u32, FakeRelativeClock>, key: u32, calls: usize) -> Option<u32> {
        let error = limiter.count(&key, calls).err()?;
        match error.reason() {
            Some(Reason::RateLimited { retry_after_seconds }) => Some(*retry_after_seconds),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let (limiter, clock) = limiter("2:20");
        for call in 0..20 {
            assert_eq!(refused(&limiter, 1, 1), None, "{call}");
        }
        assert_eq!(refused(&limiter, 1, 1), Some(1), "half a second is a whole one");
        assert_eq!(refused(&limiter, 2, 20), None, "another has a burst of its own");
        assert_eq!(refused(&limiter, 1, 20), Some(10));
        // What was refused was not counted.
        clock.advance(Duration::from_secs(1));
        assert_eq!(refused(&limiter, 1, 2), None);
        assert_eq!(refused(&limiter, 1, 1), Some(1));
        clock.advance(Duration::from_secs(10));
        assert_eq!(refused(&limiter, 1, 20), None);
        assert_eq!(refused(&limiter, 1, 21), Some(10), "more than there will ever be");
    }

    #[test]
    fn keys_that_have_rested_are_forgotten() {
        let (limiter, clock) = limiter("10:20");
        for key in 0..20 * MIN_SWEPT_KEYS {
            assert_eq!(refused(&limiter, u32::try_from(key).unwrap(), 1), None);
            clock.advance(Duration::from_millis(1));
            assert!(limiter.limiter.len() <= MIN_SWEPT_KEYS, "{}", limiter.limiter.len());
        }
        // Those that have not are remembered, however many.
        for key in 0..4 * MIN_SWEPT_KEYS {
            assert_eq!(refused(&limiter, u32::try_from(key).unwrap(), 20), None);
        }
        for key in 0..4 * MIN_SWEPT_KEYS {
            assert_eq!(refused(&limiter, u32::try_from(key).unwrap(), 20), Some(2));
        }
    }

    #[test]
    fn limits_as_they_are_written() {
        let limit: RateLimit = "50:200".parse().unwrap();
        assert_eq!((limit.to_string().as_str(), limit), ("50:200", RateLimit::new(50, 200)));
        for wrong in ["", "50", "50:", ":200", "0:20", "50:19", "50:200:1", "-1:20", "1.5:20", "1000001:20"] {
            assert!(wrong.parse::<RateLimit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn seconds_are_whole_and_at_least_one() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (2500, 3)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis}");
        }
    }
}
