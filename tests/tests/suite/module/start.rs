//! `module.start`, and what the procedures about one module have in common

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use crate::answers::{audited, enrollment};

on_both![
    a_learner_starts_a_module,
    starting_twice_changes_nothing,
    the_first_start_is_kept,
    only_what_was_given,
    not_under_way,
    by_whom,
    unknown_and_foreign,
];

const START: &str = "module.start";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

pub(super) fn of(enrollment: &str, module: &str) -> Value {
    json!({ "enrollmentId": enrollment, "moduleId": module })
}

/// The learner's place in the first lesson of the course, as it came with their enrollment.
#[track_caller]
pub(super) fn module(fields: Value) -> Value {
    let usual = json!({
        "id": "<2>",
        "enrollmentId": "<1>",
        "userId": "<learner>",
        "moduleId": "<module>",
        "title": "module",
        "kind": "lesson",
        "position": 1,
        "enrolledAt": "<t1>",
        "startedAt": null,
        "completedAt": null,
        "completed": false,
        "softDeleted": false,
    });
    merged(usual, fields)
}

/// What happened to the learner's enrollment after it was made.
#[track_caller]
pub(super) fn event(fields: Value) -> Value {
    let usual = json!({
        "id": "0000000000000002",
        "at": "<t2>",
        "kind": "moduleStarted",
        "organizationId": "<acme>",
        "courseId": "<course>",
        "enrollmentId": "<1>",
        "userId": "<learner>",
        "actor": { "kind": "user", "id": "<learner>" },
        "data": audited(json!({ "moduleId": "<module>" })),
    });
    merged(usual, fields)
}

/// Percent, modules in all, and those completed.
pub(super) fn progress(answer: &Value) -> [&Value; 3] {
    ["progress", "modulesTotal", "modulesCompleted"].map(|field| &answer["enrollment"][field])
}

/// What was answered is what is stored, and the log has one event of it.
pub(super) async fn is_stored(world: &World, answer: &Value, event: &Value) {
    let (learner, input) = (&world.acme.learner, json!({ "enrollmentId": "<1>" }));
    expect(&world.ok(learner, "enrollment.get", input.clone()).await, &answer["enrollment"]);
    let modules = world.ok(learner, "module.listByEnrollment", input.clone()).await;
    assert!(modules.as_array().unwrap().contains(&answer["module"]), "{modules:#}");
    let history = world.ok(learner, "enrollment.history", input).await;
    assert_eq!(history["items"].as_array().unwrap().len(), 2, "{history:#}");
    expect(&history["items"][1], event);
}

/// Nothing is recorded of an enrollment that is not under way. One whose access has ended counts as expired.
pub(super) async fn is_refused_unless_under_way(world: &World, actor: &Actor, path: &str) {
    world.course("course", json!({})).await;
    world.course("full", json!({ "capacity": 0 })).await;
    world.course("short", json!({ "accessDays": 30 })).await;
    for course in ["course", "full", "short"] {
        world.module(&format!("<{course}>"), &format!("of {course}")).await;
    }
    let is_refused = async |enrollment: &str, module: &str, from: &str| {
        let error = world.refused(actor, path, of(enrollment, module)).await;
        let reason = json!({ "type": "invalidTransition", "from": from, "to": "enrolled" });
        expect(&error, &refusal(path, "CONFLICT", reason));
    };
    for status in ["cancelled", "expired", "completed"] {
        world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
        match status {
            "cancelled" => world.cancelled("<enrollment>").await,
            "expired" => world.expired("<enrollment>").await,
            _ => world.completed("<enrollment>").await,
        }
        is_refused("<enrollment>", "<of course>", status).await;
    }
    world.enrolled(&world.acme.learner, "<full>", "waiting").await;
    is_refused("<waiting>", "<of full>", "waitlisted").await;
    world.enrolled(&world.acme.learner, "<short>", "ended").await;
    world.clock_ahead(Duration::from_secs(30 * 86_400));
    is_refused("<ended>", "<of short>", "expired").await;
}

/// D14: a module added later, or taken away, is not there to be started or completed.
pub(super) async fn is_refused_unless_given(world: &World, path: &str) {
    world.course("course", json!({})).await;
    world.module("<course>", "taken").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.module("<course>", "later").await;
    world.ok(&world.acme.admin, "module.unassign", of("<enrollment>", "<taken>")).await;
    for module in ["<taken>", "<later>"] {
        let error = world.refused(&world.acme.learner, path, of("<enrollment>", module)).await;
        expect(&error, &refusal(path, "NOT_FOUND", json!(null)));
    }
}

