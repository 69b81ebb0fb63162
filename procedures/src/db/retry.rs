//! Repeating what lost against another transaction, as a whole.

use std::time::Duration;

use rand::Rng;

use crate::error::Result;
use crate::limits::MAX_ATTEMPTS;

/// Runs `attempt`, again with a pause if it failed in a way that another run can mend.
pub async fn repeated<T, F: Future<Output = Result<T>>>(attempt: impl Fn() -> F) -> Result<T> {
    let mut runs = 1;
    loop {
        match attempt().await {
            Err(error) if error.is_retryable() && runs < MAX_ATTEMPTS => back_off(runs).await,
            outcome => return outcome,
        }
        runs += 1;
    }
}

/// Jittered, and longer from run to run.
async fn back_off(runs: u32) {
    let most = 10 * 4_u64.pow(runs);
    let jittered = rand::rng().random_range(1..=most);
    tokio::time::sleep(Duration::from_millis(jittered)).await;
}
