//! `enrollment.expire`

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use crate::answers::{audited, each, enrollment};

on_both![
    a_service_ends_an_enrollment,
    without_a_session,
    services_only,
    of_others_and_of_nobody,
    only_from_enrolled,
    the_seat_goes_to_the_first_who_waits,
    its_progress_comes_back,
    once_for_each_key,
];

const EXPIRE: &str = "enrollment.expire";
const DAY: Duration = Duration::from_secs(86_400);

/// The learner enrolls in `<course>`: `<1>`, at `<t1>`.
async fn enrolled(world: &World, fields: Value) {
    world.course("course", fields).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
}

fn it() -> Value {
    json!({ "enrollmentId": "<1>" })
}

/// D7, D10: its seat is free again.
async fn a_service_ends_an_enrollment(world: World) {
    enrolled(&world, json!({ "capacity": 5 })).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let answer = world.ok(&service, EXPIRE, it()).await;
    expect(&answer, &enrollment(json!({ "status": "expired", "updatedAt": "<t2>", "version": 2 })));

    let stored = world.ok(&world.acme.learner, "enrollment.get", it()).await;
    expect(&stored, &answer);
    let history = world.ok(&world.acme.learner, "enrollment.history", it()).await;
    assert_eq!(each(&history, "kind"), ["enrolled", "expired"]);
    assert_eq!(each(&history, "at"), ["<t1>", "<t2>"]);
    let expected = json!({ "from": "enrolled", "status": "expired", "attempt": 1, "source": "self" });
    expect(&history["items"][1]["data"], &audited(expected));
    assert_eq!(history["items"][1]["actor"]["kind"], "service");
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "enrolled": 0, "waitlisted": 0, "completed": 0, "cancelled": 0, "expired": 1,
        "capacity": 5, "seatsTaken": 0, "overBy": 0,
    });
    expect(&count, &expected);
}

async fn without_a_session(world: World) {
    enrolled(&world, json!({})).await;
    let error = world.refused(&Actor::Anonymous, EXPIRE, it()).await;
    expect(&error, &refusal(EXPIRE, "UNAUTHORIZED", json!(null)));
}

/// No person does, whatever their role, and not even where the access has ended.
async fn services_only(world: World) {
    enrolled(&world, json!({ "authorIds": ["<author>"], "accessDays": 1 })).await;
    world.clock_ahead(DAY);
    let acme = &world.acme;
    for actor in
        [&acme.learner, &acme.peer, &acme.author, &acme.coordinator, &acme.admin, &world.global_admin]
    {
        let error = world.refused(actor, EXPIRE, it()).await;
        expect(&error, &refusal(EXPIRE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let others = [Scope::EnrollmentsRead, Scope::ProgressWrite, Scope::MembersWrite];
    let error = world.refused(&world.service(&others).await, EXPIRE, it()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
    expect(&error, &refusal(EXPIRE, "FORBIDDEN", reason));
}

/// D17.
async fn of_others_and_of_nobody(world: World) {
    enrolled(&world, json!({})).await;
    let foreign = world.globex.service(&world.app, &[Scope::EnrollmentsWrite]).await;
    for id in ["<1>", "00000000-0000-4000-8000-000000000000"] {
        let error = world.refused(&foreign, EXPIRE, json!({ "enrollmentId": id })).await;
        expect(&error, &refusal(EXPIRE, "NOT_FOUND", json!(null)));
    }
}

async fn only_from_enrolled(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
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
        let error = world.refused(&service, EXPIRE, json!({ "enrollmentId": "<enrollment>" })).await;
        let reason = json!({ "type": "invalidTransition", "from": status, "to": "expired" });
        expect(&error, &refusal(EXPIRE, "CONFLICT", reason));
    }
}

/// D11: in the same transaction.
async fn the_seat_goes_to_the_first_who_waits(world: World) {
    enrolled(&world, json!({ "capacity": 1 })).await;
    world.enrolled(&world.acme.peer, "<course>", "first").await;
    world.enrolled(&world.acme.author, "<course>", "second").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    world.ok(&service, EXPIRE, it()).await;
    for (id, status, position) in [("<first>", "enrolled", json!(null)), ("<second>", "waitlisted", json!(1))]
    {
        let found = world.ok(&world.acme.admin, "enrollment.get", json!({ "enrollmentId": id })).await;
        assert_eq!((&found["status"], &found["waitlistPosition"]), (&json!(status), &position));
    }
    let log = world.ok(&world.acme.admin, "event.since", json!({})).await;
    assert_eq!(each(&log, "kind")[3..], ["expired", "promoted"]);
    assert_eq!(each(&log, "at")[3..], ["<t2>", "<t2>"]);
    expect(&log["items"][4]["actor"], &json!({ "kind": "system", "id": null }));

    // Enrolling again, the learner queues like everyone.
    let again = world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    assert_eq!((&again["status"], &again["waitlistPosition"]), (&json!("waitlisted"), &json!(2)));
}

/// D1, D2: until it has expired, the enrollment stands, though its access has ended.
async fn its_progress_comes_back(world: World) {
    world.course("course", json!({ "accessDays": 30 })).await;
    for name in ["done", "not done"] {
        world.module("<course>", name).await;
    }
    let (learner, course) = (&world.acme.learner, json!({ "courseId": "<course>" }));
    world.ok(learner, "enrollment.enroll", course.clone()).await;
    let done = json!({ "enrollmentId": "<1>", "moduleId": "<done>" });
    world.ok(learner, "module.complete", done).await;
    world.clock_ahead(DAY * 31);
    let error = world.refused(learner, "enrollment.enroll", course.clone()).await;
    let reason = json!({ "type": "alreadyEnrolled", "enrollmentId": "<1>", "status": "enrolled" });
    expect(&error, &refusal("enrollment.enroll", "CONFLICT", reason));

    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let answer = world.ok(&service, EXPIRE, it()).await;
    let progress = |fields: Value| {
        let kept = json!({ "startedAt": "<t2>", "modulesTotal": 2, "modulesCompleted": 1, "progress": 50 });
        tests::merged(enrollment(kept), fields)
    };
    let expected = json!({ "status": "expired", "version": 3, "updatedAt": "<t3>", "expiresAt": "<t1+30d>" });
    expect(&answer, &progress(expected));
    let modules = world.ok(learner, "module.listByEnrollment", it()).await;
    let modules = json!({ "items": modules });
    assert_eq!(each(&modules, "softDeleted"), [false, false]);

    let again = world.ok(learner, "enrollment.enroll", course).await;
    let expected = json!({
        "attempt": 2, "version": 4, "enrolledAt": "<t4>", "updatedAt": "<t4>", "expiresAt": "<t4+30d>",
    });
    expect(&again, &progress(expected));
    let kept = world.ok(learner, "module.listByEnrollment", it()).await;
    expect(&kept, &modules["items"]);
}

async fn once_for_each_key(world: World) {
    enrolled(&world, json!({})).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let input = json!({ "enrollmentId": "<1>", "idempotencyKey": "k" });
    let first = world.ok(&service, EXPIRE, input.clone()).await;
    let again = world.ok(&service, EXPIRE, input).await;
    expect(&again, &first);
    assert_eq!(world.contents().await["events"].len(), 2);
}
