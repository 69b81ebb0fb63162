//! No call reads or changes what belongs to another organization, and none tells that it exists.

use serde_json::{Value, json};
use tests::{World, on_both};

on_both![
    foreign_and_unknown_answer_alike,
    lists_keep_to_their_organization,
    the_course_says_which_organization
];

/// The input that names the thing with an id.
type InputOf<'a> = Box<dyn Fn(&str) -> Value + 'a>;

/// D17: byte for byte. Every input names the thing of globex, of acme, or nobody's at the same place.
async fn foreign_and_unknown_answer_alike(world: World) {
    let foreign_course = world.course_in(&world.globex, "foreign", json!({})).await;
    let foreign_enrollment = world.enrolled(&world.globex.learner, "<foreign>", "foreign enrollment").await;
    let input = json!({ "courseId": foreign_course, "title": "theirs", "kind": "lesson" });
    let foreign_module = world.call(&world.globex.admin, "course.addModule", input).await.unwrap();
    let foreign_module = foreign_module["id"].as_str().unwrap().to_owned();
    let foreign_user = world.id("<globex learner>");
    let own_course = world.course("course", json!({})).await;
    let unknown = "019a0000-0000-7000-8000-000000000000";

    let calls: Vec<(&str, InputOf, &str)> = vec![
        ("enrollment.enroll", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        ("enrollment.enroll", Box::new(|id| json!({ "courseId": own_course, "userId": id })), &foreign_user),
        (
            "enrollment.enroll",
            Box::new(|id| json!({ "courseId": id, "userId": foreign_user })),
            &foreign_course,
        ),
        ("enrollment.unenroll", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        (
            "enrollment.unenroll",
            Box::new(|id| json!({ "courseId": own_course, "userId": id })),
            &foreign_user,
        ),
        (
            "enrollment.unenroll",
            Box::new(|id| json!({ "courseId": id, "userId": foreign_user })),
            &foreign_course,
        ),
        ("enrollment.access", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        (
            "enrollment.access",
            Box::new(|id| json!({ "courseId": foreign_course, "userId": id })),
            &foreign_user,
        ),
        ("enrollment.find", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        (
            "enrollment.find",
            Box::new(|id| json!({ "courseId": foreign_course, "userId": id })),
            &foreign_user,
        ),
        ("enrollment.get", Box::new(|id| json!({ "enrollmentId": id })), &foreign_enrollment),
        ("enrollment.history", Box::new(|id| json!({ "enrollmentId": id })), &foreign_enrollment),
        ("enrollment.listByUser", Box::new(|id| json!({ "userId": id })), &foreign_user),
        ("enrollment.listByCourse", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        ("enrollment.count", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        ("module.listByEnrollment", Box::new(|id| json!({ "enrollmentId": id })), &foreign_enrollment),
        ("course.get", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        ("course.update", Box::new(|id| json!({ "courseId": id, "version": 2 })), &foreign_course),
        ("course.create", Box::new(|id| json!({ "title": "new", "authorIds": [id] })), &foreign_user),
        ("course.publish", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        ("course.unpublish", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        ("course.archive", Box::new(|id| json!({ "courseId": id })), &foreign_course),
        (
            "course.addModule",
            Box::new(|id| json!({ "courseId": id, "title": "new", "kind": "quiz" })),
            &foreign_course,
        ),
        ("course.updateModule", Box::new(|id| json!({ "moduleId": id, "title": "new" })), &foreign_module),
        ("course.retireModule", Box::new(|id| json!({ "moduleId": id })), &foreign_module),
        ("member.get", Box::new(|id| json!({ "userId": id })), &foreign_user),
        ("member.setRole", Box::new(|id| json!({ "userId": id, "role": "admin" })), &foreign_user),
        ("organization.get", Box::new(|id| json!({ "organizationId": id })), &world.globex.id),
    ];
    let acme = &world.acme;
    let actors = [&acme.learner, &acme.author, &acme.coordinator, &acme.admin, &world.global_admin];
    let before = world.contents().await;
    for (path, input, foreign) in &calls {
        for actor in actors {
            let foreign = world.call_as_sent(actor, path, &input(foreign).to_string()).await;
            let unknown = world.call_as_sent(actor, path, &input(unknown).to_string()).await;
            assert_eq!(foreign, unknown, "{path} as {actor:?}");
        }
    }
    assert_eq!(world.contents().await, before);
}

async fn lists_keep_to_their_organization(world: World) {
    world.course_in(&world.globex, "foreign", json!({})).await;
    world.enrolled(&world.globex.learner, "<foreign>", "foreign enrollment").await;
    for path in ["course.list", "member.list"] {
        let page = world.call(&world.acme.admin, path, json!({ "limit": 200 })).await.unwrap();
        for item in page["items"].as_array().unwrap() {
            assert_eq!(item["organizationId"], world.acme.id);
        }
        // A cursor of another organization's list shows nothing of it either.
        let input = json!({ "cursor": world.id("<globex admin>") });
        let page = world.call(&world.acme.admin, path, input).await.unwrap();
        assert_eq!(page["items"], json!([]), "{path}");
    }
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
