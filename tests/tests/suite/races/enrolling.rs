//! Enrolling and leaving: seats, histories, event numbers, counters.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{World, on_both};

use super::{ENROLL, UNENROLL, consistent, learners, race, refusals};
use crate::answers::each;

on_both![
    one_learner_fifty_times,
    the_last_seat,
    seats_of_two_courses,
    enrolling_and_unenrolling,
    event_numbers_have_no_gap,
    edits_and_enrollments,
];

async fn one_learner_fifty_times(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    let call = (world.acme.learner.clone(), ENROLL, json!({ "courseId": "<course>" }));
    let answers = race(&world, vec![call; 50]).await;
    let enrolled: Vec<&Value> = answers.iter().flatten().collect();
    assert_eq!(enrolled.len(), 1, "{answers:#?}");
    let reason =
        json!({ "type": "alreadyEnrolled", "enrollmentId": enrolled[0]["id"], "status": "enrolled" });
    assert_eq!(refusals(&answers, ENROLL, "CONFLICT", &reason).len(), 49);
    let contents = world.contents().await;
    let rows = ["course_enrollments", "module_enrollments", "events"].map(|table| contents[table].len());
    assert_eq!(rows, [1, 1, 1]);
    consistent(&world).await;
}

async fn the_last_seat(world: World) {
    world.course("course", json!({ "capacity": 3, "waitlist": false })).await;
    world.enrolled(&world.acme.peer, "<course>", "first").await;
    world.enrolled(&world.acme.author, "<course>", "second").await;
    let mut calls = Vec::new();
    for (learner, _) in learners(&world, "learner", 100).await {
        calls.push((learner, ENROLL, json!({ "courseId": "<course>" })));
    }
    let answers = race(&world, calls).await;
    assert_eq!(answers.iter().flatten().count(), 1);
    let reason = json!({ "type": "courseFull", "capacity": 3 });
    assert_eq!(refusals(&answers, ENROLL, "PRECONDITION_FAILED", &reason).len(), 99);
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    assert_eq!([&count["enrolled"], &count["seatsTaken"], &count["overBy"]], [3, 3, 0]);
    consistent(&world).await;
}

/// Courses are independent; what they share is the organization's log.
async fn seats_of_two_courses(world: World) {
    world.course("course", json!({ "capacity": 10, "waitlist": false })).await;
    world.course("other", json!({ "capacity": 10, "waitlist": false })).await;
    let mut calls = Vec::new();
    for (learner, _) in learners(&world, "learner", 30).await {
        for course in ["<course>", "<other>"] {
            calls.push((learner.clone(), ENROLL, json!({ "courseId": course })));
        }
    }
    let answers = race(&world, calls).await;
    assert_eq!(answers.iter().flatten().count(), 20);
    let reason = json!({ "type": "courseFull", "capacity": 10 });
    assert_eq!(refusals(&answers, ENROLL, "PRECONDITION_FAILED", &reason).len(), 40);
    consistent(&world).await;
}

/// Each change is one that the status before allowed.
async fn enrolling_and_unenrolling(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.module("<course>", "module").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let mut calls = Vec::new();
    for path in [UNENROLL, ENROLL].repeat(20) {
        calls.push((world.acme.learner.clone(), path, json!({ "courseId": "<course>" })));
    }
    let answers = race(&world, calls).await;
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(error["data"]["code"], "CONFLICT", "{error:#}");
    }
    let input = json!({ "enrollmentId": "<enrollment>", "limit": 200 });
    let history = world.ok(&world.acme.learner, "enrollment.history", input).await;
    let kinds = each(&history, "kind");
    assert_eq!(kinds[0], "enrolled");
    for (place, kind) in kinds.iter().enumerate().skip(1) {
        assert_eq!(kind, if place % 2 == 1 { "cancelled" } else { "reactivated" }, "{kinds:?}");
    }
    let enrollment =
        world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<enrollment>" })).await;
    let open = kinds.len() % 2 == 1;
    assert_eq!(enrollment["status"], if open { "enrolled" } else { "cancelled" });
    assert_eq!(
        (&enrollment["version"], &enrollment["attempt"]),
        (&json!(kinds.len()), &json!(kinds.len().div_ceil(2)))
    );
    assert_eq!(answers.iter().flatten().count(), kinds.len() - 1);
    let input = json!({ "enrollmentId": "<enrollment>" });
    let modules = world.ok(&world.acme.learner, "module.listByEnrollment", input).await;
    assert_eq!(modules[0]["softDeleted"], !open);
    consistent(&world).await;
}

async fn event_numbers_have_no_gap(world: World) {
    let mut calls = Vec::new();
    for course in 0..4 {
        // Every other call is refused, which takes no number.
        let capacity = if course % 2 == 0 { json!(null) } else { json!(0) };
        let fields = json!({ "capacity": capacity, "waitlist": false });
        world.course(&format!("course {course}"), fields).await;
    }
    for (learner, _) in learners(&world, "learner", 15).await {
        for course in 0..4 {
            calls.push((learner.clone(), ENROLL, json!({ "courseId": format!("<course {course}>") })));
        }
    }
    let answers = race(&world, calls).await;
    assert_eq!(answers.iter().flatten().count(), 30);
    let mut numbers = BTreeSet::new();
    for enrolled in answers.iter().flatten() {
        let input = json!({ "enrollmentId": enrolled["id"] });
        let history = world.call(&world.acme.admin, "enrollment.history", input).await.unwrap();
        numbers
            .extend(each(&history, "id").into_iter().map(|id| id.as_str().unwrap().parse::<u32>().unwrap()));
    }
    assert_eq!(numbers, (1..=30).collect());
}

/// An edit of a course and the counters of its enrollments do not overwrite each other.
async fn edits_and_enrollments(world: World) {
    world.course("course", json!({})).await;
    let mut calls = Vec::new();
    for (number, (learner, _)) in (0..).zip(learners(&world, "learner", 20).await) {
        calls.push((learner, ENROLL, json!({ "courseId": "<course>" })));
        let module = json!({ "courseId": "<course>", "title": format!("module {number}"), "kind": "lesson" });
        calls.push((world.acme.admin.clone(), "course.addModule", module));
    }
    for answer in race(&world, calls).await {
        answer.expect("no reason to refuse");
    }
    let course = world.ok(&world.acme.admin, "course.get", json!({ "courseId": "<course>" })).await;
    assert_eq!((&course["seatsTaken"], &course["modulesTotal"]), (&json!(20), &json!(20)));
    consistent(&world).await;
}
