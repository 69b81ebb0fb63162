//! Claims about concurrency, raced: two applications on one database, each with connections of its own.

use std::sync::Arc;

use procedures::App;
use procedures::db::PoolSizes;
use procedures::member::Role;
use serde_json::{Value, json};
use tests::{Actor, Kind, World, expect, refusal};
use tokio::sync::Barrier;

use crate::answers::each;

mod enrolling;

mod waitlist;

mod leaving;

mod sources;

mod once;

const ENROLL: &str = "enrollment.enroll";
const UNENROLL: &str = "enrollment.unenroll";

/// Two applications on one database, all of their connections open already.
struct Racers<'w> {
    world: &'w World,
    apps: [Arc<App>; 2],
}

impl<'w> Racers<'w> {
    async fn of(world: &'w World) -> Self {
        let apps = [world.app.clone(), world.another_app()];
        for app in &apps {
            connect(app, world.kind).await;
        }
        Racers { world, apps }
    }

    /// The calls all at once, by turns on one application and on the other. The answers are in their order.
    async fn race(
        &self,
        calls: impl IntoIterator<Item = (Actor, &'static str, Value)>,
    ) -> Vec<Result<Value, Value>> {
        let calls: Vec<_> = calls.into_iter().collect();
        let start = Arc::new(Barrier::new(calls.len()));
        let running: Vec<_> = calls
            .into_iter()
            .zip(self.apps.iter().cycle().cloned())
            .map(|((actor, path, input), app)| {
                let (input, start) = (self.world.resolved(&input).to_string(), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    tests::call(&app, &actor, path, &input).await
                })
            })
            .collect();
        let mut answers = Vec::new();
        for call in running {
            let parsed = |text: String| serde_json::from_str(&text).expect("JSON");
            answers.push(call.await.expect("no panic").map_err(parsed).map(parsed));
        }
        answers
    }
}

async fn race(
    world: &World,
    calls: impl IntoIterator<Item = (Actor, &'static str, Value)>,
) -> Vec<Result<Value, Value>> {
    Racers::of(world).await.race(calls).await
}

/// Opens every connection that the application may have.
async fn connect(app: &App, kind: Kind) {
    let sizes = PoolSizes::default();
    let most = match kind {
        Kind::Postgres => sizes.postgres,
        Kind::Sqlite => sizes.sqlite_readers,
    };
    let mut held = Vec::new();
    for _ in 0..most {
        held.push(app.db.read().await.expect("a connection"));
    }
}

/// So many more learners of acme, with their ids.
async fn learners(world: &World, name: &str, count: usize) -> Vec<(Actor, String)> {
    let mut learners = Vec::with_capacity(count);
    for number in 0..count {
        let name = format!("{name} {number}");
        learners.push(world.acme.person(&world.app, &name, Role::Learner, false).await);
    }
    learners
}

/// An admin enrolls these people in a course, in this order.
async fn enroll_all(world: &World, course: &str, users: &[&str]) {
    let item = |user: &&str| json!({ "courseId": course, "userId": user });
    let input = json!({ "items": users.iter().map(item).collect::<Vec<_>>() });
    let answer = world.call(&world.acme.admin, "enrollment.enrollMany", input).await.unwrap();
    let results = answer["results"].as_array().expect("a result a row");
    assert!(results.iter().all(|result| result["ok"].is_object()), "{answer:#}");
}

/// What is true of the course's counters and the log whatever happened.
async fn consistent(world: &World) {
    let input = json!({ "courseId": "<course>" });
    let count = world.ok(&world.acme.admin, "enrollment.count", input.clone()).await;
    let roster = world
        .ok(&world.acme.admin, "enrollment.listByCourse", json!({ "courseId": "<course>", "limit": 200 }))
        .await;
    let statuses = each(&roster, "status");
    for status in ["enrolled", "waitlisted", "completed", "cancelled", "expired"] {
        let rows = statuses.iter().filter(|found| *found == status).count();
        assert_eq!(count[status], rows, "{status}");
    }
    let events = &world.contents().await["events"];
    let heads = world.contents().await["event_heads"].concat();
    let last = events.len();
    assert!(
        heads.contains(&format!("last_number={last}"))
            || heads.contains(&format!("\"last_number\":{last}}}")),
        "{last} events, and heads {heads}"
    );
    proved(world).await;
}

/// Every invariant holds.
async fn proved(world: &World) {
    let report = world.ok(&world.acme.admin, "admin.verify", json!({})).await;
    assert_eq!(report["ok"], true, "{report:#}");
}

fn refusals<'a>(
    answers: &'a [Result<Value, Value>],
    path: &str,
    code: &str,
    reason: &Value,
) -> Vec<&'a Value> {
    let errors: Vec<&Value> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    for error in &errors {
        expect(error, &refusal(path, code, reason.clone()));
    }
    errors
}
