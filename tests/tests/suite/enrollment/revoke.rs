//! `enrollment.revoke`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use crate::answers::{audited, each, enrollment};

on_both![
    an_admin_takes_a_completion_back,
    without_a_session,
    the_events_of_a_revocation,
    where_the_course_gives_no_certificate,
    a_reason_is_required,
    its_modules_go_with_it,
    completed_once_more,
    who_revokes,
    of_others_and_of_nobody,
    only_from_completed,
    the_seat_goes_to_the_first_who_waits,
    a_cohort_leaves_alone_what_a_person_revoked,
    once_for_each_key,
];

const REVOKE: &str = "enrollment.revoke";

/// The learner enrolls in `<course>`, `<1>` at `<t1>`, and completes it at `<t2>`, with certificate `<2>`.
async fn completed(world: &World, fields: Value) {
    world.course("course", fields).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    complete(world).await;
}

async fn complete(world: &World) -> Value {
    let input = json!({ "enrollmentId": "<1>", "waiveReason": "for the test" });
    world.ok(&world.acme.admin, "enrollment.complete", input).await
}

async fn enroll_again(world: &World) -> Value {
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await
}

fn copied() -> Value {
    json!({ "enrollmentId": "<1>", "reason": "copied" })
}

/// D5, D6: the certificate stays with the enrollment, and is void.
async fn an_admin_takes_a_completion_back(world: World) {
    completed(&world, json!({ "capacity": 5 })).await;
    let answer = world.ok(&world.acme.admin, REVOKE, copied()).await;
    let expected = json!({
        "status": "cancelled", "softDeleted": true, "cancelledAt": "<t3>", "updatedAt": "<t3>", "version": 3,
        "completedAt": "<t2>", "certificateId": "<2>",
    });
    expect(&answer, &enrollment(expected));

    let stored = world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<1>" })).await;
    expect(&stored, &answer);
    let certificate =
        world.ok(&world.acme.learner, "certificate.get", json!({ "certificateId": "<2>" })).await;
    let number = &certificate["number"];
    let expected = json!({
        "id": "<2>", "number": number, "enrollmentId": "<1>", "userId": "<learner>", "courseId": "<course>",
        "organizationId": "<acme>", "issuedAt": "<t2>", "expiresAt": null, "voidedAt": "<t3>",
        "voidReason": "copied",
    });
    expect(&certificate, &expected);
    let verified = world.ok(&Actor::Anonymous, "certificate.verify", json!({ "number": number })).await;
    assert_eq!(verified["state"], "voided");
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "enrolled": 0, "waitlisted": 0, "completed": 0, "cancelled": 1, "expired": 0,
        "capacity": 5, "seatsTaken": 0, "overBy": 0,
    });
    expect(&count, &expected);
}

async fn without_a_session(world: World) {
    completed(&world, json!({})).await;
    let error = world.refused(&Actor::Anonymous, REVOKE, copied()).await;
    expect(&error, &refusal(REVOKE, "UNAUTHORIZED", json!(null)));
}

/// `revoked`, then `certificateVoided`, at one moment.
async fn the_events_of_a_revocation(world: World) {
    completed(&world, json!({})).await;
    world.ok(&world.acme.admin, REVOKE, copied()).await;
    let history = world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<1>" })).await;
    assert_eq!(
        each(&history, "kind"),
        ["enrolled", "completed", "certificateIssued", "revoked", "certificateVoided"]
    );
    assert_eq!(each(&history, "at")[3..], ["<t3>", "<t3>"]);
    let data = each(&history, "data");
    let expected = json!({
        "from": "completed", "status": "cancelled", "attempt": 1, "source": "self", "reason": "copied",
    });
    expect(&data[3], &audited(expected));
    expect(&data[4], &audited(json!({ "certificateId": "<2>", "reason": "copied" })));
    let by_admin = json!({ "kind": "user", "id": "<admin>" });
    assert_eq!(each(&history, "actor")[3..], [by_admin.clone(), by_admin]);
}

