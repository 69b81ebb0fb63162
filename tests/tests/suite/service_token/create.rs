//! `serviceToken.create`

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Actor, World, expect, on_both, on_postgres, refusal};

use super::{HOUR, NAME, in_future, input, made, refused, refused_to_others, token, tokens};
use crate::answers::last_page;

on_both![
    of_a_name_and_scopes,
    with_an_end,
    a_name_as_others_have,
    scopes_are_named_once,
    an_end_that_has_passed,
    the_secret_opens_a_session_until_the_end,
    as_many_as_there_may_be,
    under_a_key,
    by_whom,
];
on_postgres![never_more_even_at_once, kept_as_its_sha_256];

const CREATE: &str = "serviceToken.create";

/// How many an organization may have that are not revoked.
const MOST: usize = 200;

async fn of_a_name_and_scopes(world: World) {
    let scopes = json!(["progress:write", "enrollments:read"]);
    let given = json!({ "name": NAME, "scopes": scopes });
    let mut answer = world.ok(&world.acme.admin, CREATE, given).await;
    let secret = answer["secret"].take();
    let expected = token(json!({ "id": "<1>", "scopes": scopes }));
    expect(&answer, &json!({ "serviceToken": expected, "secret": null }));
    let secret = secret.as_str().and_then(|secret| secret.strip_prefix("rbs_")).expect("a secret");
    assert!(secret.len() == 64 && secret.bytes().all(|digit| digit.is_ascii_hexdigit()));
    // Nothing tells it again.
    let listed = world.ok(&world.acme.admin, "serviceToken.list", json!({})).await;
    expect(&listed, &last_page([answer["serviceToken"].clone()]));
}

async fn with_an_end(world: World) {
    let given = input(json!({ "expiresAt": "2100-01-01T00:00:00+01:00" }));
    let answer = world.ok(&world.acme.admin, CREATE, given).await;
    let expected = token(json!({ "id": "<1>", "expiresAt": "2099-12-31T23:00:00.000000Z" }));
    expect(&answer["serviceToken"], &expected);
}

async fn a_name_as_others_have(world: World) {
    let mut created = Vec::new();
    for _ in 0..2 {
        created.push(world.call(&world.acme.admin, CREATE, input(json!({}))).await.unwrap());
    }
    assert_ne!(created[0]["secret"], created[1]["secret"]);
    assert_ne!(created[0]["serviceToken"]["id"], created[1]["serviceToken"]["id"]);
}

async fn scopes_are_named_once(world: World) {
    let unknown = "unknown variant `all`, expected one of `enrollments:read`, `enrollments:write`, `progress:write`, \
                   `courses:write`, `cohorts:write`, `members:write`, `events:read`";
    for (scopes, field, problem) in [
        (json!([]), "scopes", "empty"),
        (json!(["events:read", "enrollments:read", "events:read"]), "scopes[2]", "named before"),
        (json!(["enrollments:read", "all"]), "scopes[1]", unknown),
    ] {
        let error = refused(&world, &world.acme.admin, CREATE, input(json!({ "scopes": scopes }))).await;
        let reason = json!({ "type": "invalidInput", "field": field, "problem": problem });
        expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
    }
}

async fn an_end_that_has_passed(world: World) {
    let given = input(json!({ "expiresAt": in_future(&world, HOUR) }));
    world.ok(&world.acme.admin, CREATE, given.clone()).await;
    world.clock_ahead(HOUR);
    let reason = json!({ "type": "invalidInput", "field": "expiresAt", "problem": "not in the future" });
    for given in [given, input(json!({ "expiresAt": "1970-01-01T00:00:00Z" }))] {
        let error = refused(&world, &world.acme.admin, CREATE, given).await;
        expect(&error, &refusal(CREATE, "BAD_REQUEST", reason.clone()));
    }
}

