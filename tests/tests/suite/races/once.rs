//! What happens once, however often it is asked for at the same time.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{World, on_both};

use super::{ENROLL, consistent, race, refusals};

on_both![
    one_key_twenty_times,
    a_key_of_a_procedure_without_enrollments,
    one_first_sign_in,
    one_edit_wins,
    one_new_slug,
    one_new_member,
];

async fn one_key_twenty_times(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>", "idempotencyKey": "k" });
    let answers = race(&world, vec![(world.acme.learner.clone(), ENROLL, input.clone()); 20]).await;
    let kept: BTreeSet<String> = answers.iter().flatten().map(Value::to_string).collect();
    assert_eq!(kept.len(), 1, "{answers:#?}");
    refusals(&answers, ENROLL, "CONFLICT", &json!({ "type": "keyInFlight" }));
    let contents = world.contents().await;
    assert_eq!((contents["course_enrollments"].len(), contents["events"].len()), (1, 1));
    let later = world.call(&world.acme.learner, ENROLL, input).await.unwrap();
    assert_eq!(kept, BTreeSet::from([later.to_string()]));
    consistent(&world).await;
}

async fn a_key_of_a_procedure_without_enrollments(world: World) {
    let input = json!({ "title": "only one", "idempotencyKey": "k" });
    let answers = race(&world, vec![(world.acme.admin.clone(), "course.create", input); 20]).await;
    let kept: BTreeSet<String> = answers.iter().flatten().map(Value::to_string).collect();
    assert_eq!(kept.len(), 1, "{answers:#?}");
    refusals(&answers, "course.create", "CONFLICT", &json!({ "type": "keyInFlight" }));
    assert_eq!(world.contents().await["courses"].len(), 1);
}

async fn one_first_sign_in(world: World) {
    let stranger = world.acme.stranger("newcomer");
    let answers = race(&world, vec![(stranger, "session.me", json!({})); 20]).await;
    let people: BTreeSet<String> =
        answers.iter().map(|answer| answer.as_ref().expect("signed in")["userId"].to_string()).collect();
    assert_eq!(people.len(), 1);
    let identities = &world.contents().await["identities"];
    assert_eq!(identities.iter().filter(|row| row.contains("newcomer")).count(), 1);
    let users = &world.contents().await["users"];
    assert_eq!(users.len(), 12, "{users:#?}");
}

async fn one_edit_wins(world: World) {
    world.course("course", json!({})).await;
    let edit = |capacity: usize| json!({ "courseId": "<course>", "version": 2, "capacity": capacity });
    let calls = (0..20).map(|capacity| (world.acme.admin.clone(), "course.update", edit(capacity)));
    let answers = race(&world, calls).await;
    let won: Vec<&Value> = answers.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    let reason = json!({ "type": "versionMismatch", "current": 3 });
    assert_eq!(refusals(&answers, "course.update", "CONFLICT", &reason).len(), 19);
    let course =
        world.call(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await.unwrap();
    assert_eq!(&course, won[0]);
}

async fn one_new_slug(world: World) {
    let input = json!({ "slug": "initech", "name": "Initech" });
    let answers = race(&world, vec![(world.global_admin.clone(), "organization.create", input); 20]).await;
    assert_eq!(answers.iter().flatten().count(), 1, "{answers:#?}");
    refusals(&answers, "organization.create", "CONFLICT", &json!({ "type": "slugTaken" }));
}

async fn one_new_member(world: World) {
    let input = json!({ "subject": "newcomer", "displayName": "New Comer" });
    let answers = race(&world, vec![(world.acme.admin.clone(), "member.provision", input); 20]).await;
    let people: BTreeSet<String> =
        answers.iter().map(|answer| answer.as_ref().expect("provisioned").to_string()).collect();
    assert_eq!(people.len(), 1);
}
