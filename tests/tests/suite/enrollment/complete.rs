//! `enrollment.complete`

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use crate::answers::{audited, each, enrollment};

on_both![
    a_service_reports_a_score,
    without_a_session,
    the_events_of_a_completion,
    every_module_comes_first,
    the_pass_score_is_reached,
    what_is_no_score,
    a_waiver_takes_neither_modules_nor_score,
    a_score_is_no_person_s_to_give,
    who_waives,
    of_others_and_of_nobody,
    no_certificate_where_the_course_gives_none,
    only_from_enrolled,
    access_that_has_ended_counts_as_expired,
    enrolling_again_after_the_certificate_has_expired,
    a_certificate_for_ever,
    once_for_each_key,
];

const COMPLETE: &str = "enrollment.complete";
const DAY: Duration = Duration::from_secs(86_400);

/// The learner enrolls in `<course>`: `<1>`, at `<t1>`.
async fn enrolled(world: &World, fields: Value) {
    world.course("course", fields).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
}

fn scored(score: Value) -> Value {
    json!({ "enrollmentId": "<1>", "score": score })
}

fn waived(reason: &str) -> Value {
    json!({ "enrollmentId": "<1>", "waiveReason": reason })
}

fn completed(fields: Value) -> Value {
    let usual = json!({
        "status": "completed", "progress": 100, "certificateId": "<2>", "completedAt": "<t2>",
        "updatedAt": "<t2>", "version": 2,
    });
    merged(enrollment(usual), fields)
}

fn not_from(status: &str) -> Value {
    let reason = json!({ "type": "invalidTransition", "from": status, "to": "completed" });
    refusal(COMPLETE, "CONFLICT", reason)
}

/// D13, D23: without modules, progress is 100 once the course is completed. D10: its seat stays taken.
async fn a_service_reports_a_score(world: World) {
    let fields = json!({ "capacity": 1, "passScore": 70, "certificateValidDays": 365 });
    enrolled(&world, fields).await;
    world.enrolled(&world.acme.peer, "<course>", "waiting").await;
    let service = world.service(&[Scope::ProgressWrite]).await;
    let answer = world.ok(&service, COMPLETE, scored(json!(87.25))).await;
    expect(&answer, &completed(json!({ "completionScore": 87.25 })));

    let stored = world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<1>" })).await;
    expect(&stored, &answer);
    let certificate =
        world.ok(&world.acme.learner, "certificate.get", json!({ "certificateId": "<2>" })).await;
    let number = &certificate["number"];
    let expected = json!({
        "id": "<2>", "number": number, "enrollmentId": "<1>", "userId": "<learner>", "courseId": "<course>",
        "organizationId": "<acme>", "issuedAt": "<t2>", "expiresAt": "<t2+365d>", "voidedAt": null,
        "voidReason": null,
    });
    expect(&certificate, &expected);
    let verified = world.ok(&Actor::Anonymous, "certificate.verify", json!({ "number": number })).await;
    assert_eq!(verified["state"], "valid");
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "enrolled": 0, "waitlisted": 1, "completed": 1, "cancelled": 0, "expired": 0,
        "capacity": 1, "seatsTaken": 1, "overBy": 0,
    });
    expect(&count, &expected);
}

async fn without_a_session(world: World) {
    enrolled(&world, json!({})).await;
    for input in [scored(json!(90)), waived("why not")] {
        let error = world.refused(&Actor::Anonymous, COMPLETE, input).await;
        expect(&error, &refusal(COMPLETE, "UNAUTHORIZED", json!(null)));
    }
}

