//! Waitlists, across the procedures that fill, move and end them (D9 to D11).

use std::time::Duration;

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use crate::answers::{each, enrollment};

on_both![
    whoever_finds_no_seat_waits,
    who_would_not_wait_is_refused,
    nobody_overbooks,
    nobody_jumps_the_queue,
    a_freed_seat_goes_to_the_first_who_waits,
    several_seats_at_once,
    publishing_again_gives_the_seats_away,
    a_seat_is_a_new_beginning,
    whoever_is_no_active_member_is_passed_over,
    nobody_is_promoted_into_a_course_that_has_ended,
    lowering_the_capacity_moves_nobody,
    whoever_left_the_queue_joins_its_end,
    a_repeated_call_promotes_nobody_else,
];

const ENROLL: &str = "enrollment.enroll";
const UNENROLL: &str = "enrollment.unenroll";

fn course_is(id: &str) -> Value {
    json!({ "courseId": id })
}

/// A learner called `<name>` enrolls in a course; the enrollment is called `<name's>`.
async fn joins(world: &World, course: &str, name: &str) {
    let someone = world.person(name, Role::Learner).await;
    world.enrolled(&someone, course, &format!("{name}'s")).await;
}

/// What each on the roster has, in the order in which they came: a place on the waitlist, or else a status.
async fn roster(world: &World, course: &str) -> Value {
    let page = world.call(&world.acme.coordinator, "enrollment.listByCourse", course_is(course)).await;
    let page = page.expect("a roster");
    let places = each(&page, "waitlistPosition").into_iter().zip(each(&page, "status"));
    places.map(|(place, status)| if place.is_null() { status } else { place }).collect()
}

/// The organization's log but for its first events, so many.
async fn log(world: &World, after: usize) -> Vec<Value> {
    let page = world.ok(&world.acme.admin, "event.since", json!({ "limit": 200 })).await;
    page["items"].as_array().expect("a page").iter().skip(after).cloned().collect()
}

/// What happened to whom.
fn told(events: &[Value]) -> Value {
    events.iter().map(|event| json!([event["kind"], event["userId"]])).collect()
}

/// D9, D11.
async fn whoever_finds_no_seat_waits(world: World) {
    world.course("course", json!({ "capacity": 1, "accessDays": 30 })).await;
    world.module("<course>", "module").await;
    joins(&world, "<course>", "ada").await;
    let learner = &world.acme.learner;
    let answer = world.ok(learner, ENROLL, course_is("<course>")).await;
    let waits = json!({ "status": "waitlisted", "waitlistedAt": "<t1>", "waitlistPosition": 1 });
    expect(&answer, &enrollment(waits));
    for name in ["bob", "cleo"] {
        joins(&world, "<course>", name).await;
    }
    for (id, place) in [("<1>", 1), ("<bob's>", 2), ("<cleo's>", 3)] {
        let read = world.ok(&world.acme.admin, "enrollment.get", json!({ "enrollmentId": id })).await;
        assert_eq!(read["waitlistPosition"], place);
    }
    assert_eq!(roster(&world, "<course>").await, json!(["enrolled", 1, 2, 3]));

    // Neither modules nor access before there is a seat.
    let modules = world.ok(learner, "module.listByEnrollment", json!({ "enrollmentId": "<1>" })).await;
    expect(&modules, &json!([]));
    let access = world.ok(learner, "enrollment.access", course_is("<course>")).await;
    let waiting = json!({
        "granted": false, "status": "waitlisted", "enrollmentId": "<1>", "expiresAt": null,
        "reason": "waitlisted",
    });
    expect(&access, &waiting);

    world.ok(learner, UNENROLL, course_is("<course>")).await;
    assert_eq!(roster(&world, "<course>").await, json!(["enrolled", "cancelled", 1, 2]));
}

