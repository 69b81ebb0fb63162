//! `enrollment.promote`

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use crate::answers::{audited, each, enrollment};

on_both![
    a_coordinator_gives_a_seat_out_of_turn,
    without_a_session,
    a_full_course,
    who_promotes,
    of_others_and_of_nobody,
    only_from_the_waitlist,
    only_active_members,
    a_draft_gives_no_seat,
    a_course_that_has_ended_gives_no_seat,
    what_was_done_before_comes_back,
    once_for_each_key,
];

const PROMOTE: &str = "enrollment.promote";

/// Gives every course this capacity. Whatever frees a seat gives it to the first who waits, so a seat that is
/// free while someone waits is made behind every procedure's back.
async fn seats(world: &World, capacity: &str) {
    let sql = format!("UPDATE courses SET capacity = {capacity}, seats_limit = {capacity}");
    assert!(world.sql(&sql).await.is_ok_and(|courses| courses > 0));
}

/// The learner waits for `<course>`, whose one seat the peer has.
async fn waiting(world: &World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.enrolled(&world.acme.peer, "<course>", "seated").await;
    world.enrolled(&world.acme.learner, "<course>", "waiting").await;
}

fn it() -> Value {
    json!({ "enrollmentId": "<waiting>" })
}

/// D11: a new `enrolledAt`, from which the access period counts, and the modules.
async fn a_coordinator_gives_a_seat_out_of_turn(world: World) {
    world.course("course", json!({ "capacity": 1, "accessDays": 30 })).await;
    for name in ["one", "two"] {
        world.module("<course>", name).await;
    }
    world.enrolled(&world.acme.peer, "<course>", "seated").await;
    world.enrolled(&world.acme.author, "<course>", "first in turn").await;
    let course = json!({ "courseId": "<course>" });
    let waits = world.ok(&world.acme.learner, "enrollment.enroll", course.clone()).await;
    let expected = json!({ "status": "waitlisted", "waitlistedAt": "<t1>", "waitlistPosition": 2 });
    expect(&waits, &enrollment(expected));

    seats(&world, "2").await;
    let by_id = json!({ "enrollmentId": "<1>" });
    let answer = world.ok(&world.acme.coordinator, PROMOTE, by_id.clone()).await;
    let expected = json!({
        "version": 2, "enrolledAt": "<t2>", "updatedAt": "<t2>", "expiresAt": "<t2+30d>",
        "waitlistedAt": "<t1>", "modulesTotal": 2,
    });
    expect(&answer, &enrollment(expected));

    let stored = world.ok(&world.acme.learner, "enrollment.get", by_id.clone()).await;
    expect(&stored, &answer);
    let modules = world.ok(&world.acme.learner, "module.listByEnrollment", by_id.clone()).await;
    let modules = json!({ "items": modules });
    assert_eq!(each(&modules, "moduleId"), ["<one>", "<two>"]);
    assert_eq!(each(&modules, "enrolledAt"), ["<t2>", "<t2>"]);
    let history = world.ok(&world.acme.learner, "enrollment.history", by_id).await;
    assert_eq!(each(&history, "kind"), ["waitlisted", "promoted"]);
    let expected = json!({ "from": "waitlisted", "status": "enrolled", "attempt": 1, "source": "self" });
    expect(&history["items"][1]["data"], &audited(expected));
    expect(&history["items"][1]["actor"], &json!({ "kind": "user", "id": "<coordinator>" }));

    let first = json!({ "enrollmentId": "<first in turn>" });
    let first = world.ok(&world.acme.author, "enrollment.get", first).await;
    assert_eq!((&first["status"], &first["waitlistPosition"]), (&json!("waitlisted"), &json!(1)));
    let count = world.ok(&world.acme.admin, "enrollment.count", course).await;
    let expected = json!({
        "enrolled": 2, "waitlisted": 1, "completed": 0, "cancelled": 0, "expired": 0,
        "capacity": 2, "seatsTaken": 2, "overBy": 0,
    });
    expect(&count, &expected);
}

