//! `user.anonymize`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, merged, on_both, refusal};

use crate::answers::{audited, each};

on_both![
    names_and_notes_go_and_records_stay,
    twice,
    kept_answers_that_speak_of_them_are_forgotten,
    a_suspended_or_ended_member,
    a_member_of_two_organizations,
    under_a_key,
    by_whom,
    unknown_and_foreign,
];

const ANONYMIZE: &str = "user.anonymize";

fn learner() -> Value {
    json!({ "userId": "<learner>" })
}

/// A coordinator enrolls the learner, with a note.
async fn noted(world: &World, course: &str) -> Value {
    let input = json!({ "courseId": course, "userId": "<learner>", "notes": "prefers mornings" });
    world.ok(&world.acme.coordinator, "enrollment.enroll", input).await
}

async fn read(world: &World, enrollment: &Value) -> Value {
    world.ok(&world.acme.admin, "enrollment.get", json!({ "enrollmentId": enrollment })).await
}

/// D24: each note that goes is an event. Reasons stay in the log, which nothing rewrites.
async fn names_and_notes_go_and_records_stay(world: World) {
    for course in ["course", "left", "other"] {
        world.course(course, json!({})).await;
    }
    let input = json!({ "subject": "learner", "email": "learner@example.com" });
    let known = world.ok(&world.acme.admin, "member.provision", input).await;
    assert_eq!([&known["displayName"], &known["email"]], ["learner", "learner@example.com"]);
    let enrolled = noted(&world, "<course>").await;
    noted(&world, "<left>").await;
    let input = json!({ "courseId": "<left>", "userId": "<learner>", "reason": "moved away" });
    let left = world.ok(&world.acme.admin, "enrollment.unenroll", input).await;
    world.enrolled(&world.acme.learner, "<other>", "without notes").await;
    let without_notes = read(&world, &json!("<without notes>")).await;

    let answer = world.ok(&world.acme.admin, ANONYMIZE, learner()).await;
    expect(&answer, &json!({}));
    let member = world.ok(&world.acme.admin, "member.get", learner()).await;
    expect(&member, &merged(known, json!({ "displayName": null, "email": null })));
    for (before, kinds) in
        [(enrolled, vec!["enrolled", "notesSet"]), (left, vec!["enrolled", "cancelled", "notesSet"])]
    {
        assert_eq!(before["notes"], "prefers mornings");
        let after = read(&world, &before["id"]).await;
        assert_ne!(after["updatedAt"], before["updatedAt"]);
        let version = before["version"].as_i64().unwrap() + 1;
        let expected = json!({ "notes": null, "version": version, "updatedAt": after["updatedAt"] });
        expect(&after, &merged(before, expected));

        let input = json!({ "enrollmentId": after["id"] });
        let history = world.ok(&world.acme.admin, "enrollment.history", input).await;
        assert_eq!(each(&history, "kind"), kinds);
        let last = history["items"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["at"], &last["data"]), (&after["updatedAt"], &audited(json!({}))));
        assert_eq!(last["actor"], json!({ "kind": "user", "id": "<admin>" }));
        if kinds.len() == 3 {
            assert_eq!(history["items"][1]["data"]["reason"], "moved away");
        }
    }
    expect(&read(&world, &json!("<without notes>")).await, &without_notes);

    let roster =
        world.ok(&world.acme.admin, "enrollment.listByCourse", json!({ "courseId": "<other>" })).await;
    assert_eq!(each(&roster, "user"), [json!({ "id": "<learner>", "displayName": null })]);
    // They are who they were, to themselves too.
    let session = world.ok(&world.acme.learner, "session.me", json!({})).await;
    assert_eq!((&session["userId"], &session["displayName"]), (&json!("<learner>"), &json!(null)));
}

async fn twice(world: World) {
    world.course("course", json!({})).await;
    noted(&world, "<course>").await;
    world.ok(&world.acme.admin, ANONYMIZE, learner()).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, ANONYMIZE, learner()).await, &json!({}));
    assert_eq!(world.contents().await, before);
}

/// A repeated call tells nothing that was stripped: it is decided anew. Others' answers are kept.
async fn kept_answers_that_speak_of_them_are_forgotten(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "subject": "learner", "email": "learner@example.com", "idempotencyKey": "k" });
    world.ok(&world.acme.admin, "member.provision", input).await;
    let enroll = |user: &str, time: &str| {
        let mut input = json!({ "courseId": "<course>", "userId": user, "idempotencyKey": time });
        input["notes"] = format!("prefers {time}").into();
        input
    };
    let (of_learner, of_peer) = (enroll("<learner>", "mornings"), enroll("<peer>", "evenings"));
    let forgotten = world.ok(&world.acme.coordinator, "enrollment.enroll", of_learner.clone()).await;
    let kept = world.ok(&world.acme.coordinator, "enrollment.enroll", of_peer.clone()).await;
    let tells = async |text: &str| {
        world.contents().await["idempotency_records"].iter().filter(|row| row.contains(text)).count()
    };
    for text in ["learner@example.com", "prefers mornings", "prefers evenings"] {
        assert_eq!(tells(text).await, 1, "{text}");
    }

    world.ok(&world.acme.admin, ANONYMIZE, learner()).await;
    for (text, records) in [("learner@example.com", 0), ("prefers mornings", 0), ("prefers evenings", 1)] {
        assert_eq!(tells(text).await, records, "{text}");
    }
    let error = world.refused(&world.acme.coordinator, "enrollment.enroll", of_learner).await;
    let reason = json!({ "type": "alreadyEnrolled", "enrollmentId": forgotten["id"], "status": "enrolled" });
    expect(&error, &refusal("enrollment.enroll", "CONFLICT", reason));
    expect(&world.ok(&world.acme.coordinator, "enrollment.enroll", of_peer).await, &kept);
}

