//! COMMITs whose answer is lost: what became of them is looked up, and the call is answered by it.

use serde_json::{Value, json};
use tests::{World, on_postgres};

mod line;

use line::{At, Line};

on_postgres![a_commit_that_was_made, a_commit_that_was_not_made, a_commit_of_a_keyed_call];

/// Rounds of each way to lose a COMMIT's answer.
const ROUNDS: usize = 20;

/// Enrolls and unenrolls by turns over a line that is cut at each COMMIT; each call succeeds, and is made once.
async fn survives(world: World, at: At, keyed: bool) {
    let course = world.course("course", json!({})).await;
    let line = Line::to(world.url()).await;
    let app = tests::app_at(&line.url);
    for round in 0..ROUNDS {
        let path = ["enrollment.enroll", "enrollment.unenroll"][round % 2];
        let mut input = json!({ "courseId": course });
        if keyed {
            input["idempotencyKey"] = format!("round-{round}").into();
        }
        line.cut_next(at);
        let input = world.resolved(&input).to_string();
        let answer = tests::call(&app, &world.acme.learner, path, &input).await;
        let answer = answer.unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(line.was_cut(), "round {round}: nothing was cut");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["version"], round + 1, "round {round}: made more than once, or not at all");
        if keyed {
            let again = tests::call(&app, &world.acme.learner, path, &input).await.expect("the same answer");
            assert_eq!(serde_json::from_str::<Value>(&again).expect("JSON"), answer);
        }
    }
    let found = world.call(&world.acme.learner, "enrollment.find", json!({ "courseId": course })).await;
    let id = found.expect("an enrollment")["id"].clone();
    let history = world.call(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": id })).await;
    assert_eq!(history.expect("a page")["items"].as_array().map(Vec::len), Some(ROUNDS), "one event a call");
}

async fn a_commit_that_was_made(world: World) {
    survives(world, At::TheWayBack, false).await;
}

async fn a_commit_that_was_not_made(world: World) {
    survives(world, At::TheWayThere, false).await;
}

async fn a_commit_of_a_keyed_call(world: World) {
    survives(world, At::TheWayBack, true).await;
}
