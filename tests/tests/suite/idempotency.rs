//! The idempotency key, on every mutation alike.

use std::time::Duration;

use procedures::idempotency;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal, router};

on_both![
    the_same_answer_byte_for_byte,
    the_same_input_in_other_words,
    another_input,
    callers_have_keys_of_their_own,
    procedures_have_keys_of_their_own,
    a_refusal_is_not_kept,
    for_a_day,
    kept_records_are_purged,
    every_mutation_takes_one,
];

const ENROLL: &str = "enrollment.enroll";

/// How long an answer is kept.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn keyed(key: &str, mut input: Value) -> Value {
    input["idempotencyKey"] = key.into();
    input
}

async fn the_same_answer_byte_for_byte(world: World) {
    let course = world.course("course", json!({ "passScore": 33.33 })).await;
    let learner = &world.acme.learner;
    let input = json!({ "courseId": course, "idempotencyKey": "a-key" }).to_string();
    let first = world.call_as_sent(learner, ENROLL, &input).await.unwrap();
    let contents = world.contents().await;
    assert_eq!(world.call_as_sent(learner, ENROLL, &input).await, Ok(first.clone()));
    assert_eq!(world.contents().await, contents);

    // The answer is the former one, whatever happened since.
    let without = json!({ "courseId": course }).to_string();
    world.call_as_sent(learner, "enrollment.unenroll", &without).await.unwrap();
    assert_eq!(world.call_as_sent(learner, ENROLL, &input).await, Ok(first));
    let now = world.ok(learner, "enrollment.find", json!({ "courseId": "<course>" })).await;
    assert_eq!(now["status"], "cancelled");
}