async fn who_would_not_wait_is_refused(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.course("short", json!({ "capacity": 1, "waitlist": false })).await;
    world.enrolled(&world.acme.peer, "<course>", "one").await;
    world.enrolled(&world.acme.peer, "<short>", "another").await;
    for (course, waitlist) in [
        ("<course>", json!(false)),
        ("<short>", json!(false)),
        ("<short>", json!(true)),
        ("<short>", json!(null)),
    ] {
        let input = json!({ "courseId": course, "waitlist": waitlist });
        let error = world.refused(&world.acme.learner, ENROLL, input).await;
        let reason = json!({ "type": "courseFull", "capacity": 1 });
        expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", reason));
    }
}

/// D10: whoever asks, and for whomever.
async fn nobody_overbooks(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.course("short", json!({ "capacity": 1, "waitlist": false })).await;
    let holder = world.person("holder", Role::Learner).await;
    world.enrolled(&holder, "<course>", "one").await;
    world.enrolled(&holder, "<short>", "another").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let full = json!({ "type": "courseFull", "capacity": 1 });
    let callers = [
        (&world.acme.coordinator, "<learner>"),
        (&world.acme.admin, "<peer>"),
        (&world.global_admin, "<author>"),
        (&service, "<admin>"),
    ];
    for (place, (actor, user)) in (1..).zip(callers) {
        let input = |course: &str| json!({ "courseId": course, "userId": user });
        let answer = world.ok(actor, ENROLL, input("<course>")).await;
        assert_eq!(answer["status"], "waitlisted");
        assert_eq!(answer["waitlistPosition"], place);
        let error = world.refused(actor, ENROLL, input("<short>")).await;
        expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", full.clone()));
    }

    world.person("ada", Role::Learner).await;
    let input = json!({ "name": "cohort", "userIds": ["<ada>"], "courseIds": ["<course>", "<short>"] });
    let cohort = world.ok(&world.acme.admin, "cohort.create", input).await;
    let input = json!({ "cohortId": cohort["id"] });
    let report = world.ok(&world.acme.admin, "cohort.sync", input).await;
    let skipped = json!([{ "userId": "<ada>", "courseId": "<short>", "reason": full }]);
    expect(&report, &json!({ "enrolled": 0, "waitlisted": 0, "skipped": skipped }));
    assert_eq!(roster(&world, "<course>").await, json!(["enrolled", 1, 2, 3, 4, 5]));
    assert_eq!(roster(&world, "<short>").await, json!(["enrolled"]));
}

/// D11. No procedure leaves a seat free while somebody waits for it, so this one comes from elsewhere.
async fn nobody_jumps_the_queue(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    for name in ["ada", "bob"] {
        joins(&world, "<course>", name).await;
    }
    let course = world.id_literal("<course>");
    let seat = format!("UPDATE courses SET capacity = 2, seats_limit = 2 WHERE id = {course}");
    assert_eq!(world.sql(&seat).await, Ok(1));

    let input = json!({ "courseId": "<course>", "waitlist": false });
    let error = world.refused(&world.acme.learner, ENROLL, input).await;
    let reason = json!({ "type": "courseFull", "capacity": 2 });
    expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", reason));
    for (actor, user) in [
        (&world.acme.learner, "<learner>"),
        (&world.acme.coordinator, "<peer>"),
        (&world.acme.admin, "<author>"),
    ] {
        world.ok(actor, ENROLL, json!({ "courseId": "<course>", "userId": user })).await;
    }
    assert_eq!(roster(&world, "<course>").await, json!(["enrolled", 1, 2, 3, 4]));
}