async fn a_suspended_or_ended_member(world: World) {
    for (change, user) in [("suspend", "<learner>"), ("end", "<peer>")] {
        world.membership(change, user).await;
        let before = world.ok(&world.acme.admin, "member.get", json!({ "userId": user })).await;
        world.ok(&world.acme.admin, ANONYMIZE, json!({ "userId": user })).await;
        let after = world.ok(&world.acme.admin, "member.get", json!({ "userId": user })).await;
        assert_ne!(before["displayName"], json!(null));
        expect(&after, &merged(before, json!({ "displayName": null })));
    }
}

/// The name is everybody's, so none of the two takes it away alone; each has its own notes.
async fn a_member_of_two_organizations(world: World) {
    world.course("course", json!({})).await;
    world.course_in(&world.globex, "theirs", json!({})).await;
    let learner_id = world.id_literal("<learner>");
    let joins = format!(
        "INSERT INTO memberships (organization_id, user_id, role, status, created_at, updated_at) \
         SELECT organizations.id, user_id, role, status, memberships.created_at, updated_at \
         FROM memberships, organizations WHERE user_id = {learner_id} AND slug = 'globex'"
    );
    assert_eq!(world.sql(&joins).await, Ok(1));
    let here = noted(&world, "<course>").await;
    let input = json!({ "courseId": "<theirs>", "userId": "<learner>", "notes": "prefers evenings" });
    let there = world.ok(&world.globex.admin, "enrollment.enroll", input).await;
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&world.acme.admin, &world.globex.admin, &service] {
        let error = world.refused(actor, ANONYMIZE, learner()).await;
        expect(&error, &refusal(ANONYMIZE, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }

    let notes_there = async || {
        let input = json!({ "enrollmentId": there["id"] });
        world.ok(&world.globex.admin, "enrollment.get", input).await["notes"].clone()
    };
    world.ok(&world.global_admin, ANONYMIZE, learner()).await;
    for admin in [&world.acme.admin, &world.globex.admin] {
        let member = world.ok(admin, "member.get", learner()).await;
        assert_eq!(member["displayName"], json!(null));
    }
    assert_eq!(read(&world, &here["id"]).await["notes"], json!(null));
    assert_eq!(notes_there().await, "prefers evenings");
    let in_globex = world.global_admin.choosing(&world.globex.id);
    world.ok(&in_globex, ANONYMIZE, learner()).await;
    assert_eq!(notes_there().await, json!(null));
}

async fn under_a_key(world: World) {
    let input = json!({ "userId": "<learner>", "idempotencyKey": "k" });
    world.ok(&world.acme.admin, ANONYMIZE, input.clone()).await;
    let again = json!({ "subject": "learner", "displayName": "Learner" });
    world.ok(&world.acme.admin, "member.provision", again).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, ANONYMIZE, input.clone()).await, &json!({}));
    assert_eq!(world.contents().await, before);
    let other = merged(input, json!({ "userId": "<peer>" }));
    let error = world.refused(&world.acme.admin, ANONYMIZE, other).await;
    expect(&error, &refusal(ANONYMIZE, "UNPROCESSABLE_CONTENT", json!(null)));
}

async fn by_whom(world: World) {
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, ANONYMIZE, json!({ "userId": user })).await;
            expect(&error, &refusal(ANONYMIZE, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, ANONYMIZE, learner()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(ANONYMIZE, "FORBIDDEN", reason));
    let service = world.service(&[Scope::MembersWrite]).await;
    for (actor, user) in
        [(&world.acme.admin, "<learner>"), (&world.global_admin, "<peer>"), (&service, "<author>")]
    {
        expect(&world.ok(actor, ANONYMIZE, json!({ "userId": user })).await, &json!({}));
        let member = world.ok(&world.acme.admin, "member.get", json!({ "userId": user })).await;
        assert_eq!(member["displayName"], json!(null));
    }
}

/// D17.
async fn unknown_and_foreign(world: World) {
    for actor in [&world.acme.admin, &world.global_admin] {
        for user in ["<globex learner>", "<global admin>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, ANONYMIZE, json!({ "userId": user })).await;
            expect(&error, &refusal(ANONYMIZE, "NOT_FOUND", json!(null)));
        }
    }
}
