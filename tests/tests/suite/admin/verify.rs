//! `admin.verify`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use super::{Planter, furnish};
use crate::answers::each;

on_both![
    all_is_well,
    to_whom,
    each_organization_for_itself,
    no_more_than_100_are_named,
    seats_within_limit,
    unique_enrollment_per_user_per_course,
    counters_equal_rows,
    certificate_issued_on_completion,
    cancelled_enrollment_blocks_certificate,
    events_match_changes,
    organization_consistency,
    tenant_scoped_access,
    waitlist_moves,
];

pub(super) const VERIFY: &str = "admin.verify";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Every invariant, in the order in which they are told.
const CHECKS: [&str; 10] = [
    "seats_within_limit",
    "unique_enrollment_per_user_per_course",
    "counters_equal_rows",
    "certificate_issued_on_completion",
    "cancelled_enrollment_blocks_certificate",
    "events_match_changes",
    "organization_consistency",
    "tenant_scoped_access",
    "waitlist_moves",
    "event_log_unaltered",
];

/// The whole answer where these violations are found, by check, and no others.
pub(super) fn report(found: &Value) -> Value {
    let checks = CHECKS.map(|name| {
        let violations = found[name].as_array().cloned().unwrap_or_default();
        let violations: Vec<Value> =
            violations.into_iter().map(|violation| with(violation, "organizationId", "<acme>")).collect();
        json!({ "name": name, "ok": violations.is_empty(), "violations": violations })
    });
    json!({ "ok": *found == json!({}), "checks": checks })
}

/// A violation by someone's enrollment in a course.
pub(super) fn by(person: &str, course: &str, problem: &str) -> Value {
    json!({
        "problem": problem,
        "courseId": format!("<{course}>"),
        "enrollmentId": format!("<{person} in {course}>"),
        "userId": format!("<{person}>"),
    })
}

/// The same, about one more thing or another one.
pub(super) fn with(mut violation: Value, field: &str, id: &str) -> Value {
    violation[field] = id.into();
    violation
}

/// Plants something, and weeds it once this and nothing else was found of it.
pub(super) async fn finds(planter: &mut Planter<'_>, statements: &[&str], found: Value) {
    planter.plant(statements).await;
    let answer = planter.world.ok(&planter.world.acme.admin, VERIFY, json!({})).await;
    let expected = report(&found);
    assert!(answer == expected, "{statements:#?}\nexpected: {expected:#}\nanswered: {answer:#}\n");
    planter.weed().await;
}

/// The id of the first event of an enrollment.
pub(super) async fn first_event(world: &World, enrollment: &str) -> String {
    let input = json!({ "enrollmentId": enrollment, "limit": 1 });
    let history = world.ok(&world.acme.admin, "enrollment.history", input).await;
    history["items"][0]["id"].as_str().unwrap().to_owned()
}

/// The number of acme's last event.
pub(super) async fn last_number(world: &World) -> u64 {
    let events = world.ok(&world.acme.admin, "event.since", json!({ "limit": 200 })).await;
    assert_eq!(events["nextCursor"], Value::Null);
    each(&events, "id").last().unwrap().as_str().unwrap().parse().unwrap()
}

async fn all_is_well(world: World) {
    let answer = world.ok(&world.acme.admin, VERIFY, json!({})).await;
    expect(&answer, &report(&json!({})));
    furnish(&world).await;
    let before = world.contents().await;
    let service = world.service(&[Scope::EventsRead]).await;
    for actor in [&world.acme.admin, &world.global_admin, &service, &world.globex.admin] {
        let answer = world.ok(actor, VERIFY, json!({})).await;
        expect(&answer, &report(&json!({})));
    }
    assert_eq!(world.contents().await, before);
}