/// Everyone makes progress of their own; that of others is recorded by services alone.
pub(super) async fn is_recorded_by_whom(world: &World, path: &str) {
    let acme = &world.acme;
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    world.module("<course>", "module").await;
    world.module("<other>", "of the other").await;
    world.enrolled(&acme.learner, "<course>", "enrollment").await;
    world.enrolled(&acme.learner, "<other>", "elsewhere").await;
    let input = of("<enrollment>", "<module>");
    let error = world.refused(&Actor::Anonymous, path, input.clone()).await;
    expect(&error, &refusal(path, "UNAUTHORIZED", json!(null)));
    for (actor, input) in [(&acme.peer, input.clone()), (&acme.author, of("<elsewhere>", "<of the other>"))] {
        let error = world.refused(actor, path, input).await;
        expect(&error, &refusal(path, "NOT_FOUND", json!(null)));
    }
    for actor in [&acme.author, &acme.coordinator, &acme.admin, &world.global_admin] {
        let error = world.refused(actor, path, input.clone()).await;
        expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let another = world.service(&[Scope::EnrollmentsRead, Scope::EnrollmentsWrite]).await;
    for enrollment in ["<enrollment>", UNKNOWN] {
        let error = world.refused(&another, path, of(enrollment, "<module>")).await;
        let reason = json!({ "type": "scopeRequired", "scope": "progress:write" });
        expect(&error, &refusal(path, "FORBIDDEN", reason));
    }

    let recorder = world.service(&[Scope::ProgressWrite]).await;
    world.ok(&recorder, path, input).await;
    for (actor, name) in
        [(&acme.author, "author"), (&acme.coordinator, "coordinator"), (&acme.admin, "admin")]
    {
        world.enrolled(actor, "<course>", &format!("of the {name}")).await;
        world.ok(actor, path, of(&format!("<of the {name}>"), "<module>")).await;
    }
}

/// D17.
pub(super) async fn is_not_found(world: &World, actors: &[&Actor], path: &str) {
    world.course("course", json!({})).await;
    world.course("other", json!({})).await;
    world.module("<course>", "module").await;
    world.module("<other>", "of the other").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    let input = json!({ "courseId": "<foreign>", "title": "theirs", "kind": "lesson" });
    let theirs = world.call(&world.globex.admin, "course.addModule", input).await.unwrap();
    world.name("theirs", theirs["id"].as_str().unwrap());
    world.enrolled(&world.globex.learner, "<foreign>", "foreign enrollment").await;
    for actor in actors {
        for (enrollment, module) in [
            ("<enrollment>", UNKNOWN),
            ("<enrollment>", "<of the other>"),
            ("<enrollment>", "<theirs>"),
            ("<foreign enrollment>", "<theirs>"),
            (UNKNOWN, "<module>"),
        ] {
            let error = world.refused(actor, path, of(enrollment, module)).await;
            expect(&error, &refusal(path, "NOT_FOUND", json!(null)));
        }
    }
}

async fn a_learner_starts_a_module(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.learner, START, of("<1>", "<module>")).await;
    let started = json!({ "modulesTotal": 1, "startedAt": "<t2>", "updatedAt": "<t2>", "version": 2 });
    let expected =
        json!({ "module": module(json!({ "startedAt": "<t2>" })), "enrollment": enrollment(started) });
    expect(&answer, &expected);
    is_stored(&world, &answer, &event(json!({}))).await;
}

async fn starting_twice_changes_nothing(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "first").await;
    world.module("<course>", "second").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = of("<enrollment>", "<first>");
    let first = world.ok(&world.acme.learner, START, input.clone()).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.learner, START, input.clone()).await, &first);
    assert_eq!(world.contents().await, before);

    // After completion too, but nothing is started then that was not.
    world.completed("<enrollment>").await;
    let before = world.contents().await;
    let again = world.ok(&world.acme.learner, START, input).await;
    expect(&again["module"], &first["module"]);
    assert_eq!(world.contents().await, before);
    let error = world.refused(&world.acme.learner, START, of("<enrollment>", "<second>")).await;
    let reason = json!({ "type": "invalidTransition", "from": "completed", "to": "enrolled" });
    expect(&error, &refusal(START, "CONFLICT", reason));
}

async fn the_first_start_is_kept(world: World) {
    let learner = &world.acme.learner;
    world.course("course", json!({})).await;
    world.module("<course>", "first").await;
    world.module("<course>", "second").await;
    world.enrolled(learner, "<course>", "enrollment").await;
    let first = world.ok(learner, START, of("<enrollment>", "<first>")).await;
    let second = world.ok(learner, START, of("<enrollment>", "<second>")).await;
    assert_ne!(second["module"]["startedAt"], first["module"]["startedAt"]);
    assert_eq!(first["enrollment"]["startedAt"], first["module"]["startedAt"]);
    assert_eq!(second["enrollment"]["startedAt"], first["enrollment"]["startedAt"]);

    world.cancelled("<enrollment>").await;
    let again = world.ok(learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    assert_eq!(again["startedAt"], first["enrollment"]["startedAt"]);
    let input = json!({ "enrollmentId": "<enrollment>" });
    let modules = world.ok(learner, "module.listByEnrollment", input).await;
    expect(&modules, &json!([first["module"], second["module"]]));
}

async fn only_what_was_given(world: World) {
    is_refused_unless_given(&world, START).await;
}

async fn not_under_way(world: World) {
    is_refused_unless_under_way(&world, &world.acme.learner, START).await;
}

async fn by_whom(world: World) {
    is_recorded_by_whom(&world, START).await;
}

async fn unknown_and_foreign(world: World) {
    let recorder = world.service(&[Scope::ProgressWrite]).await;
    is_not_found(&world, &[&world.acme.learner, &recorder], START).await;
}
