//! `course.list`

use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use crate::answers::{course, each, last_page};

on_both![
    an_organization_s_courses,
    what_learners_see,
    by_status,
    by_title,
    by_title_letter_for_letter,
    page_by_page,
    a_cursor_of_another_list,
];

const LIST: &str = "course.list";

async fn an_organization_s_courses(world: World) {
    world.draft_in(&world.acme, "course", json!({ "authorIds": ["<admin>", "<author>"] })).await;
    world.draft_in(&world.acme, "second", json!({})).await;
    world.course_in(&world.globex, "foreign", json!({})).await;
    let answer = world.ok(&world.acme.coordinator, LIST, json!({})).await;
    let second = json!({ "id": "<second>", "title": "second", "createdAt": "<t2>", "updatedAt": "<t2>" });
    let expected = last_page([course(json!({ "authorIds": ["<author>", "<admin>"] })), course(second)]);
    expect(&answer, &expected);
}

async fn what_learners_see(world: World) {
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.course("open", json!({})).await;
    world.course("mine", json!({})).await;
    world.enrolled(&world.acme.learner, "<mine>", "enrollment").await;
    world.ok(&world.acme.admin, "course.archive", json!({ "courseId": "<mine>" })).await;
    let seen = async |actor| each(&world.ok(actor, LIST, json!({})).await, "id");
    assert_eq!(seen(&world.acme.learner).await, ["<open>", "<mine>"]);
    assert_eq!(seen(&world.acme.peer).await, ["<open>"]);
    let service = world.service(&[]).await;
    for actor in
        [&world.acme.author, &world.acme.coordinator, &world.acme.admin, &world.global_admin, &service]
    {
        assert_eq!(seen(actor).await, ["<draft>", "<open>", "<mine>"]);
    }
}

async fn by_status(world: World) {
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.course("published", json!({})).await;
    world.course("archived", json!({})).await;
    world.ok(&world.acme.admin, "course.archive", json!({ "courseId": "<archived>" })).await;
    for status in ["draft", "published", "archived"] {
        let answer = world.ok(&world.acme.admin, LIST, json!({ "status": status })).await;
        assert_eq!(each(&answer, "title"), [status]);
    }
}

async fn by_title(world: World) {
    for title in ["Rust 101", "100% Go", "snake_case", "C:\\ drive"] {
        world.course(title, json!({})).await;
    }
    for (search, expected) in [
        ("rUsT", vec!["Rust 101"]),
        ("10", vec!["Rust 101", "100% Go"]),
        ("0%", vec!["100% Go"]),
        ("%", vec!["100% Go"]),
        ("e_c", vec!["snake_case"]),
        ("_", vec!["snake_case"]),
        ("\\", vec!["C:\\ drive"]),
        ("\\_", vec![]),
        ("python", vec![]),
    ] {
        let answer = world.ok(&world.acme.learner, LIST, json!({ "search": search })).await;
        assert_eq!(each(&answer, "title"), expected, "{search}");
    }
}

async fn by_title_letter_for_letter(world: World) {
    world.course("Über Ökologie", json!({})).await;
    for search in ["Über", "ökologie", "ÜBER Ö"] {
        let answer = world.ok(&world.acme.learner, LIST, json!({ "search": search })).await;
        assert_eq!(each(&answer, "title"), ["Über Ökologie"], "{search}");
    }
}

/// A walk sees each row once, whatever is added or changed meanwhile.
async fn page_by_page(world: World) {
    for number in 0..6 {
        world.course(&format!("course {number}"), json!({})).await;
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for added in 6.. {
        let page = world.ok(&world.acme.learner, LIST, json!({ "limit": 3, "cursor": cursor })).await;
        seen.extend(each(&page, "title"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        if added < 8 {
            world.course(&format!("course {added}"), json!({})).await;
            let seen_already = json!({ "courseId": format!("<course {}>", added - 6) });
            world.ok(&world.acme.admin, "course.archive", seen_already).await;
        }
    }
    let expected: Vec<_> = (0..8).map(|number| format!("course {number}")).collect();
    assert_eq!(seen, expected);
}

async fn a_cursor_of_another_list(world: World) {
    for cursor in ["", "0000000000000001", "not a cursor"] {
        let error = world.refused(&world.acme.learner, LIST, json!({ "cursor": cursor })).await;
        let reason =
            json!({ "type": "invalidInput", "field": "cursor", "problem": "not a cursor of this list" });
        expect(&error, &refusal(LIST, "BAD_REQUEST", reason));
    }
}
