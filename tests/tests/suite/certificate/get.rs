//! `certificate.get`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, merged, on_both, refusal};

use super::{certified, revoked};

on_both![a_certificate_by_its_id, a_voided_one, to_whom, unknown_and_foreign];

const GET: &str = "certificate.get";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// The learner's certificate, its number being whatever was answered.
#[track_caller]
fn certificate(answer: &Value, fields: Value) -> Value {
    let usual = json!({
        "id": "<certificate>",
        "number": answer["number"],
        "enrollmentId": "<enrollment>",
        "userId": "<learner>",
        "courseId": "<course>",
        "organizationId": "<acme>",
        "issuedAt": "<t1>",
        "expiresAt": null,
        "voidedAt": null,
        "voidReason": null,
    });
    merged(usual, fields)
}

/// D13: `<t1>` is the moment of the completion.
async fn a_certificate_by_its_id(world: World) {
    world.course("course", json!({ "certificateValidDays": 30 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    certified(&world, "<enrollment>", "certificate").await;
    let answer = world.ok(&world.acme.learner, GET, json!({ "certificateId": "<certificate>" })).await;
    expect(&answer, &certificate(&answer, json!({ "expiresAt": "<t1+30d>" })));
    let number = answer["number"].as_str().unwrap();
    let groups: Vec<usize> = number.split('-').map(str::len).collect();
    assert_eq!(groups, [4; 6], "{number}");
}

/// D5, D6.
async fn a_voided_one(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    certified(&world, "<enrollment>", "certificate").await;
    let input = json!({ "certificateId": "<certificate>" });
    let valid = world.ok(&world.acme.learner, GET, input.clone()).await;
    expect(&valid, &certificate(&valid, json!({})));
    revoked(&world, "<enrollment>").await;
    let read = world.ok(&world.acme.admin, "enrollment.get", json!({ "enrollmentId": "<enrollment>" })).await;
    let voided = json!({ "voidedAt": read["cancelledAt"], "voidReason": "a mistake" });
    expect(&world.ok(&world.acme.learner, GET, input).await, &certificate(&valid, voided));
}

async fn to_whom(world: World) {
    let acme = &world.acme;
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.course("other", json!({})).await;
    world.enrolled(&acme.learner, "<course>", "enrollment").await;
    world.enrolled(&acme.learner, "<other>", "elsewhere").await;
    certified(&world, "<enrollment>", "certificate").await;
    certified(&world, "<elsewhere>", "another").await;
    let input = json!({ "certificateId": "<certificate>" });
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for actor in [&acme.learner, &acme.author, &acme.coordinator, &acme.admin, &world.global_admin, &reader] {
        let answer = world.ok(actor, GET, input.clone()).await;
        expect(&answer, &certificate(&answer, json!({})));
    }
    let error = world.refused(&Actor::Anonymous, GET, input).await;
    expect(&error, &refusal(GET, "UNAUTHORIZED", json!(null)));
    for (actor, certificate) in [(&acme.peer, "<certificate>"), (&acme.author, "<another>")] {
        let error = world.refused(actor, GET, json!({ "certificateId": certificate })).await;
        expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
    }
    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    for certificate in ["<certificate>", UNKNOWN] {
        let error = world.refused(&writer, GET, json!({ "certificateId": certificate })).await;
        let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
        expect(&error, &refusal(GET, "FORBIDDEN", reason));
    }
}

/// D17.
async fn unknown_and_foreign(world: World) {
    let acme = &world.acme;
    world.course_in(&world.globex, "foreign", json!({})).await;
    world.enrolled(&world.globex.learner, "<foreign>", "foreign enrollment").await;
    let input = json!({ "enrollmentId": "<foreign enrollment>", "waiveReason": "for the test" });
    let theirs = world.call(&world.globex.admin, "enrollment.complete", input).await.unwrap();
    world.name("theirs", theirs["certificateId"].as_str().unwrap());
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for certificate in ["<theirs>", UNKNOWN] {
        let actors =
            [&acme.learner, &acme.author, &acme.coordinator, &acme.admin, &world.global_admin, &reader];
        for actor in actors {
            let error = world.refused(actor, GET, json!({ "certificateId": certificate })).await;
            expect(&error, &refusal(GET, "NOT_FOUND", json!(null)));
        }
    }
}