async fn without_a_session(world: World) {
    waiting(&world).await;
    let error = world.refused(&Actor::Anonymous, PROMOTE, it()).await;
    expect(&error, &refusal(PROMOTE, "UNAUTHORIZED", json!(null)));
}

/// D10: whoever asks; and a course that was lowered is full until it is below its capacity.
async fn a_full_course(world: World) {
    waiting(&world).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for capacity in [1, 0] {
        world.capacity("<course>", json!(capacity)).await;
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
            let error = world.refused(actor, PROMOTE, it()).await;
            let reason = json!({ "type": "courseFull", "capacity": capacity });
            expect(&error, &refusal(PROMOTE, "PRECONDITION_FAILED", reason));
        }
    }
}

async fn who_promotes(world: World) {
    world.course("course", json!({ "capacity": 0, "authorIds": ["<author>"] })).await;
    let acme = &world.acme;
    for (actor, name) in [
        (&acme.learner, "waiting"),
        (&acme.peer, "peer's"),
        (&acme.author, "author's"),
        (&acme.admin, "admin's"),
    ] {
        world.enrolled(actor, "<course>", name).await;
    }
    seats(&world, "NULL").await;
    for actor in [&acme.learner, &acme.peer, &acme.author] {
        let error = world.refused(actor, PROMOTE, it()).await;
        expect(&error, &refusal(PROMOTE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let others = [Scope::EnrollmentsRead, Scope::ProgressWrite, Scope::CoursesWrite];
    let error = world.refused(&world.service(&others).await, PROMOTE, it()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
    expect(&error, &refusal(PROMOTE, "FORBIDDEN", reason));

    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for (actor, id) in [
        (&acme.coordinator, "<author's>"),
        (&acme.admin, "<admin's>"),
        (&world.global_admin, "<peer's>"),
        (&service, "<waiting>"),
    ] {
        let answer = world.ok(actor, PROMOTE, json!({ "enrollmentId": id })).await;
        assert_eq!((&answer["id"], &answer["status"]), (&json!(id), &json!("enrolled")));
    }
}

/// D17.
async fn of_others_and_of_nobody(world: World) {
    world.course_in(&world.globex, "globex course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.globex.learner, "<globex course>", "foreign").await;
    seats(&world, "1").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for id in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
            let error = world.refused(actor, PROMOTE, json!({ "enrollmentId": id })).await;
            expect(&error, &refusal(PROMOTE, "NOT_FOUND", json!(null)));
        }
    }
}

async fn only_from_the_waitlist(world: World) {
    world.course("course", json!({})).await;
    for status in ["enrolled", "cancelled", "expired", "completed"] {
        if status != "cancelled" {
            world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
        }
        match status {
            "cancelled" => world.cancelled("<enrollment>").await,
            "expired" => world.expired("<enrollment>").await,
            "completed" => world.completed("<enrollment>").await,
            _ => {}
        }
        for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let error = world.refused(actor, PROMOTE, json!({ "enrollmentId": "<enrollment>" })).await;
            let reason = json!({ "type": "invalidTransition", "from": status, "to": "enrolled" });
            expect(&error, &refusal(PROMOTE, "CONFLICT", reason));
        }
    }
}

/// D19.
async fn only_active_members(world: World) {
    waiting(&world).await;
    seats(&world, "2").await;
    for standing in ["suspended", "ended"] {
        world.set_membership("<learner>", standing).await;
        let error = world.refused(&world.acme.admin, PROMOTE, it()).await;
        expect(&error, &refusal(PROMOTE, "FORBIDDEN", json!({ "type": "notAMember" })));
    }
}

/// D16: a seat that is freed meanwhile goes to nobody until the course is published again; then to the first.
async fn a_draft_gives_no_seat(world: World) {
    waiting(&world).await;
    let course = json!({ "courseId": "<course>" });
    world.ok(&world.acme.admin, "course.unpublish", course.clone()).await;
    world.ok(&world.acme.peer, "enrollment.unenroll", course.clone()).await;
    for change in ["course.unpublish", "course.archive"] {
        world.ok(&world.acme.admin, change, course.clone()).await;
        for actor in [&world.acme.coordinator, &world.acme.admin] {
            let error = world.refused(actor, PROMOTE, it()).await;
            expect(&error, &refusal(PROMOTE, "PRECONDITION_FAILED", json!({ "type": "courseNotPublished" })));
        }
    }
    world.ok(&world.acme.admin, "course.publish", course).await;
    let history = world.ok(&world.acme.learner, "enrollment.history", it()).await;
    assert_eq!(each(&history, "kind"), ["waitlisted", "promoted"]);
    expect(&history["items"][1]["actor"], &json!({ "kind": "system", "id": null }));
}

/// That enrolling has closed does not matter to one who asked in time; that the course has ended does.
async fn a_course_that_has_ended_gives_no_seat(world: World) {
    let ends = json!({
        "capacity": 0, "closesAt": "2124-01-01T00:00:00Z", "endsAt": "2124-02-01T00:00:00Z",
    });
    world.course("ends", ends).await;
    world.course("closes", json!({ "capacity": 0, "closesAt": "2124-01-01T00:00:00Z" })).await;
    world.enrolled(&world.acme.learner, "<ends>", "waiting").await;
    world.enrolled(&world.acme.learner, "<closes>", "in time").await;
    seats(&world, "1").await;
    world.clock_ahead(Duration::from_secs(100 * 366 * 86_400));
    let error = world.refused(&world.acme.admin, PROMOTE, it()).await;
    let reason = json!({ "type": "closed", "closedAt": "2124-02-01T00:00:00.000000Z" });
    expect(&error, &refusal(PROMOTE, "PRECONDITION_FAILED", reason));

    let answer = world.ok(&world.acme.admin, PROMOTE, json!({ "enrollmentId": "<in time>" })).await;
    assert_eq!(answer["status"], "enrolled");
}

/// D15.
async fn what_was_done_before_comes_back(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    for name in ["done", "not done"] {
        world.module("<course>", name).await;
    }
    let (learner, course) = (&world.acme.learner, json!({ "courseId": "<course>" }));
    world.enrolled(learner, "<course>", "waiting").await;
    let done = json!({ "enrollmentId": "<waiting>", "moduleId": "<done>" });
    world.ok(learner, "module.complete", done).await;
    world.ok(learner, "enrollment.unenroll", course.clone()).await;
    world.enrolled(&world.acme.peer, "<course>", "seated").await;
    world.ok(learner, "enrollment.enroll", course).await;
    seats(&world, "2").await;
    for waits in [true, false] {
        if !waits {
            let answer = world.ok(&world.acme.coordinator, PROMOTE, it()).await;
            let seen = ["attempt", "modulesTotal", "modulesCompleted", "progress"];
            assert_eq!(seen.map(|field| &answer[field]), [2, 2, 1, 50]);
        }
        let modules = world.ok(learner, "module.listByEnrollment", it()).await;
        let modules = json!({ "items": modules });
        assert_eq!(each(&modules, "softDeleted"), [waits; 2]);
        assert_eq!(each(&modules, "completed"), [true, false]);
    }
}

async fn once_for_each_key(world: World) {
    waiting(&world).await;
    seats(&world, "2").await;
    let input = json!({ "enrollmentId": "<waiting>", "idempotencyKey": "k" });
    let first = world.ok(&world.acme.admin, PROMOTE, input.clone()).await;
    let again = world.ok(&world.acme.admin, PROMOTE, input).await;
    expect(&again, &first);
    assert_eq!(world.contents().await["events"].len(), 3);
}
