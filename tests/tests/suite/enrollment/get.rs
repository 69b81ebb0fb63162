//! `enrollment.get`

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use crate::answers::enrollment;

on_both![by_those_who_may_see_it, not_for_you_to_know, a_place_on_the_waitlist];

const GET: &str = "enrollment.get";

async fn by_those_who_may_see_it(world: World) {
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "a note" });
    world.ok(&world.acme.coordinator, "enrollment.enroll", input).await;
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    let cases = [
        (&world.acme.learner, json!(null)),
        (&world.acme.author, json!(null)),
        (&world.acme.coordinator, json!("a note")),
        (&world.acme.admin, json!("a note")),
        (&world.global_admin, json!("a note")),
        (&reader, json!(null)),
    ];
    for (actor, notes) in cases {
        let answer = world.ok(actor, GET, json!({ "enrollmentId": "<1>" })).await;
        let expected =
            json!({ "source": "coordinator", "enrolledByUserId": "<coordinator>", "notes": notes });
        expect(&answer, &enrollment(expected));
    }
}

/// D17: another's, another tenant's and nobody's are one answer.
async fn not_for_you_to_know(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "globex course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.enrolled(&world.globex.learner, "<globex course>", "foreign").await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for actor in [&world.acme.peer, &world.acme.author] {
        for id in ["<enrollment>", "<foreign>", unknown] {
            let error = world.refused(actor, GET, json!({ "enrollmentId": id })).await;
            expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
        }
    }
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
        for id in ["<foreign>", unknown] {
            let error = world.refused(actor, GET, json!({ "enrollmentId": id })).await;
            expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
        }
    }
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for id in ["<enrollment>", "<foreign>", unknown] {
        let error = world.refused(&service, GET, json!({ "enrollmentId": id })).await;
        let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
        expect(&error, &refusal(GET, "FORBIDDEN", reason));
    }
}

/// D11: by the moment of waiting, then id.
async fn a_place_on_the_waitlist(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    for number in [1, 2, 3] {
        let someone = world.person(&format!("person {number}"), Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("enrollment {number}")).await;
    }
    // Whoever leaves and comes back is the last.
    for number in [1, 2] {
        world.cancelled(&format!("<enrollment {number}>")).await;
        let someone = world.person(&format!("person {number}"), Role::Learner).await;
        world.enrolled(&someone, "<course>", &format!("enrollment {number}")).await;
    }
    for (number, place) in [(3, 1), (1, 2), (2, 3)] {
        let id = format!("<enrollment {number}>");
        let answer = world.ok(&world.acme.admin, GET, json!({ "enrollmentId": id })).await;
        assert_eq!(answer["waitlistPosition"], place);
    }
}
