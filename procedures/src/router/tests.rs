//! What the router does around a handler: panics, deadlines, repeated transactions, callers that go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

use super::{Call, NoInput, Router, signature};
use crate::caller::{Caller, Cx, Insider, Public};
use crate::db::PoolSizes;
use crate::error::{Code, Error, Outcome, Reason, Result};
use crate::limits::{CALL_DEADLINE, MAX_ATTEMPTS};
use crate::{App, Database};

signature!(Panics: Query "test.panics" (NoInput) -> ());
signature!(PanicsToo: Mutation "test.panicsToo" (NoInput) -> ());
signature!(Works: Query "test.works" (NoInput) -> i32);
signature!(Slow: Mutation "test.slow" (NoInput) -> ());
signature!(Wins: Mutation "test.wins" (NoInput) -> u32);
signature!(Loses: Mutation "test.loses" (NoInput) -> u32);
signature!(Endless: Query "test.endless" (NoInput) -> ());

/// A call by nobody, of an application whose database is never asked.
fn call() -> Call {
    let db = Database::open("sqlite:never-opened.db", PoolSizes::default()).unwrap();
    Call { app: Arc::new(App::new(db)), caller: Caller::Anonymous, request_id: "test".into() }
}

async fn outcome(router: &Router, path: &str, input: &str) -> Result<String, Code> {
    let reply = router.find(path).unwrap().call(call(), input).await;
    reply.map(|json| json.get().to_owned()).map_err(|error| error.code())
}

#[tokio::test]
async fn a_panic_is_an_internal_error_of_that_call_alone() {
    let router = Router::default()
        .query(Panics, async |_: Cx<Public>, _: NoInput| -> Result<()> { panic!("boom") })
        .mutation(PanicsToo, async |_: Cx<Public>, _: NoInput| -> Result<()> { panic!("boom") })
        .query(Works, async |_: Cx<Public>, _: NoInput| Ok(7));
    assert_eq!(outcome(&router, "test.panics", "null").await, Err(Code::InternalServerError));
    assert_eq!(outcome(&router, "test.panicsToo", "null").await, Err(Code::InternalServerError));
    assert_eq!(outcome(&router, "test.works", "null").await, Ok("7".into()));
}

#[tokio::test]
async fn a_handler_that_wants_a_session_is_not_reached_without_one() {
    let router = Router::default().query(Works, async |_: Cx<Insider>, _: NoInput| Ok(7));
    assert_eq!(outcome(&router, "test.works", "null").await, Err(Code::Unauthorized));
    // Not even to have its input looked at.
    assert_eq!(outcome(&router, "test.works", "{\"unknown\":1}").await, Err(Code::Unauthorized));
}

#[tokio::test]
async fn a_mutation_outlives_its_caller() {
    let (begun, go_on, done) =
        (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
    let handler = {
        let (begun, go_on, done) = (begun.clone(), go_on.clone(), done.clone());
        move |_: Cx<Public>, _: NoInput| {
            let (begun, go_on, done) = (begun.clone(), go_on.clone(), done.clone());
            async move {
                begun.notify_one();
                go_on.notified().await;
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    let router = Router::default().mutation(Slow, handler);
    let call = call();
    let mutations = call.app.mutations.clone();
    let mut asked = Box::pin(router.find("test.slow").unwrap().call(call, "null"));
    tokio::select! {
        _ = &mut asked => panic!("it waits to be told to go on"),
        () = begun.notified() => {}
    }
    drop(asked);
    go_on.notify_one();
    mutations.close();
    mutations.wait().await;
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_lost_is_repeated_as_a_whole_but_not_for_ever() {
    let attempts = Arc::new(AtomicU32::new(0));
    let losing_until = |last: u32| {
        let attempts = attempts.clone();
        move |_: Cx<Public>, _: NoInput| {
            let attempts = attempts.clone();
            async move {
                match attempts.fetch_add(1, Ordering::SeqCst) + 1 {
                    attempt if attempt < last => Err(Error::retryable("deadlock detected")),
                    attempt => Ok(attempt),
                }
            }
        }
    };
    let router = Router::default().mutation(Wins, losing_until(3)).mutation(Loses, losing_until(1000));
    assert_eq!(outcome(&router, "test.wins", "null").await, Ok("3".into()));
    attempts.store(0, Ordering::SeqCst);
    let lost = router.find("test.loses").unwrap().call(call(), "null").await.unwrap_err();
    assert_eq!(lost.reason(), Some(&Reason::Unavailable { outcome: Outcome::NotApplied }));
    assert_eq!(attempts.load(Ordering::SeqCst), MAX_ATTEMPTS);
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_deadline() {
    let router = Router::default().query(Endless, async |_: Cx<Public>, _: NoInput| -> Result<()> {
        tokio::time::sleep(CALL_DEADLINE * 2).await;
        Ok(())
    });
    assert_eq!(outcome(&router, "test.endless", "null").await, Err(Code::Timeout));
}

#[test]
#[should_panic(expected = "the procedure test.works is declared twice")]
fn a_path_is_declared_once() {
    let handler = async |_: Cx<Public>, _: NoInput| Ok(7);
    let _ = Router::default().query(Works, handler).query(Works, handler);
}
