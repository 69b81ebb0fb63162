//! `enrollment.listByOrganization`

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use crate::answers::{each, last_page, roster_entry};

on_both![
    all_that_there_are,
    by_status_and_course,
    by_what_changed_since,
    page_by_page,
    notes_for_those_who_may_read_them,
    to_whom,
    authors_in_a_course_of_theirs,
    unknown_and_foreign,
];

const LIST: &str = "enrollment.listByOrganization";

async fn ids(world: &World, input: Value) -> Vec<Value> {
    each(&world.ok(&world.acme.admin, LIST, input).await, "id")
}

/// In all courses, of all people, and of no other tenant.
async fn all_that_there_are(world: World) {
    world.course("course", json!({})).await;
    world.course("full", json!({ "capacity": 0 })).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    world.enrolled(&world.globex.learner, "<foreign>", "foreign enrollment").await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    world.ok(&world.acme.peer, "enrollment.enroll", json!({ "courseId": "<full>" })).await;
    let waiting = json!({
        "id": "<2>", "userId": "<peer>", "courseId": "<full>", "status": "waitlisted",
        "waitlistPosition": 1, "enrolledAt": "<t2>", "waitlistedAt": "<t2>", "createdAt": "<t2>",
        "updatedAt": "<t2>",
    });
    let expected = last_page([roster_entry("learner", json!({})), roster_entry("peer", waiting)]);
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &reader] {
        expect(&world.ok(actor, LIST, json!({})).await, &expected);
    }
    let theirs = world.ok(&world.globex.admin, LIST, json!({})).await;
    assert_eq!(each(&theirs, "id"), ["<foreign enrollment>"]);
}

async fn by_status_and_course(world: World) {
    world.course("course", json!({})).await;
    world.course("full", json!({ "capacity": 1 })).await;
    let people = [
        ("ada", "<course>", "enrolled"),
        ("bob", "<course>", "cancelled"),
        ("cleo", "<course>", "expired"),
        ("dan", "<full>", "completed"),
        ("eve", "<full>", "waitlisted"),
    ];
    for (name, course, status) in people {
        let someone = world.person(name, Role::Learner).await;
        world.enrolled(&someone, course, &format!("{name}'s")).await;
        let enrollment = format!("<{name}'s>");
        match status {
            "cancelled" => world.cancelled(&enrollment).await,
            "expired" => world.expired(&enrollment).await,
            "completed" => world.completed(&enrollment).await,
            _ => {}
        }
    }
    for (name, _, status) in people {
        assert_eq!(ids(&world, json!({ "statuses": [status] })).await, [format!("<{name}'s>")], "{status}");
    }
    let all = vec!["<ada's>", "<bob's>", "<cleo's>", "<dan's>", "<eve's>"];
    for (input, expected) in [
        (json!({}), all.clone()),
        (json!({ "statuses": null, "courseId": null, "updatedSince": null }), all),
        (json!({ "statuses": [] }), vec![]),
        (json!({ "statuses": ["waitlisted", "enrolled"] }), vec!["<ada's>", "<eve's>"]),
        (json!({ "courseId": "<course>" }), vec!["<ada's>", "<bob's>", "<cleo's>"]),
        (json!({ "courseId": "<full>", "statuses": ["completed", "cancelled"] }), vec!["<dan's>"]),
        (json!({ "courseId": "<full>", "statuses": ["enrolled"] }), vec![]),
    ] {
        assert_eq!(ids(&world, input.clone()).await, expected, "{input}");
    }
}

