//! No call reads or changes what belongs to another organization, and none tells that it exists.

use std::collections::BTreeSet;

use procedures::describe::openrpc;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, on_both, router};

on_both![
    foreign_and_unknown_answer_alike,
    lists_keep_to_their_organization,
    the_course_says_which_organization
];

/// Stands in an input for the id of a thing of globex, or of nobody's.
const ID: &str = "?";

/// Calls that name a thing by an id, and what that is in globex. Whoever may make such a call is told NOT_FOUND.
fn not_found() -> Vec<(&'static str, Value, &'static str)> {
    let course = "<foreign course>";
    let enrollment = "<foreign enrollment>";
    let module = "<foreign module>";
    let certificate = "<foreign certificate>";
    let cohort = "<foreign cohort>";
    let user = "<globex learner>";
    let webhook = "<foreign webhook>";
    let service_token = "<foreign service token>";
    vec![
        ("certificate.get", json!({ "certificateId": ID }), certificate),
        ("cohort.addMembers", json!({ "cohortId": ID, "userIds": ["<learner>"] }), cohort),
        ("cohort.addMembers", json!({ "cohortId": "<cohort>", "userIds": ["<learner>", ID] }), user),
        ("cohort.attachCourse", json!({ "cohortId": ID, "courseId": "<course>" }), cohort),
        ("cohort.attachCourse", json!({ "cohortId": "<cohort>", "courseId": ID }), course),
        ("cohort.create", json!({ "name": "new", "userIds": [ID] }), user),
        ("cohort.create", json!({ "name": "new", "courseIds": ["<course>", ID] }), course),
        ("cohort.detachCourse", json!({ "cohortId": ID, "courseId": "<course>" }), cohort),
        ("cohort.detachCourse", json!({ "cohortId": "<cohort>", "courseId": ID }), course),
        ("cohort.get", json!({ "cohortId": ID }), cohort),
        ("cohort.removeMembers", json!({ "cohortId": ID, "userIds": ["<learner>"] }), cohort),
        ("cohort.removeMembers", json!({ "cohortId": "<cohort>", "userIds": [ID] }), user),
        ("cohort.sync", json!({ "cohortId": ID }), cohort),
        ("course.addModule", json!({ "courseId": ID, "title": "new", "kind": "quiz" }), course),
        ("course.archive", json!({ "courseId": ID }), course),
        ("course.get", json!({ "courseId": ID }), course),
        ("course.publish", json!({ "courseId": ID }), course),
        ("course.retireModule", json!({ "moduleId": ID }), module),
        ("course.unpublish", json!({ "courseId": ID }), course),
        ("course.update", json!({ "courseId": ID, "version": 2 }), course),
        ("course.updateModule", json!({ "moduleId": ID, "title": "new" }), module),
        ("enrollment.check", json!({ "action": "enroll", "courseId": ID }), course),
        ("enrollment.check", json!({ "action": "enroll", "courseId": ID, "userId": "<peer>" }), course),
        ("enrollment.check", json!({ "action": "enroll", "courseId": "<course>", "userId": ID }), user),
        ("enrollment.check", json!({ "action": "unenroll", "courseId": ID, "userId": "<peer>" }), course),
        ("enrollment.check", json!({ "action": "unenroll", "courseId": "<course>", "userId": ID }), user),
        ("enrollment.check", json!({ "action": "revoke", "courseId": ID, "userId": "<peer>" }), course),
        ("enrollment.check", json!({ "action": "revoke", "courseId": "<course>", "userId": ID }), user),
        ("enrollment.complete", json!({ "enrollmentId": ID, "waiveReason": "so decided" }), enrollment),
        ("enrollment.complete", json!({ "enrollmentId": ID, "score": 80 }), enrollment),
        ("enrollment.count", json!({ "courseId": ID }), course),
        ("enrollment.enroll", json!({ "courseId": ID }), course),
        ("enrollment.enroll", json!({ "courseId": ID, "userId": "<peer>" }), course),
        ("enrollment.enroll", json!({ "courseId": ID, "userId": "<globex learner>" }), course),
        ("enrollment.enroll", json!({ "courseId": "<course>", "userId": ID }), user),
        ("enrollment.enrollMany", json!({ "items": [{ "courseId": ID, "userId": "<learner>" }] }), course),
        ("enrollment.enrollMany", json!({ "items": [{ "courseId": "<course>", "userId": ID }] }), user),
        ("enrollment.expire", json!({ "enrollmentId": ID }), enrollment),
        ("enrollment.get", json!({ "enrollmentId": ID }), enrollment),
        ("enrollment.history", json!({ "enrollmentId": ID }), enrollment),
        ("enrollment.listByCourse", json!({ "courseId": ID }), course),
        ("enrollment.listByOrganization", json!({ "courseId": ID }), course),
        ("enrollment.promote", json!({ "enrollmentId": ID }), enrollment),
        ("enrollment.revoke", json!({ "enrollmentId": ID, "reason": "so decided" }), enrollment),
        ("enrollment.setNotes", json!({ "enrollmentId": ID, "notes": "noted", "version": 1 }), enrollment),
        ("enrollment.unenroll", json!({ "courseId": ID }), course),
        ("enrollment.unenroll", json!({ "courseId": ID, "userId": "<learner>" }), course),
        ("enrollment.unenroll", json!({ "courseId": ID, "userId": "<globex learner>" }), course),
        ("enrollment.unenroll", json!({ "courseId": "<course>", "userId": ID }), user),
        ("member.end", json!({ "userId": ID }), user),
        ("member.get", json!({ "userId": ID }), user),
        ("member.resume", json!({ "userId": ID }), user),
        ("member.setRole", json!({ "userId": ID, "role": "admin" }), user),
        ("member.suspend", json!({ "userId": ID }), user),
        ("module.assign", json!({ "enrollmentId": ID, "moduleId": "<module>" }), enrollment),
        ("module.assign", json!({ "enrollmentId": "<enrollment>", "moduleId": ID }), module),
        ("module.complete", json!({ "enrollmentId": ID, "moduleId": "<module>" }), enrollment),
        ("module.complete", json!({ "enrollmentId": "<enrollment>", "moduleId": ID }), module),
        ("module.drift", json!({ "courseId": ID }), course),
        ("module.listByEnrollment", json!({ "enrollmentId": ID }), enrollment),
        ("module.start", json!({ "enrollmentId": ID, "moduleId": "<module>" }), enrollment),
        ("module.start", json!({ "enrollmentId": "<enrollment>", "moduleId": ID }), module),
        ("module.unassign", json!({ "enrollmentId": ID, "moduleId": "<module>" }), enrollment),
        ("module.unassign", json!({ "enrollmentId": "<enrollment>", "moduleId": ID }), module),
        ("organization.get", json!({ "organizationId": ID }), "<globex>"),
        ("organization.removeIdentityProvider", json!({ "issuer": ID }), "<foreign issuer>"),
        ("serviceToken.revoke", json!({ "serviceTokenId": ID }), service_token),
        ("user.anonymize", json!({ "userId": ID }), user),
        ("webhook.delete", json!({ "webhookId": ID }), webhook),
        ("webhook.redeliver", json!({ "webhookId": ID, "eventId": "0000000000000001" }), webhook),
    ]
}

