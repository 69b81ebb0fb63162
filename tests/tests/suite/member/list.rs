//! `member.list`

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::member;
use crate::answers::{each, last_page};

on_both![in_the_order_of_their_coming, by_role_and_status, by_name_or_address, page_by_page, to_whom];

const LIST: &str = "member.list";

async fn in_the_order_of_their_coming(world: World) {
    let answer = world.ok(&world.acme.admin, LIST, json!({})).await;
    let people = [
        ("learner", "learner"),
        ("peer", "learner"),
        ("author", "author"),
        ("coordinator", "coordinator"),
        ("admin", "admin"),
    ];
    let expected = people.map(|(name, role)| {
        member(json!({ "userId": format!("<{name}>"), "displayName": name, "role": role }))
    });
    expect(&answer, &last_page(expected));
}

async fn by_role_and_status(world: World) {
    world.membership("suspend", "<peer>").await;
    world.membership("end", "<author>").await;
    for (input, expected) in [
        (json!({ "role": "learner" }), vec!["<learner>", "<peer>"]),
        (json!({ "role": "learner", "status": "active" }), vec!["<learner>"]),
        (json!({ "status": "suspended" }), vec!["<peer>"]),
        (json!({ "status": "ended" }), vec!["<author>"]),
        (json!({ "role": "author", "status": "active" }), vec![]),
    ] {
        let answer = world.ok(&world.acme.admin, LIST, input.clone()).await;
        assert_eq!(each(&answer, "userId"), expected, "{input}");
    }
}

async fn by_name_or_address(world: World) {
    for (subject, name, email) in [
        ("1", json!("Ada Lovelace"), json!("countess@example.com")),
        ("2", json!("100%_\\"), json!(null)),
        ("3", json!(null), json!("Ada@Example.com")),
        ("4", json!("Zoë Ünal"), json!(null)),
    ] {
        let input = json!({ "subject": subject, "displayName": name, "email": email });
        let known = world.call(&world.acme.admin, "member.provision", input).await.unwrap();
        world.name(subject, known["userId"].as_str().unwrap());
    }
    for (search, expected) in [
        ("ADA", vec!["<1>", "<3>"]),
        ("@example", vec!["<1>", "<3>"]),
        ("countess", vec!["<1>"]),
        ("%", vec!["<2>"]),
        ("_", vec!["<2>"]),
        ("\\", vec!["<2>"]),
        ("ë", vec!["<4>"]),
        ("Ünal", vec!["<4>"]),
        ("ZOË", vec!["<4>"]),
        ("nobody", vec![]),
    ] {
        let answer = world.ok(&world.acme.admin, LIST, json!({ "search": search })).await;
        assert_eq!(each(&answer, "userId"), expected, "{search}");
    }
}

/// A walk sees each row once, whatever is added or changed meanwhile.
async fn page_by_page(world: World) {
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for number in 0.. {
        let page = world.ok(&world.acme.admin, LIST, json!({ "limit": 2, "cursor": cursor })).await;
        seen.extend(each(&page, "userId"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        if number < 3 {
            let subject = format!("new {number}");
            let input = json!({ "subject": subject });
            let new = world.call(&world.acme.admin, "member.provision", input).await.unwrap();
            world.name(&subject, new["userId"].as_str().unwrap());
        }
    }
    let people =
        ["<learner>", "<peer>", "<author>", "<coordinator>", "<admin>", "<new 0>", "<new 1>", "<new 2>"];
    assert_eq!(seen, people);
}

async fn to_whom(world: World) {
    for actor in [&world.acme.learner, &world.acme.author, &world.acme.coordinator] {
        let error = world.refused(actor, LIST, json!({})).await;
        expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error = world.refused(&world.service(&[Scope::EnrollmentsRead]).await, LIST, json!({})).await;
    let reason = json!({ "type": "scopeRequired", "scope": "members:write" });
    expect(&error, &refusal(LIST, "FORBIDDEN", reason));
    let service = world.service(&[Scope::MembersWrite]).await;
    for actor in [&world.global_admin, &service] {
        let answer = world.ok(actor, LIST, json!({ "status": "active" })).await;
        assert_eq!(each(&answer, "userId").len(), 5);
    }
}