async fn where_the_course_gives_no_certificate(world: World) {
    completed(&world, json!({ "certificate": false })).await;
    let answer = world.ok(&world.acme.admin, REVOKE, copied()).await;
    assert_eq!((&answer["status"], &answer["certificateId"]), (&json!("cancelled"), &json!(null)));
    let history = world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<1>" })).await;
    assert_eq!(each(&history, "kind"), ["enrolled", "completed", "revoked"]);
}

async fn a_reason_is_required(world: World) {
    completed(&world, json!({})).await;
    let error = world.refused(&world.acme.admin, REVOKE, json!({ "enrollmentId": "<1>" })).await;
    let reason = json!({ "type": "invalidInput", "field": "reason", "problem": "missing field `reason`" });
    expect(&error, &refusal(REVOKE, "BAD_REQUEST", reason));
    for (given, problem) in [
        (json!(null), "invalid type: null, expected a string"),
        (json!(""), "empty"),
        (json!(" \n"), "empty"),
        (json!("ä".repeat(1_001)), "longer than 1000 characters"),
    ] {
        let input = json!({ "enrollmentId": "<1>", "reason": given });
        let error = world.refused(&world.acme.admin, REVOKE, input).await;
        let reason = json!({ "type": "invalidInput", "field": "reason", "problem": problem });
        expect(&error, &refusal(REVOKE, "BAD_REQUEST", reason));
    }
}

/// D4, D1: soft-deleted, with a progress that is kept and comes back.
async fn its_modules_go_with_it(world: World) {
    world.course("course", json!({})).await;
    for name in ["done", "waived"] {
        world.module("<course>", name).await;
    }
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let done = json!({ "enrollmentId": "<1>", "moduleId": "<done>" });
    world.ok(&world.acme.learner, "module.complete", done).await;
    complete(&world).await;

    for soft_deleted in [true, false] {
        let answer = match soft_deleted {
            true => world.ok(&world.acme.admin, REVOKE, copied()).await,
            false => enroll_again(&world).await,
        };
        let progress = [&answer["progress"], &answer["modulesTotal"], &answer["modulesCompleted"]];
        assert_eq!(progress, [50, 2, 1]);
        let input = json!({ "enrollmentId": "<1>" });
        let modules = world.ok(&world.acme.learner, "module.listByEnrollment", input).await;
        let modules = json!({ "items": modules });
        assert_eq!(each(&modules, "softDeleted"), [soft_deleted; 2]);
        assert_eq!(each(&modules, "completed"), [true, false]);
    }
}

/// D6: another certificate is issued, and the old one stays void.
async fn completed_once_more(world: World) {
    completed(&world, json!({})).await;
    world.ok(&world.acme.admin, REVOKE, copied()).await;
    let again = enroll_again(&world).await;
    let expected = json!({ "attempt": 2, "version": 4, "enrolledAt": "<t4>", "updatedAt": "<t4>" });
    expect(&again, &enrollment(expected));

    let second = complete(&world).await;
    assert_eq!((&second["status"], &second["attempt"]), (&json!("completed"), &json!(2)));
    let certificates = world.ok(&world.acme.learner, "certificate.listByUser", json!({})).await;
    assert_eq!(each(&certificates, "id"), [json!("<2>"), second["certificateId"].clone()]);
    assert_eq!(each(&certificates, "voidReason"), [json!("copied"), json!(null)]);
    let mut states = Vec::new();
    for number in each(&certificates, "number") {
        let verified = world.ok(&Actor::Anonymous, "certificate.verify", json!({ "number": number })).await;
        states.push(verified["state"].clone());
    }
    assert_eq!(states, ["voided", "valid"]);
}