async fn to_whom(world: World) {
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        let error = world.refused(actor, VERIFY, json!({})).await;
        expect(&error, &refusal(VERIFY, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::EventsRead).collect();
    let service = world.service(&others).await;
    let error = world.refused(&service, VERIFY, json!({})).await;
    let reason = json!({ "type": "scopeRequired", "scope": "events:read" });
    expect(&error, &refusal(VERIFY, "FORBIDDEN", reason));
    let error = world.refused(&Actor::Anonymous, VERIFY, json!({})).await;
    expect(&error, &refusal(VERIFY, "UNAUTHORIZED", json!(null)));
}

async fn each_organization_for_itself(world: World) {
    furnish(&world).await;
    let mut planter = Planter::new(&world).await;
    planter.plant(&["UPDATE courses SET modules_total = 7 WHERE id = <globex course>"]).await;
    let answer = world.ok(&world.acme.admin, VERIFY, json!({})).await;
    expect(&answer, &report(&json!({})));
    let problem = "7 modules are counted, but there are 0";
    let violation = json!({ "problem": problem, "courseId": "<globex course>" });
    let mut expected = report(&json!({ "counters_equal_rows": [violation] }));
    expected["checks"][2]["violations"][0]["organizationId"] = "<globex>".into();
    let answer = world.ok(&world.globex.admin, VERIFY, json!({})).await;
    expect(&answer, &expected);
}

async fn no_more_than_100_are_named(world: World) {
    world.course("course", json!({})).await;
    for path in ["enrollment.enroll", "enrollment.unenroll"].repeat(51) {
        world.ok(&world.acme.learner, path, json!({ "courseId": "<course>" })).await;
    }
    let mut planter = Planter::new(&world).await;
    assert_eq!(planter.run("UPDATE events SET user_id = <peer>").await, 102);
    let answer = world.ok(&world.acme.admin, VERIFY, json!({})).await;
    let check = &answer["checks"][6];
    assert_eq!((&check["name"], &check["ok"]), (&json!("organization_consistency"), &json!(false)));
    let named = each(&json!({ "items": check["violations"] }), "eventId");
    assert_eq!(named, (1..=100).map(|number| format!("{number:016}")).collect::<Vec<_>>());
}

/// D10.
async fn seats_within_limit(world: World) {
    furnish(&world).await;
    let sold_twice = first_event(&world, "<third in full>").await;
    let mut planter = Planter::new(&world).await;
    for (change, course, problem) in [
        ("capacity = 1, seats_limit = 1", "<full>", "2 seats are taken where at most 1 may be"),
        (
            "seats_limit = NULL",
            "<full>",
            "any number of seats may be taken, though 2 are and the capacity is 2",
        ),
        ("seats_limit = 9", "<course>", "9 seats may be taken, though 4 are and the capacity is not limited"),
        ("capacity = 3", "<crowded>", "2 seats may be taken, though 2 are and the capacity is 3"),
        ("seats_limit = 3", "<crowded>", "3 seats may be taken, though 2 are and the capacity is 1"),
    ] {
        let planted = format!("UPDATE courses SET {change} WHERE id = {course}");
        let violation = json!({ "problem": problem, "courseId": course });
        finds(&mut planter, &[&planted], json!({ "seats_within_limit": [violation] })).await;
    }

    // A seat that was sold twice is told by everything that looks at it.
    let planted = "UPDATE course_enrollments SET status = 'enrolled' WHERE id = <third in full>";
    let counted = "enrolled, waitlisted, completed, cancelled and expired are counted 2, 2, 0, 0, 0, \
                   but there are 3, 1, 0, 0, 0";
    let untold = by("third", "full", "it is enrolled, but not the last event that says so");
    let found = json!({
        "seats_within_limit": [
            { "problem": "3 seats are taken where at most 2 may be", "courseId": "<full>" },
        ],
        "counters_equal_rows": [{ "problem": counted, "courseId": "<full>" }],
        "events_match_changes": [with(untold, "eventId", &sold_twice)],
    });
    finds(&mut planter, &[planted], found).await;
}

/// D1.
async fn unique_enrollment_per_user_per_course(world: World) {
    furnish(&world).await;
    let mut planter = Planter::new(&world).await;
    let planted = [
        "UPDATE course_enrollments SET user_id = <loner> WHERE id = <gone in lone>",
        "UPDATE events SET user_id = <loner> WHERE enrollment_id = <gone in lone>",
    ];
    let violation = by("gone", "lone", "the person has another enrollment in the course");
    let found = json!({ "unique_enrollment_per_user_per_course": [with(violation, "userId", "<loner>")] });
    finds(&mut planter, &planted, found).await;
}

async fn counters_equal_rows(world: World) {
    furnish(&world).await;
    let mut planter = Planter::new(&world).await;
    let there = [("enrolled", 2), ("waitlisted", 0), ("completed", 2), ("cancelled", 2), ("expired", 1)];
    for (wrong, _) in there {
        let counted = there.map(|(status, count)| (count + i32::from(status == wrong)).to_string());
        let problem = format!(
            "enrolled, waitlisted, completed, cancelled and expired are counted {}, \
             but there are 2, 0, 2, 2, 1",
            counted.join(", ")
        );
        let planted = format!("UPDATE courses SET {wrong}_count = {wrong}_count + 1 WHERE id = <course>");
        let violation = json!({ "problem": problem, "courseId": "<course>" });
        finds(&mut planter, &[&planted], json!({ "counters_equal_rows": [violation] })).await;
    }

    let planted = "UPDATE courses SET modules_total = 3 WHERE id = <course>";
    let violation = json!({ "problem": "3 modules are counted, but there are 2", "courseId": "<course>" });
    finds(&mut planter, &[planted], json!({ "counters_equal_rows": [violation] })).await;

    let unassigned = "UPDATE module_enrollments SET soft_deleted = true, removed_because = 'unassigned' \
                      WHERE enrollment_id = <learner in course> AND module_id = <old>";
    for (planted, problem) in [
        (
            "UPDATE course_enrollments SET modules_completed = 2 WHERE id = <learner in course>",
            "2 of 2 modules are counted as completed, but there are 1 of 2",
        ),
        (
            "UPDATE course_enrollments SET modules_total = 3 WHERE id = <learner in course>",
            "1 of 3 modules are counted as completed, but there are 1 of 2",
        ),
        (unassigned, "1 of 2 modules are counted as completed, but there are 1 of 1"),
    ] {
        let violation = by("learner", "course", problem);
        finds(&mut planter, &[planted], json!({ "counters_equal_rows": [violation] })).await;
    }
}

/// D13.
async fn certificate_issued_on_completion(world: World) {
    furnish(&world).await;
    world.name("unknown", UNKNOWN);
    let mut planter = Planter::new(&world).await;
    let of = |person: &str, certificate: &str, problem: &str| {
        with(by(person, "course", problem), "certificateId", certificate)
    };
    let without = |person: &str, certificate: &str, attempt: i32| {
        let problem = format!(
            "a certificate was issued for attempt {attempt}, which the enrollment, completed in attempt 1, \
             does not have"
        );
        of(person, certificate, &problem)
    };
    let peers = "<peer's certificate>";

    let found = json!([of("peer", peers, "its certificate does not exist"), without("peer", "<unknown>", 1)]);
    let planted = "UPDATE certificates SET id = <unknown> WHERE id = <peer's certificate>";
    finds(&mut planter, &[planted], json!({ "certificate_issued_on_completion": found })).await;

    let planted = [
        "UPDATE course_enrollments SET certificate_id = NULL WHERE id = <graduate in course>",
        "UPDATE course_enrollments SET certificate_id = <graduate's certificate> WHERE id = <peer in course>",
    ];
    let found = json!([
        of("peer", "<graduate's certificate>", "its certificate is that of another enrollment"),
        without("peer", peers, 1),
        without("graduate", "<graduate's certificate>", 1),
    ]);
    finds(&mut planter, &planted, json!({ "certificate_issued_on_completion": found })).await;

    let planted = "UPDATE certificates SET attempt = 2 WHERE id = <peer's certificate>";
    let found =
        json!([of("peer", peers, "its certificate is of attempt 2, not 1"), without("peer", peers, 2)]);
    finds(&mut planter, &[planted], json!({ "certificate_issued_on_completion": found })).await;

    let planted = "UPDATE course_enrollments SET certificate_id = NULL WHERE id = <peer in course>";
    let found = json!({ "certificate_issued_on_completion": [without("peer", peers, 1)] });
    finds(&mut planter, &[planted], found).await;

    let planted = "UPDATE certificates SET voided_at = issued_at, void_reason = 'none' \
                   WHERE id = <peer's certificate>";
    let untold = "1 certificates were issued and 1 are void, but by its events 1 and 0";
    let found = json!({
        "certificate_issued_on_completion": [of("peer", peers, "completed, though its certificate is void")],
        "events_match_changes": [by("peer", "course", untold)],
    });
    finds(&mut planter, &[planted], found).await;

    let planted = "UPDATE courses SET certificate = true WHERE id = <plain>";
    let violation = by("learner", "plain", "completed without the certificate that the course gives");
    finds(&mut planter, &[planted], json!({ "certificate_issued_on_completion": [violation] })).await;
    // Not where the course has begun to give certificates since.
    let gives = json!({ "courseId": "<plain>", "version": 2, "certificate": true });
    world.ok(&world.acme.admin, "course.update", gives).await;
    finds(&mut planter, &[], json!({})).await;
}

/// D5.
async fn cancelled_enrollment_blocks_certificate(world: World) {
    furnish(&world).await;
    let mut planter = Planter::new(&world).await;
    let earlier =
        "the certificate of attempt 1 is not void and does not expire, though the enrollment is in attempt 2";
    for (person, certificate, problem) in [
        ("doubtful", "<doubtful's certificate>", "cancelled, though its certificate is not void"),
        ("again", "<again's certificate>", earlier),
    ] {
        let planted =
            format!("UPDATE certificates SET voided_at = NULL, void_reason = NULL WHERE id = {certificate}");
        let untold = "1 certificates were issued and 0 are void, but by its events 1 and 1";
        let violation = with(by(person, "course", problem), "certificateId", certificate);
        let found = json!({
            "cancelled_enrollment_blocks_certificate": [violation],
            "events_match_changes": [by(person, "course", untold)],
        });
        finds(&mut planter, &[&planted], found).await;
    }
    let planted = "UPDATE certificates SET expires_at = NULL WHERE id = <expert's certificate>";
    let violation = with(by("expert", "short", earlier), "certificateId", "<expert's certificate>");
    finds(&mut planter, &[planted], json!({ "cancelled_enrollment_blocks_certificate": [violation] })).await;
}

async fn events_match_changes(world: World) {
    furnish(&world).await;
    let (event, last) = (first_event(&world, "<loner in lone>").await, last_number(&world).await);
    let mut planter = Planter::new(&world).await;
    let id = |number: u64| format!("{number:016}");
    let changed = |times: i32, told: i32| {
        let problem = format!("changed {times} times by its version, {told} times by its events");
        by("loner", "lone", &problem)
    };
    let untold = by("loner", "lone", "it is enrolled, but no event says so");
    let otherwise = by("loner", "lone", "it is enrolled, but not the last event that says so");
    let moved = by("peer", "course", "1 certificates were issued and 0 are void, but by its events 0 and 1");
    for (planted, violation) in [
        ("UPDATE course_enrollments SET version = version + 1 WHERE id = <loner in lone>", changed(2, 1)),
        ("UPDATE events SET kind = 'notesSet' WHERE enrollment_id = <loner in lone>", untold.clone()),
        (
            "UPDATE events SET data = '{\"status\":\"waitlisted\"}' WHERE enrollment_id = <loner in lone>",
            with(otherwise, "eventId", &event),
        ),
        (
            "UPDATE events SET kind = 'certificateVoided' \
             WHERE enrollment_id = <peer in course> AND kind = 'certificateIssued'",
            moved,
        ),
    ] {
        finds(&mut planter, &[planted], json!({ "events_match_changes": [violation] })).await;
    }

    let planted = "DELETE FROM events WHERE enrollment_id = <loner in lone>";
    let next = id(event.parse::<u64>().unwrap() + 1);
    let gap = |event: String| json!({ "problem": "the event before this one is missing", "eventId": event });
    let found = json!([changed(1, 0), untold, gap(next)]);
    finds(&mut planter, &[planted], json!({ "events_match_changes": found })).await;

    let later =
        format!("UPDATE events SET number = number + 5 WHERE organization_id = <acme> AND number = {last}");
    let head = |by: u64| {
        format!("UPDATE event_heads SET last_number = last_number + {by} WHERE organization_id = <acme>")
    };
    let found = json!({ "events_match_changes": [gap(id(last + 5))] });
    finds(&mut planter, &[&later, &head(5)], found).await;

    let no_head = "DELETE FROM event_heads WHERE organization_id = <acme>".to_owned();
    for (planted, told) in [(head(1), (last + 1).to_string()), (no_head, "missing".into())] {
        let problem = format!("the last event is number {last}, but the head of the log is {told}");
        let found = json!([{ "problem": problem, "eventId": id(last) }]);
        finds(&mut planter, &[&planted], json!({ "events_match_changes": found })).await;
    }
}

async fn organization_consistency(world: World) {
    furnish(&world).await;
    let event = first_event(&world, "<loner in lone>").await;
    let mut planter = Planter::new(&world).await;
    let nowhere = |person| by(person, "lone", "the course is none of the organization");
    let peers = |problem| with(by("peer", "course", problem), "certificateId", "<peer's certificate>");
    let module = |of: &str, id: &str| {
        let problem = format!("a module of the enrollment is of another {of}");
        json!([with(by("learner", "course", &problem), "moduleId", id)])
    };
    let anothers = peers("the certificate is not of its enrollment's organization, course and person");
    let wrong = "the event is not of its enrollment's organization, course and person";
    let wrong = with(with(by("loner", "lone", wrong), "eventId", &event), "userId", "<learner>");
    let first = "WHERE enrollment_id = <learner in course> AND module_id = <first>";
    for (planted, found) in [
        (
            "UPDATE courses SET organization_id = <globex> WHERE id = <lone>",
            json!([nowhere("loner"), nowhere("gone")]),
        ),
        (
            "UPDATE memberships SET organization_id = <globex> WHERE user_id = <expert>",
            json!([by("expert", "short", "the person is no member of the organization")]),
        ),
        (&*format!("UPDATE module_enrollments SET user_id = <loner> {first}"), module("person", "<first>")),
        (
            &*format!("UPDATE module_enrollments SET module_id = <unused> {first}"),
            module("course", "<unused>"),
        ),
        (
            &*format!("UPDATE module_enrollments SET organization_id = <globex> {first}"),
            module("organization", "<first>"),
        ),
        (
            "UPDATE certificates SET user_id = <loner> WHERE id = <peer's certificate>",
            json!([with(anothers, "userId", "<loner>")]),
        ),
        ("UPDATE events SET user_id = <learner> WHERE enrollment_id = <loner in lone>", json!([wrong])),
        (
            "UPDATE modules SET organization_id = <globex> WHERE id = <unused>",
            json!([{
                "problem": "a module of the course is of another organization",
                "courseId": "<draft>",
                "moduleId": "<unused>",
            }]),
        ),
        (
            "UPDATE course_authors SET user_id = <globex author> WHERE course_id = <course>",
            json!([{
                "problem": "an author of the course is no member of the organization",
                "courseId": "<course>",
                "userId": "<globex author>",
            }]),
        ),
        (
            "UPDATE cohort_members SET user_id = <globex learner>",
            json!([{
                "problem": "a member of the cohort \"team\" is no member of the organization",
                "userId": "<globex learner>",
            }]),
        ),
        (
            "UPDATE cohort_courses SET course_id = <globex course>",
            json!([{
                "problem": "a course of the cohort \"team\" is none of the organization",
                "courseId": "<globex course>",
            }]),
        ),
        (
            "UPDATE identities SET organization_id = <globex> WHERE user_id = <loner>",
            json!([{
                "problem": "an identity at the organization's provider is of another organization",
                "userId": "<loner>",
            }]),
        ),
    ] {
        finds(&mut planter, &[planted], json!({ "organization_consistency": found })).await;
    }

    let planted = "UPDATE certificates SET organization_id = <globex> WHERE id = <peer's certificate>";
    let untold = "0 certificates were issued and 0 are void, but by its events 1 and 0";
    let found = json!({
        "organization_consistency": [peers("its certificate is of another organization")],
        "events_match_changes": [by("peer", "course", untold)],
    });
    finds(&mut planter, &[planted], found).await;
}

/// D19: completions stay, and so does whoever is suspended.
async fn tenant_scoped_access(world: World) {
    furnish(&world).await;
    let mut planter = Planter::new(&world).await;
    let enrolled = "still enrolled, though the membership has ended";
    let waits = "still waitlisted, though the membership has ended";
    for (status, person, found) in [
        ("ended", "<loner>", vec![by("loner", "lone", enrolled)]),
        ("ended", "<third>", vec![by("third", "full", waits), by("third", "paused", waits)]),
        ("ended", "<graduate>", vec![]),
        ("suspended", "<loner>", vec![]),
    ] {
        let planted = format!("UPDATE memberships SET status = '{status}' WHERE user_id = {person}");
        let found = match found.is_empty() {
            true => json!({}),
            false => json!({ "tenant_scoped_access": found }),
        };
        finds(&mut planter, &[&planted], found).await;
    }
}

/// D11.
async fn waitlist_moves(world: World) {
    furnish(&world).await;
    let mut planter = Planter::new(&world).await;
    let waits = |person: &str, course: &str| by(person, course, "waits, though a seat of the course is free");
    let moments = "UPDATE course_enrollments SET waitlisted_at = NULL WHERE id = <third in full>";
    let raised = "UPDATE courses SET capacity = 3, seats_limit = 3 WHERE id = <full>";
    let lifted = "UPDATE courses SET capacity = NULL, seats_limit = NULL WHERE id = <full>";
    let published = "UPDATE courses SET status = 'published' WHERE id = <paused>";
    let both = [waits("third", "full"), waits("fourth", "full")];
    for (planted, found) in [
        (vec![moments], json!([by("third", "full", "waits since no moment")])),
        (vec![raised], json!(both)),
        (vec![lifted], json!(both)),
        (vec![published], json!([waits("third", "paused")])),
        (
            vec![raised, "UPDATE memberships SET status = 'suspended' WHERE user_id = <third>"],
            json!([waits("fourth", "full")]),
        ),
    ] {
        finds(&mut planter, &planted, json!({ "waitlist_moves": found })).await;
    }
    // A course that is not published, or has ended, gives no seats away.
    for closed in ["status = 'archived'", "ends_at = created_at"] {
        let closed = format!("UPDATE courses SET {closed} WHERE id = <full>");
        finds(&mut planter, &[raised, &closed], json!({})).await;
    }
}
