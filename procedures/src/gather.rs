//! Jobs of several callers done together: while one lot is at work further jobs wait, and the next lot has all of them.
//!
//! Nobody waits for company: a lone job is a lot of its own at once. Whoever comes when nobody is at work leads: the
//! leader does its own job with those of all who wait, then passes the lead on to one who came meanwhile.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::db::{Connection, Database};
use crate::error::{Error, Outcome, Result};
use crate::limits::ACQUIRE_TIMEOUT;

/// Where jobs `J` with answers `A` are gathered, those of different kinds `K` apart.
pub(crate) struct Gathering<K: Kind, J, A> {
    /// The kinds that are at work, each with the jobs that wait.
    waiting: Mutex<AtWork<K, J, A>>,
    /// Jobs of one lot.
    most: usize,
}

type AtWork<K, J, A> = HashMap<K, VecDeque<Waiting<K, J, A>>>;

pub(crate) trait Kind: Copy + Eq + Hash {}
impl<K: Copy + Eq + Hash> Kind for K {}

struct Waiting<K: Kind, J, A> {
    job: J,
    turn: oneshot::Sender<Turn<K, J, A>>,
}

/// What becomes of a job.
pub(crate) enum Turn<K: Kind, J, A> {
    /// It was done with others.
    Done(A),
    /// It is to be done now, with all that wait.
    Lead(Lead<K, J, A>, J),
    /// The lot it was in came to nothing: it is to be done by itself.
    Alone(J),
}

impl<K: Kind, J, A> Gathering<K, J, A> {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Gathering { waiting: Mutex::default(), most })
    }

    /// Lines a job up, and waits for its turn; none if whoever did it was cut short.
    pub async fn turn(self: &Arc<Self>, kind: K, job: J) -> Option<Turn<K, J, A>> {
        let comes = self.line_up(kind, job);
        comes.await.ok()
    }

    fn line_up(self: &Arc<Self>, kind: K, job: J) -> oneshot::Receiver<Turn<K, J, A>> {
        let (turn, comes) = oneshot::channel();
        match self.lock().entry(kind) {
            Entry::Vacant(nobody) => {
                nobody.insert(VecDeque::new());
                let _ = turn.send(Turn::Lead(Lead { gathering: self.clone(), kind }, job));
            }
            Entry::Occupied(mut others) => others.get_mut().push_back(Waiting { job, turn }),
        }
        comes
    }

    fn lock(&self) -> MutexGuard<'_, AtWork<K, J, A>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Kind, J: Clone, A> Gathering<K, J, Result<A>> {
    /// Asks the database, together with all who ask at the same time: `ask` answers each of the questions it is given. Who has
    /// waited for [`ACQUIRE_TIMEOUT`] is told that the database is out of reach, as one who waits for a connection is.
    pub async fn read(
        self: &Arc<Self>,
        db: &Database,
        kind: K,
        question: J,
        ask: impl AsyncFn(&mut Connection, &[J]) -> Result<Vec<A>>,
    ) -> Result<A> {
        let turn = timeout(ACQUIRE_TIMEOUT, self.turn(kind, question.clone())).await;
        let turn =
            turn.map_err(|_| Error::unavailable(Outcome::NotApplied, "the database takes too long"))?;
        match turn {
            Some(Turn::Done(answer)) => answer,
            Some(Turn::Lead(lead, own)) => {
                let conn = db.read().await;
                // Who came until now comes along.
                let lot = lead.gather(own);
                let answers = match conn {
                    Ok(mut conn) => ask(&mut conn, &lot.jobs).await,
                    Err(error) => Err(error),
                };
                drop(lead);
                match answers {
                    Ok(answers) => lot.done(answers.into_iter().map(Ok))?,
                    Err(error) => lot.failed(error)?,
                }
            }
            // The lot it was in was cut short when its leader's client went away.
            Some(Turn::Alone(_)) | None => {
                let answers = ask(&mut *db.read().await?, &[question]).await?;
                answers.into_iter().next().ok_or_else(|| Error::internal("each question has an answer"))
            }
        }
    }
}

/// The right to do the jobs of one kind, which one task has at a time. Whatever becomes of that task, it is passed on to
/// the first who waits.
pub(crate) struct Lead<K: Kind, J, A> {
    gathering: Arc<Gathering<K, J, A>>,
    kind: K,
}

impl<K: Kind, J, A> Lead<K, J, A> {
    /// The leader's own job, and after it those that wait.
    pub fn gather(&self, own: J) -> Lot<K, J, A> {
        let mut jobs = vec![own];
        let mut turns = Vec::new();
        if let Some(waiting) = self.gathering.lock().get_mut(&self.kind) {
            while jobs.len() < self.gathering.most
                && let Some(Waiting { job, turn }) = next(waiting)
            {
                jobs.push(job);
                turns.push(turn);
            }
        }
        Lot { jobs, turns }
    }
}

impl<K: Kind, J, A> Drop for Lead<K, J, A> {
    fn drop(&mut self) {
        let mut kinds = self.gathering.lock();
        match kinds.get_mut(&self.kind).and_then(next) {
            Some(Waiting { job, turn }) => {
                drop(kinds);
                let lead = Lead { gathering: self.gathering.clone(), kind: self.kind };
                // Should it have gone away just now, the lead comes back, and is passed on as it is dropped.
                let _ = turn.send(Turn::Lead(lead, job));
            }
            None => {
                kinds.remove(&self.kind);
            }
        }
    }
}