/// D5.
async fn who_revokes(world: World) {
    completed(&world, json!({ "authorIds": ["<author>"] })).await;
    let acme = &world.acme;
    for actor in [&acme.learner, &acme.peer, &acme.author, &acme.coordinator] {
        let error = world.refused(actor, REVOKE, copied()).await;
        expect(&error, &refusal(REVOKE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let others = [Scope::EnrollmentsRead, Scope::ProgressWrite, Scope::CoursesWrite];
    let error = world.refused(&world.service(&others).await, REVOKE, copied()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
    expect(&error, &refusal(REVOKE, "FORBIDDEN", reason));

    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for actor in [&acme.admin, &world.global_admin, &service] {
        let answer = world.ok(actor, REVOKE, copied()).await;
        assert_eq!(answer["status"], "cancelled");
        enroll_again(&world).await;
        complete(&world).await;
    }
}

/// D17.
async fn of_others_and_of_nobody(world: World) {
    world.course_in(&world.globex, "globex course", json!({})).await;
    world.enrolled(&world.globex.learner, "<globex course>", "foreign").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for id in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.admin, &world.global_admin, &service] {
            let error = world.refused(actor, REVOKE, json!({ "enrollmentId": id, "reason": "copied" })).await;
            expect(&error, &refusal(REVOKE, "NOT_FOUND", json!(null)));
        }
    }
}

/// Whoever asks.
async fn only_from_completed(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for status in ["waitlisted", "enrolled", "cancelled", "expired"] {
        match status {
            "enrolled" => world.capacity("<course>", json!(1)).await,
            "cancelled" => world.cancelled("<enrollment>").await,
            "expired" => {
                world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
                world.expired("<enrollment>").await;
            }
            _ => {}
        }
        for actor in [&world.acme.admin, &world.global_admin, &service] {
            let input = json!({ "enrollmentId": "<enrollment>", "reason": "copied" });
            let error = world.refused(actor, REVOKE, input).await;
            let reason = json!({ "type": "invalidTransition", "from": status, "to": "cancelled" });
            expect(&error, &refusal(REVOKE, "CONFLICT", reason));
        }
    }
}

/// D11: in the same transaction.
async fn the_seat_goes_to_the_first_who_waits(world: World) {
    completed(&world, json!({ "capacity": 1 })).await;
    world.enrolled(&world.acme.peer, "<course>", "first").await;
    world.enrolled(&world.acme.author, "<course>", "second").await;
    world.ok(&world.acme.admin, REVOKE, copied()).await;
    for (id, status, position) in [("<first>", "enrolled", json!(null)), ("<second>", "waitlisted", json!(1))]
    {
        let found = world.ok(&world.acme.admin, "enrollment.get", json!({ "enrollmentId": id })).await;
        assert_eq!((&found["status"], &found["waitlistPosition"]), (&json!(status), &position));
    }
    let log = world.ok(&world.acme.admin, "event.since", json!({})).await;
    assert_eq!(each(&log, "kind")[5..], ["revoked", "certificateVoided", "promoted"]);
    assert_eq!(each(&log, "enrollmentId")[5..], ["<1>", "<1>", "<first>"]);
    assert_eq!(each(&log, "at")[5..], ["<t3>", "<t3>", "<t3>"]);
    expect(&log["items"][7]["actor"], &json!({ "kind": "system", "id": null }));
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    assert_eq!([&count["enrolled"], &count["waitlisted"], &count["seatsTaken"]], [1, 1, 1]);
}

/// D20: what a service revoked is no tombstone.
async fn a_cohort_leaves_alone_what_a_person_revoked(world: World) {
    completed(&world, json!({})).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let cohort = json!({ "name": "cohort", "userIds": ["<learner>"], "courseIds": ["<course>"] });
    for (actor, status) in [(&world.acme.admin, "cancelled"), (&service, "enrolled")] {
        world.ok(actor, REVOKE, copied()).await;
        world.ok(&world.acme.admin, "cohort.create", cohort.clone()).await;
        let found = world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<1>" })).await;
        assert_eq!(found["status"], status);
        if status == "cancelled" {
            enroll_again(&world).await;
            complete(&world).await;
        }
    }
}

async fn once_for_each_key(world: World) {
    completed(&world, json!({})).await;
    let mut input = copied();
    input["idempotencyKey"] = "k".into();
    let first = world.ok(&world.acme.admin, REVOKE, input.clone()).await;
    let again = world.ok(&world.acme.admin, REVOKE, input).await;
    expect(&again, &first);
    assert_eq!(world.contents().await["events"].len(), 5);
}