async fn the_secret_opens_a_session_until_the_end(world: World) {
    let service = made(&world, "token", json!({ "expiresAt": in_future(&world, HOUR * 2) })).await;
    world.clock_ahead(HOUR);
    let session = world.ok(&service, "session.me", json!({})).await;
    assert_eq!(session["organizationId"], "<acme>");
    assert_eq!([&session["kind"], &session["scopes"]], [&json!("service"), &json!(["enrollments:read"])]);
    let error = world.refused(&service, "course.create", json!({ "title": "course" })).await;
    let reason = json!({ "type": "scopeRequired", "scope": "courses:write" });
    expect(&error, &refusal("course.create", "FORBIDDEN", reason));

    world.clock_ahead(HOUR * 2);
    let error = world.refused(&service, "session.me", json!({})).await;
    expect(&error, &refusal("session.me", "UNAUTHORIZED", json!(null)));
    // One that has expired is still there, and can be seen to have.
    assert_eq!(tokens(&world).await, [(json!(world.id("<token>")), json!(null))]);
}

async fn as_many_as_there_may_be(world: World) {
    for number in 0..MOST {
        made(&world, &format!("token {number}"), json!({})).await;
    }
    let error = refused(&world, &world.acme.admin, CREATE, input(json!({}))).await;
    let problem = "the organization has 200 service tokens that are not revoked";
    let reason = json!({ "type": "invalidInput", "field": "", "problem": problem });
    expect(&error, &refusal(CREATE, "BAD_REQUEST", reason));
    // Other organizations have their own, and one that is revoked makes room.
    world.ok(&world.globex.admin, CREATE, input(json!({}))).await;
    let revoked = json!({ "serviceTokenId": "<token 7>" });
    world.ok(&world.acme.admin, "serviceToken.revoke", revoked).await;
    world.ok(&world.acme.admin, CREATE, input(json!({}))).await;
    world.refused(&world.acme.admin, CREATE, input(json!({}))).await;
}

async fn never_more_even_at_once(world: World) {
    for number in 5..MOST {
        made(&world, &format!("token {number}"), json!({})).await;
    }
    let calls = (0..10).map(|_| world.call(&world.acme.admin, CREATE, input(json!({}))));
    let created = join_all(calls).await;
    assert_eq!(created.iter().filter(|created| created.is_ok()).count(), 5);
}

/// Whoever repeats the call is told which token it made, also once that has expired; but its secret is kept nowhere.
async fn under_a_key(world: World) {
    let given = input(json!({ "expiresAt": in_future(&world, HOUR), "idempotencyKey": "k" }));
    let mut first = world.call(&world.acme.admin, CREATE, given.clone()).await.unwrap();
    let secret = first["secret"].take();
    let secret = secret.as_str().expect("a secret");
    for ahead in [0, 1] {
        world.clock_ahead(HOUR * ahead);
        assert_eq!(world.call(&world.acme.admin, CREATE, given.clone()).await, Ok(first.clone()));
    }
    let id = first["serviceToken"]["id"].as_str().unwrap();
    assert_eq!(tokens(&world).await, [(json!(id), json!(null))]);
    let contents = world.contents().await;
    let [record] = contents["idempotency_records"].as_slice() else { panic!("one record: {contents:?}") };
    assert!(record.contains(id) && !record.contains(secret.trim_start_matches("rbs_")), "{record}");
}

async fn by_whom(world: World) {
    refused_to_others(&world, CREATE, &input(json!({}))).await;
    for actor in [&world.acme.admin, &world.global_admin] {
        let created: Value = world.call(actor, CREATE, input(json!({}))).await.unwrap();
        // Of the organization that the admin acts in.
        let service = Actor::Service { secret: created["secret"].as_str().unwrap().to_owned() };
        assert_eq!(world.ok(&service, "session.me", json!({})).await["organizationId"], "<acme>");
    }
}

async fn kept_as_its_sha_256(world: World) {
    let Actor::Service { secret } = made(&world, "token", json!({})).await else { panic!("a service") };
    made(&world, "another", json!({})).await;
    let found = format!("UPDATE service_tokens SET name = 'found' WHERE secret_sha256 = sha256('{secret}')");
    assert_eq!(world.sql(&found).await, Ok(1));
    let listed = world.ok(&world.acme.admin, "serviceToken.list", json!({ "limit": 1 })).await;
    expect(&listed["items"][0], &token(json!({ "name": "found" })));
}