/// D13: `completed`, then `certificateIssued`, at one moment.
async fn the_events_of_a_completion(world: World) {
    enrolled(&world, json!({})).await;
    let service = world.service(&[Scope::ProgressWrite]).await;
    world.ok(&service, COMPLETE, scored(json!(100))).await;
    let history = world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<1>" })).await;
    assert_eq!(each(&history, "kind"), ["enrolled", "completed", "certificateIssued"]);
    assert_eq!(each(&history, "at"), ["<t1>", "<t2>", "<t2>"]);
    let data = each(&history, "data");
    let expected =
        json!({ "from": "enrolled", "status": "completed", "attempt": 1, "source": "self", "score": 100 });
    expect(&data[1], &audited(expected));
    expect(&data[2], &audited(json!({ "certificateId": "<2>" })));
    let actors = each(&history, "actor");
    assert_eq!((&actors[1]["kind"], &actors[1]), (&json!("service"), &actors[2]));
}

/// D12: and is missed before a score is. Progress alone completes nothing.
async fn every_module_comes_first(world: World) {
    world.course("course", json!({ "passScore": 70 })).await;
    for name in ["first", "second", "third"] {
        world.module("<course>", name).await;
    }
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let service = world.service(&[Scope::ProgressWrite]).await;
    let input = |score: i32| json!({ "enrollmentId": "<enrollment>", "score": score });
    for (missing, module) in [(3, "<first>"), (2, "<second>"), (1, "<third>")] {
        for score in [60, 80] {
            let error = world.refused(&service, COMPLETE, input(score)).await;
            let reason = json!({ "type": "modulesIncomplete", "missing": missing });
            expect(&error, &refusal(COMPLETE, "PRECONDITION_FAILED", reason));
        }
        let done = json!({ "enrollmentId": "<enrollment>", "moduleId": module });
        world.ok(&world.acme.learner, "module.complete", done).await;
    }
    let error = world.refused(&service, COMPLETE, input(60)).await;
    let reason = json!({ "type": "belowPassScore", "passScore": 70 });
    expect(&error, &refusal(COMPLETE, "PRECONDITION_FAILED", reason));
    let by_id = json!({ "enrollmentId": "<enrollment>" });
    let before = world.ok(&world.acme.learner, "enrollment.get", by_id).await;
    assert_eq!((&before["status"], &before["progress"]), (&json!("enrolled"), &json!(100)));

    let answer = world.ok(&service, COMPLETE, input(80)).await;
    let seen = [&answer["status"], &answer["modulesCompleted"], &answer["modulesTotal"]];
    assert_eq!(seen, [&json!("completed"), &json!(3), &json!(3)]);
}

/// D12.
async fn the_pass_score_is_reached(world: World) {
    enrolled(&world, json!({ "passScore": 70.5 })).await;
    let service = world.service(&[Scope::ProgressWrite]).await;
    for score in [json!(null), json!(0), json!(70.49)] {
        let error = world.refused(&service, COMPLETE, scored(score)).await;
        let reason = json!({ "type": "belowPassScore", "passScore": 70.5 });
        expect(&error, &refusal(COMPLETE, "PRECONDITION_FAILED", reason));
    }
    let answer = world.ok(&service, COMPLETE, scored(json!(70.5))).await;
    expect(&answer, &completed(json!({ "completionScore": 70.5 })));

    // Where no score is wanted, none is needed, and any is kept.
    for (course, score) in [("none", json!(null)), ("any", json!(0.01))] {
        world.course(course, json!({})).await;
        let id = world.enrolled(&world.acme.learner, &format!("<{course}>"), &format!("{course}'s")).await;
        let answer = world.ok(&service, COMPLETE, json!({ "enrollmentId": id, "score": score })).await;
        assert_eq!((&answer["status"], &answer["completionScore"]), (&json!("completed"), &score));
    }
}