/// The same where the answer is no refusal, or is one of the input; and a part of it.
fn otherwise() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let course = "<foreign course>";
    let user = "<globex learner>";
    let none = r#""items":[]"#;
    let no_author = "not a member of the organization";
    vec![
        ("certificate.listByUser", json!({ "userId": ID }), user, none),
        ("course.create", json!({ "title": "new", "authorIds": [ID] }), user, no_author),
        (
            "course.update",
            json!({ "courseId": "<course>", "version": 2, "authorIds": [ID] }),
            user,
            no_author,
        ),
        ("enrollment.access", json!({ "courseId": ID }), course, "notEnrolled"),
        ("enrollment.access", json!({ "courseId": ID, "userId": "<peer>" }), course, "notEnrolled"),
        ("enrollment.access", json!({ "courseId": "<foreign course>", "userId": ID }), user, "notAMember"),
        ("enrollment.find", json!({ "courseId": ID }), course, "null"),
        ("enrollment.find", json!({ "courseId": ID, "userId": "<peer>" }), course, "null"),
        ("enrollment.find", json!({ "courseId": "<foreign course>", "userId": ID }), user, "null"),
        ("enrollment.listByUser", json!({ "userId": ID }), user, none),
        ("enrollment.onChange", json!({ "courseId": ID }), course, "true"),
        ("enrollment.onChange", json!({ "userId": ID }), user, "true"),
    ]
}

