//! `module.complete`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::start::{
    event, is_not_found, is_recorded_by_whom, is_refused_unless_given, is_refused_unless_under_way,
    is_stored, module, of, progress,
};
use crate::answers::{audited, each, enrollment};

on_both![
    a_learner_completes_a_module,
    what_was_started_before,
    completing_twice_changes_nothing,
    learners_complete_what_has_no_result,
    progress_is_rounded_down,
    the_last_module_completes_the_course,
    not_where_a_pass_score_is_wanted,
    not_without_modules,
    completing_again_completes_no_course,
    only_what_was_given,
    not_under_way,
    by_whom,
    unknown_and_foreign,
];

const COMPLETE: &str = "module.complete";

/// D12: progress never sets the status.
async fn a_learner_completes_a_module(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.learner, COMPLETE, of("<1>", "<module>")).await;
    let done = json!({
        "progress": 100, "modulesTotal": 1, "modulesCompleted": 1,
        "startedAt": "<t2>", "updatedAt": "<t2>", "version": 2,
    });
    let completed = json!({ "startedAt": "<t2>", "completedAt": "<t2>", "completed": true });
    expect(&answer, &json!({ "module": module(completed), "enrollment": enrollment(done) }));
    is_stored(&world, &answer, &event(json!({ "kind": "moduleCompleted" }))).await;
    assert_eq!(world.contents().await["certificates"], [] as [String; 0]);
}

async fn what_was_started_before(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = of("<enrollment>", "<module>");
    let started = world.ok(&world.acme.learner, "module.start", input.clone()).await;
    let completed = world.ok(&world.acme.learner, COMPLETE, input).await;
    assert_eq!(completed["module"]["startedAt"], started["module"]["startedAt"]);
    assert_ne!(completed["module"]["completedAt"], started["module"]["startedAt"]);
    assert_eq!(completed["enrollment"]["startedAt"], started["enrollment"]["startedAt"]);
}

async fn completing_twice_changes_nothing(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "first").await;
    world.module("<course>", "second").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = of("<enrollment>", "<first>");
    let first = world.ok(&world.acme.learner, COMPLETE, input.clone()).await;
    assert_eq!(progress(&first), [50, 2, 1]);
    let before = world.contents().await;
    expect(&world.ok(&world.acme.learner, COMPLETE, input.clone()).await, &first);
    // Whatever is completed was started.
    expect(&world.ok(&world.acme.learner, "module.start", input.clone()).await, &first);
    assert_eq!(world.contents().await, before);

    // After completion too, but nothing is completed then that was not.
    world.completed("<enrollment>").await;
    let before = world.contents().await;
    let again = world.ok(&world.acme.learner, COMPLETE, input).await;
    expect(&again["module"], &first["module"]);
    assert_eq!(world.contents().await, before);
    let error = world.refused(&world.acme.learner, COMPLETE, of("<enrollment>", "<second>")).await;
    let reason = json!({ "type": "invalidTransition", "from": "completed", "to": "enrolled" });
    expect(&error, &refusal(COMPLETE, "CONFLICT", reason));
}

async fn learners_complete_what_has_no_result(world: World) {
    let learner = &world.acme.learner;
    let recorder = world.service(&[Scope::ProgressWrite]).await;
    let kinds = ["lesson", "quiz", "survey", "webinar", "scorm"];
    world.course("course", json!({})).await;
    for kind in kinds {
        let input = json!({ "courseId": "<course>", "title": kind, "kind": kind });
        let module = world.call(&world.acme.admin, "course.addModule", input).await.unwrap();
        world.name(kind, module["id"].as_str().unwrap());
    }
    world.enrolled(learner, "<course>", "enrollment").await;
    world.enrolled(&world.acme.peer, "<course>", "of the peer").await;
    for kind in kinds {
        let module = format!("<{kind}>");
        let input = of("<enrollment>", &module);
        if ["quiz", "scorm"].contains(&kind) {
            world.ok(learner, "module.start", input.clone()).await;
            let error = world.refused(learner, COMPLETE, input.clone()).await;
            expect(&error, &refusal(COMPLETE, "FORBIDDEN", json!({ "type": "roleRequired" })));
            world.ok(&recorder, COMPLETE, input).await;
        } else {
            world.ok(learner, COMPLETE, input).await;
        }
        let answer = world.ok(&recorder, COMPLETE, of("<of the peer>", &module)).await;
        assert_eq!((&answer["module"]["kind"], &answer["module"]["completed"]), (&json!(kind), &json!(true)));
    }
    let input = json!({ "enrollmentId": "<enrollment>" });
    let enrollment = world.ok(learner, "enrollment.get", input).await;
    assert_eq!((&enrollment["status"], &enrollment["progress"]), (&json!("enrolled"), &json!(100)));
}

/// D14: one of 21 later, the percents are of 21.
async fn progress_is_rounded_down(world: World) {
    world.course("course", json!({})).await;
    for number in 1..=20 {
        world.module("<course>", &format!("module {number}")).await;
    }
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let mut percents = Vec::new();
    for number in 1..=10 {
        let input = of("<enrollment>", &format!("<module {number}>"));
        let answer = world.ok(&world.acme.learner, COMPLETE, input).await;
        percents.push(answer["enrollment"]["progress"].clone());
    }
    assert_eq!(percents, [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]);
    world.module("<course>", "module 21").await;
    let answer = world.ok(&world.acme.admin, "module.assign", of("<enrollment>", "<module 21>")).await;
    assert_eq!(progress(&answer), [47, 21, 10]);
}