/// D11: each cause promotes in its own transaction, after what frees the seat.
async fn a_freed_seat_goes_to_the_first_who_waits(world: World) {
    let admin = &world.acme.admin;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let cancel = json!({ "courseId": "<cancel>", "userId": "<cancel 1>" });
    let expire = json!({ "enrollmentId": "<expire 1's>" });
    let revoke = json!({ "enrollmentId": "<revoke 1's>", "reason": "copied" });
    let end = json!({ "userId": "<end 1>" });
    let raise = json!({ "courseId": "<raise>", "version": 2, "capacity": 2 });
    for (cause, actor, path, input, freed, left) in [
        ("cancel", admin, UNENROLL, cancel, vec!["cancelled"], "cancelled"),
        ("expire", &service, "enrollment.expire", expire, vec!["expired"], "expired"),
        ("revoke", admin, "enrollment.revoke", revoke, vec!["revoked", "certificateVoided"], "cancelled"),
        ("end", admin, "member.end", end, vec!["cancelled"], "cancelled"),
        ("raise", admin, "course.update", raise, vec![], "enrolled"),
    ] {
        world.course(cause, json!({ "capacity": 1 })).await;
        let course = format!("<{cause}>");
        for number in 1..=3 {
            joins(&world, &course, &format!("{cause} {number}")).await;
        }
        if cause == "revoke" {
            world.completed("<revoke 1's>").await;
        }
        let before = log(&world, 0).await.len();
        world.ok(actor, path, input).await;

        let events = log(&world, before).await;
        let of_first = freed.iter().map(|kind| json!([kind, format!("<{cause} 1>")]));
        let of_second = json!(["promoted", format!("<{cause} 2>")]);
        assert_eq!(told(&events), of_first.chain([of_second]).collect::<Value>(), "{cause}");
        assert!(events.iter().all(|event| event["at"] == events[0]["at"]), "{cause}: {events:#?}");
        let promoted = events.last().expect("an event");
        expect(&promoted["actor"], &json!({ "kind": "system", "id": null }));
        let data = json!({ "from": "waitlisted", "status": "enrolled", "attempt": 1, "source": "self" });
        expect(&promoted["data"], &data);
        assert_eq!(roster(&world, &course).await, json!([left, "enrolled", 1]), "{cause}");
    }
}

/// As many as there are seats, in their order; all of them where there is no limit any more.
async fn several_seats_at_once(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    for name in ["ada", "bob", "cleo", "dan", "eve"] {
        joins(&world, "<course>", name).await;
    }
    let everyone = json!(["enrolled", "enrolled", "enrolled", "enrolled", "enrolled"]);
    for (capacity, promoted, after) in [
        (json!(3), ["<bob>", "<cleo>"], json!(["enrolled", "enrolled", "enrolled", 1, 2])),
        (json!(null), ["<dan>", "<eve>"], everyone),
    ] {
        let before = log(&world, 0).await.len();
        world.capacity("<course>", capacity).await;
        let events = log(&world, before).await;
        assert_eq!(told(&events), json!([["promoted", promoted[0]], ["promoted", promoted[1]]]));
        assert_eq!(events[0]["at"], events[1]["at"]);
        assert_eq!(roster(&world, "<course>").await, after);
    }
}

/// D16: nobody is promoted while the course is not published.
async fn publishing_again_gives_the_seats_away(world: World) {
    let admin = &world.acme.admin;
    for change in ["unpublish", "archive"] {
        world.course(change, json!({ "capacity": 1 })).await;
        let course = format!("<{change}>");
        for number in 1..=4 {
            joins(&world, &course, &format!("{change} {number}")).await;
        }
        let before = log(&world, 0).await.len();
        world.ok(admin, &format!("course.{change}"), course_is(&course)).await;
        world.cancelled(&format!("<{change} 1's>")).await;
        world.capacity(&course, json!(2)).await;
        assert_eq!(roster(&world, &course).await, json!(["cancelled", 1, 2, 3]), "{change}");

        let published = world.ok(admin, "course.publish", course_is(&course)).await;
        assert_eq!(published["seatsTaken"], 2);
        let events = log(&world, before).await;
        let [first, second, third] = [1, 2, 3].map(|number| format!("<{change} {number}>"));
        let expected = json!([["cancelled", first], ["promoted", second], ["promoted", third]]);
        assert_eq!(told(&events), expected);
        assert_eq!(events[1]["at"], events[2]["at"]);
        assert_eq!(roster(&world, &course).await, json!(["cancelled", "enrolled", "enrolled", 1]));
    }
}