/// Rule `completion_score_range`.
async fn what_is_no_score(world: World) {
    enrolled(&world, json!({})).await;
    let service = world.service(&[Scope::ProgressWrite]).await;
    for (score, problem) in [
        (-0.01, "not a number from 0 to 100"),
        (100.01, "not a number from 0 to 100"),
        (50.001, "more than two decimals"),
    ] {
        let error = world.refused(&service, COMPLETE, scored(json!(score))).await;
        let reason = json!({ "type": "invalidInput", "field": "score", "problem": problem });
        expect(&error, &refusal(COMPLETE, "BAD_REQUEST", reason));
    }
    let error = world.refused(&world.acme.admin, COMPLETE, waived(" ")).await;
    let reason = json!({ "type": "invalidInput", "field": "waiveReason", "problem": "empty" });
    expect(&error, &refusal(COMPLETE, "BAD_REQUEST", reason));
}

/// D12.
async fn a_waiver_takes_neither_modules_nor_score(world: World) {
    world.course("course", json!({ "passScore": 70 })).await;
    world.module("<course>", "module").await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.coordinator, COMPLETE, waived("learned elsewhere")).await;
    expect(&answer, &completed(json!({ "modulesTotal": 1 })));
    let history = world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<1>" })).await;
    let expected = json!({
        "from": "enrolled", "status": "completed", "attempt": 1, "source": "self",
        "reason": "learned elsewhere",
    });
    expect(&history["items"][1]["data"], &audited(expected));
    expect(&history["items"][1]["actor"], &json!({ "kind": "user", "id": "<coordinator>" }));
}

