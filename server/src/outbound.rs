//! Sending what is due by one way, on every process: who claims a delivery sends it.

use std::sync::Arc;
use std::time::Duration;

use procedures::App;
use procedures::delivery::{Channel, Claimed, Settlement, claim, settle};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer;
use crate::limits::OUTBOUND_INTERVAL;

/// A way to send.
pub trait Sender: Send + Sync + 'static {
    const CHANNEL: Channel;
    /// How many deliveries one process sends at a time.
    const AT_ONCE: usize;
    /// How long sending one takes at the most.
    const TIMEOUT: Duration;

    /// Sends one, in less time than a claim lasts. What goes wrong is told in words that hold no secret.
    fn send(&self, app: &App, claimed: &Claimed) -> impl Future<Output = Settlement> + Send;
}

/// Sends until told to stop, and then to the end of what was begun.
pub async fn run<S: Sender>(app: Arc<App>, sender: Arc<S>, stop: CancellationToken) {
    let (places, under_way) = (Arc::new(Semaphore::new(S::AT_ONCE)), TaskTracker::new());
    while let Some(Ok(place)) = stop.run_until_cancelled(places.clone().acquire_owned()).await {
        let claimed = match claim(&app, S::CHANNEL).await {
            Ok(claimed) => claimed,
            Err(error) => {
                answer::log(&error, None, S::CHANNEL.as_str());
                None
            }
        };
        let Some(claimed) = claimed else {
            drop(place);
            stop.run_until_cancelled(tokio::time::sleep(OUTBOUND_INTERVAL)).await;
            continue;
        };
        let (app, sender) = (app.clone(), sender.clone());
        under_way.spawn(async move {
            // A process that was paused may find its claim about to be somebody else's.
            let settlement = match claimed.stands_for(&app, S::TIMEOUT * 2) {
                true => sender.send(&app, &claimed).await,
                false => Settlement::Failed("the claim was too old to send by".into()),
            };
            if let Err(error) = settle(&app, &claimed, settlement).await {
                answer::log(&error, None, S::CHANNEL.as_str());
            }
            drop(place);
        });
    }
    under_way.close();
    under_way.wait().await;
}