/// D12, D13: by the system, with the certificate.
async fn the_last_module_completes_the_course(world: World) {
    let learner = &world.acme.learner;
    world.course("course", json!({ "autoComplete": true })).await;
    world.module("<course>", "module").await;
    world.module("<course>", "last").await;
    world.ok(learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let half = world.ok(learner, COMPLETE, of("<1>", "<module>")).await;
    assert_eq!(half["enrollment"]["status"], "enrolled");
    let answer = world.ok(learner, COMPLETE, of("<1>", "<last>")).await;
    let expected = json!({
        "enrollment": enrollment(json!({
            "status": "completed", "progress": 100, "modulesTotal": 2, "modulesCompleted": 2, "version": 4,
            "certificateId": "<3>", "startedAt": "<t2>", "completedAt": "<t3>", "updatedAt": "<t3>",
        })),
        "module": module(json!({
            "id": "<4>", "moduleId": "<last>", "title": "last", "position": 2,
            "startedAt": "<t3>", "completedAt": "<t3>", "completed": true,
        })),
    });
    expect(&answer, &expected);

    let history = world.ok(learner, "enrollment.history", json!({ "enrollmentId": "<1>" })).await;
    assert_eq!(each(&history, "kind")[..3], ["enrolled", "moduleCompleted", "moduleCompleted"]);
    let by_the_system = json!([
        event(json!({
            "id": "0000000000000004", "at": "<t3>", "kind": "completed",
            "actor": { "kind": "system", "id": null },
            "data": audited(json!({ "from": "enrolled", "status": "completed", "attempt": 1, "source": "self" })),
        })),
        event(json!({
            "id": "0000000000000005", "at": "<t3>", "kind": "certificateIssued",
            "actor": { "kind": "system", "id": null }, "data": audited(json!({ "certificateId": "<3>" })),
        })),
    ]);
    expect(&json!(history["items"].as_array().unwrap()[3..]), &by_the_system);
    let certificate = world.ok(learner, "certificate.get", json!({ "certificateId": "<3>" })).await;
    assert_eq!([&certificate["enrollmentId"], &certificate["issuedAt"]], ["<1>", "<t3>"]);
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    assert_eq!([&count["enrolled"], &count["completed"], &count["seatsTaken"]], [0, 1, 1]);

    let before = world.contents().await;
    expect(&world.ok(learner, COMPLETE, of("<1>", "<last>")).await, &answer);
    assert_eq!(world.contents().await, before);
}

/// D12.
async fn not_where_a_pass_score_is_wanted(world: World) {
    world.course("course", json!({ "autoComplete": true, "passScore": 0 })).await;
    world.module("<course>", "module").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let answer = world.ok(&world.acme.learner, COMPLETE, of("<enrollment>", "<module>")).await;
    assert_eq!(progress(&answer), [100, 1, 1]);
    assert_eq!(answer["enrollment"]["status"], "enrolled");
    assert_eq!(world.contents().await["certificates"], [] as [String; 0]);
}

/// D12, D23: neither where there never was one, nor where the last is taken away.
async fn not_without_modules(world: World) {
    let learner = &world.acme.learner;
    world.course("empty", json!({ "autoComplete": true })).await;
    world.course("emptied", json!({ "autoComplete": true })).await;
    world.module("<emptied>", "module").await;
    world.enrolled(learner, "<empty>", "in empty").await;
    world.enrolled(learner, "<emptied>", "in emptied").await;
    world.ok(&world.acme.admin, "module.unassign", of("<in emptied>", "<module>")).await;
    for enrollment in ["<in empty>", "<in emptied>"] {
        let input = json!({ "enrollmentId": enrollment });
        let read = world.ok(learner, "enrollment.get", input.clone()).await;
        assert_eq!([&read["progress"], &read["modulesTotal"]], [0, 0]);
        assert_eq!(read["status"], "enrolled");
        world.completed(enrollment).await;
        let read = world.ok(learner, "enrollment.get", input).await;
        assert_eq!([&read["progress"], &read["modulesTotal"]], [100, 0]);
    }
}

/// To record again what is recorded changes nothing, even where all that is left is completed.
async fn completing_again_completes_no_course(world: World) {
    world.course("course", json!({ "autoComplete": true })).await;
    world.module("<course>", "first").await;
    world.module("<course>", "second").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.ok(&world.acme.learner, COMPLETE, of("<enrollment>", "<first>")).await;
    let left = world.ok(&world.acme.admin, "module.unassign", of("<enrollment>", "<second>")).await;
    assert_eq!(progress(&left), [100, 1, 1]);
    let before = world.contents().await;
    let again = world.ok(&world.acme.learner, COMPLETE, of("<enrollment>", "<first>")).await;
    expect(&again["enrollment"], &left["enrollment"]);
    assert_eq!(world.contents().await, before);
}

async fn only_what_was_given(world: World) {
    is_refused_unless_given(&world, COMPLETE).await;
}

async fn not_under_way(world: World) {
    is_refused_unless_under_way(&world, &world.acme.learner, COMPLETE).await;
}

async fn by_whom(world: World) {
    is_recorded_by_whom(&world, COMPLETE).await;
}

async fn unknown_and_foreign(world: World) {
    let recorder = world.service(&[Scope::ProgressWrite]).await;
    is_not_found(&world, &[&world.acme.learner, &recorder], COMPLETE).await;
}