/// At that moment or later, to the microsecond.
async fn by_what_changed_since(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>" });
    for actor in [&world.acme.learner, &world.acme.peer] {
        world.ok(actor, "enrollment.enroll", input.clone()).await;
    }
    let left = world.ok(&world.acme.learner, "enrollment.unenroll", input).await;
    assert_eq!(left["updatedAt"], "<t3>");
    for (since, expected) in [
        ("<t1>", vec!["<1>", "<2>"]),
        ("<t2>", vec!["<1>", "<2>"]),
        ("<t3>", vec!["<1>"]),
        ("2400-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(ids(&world, json!({ "updatedSince": since })).await, expected, "{since}");
    }
    let both = json!({ "updatedSince": "<t2>", "statuses": ["enrolled"], "courseId": "<course>" });
    assert_eq!(ids(&world, both).await, ["<2>"]);
    let neither = json!({ "updatedSince": "<t3>", "statuses": ["enrolled"] });
    assert_eq!(ids(&world, neither).await, [] as [Value; 0]);
}

/// A walk sees each row once, whatever is added or changed meanwhile.
async fn page_by_page(world: World) {
    for name in ["even", "odd"] {
        world.course(name, json!({})).await;
    }
    world.course_in(&world.globex, "foreign", json!({})).await;
    let enroll = async |number: usize| {
        let course = if number.is_multiple_of(2) { "<even>" } else { "<odd>" };
        let someone = world.person(&format!("person {number}"), Role::Learner).await;
        world.enrolled(&someone, course, &format!("enrollment {number}")).await;
    };
    for number in 0..7 {
        enroll(number).await;
        if number == 3 {
            world.enrolled(&world.globex.learner, "<foreign>", "foreign enrollment").await;
        }
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    let mut added = 7;
    loop {
        let input = json!({ "limit": 3, "cursor": cursor });
        let page = world.ok(&world.acme.admin, LIST, input).await;
        seen.extend(each(&page, "id"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert_eq!(each(&page, "id").len(), 3);
        if added < 9 {
            world.cancelled(&format!("<enrollment {}>", added - 7)).await;
            enroll(added).await;
            added += 1;
        }
    }
    let expected: Vec<_> = (0..9).map(|number| format!("<enrollment {number}>")).collect();
    assert_eq!(seen, expected);

    let whole = world.ok(&world.acme.admin, LIST, json!({ "limit": 9 })).await;
    assert_eq!((each(&whole, "id").len(), &whole["nextCursor"]), (9, &json!(null)));
    let first = world.ok(&world.acme.admin, LIST, json!({ "limit": 2, "courseId": "<odd>" })).await;
    assert_eq!(each(&first, "id"), ["<enrollment 1>", "<enrollment 3>"]);
    let input = json!({ "limit": 2, "courseId": "<odd>", "cursor": first["nextCursor"] });
    let second = world.ok(&world.acme.admin, LIST, input).await;
    assert_eq!(each(&second, "id"), ["<enrollment 5>", "<enrollment 7>"]);
    assert_eq!(second["nextCursor"], json!(null));
}

async fn notes_for_those_who_may_read_them(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" });
    world.ok(&world.acme.admin, "enrollment.enroll", input).await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for (actor, notes) in [
        (&world.acme.author, json!(null)),
        (&world.acme.coordinator, json!("a note")),
        (&world.acme.admin, json!("a note")),
        (&world.global_admin, json!("a note")),
        (&reader, json!(null)),
    ] {
        let answer = world.ok(actor, LIST, json!({ "courseId": "<course>" })).await;
        let expected = json!({ "source": "coordinator", "enrolledByUserId": "<admin>", "notes": notes });
        expect(&answer, &last_page([roster_entry("learner", expected)]));
    }
}

/// Refused before anything is looked up.
async fn to_whom(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    let scope = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    let unknown = "00000000-0000-4000-8000-000000000000";
    for course in [json!(null), json!("<course>"), json!("<foreign>"), json!(unknown)] {
        let input = json!({ "courseId": course });
        let error = world.refused(&world.acme.learner, LIST, input.clone()).await;
        expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
        let error = world.refused(&writer, LIST, input.clone()).await;
        expect(&error, &refusal(LIST, "FORBIDDEN", scope.clone()));
        let error = world.refused(&Actor::Anonymous, LIST, input).await;
        expect(&error, &refusal(LIST, "UNAUTHORIZED", json!(null)));
    }
}

async fn authors_in_a_course_of_theirs(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    for (course, name) in [("<course>", "enrollment"), ("<other>", "elsewhere")] {
        world.enrolled(&world.acme.learner, course, name).await;
    }
    let own = world.ok(&world.acme.author, LIST, json!({ "courseId": "<course>" })).await;
    assert_eq!(each(&own, "id"), ["<enrollment>"]);
    for input in [json!({}), json!({ "courseId": "<other>" })] {
        let error = world.refused(&world.acme.author, LIST, input).await;
        expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
}

async fn unknown_and_foreign(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for course in ["<foreign>", "00000000-0000-4000-8000-000000000000"] {
        for actor in
            [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin, &reader]
        {
            let error = world.refused(actor, LIST, json!({ "courseId": course })).await;
            expect(&error, &refusal(LIST, "NOT_FOUND", json!(null)));
        }
    }
}