/// D11: the access period starts with the seat, and the modules come with it.
async fn a_seat_is_a_new_beginning(world: World) {
    world.course("course", json!({ "capacity": 1, "accessDays": 30 })).await;
    for name in ["first", "second"] {
        world.module("<course>", name).await;
    }
    joins(&world, "<course>", "ada").await;
    let learner = &world.acme.learner;
    world.ok(learner, ENROLL, course_is("<course>")).await;
    world.cancelled("<ada's>").await;
    let seated = world.ok(learner, "enrollment.get", json!({ "enrollmentId": "<1>" })).await;
    let expected = json!({
        "enrolledAt": "<t2>", "updatedAt": "<t2>", "expiresAt": "<t2+30d>", "waitlistedAt": "<t1>",
        "modulesTotal": 2, "version": 2,
    });
    expect(&seated, &enrollment(expected));

    let modules = world.ok(learner, "module.listByEnrollment", json!({ "enrollmentId": "<1>" })).await;
    let modules = json!({ "items": modules });
    assert_eq!(each(&modules, "moduleId"), ["<first>", "<second>"]);
    assert_eq!(each(&modules, "enrolledAt"), ["<t2>", "<t2>"]);
    let access = world.ok(learner, "enrollment.access", course_is("<course>")).await;
    assert_eq!((&access["granted"], &access["expiresAt"]), (&json!(true), &json!("<t2+30d>")));
}

/// D11, D19. Ending a membership cancels what it waits for, so one ends behind every procedure's back.
async fn whoever_is_no_active_member_is_passed_over(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    for name in ["ada", "bob", "cleo", "dan", "eve"] {
        joins(&world, "<course>", name).await;
    }
    world.membership("suspend", "<bob>").await;
    world.set_membership("<cleo>", "ended").await;
    world.membership("suspend", "<eve>").await;
    let before = log(&world, 0).await.len();
    world.cancelled("<ada's>").await;
    let events = log(&world, before).await;
    let expected = json!([
        ["cancelled", "<ada>"],
        ["cancelled", "<bob>"],
        ["cancelled", "<cleo>"],
        ["promoted", "<dan>"],
    ]);
    assert_eq!(told(&events), expected);
    for (event, reason) in events[1..3].iter().zip(["membershipSuspended", "membershipEnded"]) {
        expect(&event["actor"], &json!({ "kind": "system", "id": null }));
        let data = json!({
            "from": "waitlisted", "status": "cancelled", "attempt": 1, "source": "self", "reason": reason,
        });
        expect(&event["data"], &data);
    }
    // The turn of those behind has not come.
    let after = json!(["cancelled", "cancelled", "cancelled", "enrolled", 1]);
    assert_eq!(roster(&world, "<course>").await, after);

    world.cancelled("<dan's>").await;
    let answer = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    assert_eq!(answer["status"], "enrolled");
    let after = json!(["cancelled", "cancelled", "cancelled", "cancelled", "cancelled", "enrolled"]);
    assert_eq!(roster(&world, "<course>").await, after);
}