/// D17: byte for byte. Every input names the thing of globex, or nobody's, at the same place.
async fn foreign_and_unknown_answer_alike(world: World) {
    furnish(&world).await;
    let service = world.service(Scope::ALL).await;
    let acme = &world.acme;
    let actors = [&acme.learner, &acme.author, &acme.coordinator, &acme.admin, &world.global_admin, &service];
    let not_found = not_found().into_iter();
    let not_found = not_found.map(|(path, input, foreign)| (path, input, foreign, r#""code":"NOT_FOUND""#));
    let before = world.contents().await;
    for (path, input, foreign, told) in not_found.chain(otherwise()) {
        let input = world.resolved(&input).to_string();
        let naming = |id: &str| input.replace(&format!("\"{ID}\""), &format!("\"{id}\""));
        let foreign = naming(&world.id(foreign));
        let unknown = naming("019a0000-0000-7000-8000-000000000000");
        let mut is_told = false;
        for actor in actors {
            let foreign = world.call_as_sent(actor, path, &foreign).await;
            let unknown = world.call_as_sent(actor, path, &unknown).await;
            assert_eq!(foreign, unknown, "{path} {input} as {actor:?}");
            let (Ok(answer) | Err(answer)) = unknown;
            is_told |= answer.contains(told);
        }
        assert!(is_told, "{path} {input} tells nobody {told}");
    }
    assert_eq!(world.contents().await, before);
}

/// One thing of each kind in acme, and in globex, where they are called foreign.
async fn furnish(world: &World) {
    world.name("foreign issuer", "https://issuer.example/globex");
    for (organization, foreign, user) in
        [(&world.acme, "", "<learner>"), (&world.globex, "foreign ", "<globex learner>")]
    {
        let named = async |path: &str, input: Value, name: &str| {
            let made = world.call(&organization.admin, path, input).await.unwrap();
            world.name(&format!("{foreign}{name}"), made["id"].as_str().unwrap());
        };
        let course = format!("<{foreign}course>");
        world.course_in(organization, &format!("{foreign}course"), json!({})).await;
        let module = json!({ "courseId": course, "title": "a lesson", "kind": "lesson" });
        named("course.addModule", module, "module").await;
        named("enrollment.enroll", json!({ "courseId": course, "userId": user }), "enrollment").await;
        named("cohort.create", json!({ "name": "a cohort", "userIds": [user] }), "cohort").await;

        let address = json!({ "url": "https://receiver.example/" });
        let made = world.call(&organization.admin, "webhook.create", address).await.unwrap();
        world.name(&format!("{foreign}webhook"), made["webhook"]["id"].as_str().unwrap());

        let service = json!({ "name": "a service", "scopes": ["events:read"] });
        let made = world.call(&organization.admin, "serviceToken.create", service).await.unwrap();
        world.name(&format!("{foreign}service token"), made["serviceToken"]["id"].as_str().unwrap());

        world.course_in(organization, &format!("{foreign}done"), json!({})).await;
        let done = json!({ "courseId": format!("<{foreign}done>"), "userId": user });
        named("enrollment.enroll", done, "completion").await;
        let complete = json!({
            "enrollmentId": format!("<{foreign}completion>"), "waiveReason": "so decided",
        });
        let completed = world.call(&organization.admin, "enrollment.complete", complete).await.unwrap();
        world.name(&format!("{foreign}certificate"), completed["certificateId"].as_str().unwrap());
    }
}

/// The fields of inputs that name a thing of an organization.
fn ids_taken() -> BTreeSet<(String, String)> {
    let is_id = |field: &str| field.ends_with("Id") || field.ends_with("Ids") || field == "items";
    let document = openrpc(router(), "0");
    let mut taken = BTreeSet::new();
    for method in document["methods"].as_array().expect("methods") {
        for param in method["params"].as_array().expect("params") {
            let [path, field] =
                [&method["name"], &param["name"]].map(|name| name.as_str().expect("a name").to_owned());
            // A provider is known by its issuer, which `organization.setIdentityProvider` makes known.
            let is_issuer = path == "organization.removeIdentityProvider" && field == "issuer";
            if is_id(&field) || is_issuer {
                taken.insert((path, field));
            }
        }
    }
    taken
}

/// D17: whatever procedure takes the id of a thing, by whatever field, is among the calls above.
#[test]
fn every_id_is_tried() {
    let calls = not_found().into_iter().map(|(path, input, _)| (path, input));
    let calls = calls.chain(otherwise().into_iter().map(|(path, input, ..)| (path, input)));
    let mut tried = BTreeSet::new();
    for (path, input) in calls {
        for (field, value) in input.as_object().expect("an input") {
            if value.to_string().contains(&format!("\"{ID}\"")) {
                tried.insert((path.to_owned(), field.clone()));
            }
        }
    }
    let excepted = [
        // The number of an event in the caller's own log.
        ("enrollment.onChange", "lastEventId"),
        ("webhook.redeliver", "eventId"),
    ];
    tried.extend(excepted.map(|(path, field)| (path.to_owned(), field.to_owned())));
    let taken = ids_taken();
    let untried: Vec<_> = taken.difference(&tried).collect();
    assert!(untried.is_empty(), "these name things, and no call above tries them: {untried:?}");
    let gone: Vec<_> = tried.difference(&taken).collect();
    assert!(gone.is_empty(), "no procedure takes these any more: {gone:?}");
}

/// Every list, after whatever cursor.
async fn lists_keep_to_their_organization(world: World) {
    furnish(&world).await;
    // A person of theirs who acts here has nothing of theirs with them.
    let input = json!({ "courseId": "<foreign done>", "userId": "<global admin>" });
    let enrolled = world.call(&world.globex.admin, "enrollment.enroll", input).await.unwrap();
    let input = json!({ "enrollmentId": enrolled["id"], "waiveReason": "so decided" });
    world.call(&world.globex.admin, "enrollment.complete", input).await.unwrap();

    let service = world.service(Scope::ALL).await;
    let theirs = [
        "<globex>",
        "<globex learner>",
        "<globex admin>",
        "<global admin>",
        "<foreign course>",
        "<foreign enrollment>",
        "<foreign certificate>",
        "<foreign cohort>",
    ];
    let theirs = theirs.map(|name| world.id(name));
    for actor in [&world.acme.admin, &world.global_admin, &service] {
        for (path, input, key) in [
            ("certificate.listByUser", json!({ "userId": "<learner>" }), "id"),
            ("cohort.list", json!({}), "id"),
            ("course.list", json!({}), "id"),
            ("enrollment.listByOrganization", json!({}), "id"),
            ("enrollment.listByUser", json!({ "userId": "<learner>" }), "id"),
            ("event.since", json!({}), "id"),
            ("member.list", json!({}), "userId"),
        ] {
            let page = world.call(actor, path, with(&input, "limit", json!(200))).await.unwrap();
            let text = page.to_string();
            let items = page["items"].as_array().unwrap();
            let Some(last) = items.last() else { panic!("{path} shows nothing of acme") };
            for item in items {
                assert_eq!(item["organizationId"], world.acme.id, "{path}");
            }
            for id in &theirs {
                assert!(!text.contains(id), "{path} shows {id}: {text}");
            }
            // What is theirs was made after what is ours.
            let after = world.call(actor, path, with(&input, "cursor", last[key].clone())).await.unwrap();
            assert_eq!(after["items"], json!([]), "{path}");
            // A cursor of another organization's list shows nothing of it either.
            if path != "event.since" {
                let cursor = json!(world.id("<globex admin>"));
                let after = world.call(actor, path, with(&input, "cursor", cursor)).await.unwrap();
                assert!(!theirs.iter().any(|id| after.to_string().contains(id)), "{path}: {after}");
            }
        }
    }
    for actor in [&world.acme.admin, &service] {
        for path in ["certificate.listByUser", "enrollment.listByUser"] {
            for user in ["<globex learner>", "<global admin>"] {
                let page = world.ok(actor, path, json!({ "userId": user })).await;
                assert_eq!(page, json!({ "items": [], "nextCursor": null }), "{path} {user}");
            }
        }
    }
}

fn with(input: &Value, field: &str, value: Value) -> Value {
    let mut input = input.clone();
    input[field] = value;
    input
}

/// D18: where a global admin acts is where the new row belongs.
async fn the_course_says_which_organization(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>" });
    let there = world.global_admin.choosing(&world.globex.id);
    let error = world.refused(&there, "enrollment.enroll", input.clone()).await;
    assert_eq!(error["data"]["code"], "NOT_FOUND");
    let enrolled = world.ok(&world.global_admin, "enrollment.enroll", input).await;
    assert_eq!(enrolled["organizationId"], "<acme>");
}
