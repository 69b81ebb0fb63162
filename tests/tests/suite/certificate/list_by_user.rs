//! `certificate.listByUser`

use std::time::Duration;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, refusal};

use super::{certified, revoked};
use crate::answers::{each, last_page};

on_both![own_oldest_first, page_by_page, of_others];

const LIST: &str = "certificate.listByUser";

/// D6: voided and expired ones included, and those of every attempt.
async fn own_oldest_first(world: World) {
    let learner = &world.acme.learner;
    for (name, valid_days) in [("a", json!(1)), ("b", json!(null)), ("c", json!(null))] {
        world.course(name, json!({ "certificateValidDays": valid_days })).await;
        world.enrolled(learner, &format!("<{name}>"), &format!("in {name}")).await;
        certified(&world, &format!("<in {name}>"), &format!("of {name}")).await;
    }
    world.enrolled(&world.acme.peer, "<c>", "in c as well").await;
    certified(&world, "<in c as well>", "of the peer").await;
    revoked(&world, "<in b>").await;
    world.enrolled(learner, "<b>", "in b").await;
    certified(&world, "<in b>", "of b again").await;
    world.clock_ahead(Duration::from_secs(2 * 86_400));

    let answer = world.ok(learner, LIST, json!({})).await;
    let mut expected = Vec::new();
    for certificate in ["<of a>", "<of b>", "<of c>", "<of b again>"] {
        let input = json!({ "certificateId": certificate });
        expected.push(world.ok(learner, "certificate.get", input).await);
    }
    expect(&answer, &last_page(expected));
    assert_eq!(each(&answer, "voidReason"), [json!(null), json!("a mistake"), json!(null), json!(null)]);
    let expire: Vec<bool> = each(&answer, "expiresAt").iter().map(Value::is_string).collect();
    assert_eq!(expire, [true, false, false, false]);
}

/// A walk sees each once, whatever is issued or voided meanwhile.
async fn page_by_page(world: World) {
    let learner = &world.acme.learner;
    let issue = async |number: usize| {
        world.course(&format!("course {number}"), json!({})).await;
        world.enrolled(learner, &format!("<course {number}>"), &format!("enrollment {number}")).await;
        certified(&world, &format!("<enrollment {number}>"), &format!("certificate {number}")).await;
    };
    for number in 0..4 {
        issue(number).await;
    }
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    for added in 4.. {
        let page = world.ok(learner, LIST, json!({ "limit": 2, "cursor": cursor })).await;
        seen.extend(each(&page, "id"));
        cursor = page["nextCursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert_eq!(each(&page, "id").len(), 2);
        if added < 5 {
            issue(added).await;
            revoked(&world, "<enrollment 0>").await;
        }
    }
    let expected: Vec<_> = (0..5).map(|number| format!("<certificate {number}>")).collect();
    assert_eq!(seen, expected);
}

async fn of_others(world: World) {
    let acme = &world.acme;
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.enrolled(&acme.learner, "<course>", "enrollment").await;
    certified(&world, "<enrollment>", "certificate").await;
    let input = json!({ "userId": "<learner>" });
    let own = world.ok(&acme.learner, LIST, json!({})).await;
    assert_eq!(each(&own, "id"), ["<certificate>"]);
    let reader = world.service(&[Scope::EnrollmentsRead]).await;
    for actor in [&acme.learner, &acme.coordinator, &acme.admin, &world.global_admin, &reader] {
        expect(&world.ok(actor, LIST, input.clone()).await, &own);
    }
    for user in ["<peer>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
        let answer = world.ok(&acme.admin, LIST, json!({ "userId": user })).await;
        expect(&answer, &last_page([]));
        // Not even the author of the course may ask by a person.
        let error = world.refused(&acme.author, LIST, json!({ "userId": user })).await;
        expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    for actor in [&acme.peer, &acme.author] {
        let error = world.refused(actor, LIST, input.clone()).await;
        expect(&error, &refusal(LIST, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let error = world.refused(&world.service(&[Scope::EnrollmentsWrite]).await, LIST, input.clone()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:read" });
    expect(&error, &refusal(LIST, "FORBIDDEN", reason));
    let error = world.refused(&Actor::Anonymous, LIST, input).await;
    expect(&error, &refusal(LIST, "UNAUTHORIZED", json!(null)));
    let error = world.refused(&reader, LIST, json!({})).await;
    let reason = json!({ "type": "invalidInput", "field": "userId", "problem": "required of a service" });
    expect(&error, &refusal(LIST, "BAD_REQUEST", reason));
}
