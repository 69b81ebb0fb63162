//! `cohort.list`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::{cohort, made, refused_to_others};
use crate::answers::{each, last_page};

on_both![in_the_order_of_their_making, by_name, page_by_page, a_cursor_of_another_list, by_whom];

const LIST: &str = "cohort.list";

async fn in_the_order_of_their_making(world: World) {
    world.course("course", json!({})).await;
    made(&world, "cohort", json!({ "userIds": ["<learner>", "<peer>"], "courseIds": ["<course>"] })).await;
    world.call(&world.globex.admin, "cohort.create", json!({ "name": "theirs" })).await.unwrap();
    made(&world, "another", json!({})).await;
    let answer = world.ok(&world.acme.coordinator, LIST, json!({})).await;
    let first = json!({ "memberCount": 2, "courseIds": ["<course>"] });
    let second = json!({ "id": "<another>", "name": "another", "createdAt": "<t2>" });
    expect(&answer, &last_page([cohort(first), cohort(second)]));
}

async fn by_name(world: World) {
    for name in ["Spring 2030", "Autumn 100%", "Über_uns"] {
        made(&world, name, json!({})).await;
    }
    for (search, expected) in [
        ("sPRING", vec!["Spring 2030"]),
        ("n", vec!["Spring 2030", "Autumn 100%", "Über_uns"]),
        ("0%", vec!["Autumn 100%"]),
        ("_", vec!["Über_uns"]),
        ("über", vec!["Über_uns"]),
        ("winter", vec![]),
    ] {
        let answer = world.ok(&world.acme.admin, LIST, json!({ "search": search })).await;
        assert_eq!(each(&answer, "name"), expected, "{search}");
    }
}

/// A walk sees each cohort once, whatever is made meanwhile.
async fn page_by_page(world: World) {
    for number in 0..3 {
        made(&world, &format!("cohort {number}"), json!({})).await;
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for number in 3.. {
        let page = world.ok(&world.acme.admin, LIST, json!({ "limit": 2, "cursor": cursor })).await;
        seen.extend(each(&page, "name"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        made(&world, &format!("cohort {number}"), json!({})).await;
    }
    assert_eq!(seen, ["cohort 0", "cohort 1", "cohort 2", "cohort 3"]);
}

async fn a_cursor_of_another_list(world: World) {
    let error = world.refused(&world.acme.admin, LIST, json!({ "cursor": "0000000000000001" })).await;
    let reason = json!({ "type": "invalidInput", "field": "cursor", "problem": "not a cursor of this list" });
    expect(&error, &refusal(LIST, "BAD_REQUEST", reason));
}

async fn by_whom(world: World) {
    made(&world, "cohort", json!({})).await;
    refused_to_others(&world, LIST, &json!({})).await;
    let service = world.service(&[Scope::CohortsWrite]).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &service] {
        expect(&world.ok(actor, LIST, json!({})).await, &last_page([cohort(json!({}))]));
    }
}