/// That enrolling has closed does not matter to one who asked in time.
async fn nobody_is_promoted_into_a_course_that_has_ended(world: World) {
    let closed = json!({
        "capacity": 1, "closesAt": "2124-01-01T00:00:00Z", "endsAt": "2224-01-01T00:00:00Z",
    });
    world.course("closed", closed).await;
    world.course("ended", json!({ "capacity": 1, "endsAt": "2124-01-01T00:00:00Z" })).await;
    for name in ["closed", "ended"] {
        for number in 1..=2 {
            joins(&world, &format!("<{name}>"), &format!("{name} {number}")).await;
        }
    }
    world.clock_ahead(Duration::from_secs(100 * 366 * 86_400));
    world.cancelled("<closed 1's>").await;
    world.cancelled("<ended 1's>").await;
    world.capacity("<ended>", json!(5)).await;
    assert_eq!(roster(&world, "<closed>").await, json!(["cancelled", "enrolled"]));
    assert_eq!(roster(&world, "<ended>").await, json!(["cancelled", 1]));

    let input = json!({ "enrollmentId": "<ended 2's>" });
    let error = world.refused(&world.acme.admin, "enrollment.promote", input).await;
    let reason = json!({ "type": "closed", "closedAt": "2124-01-01T00:00:00.000000Z" });
    expect(&error, &refusal("enrollment.promote", "PRECONDITION_FAILED", reason));
}

/// D10.
async fn lowering_the_capacity_moves_nobody(world: World) {
    world.course("course", json!({ "capacity": 3 })).await;
    for name in ["ada", "bob", "cleo", "dan"] {
        joins(&world, "<course>", name).await;
    }
    let before = log(&world, 0).await.len();
    for (capacity, over_by) in [(1, 2), (2, 1), (3, 0), (0, 3), (1, 2)] {
        world.capacity("<course>", json!(capacity)).await;
        let count = world.ok(&world.acme.admin, "enrollment.count", course_is("<course>")).await;
        let expected = json!({
            "enrolled": 3, "waitlisted": 1, "completed": 0, "cancelled": 0, "expired": 0,
            "capacity": capacity, "seatsTaken": 3, "overBy": over_by,
        });
        expect(&count, &expected);
    }
    assert_eq!(log(&world, before).await, [] as [Value; 0]);

    // A seat is one to give only when it is within the capacity again.
    for (name, over_by, after) in [
        ("ada", 1, json!(["cancelled", "enrolled", "enrolled", 1])),
        ("bob", 0, json!(["cancelled", "cancelled", "enrolled", 1])),
        ("cleo", 0, json!(["cancelled", "cancelled", "cancelled", "enrolled"])),
    ] {
        world.cancelled(&format!("<{name}'s>")).await;
        assert_eq!(roster(&world, "<course>").await, after);
        let count = world.ok(&world.acme.admin, "enrollment.count", course_is("<course>")).await;
        assert_eq!(count["overBy"], over_by);
    }
}

/// D1, D9, D11.
async fn whoever_left_the_queue_joins_its_end(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    let learner = &world.acme.learner;
    world.ok(learner, ENROLL, course_is("<course>")).await;
    joins(&world, "<course>", "ada").await;
    world.ok(learner, UNENROLL, course_is("<course>")).await;
    let again = world.ok(learner, ENROLL, course_is("<course>")).await;
    let expected = json!({
        "status": "waitlisted", "waitlistPosition": 2, "attempt": 2, "version": 3,
        "enrolledAt": "<t3>", "waitlistedAt": "<t3>", "updatedAt": "<t3>",
    });
    expect(&again, &enrollment(expected));
    assert_eq!(roster(&world, "<course>").await, json!([2, 1]));
    let events = log(&world, 0).await;
    let last = events.last().expect("an event");
    assert_eq!(last["kind"], "reactivated");
    let data = json!({ "from": "cancelled", "status": "waitlisted", "attempt": 2, "source": "self" });
    expect(&last["data"], &data);
}

async fn a_repeated_call_promotes_nobody_else(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    for name in ["ada", "bob", "cleo"] {
        joins(&world, "<course>", name).await;
    }
    let input = json!({ "courseId": "<course>", "userId": "<ada>", "idempotencyKey": "k" });
    let first = world.ok(&world.acme.admin, UNENROLL, input.clone()).await;
    let contents = world.contents().await;
    expect(&world.ok(&world.acme.admin, UNENROLL, input).await, &first);
    assert_eq!(world.contents().await, contents);
    assert_eq!(roster(&world, "<course>").await, json!(["cancelled", "enrolled", 1]));
}