/// Not even with a waiver, and not to services without the scope.
async fn a_score_is_no_person_s_to_give(world: World) {
    enrolled(&world, json!({ "passScore": 70, "authorIds": ["<author>"] })).await;
    let both = json!({ "enrollmentId": "<1>", "score": 60, "waiveReason": "learned elsewhere" });
    let acme = &world.acme;
    for actor in
        [&acme.learner, &acme.peer, &acme.author, &acme.coordinator, &acme.admin, &world.global_admin]
    {
        for input in [json!({ "enrollmentId": "<1>" }), scored(json!(90)), both.clone()] {
            let error = world.refused(actor, COMPLETE, input).await;
            expect(&error, &refusal(COMPLETE, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let writer = world.service(&[Scope::EnrollmentsRead, Scope::EnrollmentsWrite]).await;
    for input in [json!({ "enrollmentId": "<1>" }), scored(json!(90)), both.clone()] {
        let error = world.refused(&writer, COMPLETE, input).await;
        let reason = json!({ "type": "scopeRequired", "scope": "progress:write" });
        expect(&error, &refusal(COMPLETE, "FORBIDDEN", reason));
    }
    let service = world.service(&[Scope::EnrollmentsWrite, Scope::ProgressWrite]).await;
    let answer = world.ok(&service, COMPLETE, both).await;
    expect(&answer, &completed(json!({ "completionScore": 60 })));
}

async fn who_waives(world: World) {
    enrolled(&world, json!({ "authorIds": ["<author>"] })).await;
    for actor in [&world.acme.learner, &world.acme.peer, &world.acme.author] {
        let error = world.refused(actor, COMPLETE, waived("why not")).await;
        expect(&error, &refusal(COMPLETE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let recorder = world.service(&[Scope::EnrollmentsRead, Scope::ProgressWrite]).await;
    let error = world.refused(&recorder, COMPLETE, waived("why not")).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
    expect(&error, &refusal(COMPLETE, "FORBIDDEN", reason));

    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
        let answer = world.ok(actor, COMPLETE, waived("learned elsewhere")).await;
        assert_eq!(answer["status"], "completed");
        let input = json!({ "enrollmentId": "<1>", "reason": "for the next" });
        world.ok(&world.acme.admin, "enrollment.revoke", input).await;
        world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    }
}

/// D17.
async fn of_others_and_of_nobody(world: World) {
    world.course_in(&world.globex, "globex course", json!({})).await;
    world.enrolled(&world.globex.learner, "<globex course>", "foreign").await;
    let service = world.service(&[Scope::EnrollmentsWrite, Scope::ProgressWrite]).await;
    for id in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        let error = world.refused(&service, COMPLETE, json!({ "enrollmentId": id })).await;
        expect(&error, &refusal(COMPLETE, "NOT_FOUND", json!(null)));
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
            let input = json!({ "enrollmentId": id, "waiveReason": "why not" });
            let error = world.refused(actor, COMPLETE, input).await;
            expect(&error, &refusal(COMPLETE, "NOT_FOUND", json!(null)));
        }
    }
}

/// As the course is when it is completed.
async fn no_certificate_where_the_course_gives_none(world: World) {
    enrolled(&world, json!({})).await;
    let course =
        world.call(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await.unwrap();
    let edit = json!({ "courseId": "<course>", "version": course["version"], "certificate": false });
    world.call(&world.acme.admin, "course.update", edit).await.unwrap();
    let answer = world.ok(&world.acme.admin, COMPLETE, waived("learned elsewhere")).await;
    expect(&answer, &completed(json!({ "certificateId": null })));
    let history = world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<1>" })).await;
    assert_eq!(each(&history, "kind"), ["enrolled", "completed"]);
    assert!(world.contents().await["certificates"].is_empty());
}

/// Whoever asks, a waiver or not.
async fn only_from_enrolled(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let service = world.service(&[Scope::ProgressWrite]).await;
    for status in ["waitlisted", "cancelled", "expired", "completed"] {
        match status {
            "cancelled" => {
                world.cancelled("<enrollment>").await;
                world.capacity("<course>", json!(1)).await;
            }
            "expired" => {
                world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
                world.expired("<enrollment>").await;
            }
            "completed" => {
                world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
                world.completed("<enrollment>").await;
            }
            _ => {}
        }
        let input = json!({ "enrollmentId": "<enrollment>", "score": 90 });
        let error = world.refused(&service, COMPLETE, input).await;
        expect(&error, &not_from(status));
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let input = json!({ "enrollmentId": "<enrollment>", "waiveReason": "why not" });
            let error = world.refused(actor, COMPLETE, input).await;
            expect(&error, &not_from(status));
        }
    }
}

/// D7: whether the status says so already or not.
async fn access_that_has_ended_counts_as_expired(world: World) {
    enrolled(&world, json!({ "accessDays": 1 })).await;
    let service = world.service(&[Scope::ProgressWrite]).await;
    world.clock_ahead(DAY);
    for (actor, input) in [(&service, scored(json!(90))), (&world.acme.admin, waived("too late"))] {
        let error = world.refused(actor, COMPLETE, input).await;
        expect(&error, &not_from("expired"));
    }
    world.clock_ahead(DAY - Duration::from_secs(600));
    let answer = world.ok(&service, COMPLETE, scored(json!(90))).await;
    assert_eq!((&answer["status"], &answer["expiresAt"]), (&json!("completed"), &json!("<t1+1d>")));
}

/// D8: the modules are to be done anew, and the seat that it holds is kept though others wait.
async fn enrolling_again_after_the_certificate_has_expired(world: World) {
    world.course("course", json!({ "capacity": 1, "certificateValidDays": 30 })).await;
    world.module("<course>", "module").await;
    let learner = &world.acme.learner;
    let (course, by_id) = (json!({ "courseId": "<course>" }), json!({ "enrollmentId": "<1>" }));
    let module = json!({ "enrollmentId": "<1>", "moduleId": "<module>" });
    let service = world.service(&[Scope::ProgressWrite]).await;
    world.ok(learner, "enrollment.enroll", course.clone()).await;
    world.enrolled(&world.acme.peer, "<course>", "waiting").await;
    world.call(learner, "module.complete", module.clone()).await.unwrap();
    let first = world.ok(&service, COMPLETE, scored(json!(80))).await;
    for days in [0, 29] {
        world.clock_ahead(DAY * days);
        let error = world.refused(learner, "enrollment.enroll", course.clone()).await;
        let reason = json!({ "type": "alreadyEnrolled", "enrollmentId": "<1>", "status": "completed" });
        expect(&error, &refusal("enrollment.enroll", "CONFLICT", reason));
    }
    world.clock_ahead(DAY * 30);
    let again = world.ok(learner, "enrollment.enroll", course.clone()).await;
    let at = &again["enrolledAt"];
    assert_ne!(*at, first["enrolledAt"]);
    let expected = json!({
        "attempt": 2, "version": 4, "enrolledAt": at, "updatedAt": at, "modulesTotal": 1,
    });
    expect(&again, &enrollment(expected));
    let modules = world.ok(learner, "module.listByEnrollment", by_id.clone()).await;
    let progress = ["startedAt", "completedAt", "completed", "softDeleted"].map(|field| &modules[0][field]);
    assert_eq!(progress, [&json!(null), &json!(null), &json!(false), &json!(false)]);
    let count = world.ok(&world.acme.admin, "enrollment.count", course).await;
    assert_eq!([&count["enrolled"], &count["waitlisted"], &count["completed"]], [1, 1, 0]);

    let error = world.refused(&service, COMPLETE, scored(json!(90))).await;
    let reason = json!({ "type": "modulesIncomplete", "missing": 1 });
    expect(&error, &refusal(COMPLETE, "PRECONDITION_FAILED", reason));
    world.call(learner, "module.complete", module).await.unwrap();
    let second = world.ok(&service, COMPLETE, scored(json!(90))).await;
    assert_eq!((&second["attempt"], &second["version"]), (&json!(2), &json!(6)));
    let certificates = world.ok(learner, "certificate.listByUser", json!({})).await;
    assert_eq!(each(&certificates, "id"), [first["certificateId"].clone(), second["certificateId"].clone()]);
    assert_eq!(each(&certificates, "voidedAt"), [json!(null), json!(null)]);
    let history = world.ok(learner, "enrollment.history", by_id).await;
    let kinds = each(&history, "kind");
    assert_eq!((&kinds[0], &kinds[4]), (&json!("enrolled"), &json!("reactivated")));
    for attempt in [&kinds[1..4], &kinds[5..]] {
        assert_eq!(*attempt, ["moduleCompleted", "completed", "certificateIssued"]);
    }
    let expected = json!({ "from": "completed", "status": "enrolled", "attempt": 2, "source": "self" });
    expect(&history["items"][4]["data"], &audited(expected));
}

/// D8: whose certificate does not expire has completed the course for good, and so has who was given none.
async fn a_certificate_for_ever(world: World) {
    world.course("for ever", json!({})).await;
    world.course("none", json!({ "certificate": false, "certificateValidDays": 1 })).await;
    for (course, name) in [("<for ever>", "certified"), ("<none>", "uncertified")] {
        world.enrolled(&world.acme.learner, course, name).await;
        world.completed(&format!("<{name}>")).await;
    }
    world.clock_ahead(DAY * 36_600);
    for (course, id) in [("<for ever>", "<certified>"), ("<none>", "<uncertified>")] {
        let input = json!({ "courseId": course });
        let error = world.refused(&world.acme.learner, "enrollment.enroll", input).await;
        let reason = json!({ "type": "alreadyEnrolled", "enrollmentId": id, "status": "completed" });
        expect(&error, &refusal("enrollment.enroll", "CONFLICT", reason));
    }
}

async fn once_for_each_key(world: World) {
    enrolled(&world, json!({})).await;
    let mut input = waived("learned elsewhere");
    input["idempotencyKey"] = "k".into();
    let first = world.ok(&world.acme.admin, COMPLETE, input.clone()).await;
    let again = world.ok(&world.acme.admin, COMPLETE, input).await;
    expect(&again, &first);
    let contents = world.contents().await;
    assert_eq!((contents["certificates"].len(), contents["events"].len()), (1, 3));
}
