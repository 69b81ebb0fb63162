//! `member.resume`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::member;

on_both![where_they_were, who_is_active_already, who_is_no_member_any_more, by_whom, unknown_and_foreign];

const RESUME: &str = "member.resume";

fn learner() -> Value {
    json!({ "userId": "<learner>" })
}

fn active() -> Value {
    member(json!({ "userId": "<learner>", "displayName": "learner" }))
}

/// D19: their next call is answered, and what they were enrolled in gives them access.
async fn where_they_were(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.membership("suspend", "<learner>").await;
    let before = world.contents().await;
    let answer = world.ok(&world.acme.admin, RESUME, learner()).await;
    expect(&answer, &active());
    for (table, rows) in world.contents().await {
        assert_eq!(rows == before[table], table != "memberships", "{table}");
    }
    let stored = world.ok(&world.acme.admin, "member.get", learner()).await;
    expect(&stored, &answer);
    let access = world.ok(&world.acme.learner, "enrollment.access", json!({ "courseId": "<course>" })).await;
    let expected = json!({
        "granted": true, "status": "enrolled", "enrollmentId": "<enrollment>",
        "expiresAt": null, "reason": null,
    });
    expect(&access, &expected);
}

async fn who_is_active_already(world: World) {
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, RESUME, learner()).await, &active());
    assert_eq!(world.contents().await, before);
}

/// It begins anew by `member.provision`.
async fn who_is_no_member_any_more(world: World) {
    world.membership("end", "<learner>").await;
    for actor in [&world.acme.admin, &world.global_admin] {
        let error = world.refused(actor, RESUME, learner()).await;
        expect(&error, &refusal(RESUME, "FORBIDDEN", json!({ "type": "notAMember" })));
    }
}

async fn by_whom(world: World) {
    world.membership("suspend", "<learner>").await;
    for actor in [&world.acme.peer, &world.acme.author, &world.acme.coordinator] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, RESUME, json!({ "userId": user })).await;
            expect(&error, &refusal(RESUME, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    // Whoever is suspended does not help themselves.
    let error = world.refused(&world.acme.learner, RESUME, learner()).await;
    expect(&error, &refusal(RESUME, "FORBIDDEN", json!({ "type": "notAMember" })));
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, RESUME, learner()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(RESUME, "FORBIDDEN", reason));
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        expect(&world.ok(actor, RESUME, learner()).await, &active());
        world.membership("suspend", "<learner>").await;
    }
}

/// D17.
async fn unknown_and_foreign(world: World) {
    for actor in [&world.acme.admin, &world.global_admin] {
        for user in ["<globex learner>", "<global admin>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, RESUME, json!({ "userId": user })).await;
            expect(&error, &refusal(RESUME, "NOT_FOUND", json!(null)));
        }
    }
}