async fn the_same_input_in_other_words(world: World) {
    let course = world.course("course", json!({})).await;
    let learner = &world.acme.learner;
    let first = format!(r#"{{"courseId":"{course}","waitlist":null,"idempotencyKey":"k"}}"#);
    let first = world.call_as_sent(learner, ENROLL, &first).await;
    assert!(first.is_ok());
    let upper = course.to_uppercase();
    for again in [
        format!(r#"{{ "idempotencyKey": "k", "courseId": "{upper}" }}"#),
        format!(r#"{{"notes":null,"\u0063ourseId":"{course}","idempotencyKey":"k"}}"#),
    ] {
        assert_eq!(world.call_as_sent(learner, ENROLL, &again).await, first);
    }
}

async fn another_input(world: World) {
    for name in ["course", "other"] {
        world.course(name, json!({})).await;
    }
    world.ok(&world.acme.learner, ENROLL, keyed("k", json!({ "courseId": "<course>" }))).await;
    for input in [
        json!({ "courseId": "<other>" }),
        json!({ "courseId": "<course>", "userId": "<learner>" }),
        json!({ "courseId": "<course>", "waitlist": true }),
    ] {
        let error = world.refused(&world.acme.learner, ENROLL, keyed("k", input)).await;
        expect(&error, &refusal(ENROLL, "UNPROCESSABLE_CONTENT", json!(null)));
    }
}

async fn callers_have_keys_of_their_own(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "globex course", json!({})).await;
    let people = [
        (&world.acme.learner, "<course>"),
        (&world.acme.peer, "<course>"),
        (&world.globex.learner, "<globex course>"),
    ];
    let mut ids = Vec::new();
    for (actor, course) in people {
        ids.push(world.ok(actor, ENROLL, keyed("k", json!({ "courseId": course }))).await["id"].clone());
    }
    assert_eq!(ids, ["<1>", "<2>", "<3>"]);
    // The same person in another organization, too.
    let home = world.global_admin.choosing(&world.globex.id);
    let title = json!({ "title": "one" });
    let here = world.call(&world.global_admin, "course.create", keyed("k", title.clone())).await.unwrap();
    let there = world.call(&home, "course.create", keyed("k", title)).await.unwrap();
    assert_ne!(here["id"], there["id"]);
}

async fn procedures_have_keys_of_their_own(world: World) {
    world.course("course", json!({})).await;
    let input = keyed("k", json!({ "courseId": "<course>" }));
    let enrolled = world.ok(&world.acme.learner, ENROLL, input.clone()).await;
    let left = world.ok(&world.acme.learner, "enrollment.unenroll", input).await;
    assert_eq!([&enrolled["status"], &left["status"]], ["enrolled", "cancelled"]);
}

async fn a_refusal_is_not_kept(world: World) {
    world.draft_in(&world.acme, "course", json!({})).await;
    let input = keyed("k", json!({ "courseId": "<course>" }));
    let error = world.refused(&world.acme.learner, ENROLL, input.clone()).await;
    expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", json!({ "type": "courseNotPublished" })));
    world.ok(&world.acme.admin, "course.publish", json!({ "courseId": "<course>" })).await;
    world.ok(&world.acme.learner, ENROLL, input).await;

    let input = keyed("k", json!({ "courseId": "<course>", "version": 1 }));
    world.refused(&world.acme.admin, "course.update", input).await;
    let input = keyed("k", json!({ "courseId": "<course>", "version": 2 }));
    world.ok(&world.acme.admin, "course.update", input).await;
}

async fn for_a_day(world: World) {
    world.course("course", json!({})).await;
    let input = keyed("k", json!({ "courseId": "<course>" }));
    let first = world.ok(&world.acme.learner, ENROLL, input.clone()).await;
    world.clock_ahead(DAY - Duration::from_secs(60));
    expect(&world.ok(&world.acme.learner, ENROLL, input.clone()).await, &first);
    world.clock_ahead(DAY);
    let error = world.refused(&world.acme.learner, ENROLL, input.clone()).await;
    let reason = json!({ "type": "alreadyEnrolled", "enrollmentId": "<1>", "status": "enrolled" });
    expect(&error, &refusal(ENROLL, "CONFLICT", reason));

    // The key is free for another input, and for another day.
    world.ok(&world.acme.learner, "enrollment.unenroll", json!({ "courseId": "<course>" })).await;
    let again = keyed("k", json!({ "courseId": "<course>", "userId": "<learner>" }));
    let second = world.ok(&world.acme.learner, ENROLL, again.clone()).await;
    assert_eq!(second["attempt"], 2);
    world.clock_ahead(DAY + DAY / 2);
    expect(&world.ok(&world.acme.learner, ENROLL, again).await, &second);
    let error = world.refused(&world.acme.learner, ENROLL, input).await;
    expect(&error, &refusal(ENROLL, "UNPROCESSABLE_CONTENT", json!(null)));
}

async fn kept_records_are_purged(world: World) {
    for key in ["one", "two"] {
        world.ok(&world.acme.admin, "course.create", keyed(key, json!({ "title": "course" }))).await;
    }
    let purge = async || {
        let now = world.app.clock.now();
        idempotency::purge(&world.app.db, now).await.unwrap()
    };
    assert_eq!(purge().await, 0);
    world.clock_ahead(DAY);
    world.ok(&world.acme.admin, "course.create", keyed("three", json!({ "title": "course" }))).await;
    assert_eq!(purge().await, 2);
    assert_eq!(world.contents().await["idempotency_records"].len(), 1);
}

/// Each mutation answers a repetition as it answered first, and changes nothing by it.
async fn every_mutation_takes_one(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.module("<course>", "old module").await;
    world.course("second", json!({})).await;
    world.module("<second>", "lesson").await;
    world.enrolled(&world.acme.peer, "<second>", "peer's").await;
    world.module("<second>", "later lesson").await;
    world.course("full", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.peer, "<full>", "waiting").await;
    // A seat that is free while someone waits: no procedure leaves one.
    let full = world.id_literal("<full>");
    let seat = format!("UPDATE courses SET capacity = 1, seats_limit = 1 WHERE id = {full}");
    assert_eq!(world.sql(&seat).await, Ok(1));
    world.course("third", json!({})).await;
    world.enrolled(&world.acme.peer, "<third>", "ending").await;
    let cohort = world.call(&world.acme.admin, "cohort.create", json!({ "name": "first" })).await.unwrap();
    world.name("cohort", cohort["id"].as_str().unwrap());
    let address = json!({ "url": "https://receiver.example/" });
    let webhook = world.call(&world.acme.admin, "webhook.create", address.clone()).await.unwrap();
    world.name("webhook", webhook["webhook"]["id"].as_str().unwrap());
    let integration = json!({ "name": "integration", "scopes": ["events:read"] });
    let token = world.call(&world.acme.admin, "serviceToken.create", integration.clone()).await.unwrap();
    world.name("token", token["serviceToken"]["id"].as_str().unwrap());
    let service = world.service(Scope::ALL).await;
    let of_peer = |module: &str| json!({ "enrollmentId": "<peer's>", "moduleId": module });
    let calls = [
        (&world.acme.admin, "course.create", json!({ "title": "new" })),
        (&world.acme.admin, "course.unpublish", json!({ "courseId": "<course>" })),
        (&world.acme.admin, "course.archive", json!({ "courseId": "<course>" })),
        (&world.acme.admin, "course.publish", json!({ "courseId": "<course>" })),
        (&world.acme.admin, "course.update", json!({ "courseId": "<course>", "version": 5, "capacity": 4 })),
        (
            &world.acme.admin,
            "course.addModule",
            json!({ "courseId": "<course>", "title": "new", "kind": "quiz" }),
        ),
        (&world.acme.admin, "course.updateModule", json!({ "moduleId": "<module>", "title": "newer" })),
        (&world.acme.admin, "course.retireModule", json!({ "moduleId": "<old module>" })),
        (&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })),
        (&world.acme.learner, "enrollment.unenroll", json!({ "courseId": "<course>" })),
        (
            &world.acme.admin,
            "enrollment.enrollMany",
            json!({ "items": [{ "courseId": "<course>", "userId": "<author>" }] }),
        ),
        (&world.acme.peer, "module.start", of_peer("<lesson>")),
        (&world.acme.peer, "module.complete", of_peer("<lesson>")),
        (&world.acme.admin, "module.assign", of_peer("<later lesson>")),
        (&world.acme.admin, "module.unassign", of_peer("<later lesson>")),
        (
            &world.acme.admin,
            "enrollment.setNotes",
            json!({ "enrollmentId": "<peer's>", "notes": "x", "version": 5 }),
        ),
        (&world.acme.admin, "enrollment.promote", json!({ "enrollmentId": "<waiting>" })),
        (&service, "enrollment.complete", json!({ "enrollmentId": "<peer's>", "score": 90 })),
        (
            &world.acme.admin,
            "enrollment.revoke",
            json!({ "enrollmentId": "<peer's>", "reason": "so decided" }),
        ),
        (&service, "enrollment.expire", json!({ "enrollmentId": "<ending>" })),
        (&world.acme.admin, "cohort.create", json!({ "name": "second" })),
        (&world.acme.admin, "cohort.attachCourse", json!({ "cohortId": "<cohort>", "courseId": "<second>" })),
        (&world.acme.admin, "cohort.addMembers", json!({ "cohortId": "<cohort>", "userIds": ["<learner>"] })),
        (&world.acme.admin, "cohort.sync", json!({ "cohortId": "<cohort>" })),
        (
            &world.acme.admin,
            "cohort.removeMembers",
            json!({ "cohortId": "<cohort>", "userIds": ["<learner>"] }),
        ),
        (&world.acme.admin, "cohort.detachCourse", json!({ "cohortId": "<cohort>", "courseId": "<second>" })),
        (&world.acme.admin, "member.suspend", json!({ "userId": "<author>" })),
        (&world.acme.admin, "member.resume", json!({ "userId": "<author>" })),
        (&world.acme.admin, "member.end", json!({ "userId": "<author>" })),
        (&world.acme.admin, "user.anonymize", json!({ "userId": "<author>" })),
        (&world.global_admin, "organization.update", json!({ "name": "Acme Ltd" })),
        (&world.acme.admin, "member.provision", json!({ "subject": "new" })),
        (&world.acme.admin, "member.setRole", json!({ "userId": "<peer>", "role": "author" })),
        (&world.global_admin, "organization.create", json!({ "slug": "initech", "name": "Initech" })),
        (&world.acme.admin, "webhook.create", address),
        (
            &world.acme.admin,
            "webhook.redeliver",
            json!({ "webhookId": "<webhook>", "eventId": "0000000000000001" }),
        ),
        (&world.acme.admin, "webhook.delete", json!({ "webhookId": "<webhook>" })),
        (
            &world.global_admin,
            "organization.setIdentityProvider",
            json!({ "issuer": "https://idp.example", "audience": "rollbook" }),
        ),
        (
            &world.global_admin,
            "organization.removeIdentityProvider",
            json!({ "issuer": "https://idp.example" }),
        ),
        (&world.acme.admin, "serviceToken.create", integration),
        (&world.acme.admin, "serviceToken.revoke", json!({ "serviceTokenId": "<token>" })),
    ];
    for (actor, path, input) in &calls {
        let input = keyed("the key", input.clone());
        let invalid = world.call(actor, path, input.clone()).await.expect_err("a blank is not visible");
        assert_eq!(invalid["data"]["reason"]["field"], "idempotencyKey");
        let input = keyed("the-key", input);
        let mut first =
            world.call(actor, path, input.clone()).await.unwrap_or_else(|error| panic!("{path}: {error:#}"));
        // A secret is told once.
        if let Some(secret) = first.get_mut("secret") {
            *secret = Value::Null;
        }
        let contents = world.contents().await;
        assert_eq!(world.call(actor, path, input.clone()).await, Ok(first), "{path}");
        assert_eq!(world.contents().await, contents, "{path}");
    }
    let mutations = router().iter().filter(|procedure| procedure.kind == procedures::router::Kind::Mutation);
    let missing: Vec<_> =
        mutations.filter(|procedure| calls.iter().all(|(_, path, _)| *path != procedure.path)).collect();
    assert!(missing.is_empty(), "add a call of {}", missing[0].path);
}