/// The first who waits; those whose callers have gone away do so no longer.
fn next<K: Kind, J, A>(waiting: &mut VecDeque<Waiting<K, J, A>>) -> Option<Waiting<K, J, A>> {
    while let Some(first) = waiting.pop_front() {
        if !first.turn.is_closed() {
            return Some(first);
        }
    }
    None
}

/// Jobs that are done together, the leader's own first.
pub(crate) struct Lot<K: Kind, J, A> {
    pub jobs: Vec<J>,
    turns: Vec<oneshot::Sender<Turn<K, J, A>>>,
}

impl<K: Kind, J, A> Lot<K, J, A> {
    /// Tells the others of the answers to all jobs, in their order; returns the leader's own.
    pub fn done(self, answers: impl IntoIterator<Item = A>) -> Result<A> {
        let mut answers = answers.into_iter();
        let own = answers.next();
        for (turn, answer) in self.turns.into_iter().zip(answers) {
            let _ = turn.send(Turn::Done(answer));
        }
        own.ok_or_else(|| Error::internal("each job has an answer"))
    }

    /// Gives the others their jobs back, to be done by themselves; returns the leader's own.
    pub fn one_by_one(self) -> Result<J> {
        let mut jobs = self.jobs.into_iter();
        let own = jobs.next();
        for (turn, job) in self.turns.into_iter().zip(jobs) {
            let _ = turn.send(Turn::Alone(job));
        }
        own.ok_or_else(|| Error::internal("a lead has a job"))
    }
}

impl<K: Kind, J, T> Lot<K, J, Result<T>> {
    /// Tells everyone that it failed; the cause is the leader's to log.
    pub fn failed(self, error: Error) -> Result<Result<T>> {
        let others: Vec<Result<T>> = self.turns.iter().map(|_| Err(error.for_another())).collect();
        self.done([Err(error)].into_iter().chain(others))
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::{JoinSet, yield_now};

    use super::*;

    type Numbers = Arc<Gathering<u8, u32, u32>>;

    /// Leads, and lets others come meanwhile.
    async fn doubled(numbers: &Numbers, kind: u8, job: u32, lots: &Mutex<Vec<Vec<u32>>>) -> u32 {
        match numbers.turn(kind, job).await.expect("nobody is cut short") {
            Turn::Done(answer) => answer,
            Turn::Alone(job) => job * 2,
            Turn::Lead(lead, own) => {
                let lot = lead.gather(own);
                lots.lock().expect("not poisoned").push(lot.jobs.clone());
                // As if it asked a database.
                for _ in 0..10 {
                    yield_now().await;
                }
                drop(lead);
                let answers: Vec<u32> = lot.jobs.iter().map(|job| job * 2).collect();
                lot.done(answers).expect("an answer of its own")
            }
        }
    }

    #[tokio::test]
    async fn who_comes_meanwhile_is_the_next_lot() {
        let numbers: Numbers = Gathering::new(4);
        let lots = Arc::new(Mutex::new(Vec::new()));
        let mut callers = JoinSet::new();
        for job in 0..8 {
            let (numbers, lots) = (numbers.clone(), lots.clone());
            callers.spawn(async move { assert_eq!(doubled(&numbers, 0, job, &lots).await, job * 2) });
        }
        callers.join_all().await;
        let lots = lots.lock().expect("not poisoned").clone();
        assert_eq!(
            lots,
            [vec![0], vec![1, 2, 3, 4], vec![5, 6, 7]],
            "the first alone, then as many as there may be"
        );
        assert!(numbers.lock().is_empty(), "nobody is at work");
    }

    #[tokio::test]
    async fn kinds_are_apart() {
        let numbers: Numbers = Gathering::new(4);
        let lots = Mutex::new(Vec::new());
        let both = futures_util::future::join(doubled(&numbers, 0, 1, &lots), doubled(&numbers, 1, 2, &lots));
        assert_eq!(both.await, (2, 4));
        assert_eq!(*lots.lock().expect("not poisoned"), [[1], [2]]);
    }

    #[tokio::test]
    async fn a_lead_that_is_dropped_is_passed_on() {
        let numbers: Numbers = Gathering::new(4);
        let lead = numbers.line_up(0, 1);
        let gone = numbers.line_up(0, 2);
        let waits = numbers.line_up(0, 3);
        drop(gone);
        // As many as there may be connections.
        for job in 4..20_000 {
            drop(numbers.line_up(0, job));
        }
        drop(lead);
        let turn = waits.await.expect("its turn");
        assert!(matches!(turn, Turn::Lead(_, 3)), "who went away does not lead");
        drop(turn);
        assert!(numbers.lock().is_empty());
    }

    #[tokio::test]
    async fn who_was_in_a_lot_that_is_cut_short_is_told() {
        let numbers: Numbers = Gathering::new(4);
        let Some(Turn::Lead(lead, own)) = numbers.turn(0, 1).await else { panic!("nobody was there") };
        let other = numbers.line_up(0, 2);
        drop((lead.gather(own), lead));
        assert!(other.await.is_err());
    }

    #[tokio::test]
    async fn each_gets_its_job_back() {
        let numbers: Numbers = Gathering::new(4);
        let Some(Turn::Lead(lead, own)) = numbers.turn(0, 1).await else { panic!("nobody was there") };
        let other = numbers.line_up(0, 2);
        assert_eq!(lead.gather(own).one_by_one().expect("its own"), 1);
        assert!(matches!(other.await, Ok(Turn::Alone(2))));
    }
}
