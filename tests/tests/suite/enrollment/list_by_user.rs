//! `enrollment.listByUser`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use crate::answers::{each, enrollment, last_page};

on_both![own_in_order, by_status, page_by_page, of_others];

const LIST: &str = "enrollment.listByUser";

async fn own_in_order(world: World) {
    for name in ["course", "second course"] {
        world.course(name, json!({})).await;
        world.enrolled(&world.acme.learner, &format!("<{name}>"), &format!("{name} enrollment")).await;
        world.enrolled(&world.acme.peer, &format!("<{name}>"), &format!("{name} of the peer")).await;
    }
    let answer = world.ok(&world.acme.learner, LIST, json!({})).await;
    let expected = last_page([
        enrollment(json!({ "id": "<course enrollment>" })),
        enrollment(json!({
            "id": "<second course enrollment>", "courseId": "<second course>",
            "enrolledAt": "<t2>", "createdAt": "<t2>", "updatedAt": "<t2>",
        })),
    ]);
    expect(&answer, &expected);
}

async fn by_status(world: World) {
    for name in ["a", "b", "c"] {
        world.course(name, json!({})).await;
        world.enrolled(&world.acme.learner, &format!("<{name}>"), &format!("in {name}")).await;
    }
    world.completed("<in b>").await;
    world.cancelled("<in c>").await;
    for (statuses, expected) in [
        (json!(["enrolled"]), vec!["<in a>"]),
        (json!(["cancelled", "completed", "cancelled"]), vec!["<in b>", "<in c>"]),
        (json!(["waitlisted", "expired"]), vec![]),
        (json!([]), vec![]),
        (json!(null), vec!["<in a>", "<in b>", "<in c>"]),
    ] {
        let answer = world.ok(&world.acme.learner, LIST, json!({ "statuses": statuses })).await;
        assert_eq!(each(&answer, "id"), expected, "{statuses}");
    }
}

/// A walk sees each row once, whatever is added or changed meanwhile.
async fn page_by_page(world: World) {
    let learner = &world.acme.learner;
    let course = async |number: usize| {
        world.course(&format!("course {number}"), json!({})).await;
        world.enrolled(learner, &format!("<course {number}>"), &format!("enrollment {number}")).await;
    };
    for number in 0..5 {
        course(number).await;
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for added in 5.. {
        let page = world.ok(learner, LIST, json!({ "limit": 2, "cursor": cursor })).await;
        seen.extend(each(&page, "id"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert_eq!(each(&page, "id").len(), 2);
        if added < 7 {
            course(added).await;
            world.cancelled(&format!("<enrollment {}>", added - 5)).await;
        }
    }
    let expected: Vec<_> = (0..7).map(|number| format!("<enrollment {number}>")).collect();
    assert_eq!(seen, expected);
}

async fn of_others(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" });
    world.ok(&world.acme.admin, "enrollment.enroll", input).await;
    let input = json!({ "userId": "<learner>" });
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for (actor, notes) in [
        (&world.acme.coordinator, json!("a note")),
        (&world.acme.admin, json!("a note")),
        (&world.global_admin, json!("a note")),
        (&reader, json!(null)),
    ] {
        let answer = world.ok(actor, LIST, input.clone()).await;
        let expected = json!({ "source": "coordinator", "enrolledByUserId": "<admin>", "notes": notes });
        expect(&answer, &last_page([enrollment(expected)]));
    }
    for actor in [&world.acme.peer, &world.acme.author] {
        let error = world.refused(actor, LIST, input.clone()).await;
        expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error = world.refused(&world.service(&[Scope::CoursesWrite]).await, LIST, input).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(LIST, "FORBIDDEN", reason));
    let error = world.refused(&reader, LIST, json!({})).await;
    let reason = json!({ "type": "invalidInput", "field": "userId", "problem": "required of a service" });
    expect(&error, &refusal(LIST, "BAD_REQUEST", reason));
    for user in ["<globex learner>", "00000000-0000-4000-8000-000000000000"] {
        let answer = world.ok(&world.acme.admin, LIST, json!({ "userId": user })).await;
        expect(&answer, &last_page([]));
    }
}
