//! `organization.setIdentityProvider` and `organization.removeIdentityProvider`

use std::sync::Arc;

use futures_util::future::join;
use procedures::error::Code;
use procedures::member::Role;
use procedures::organization::{
    CreateInput, SetIdentityProviderInput, create_as_operator, remove_identity_provider_of,
    set_identity_provider_of,
};
use procedures::session::{Algorithm, Provider, Scope, VerifiedToken};
use procedures::values::{Issuer, Slug};
use serde_json::{Value, json};
use tests::{Actor, World, call, expect, on_both, refusal};

on_both![
    as_told,
    unless_told,
    told_again,
    its_people_sign_in,
    an_issuer_that_is_taken,
    never_taken_twice_at_once,
    removed,
    a_stranger_to_one_that_is_removed,
    taken_up_again,
    removed_for_another_organization,
    one_that_is_not_theirs,
    the_built_in_one,
    what_is_no_issuer,
    what_is_no_address_of_keys,
    what_is_not_told_right,
    on_this_machine_in_development_mode,
    members_are_provisioned_at_the_first,
    under_a_key,
    by_an_operator,
    the_platforms,
    by_whom,
];

const SET: &str = "organization.setIdentityProvider";
const REMOVE: &str = "organization.removeIdentityProvider";
const ISSUER: &str = "https://idp.example/realms/acme";

fn acme() -> Value {
    json!({ "id": "<acme>", "slug": "acme", "name": "acme", "reminderLeadDays": [30, 7], "createdAt": "<t1>" })
}

fn usual() -> Value {
    json!({ "issuer": ISSUER, "audience": "rollbook" })
}

fn theirs() -> Value {
    json!({ "issuer": ISSUER })
}

async fn registered(world: &World, issuer: &str) -> Option<Provider> {
    Provider::find(&world.app.db, issuer).await.expect("a database")
}

/// The provider that this makes of acme's.
async fn set(world: &World, input: Value) -> Provider {
    let issuer = input["issuer"].as_str().expect("an issuer").to_owned();
    expect(&world.ok(&world.global_admin, SET, input).await, &acme());
    registered(world, &issuer).await.expect("a provider")
}

/// Whoever signs in with a provider by this subject.
fn signs_in(provider: &Provider, subject: &str, role: Option<Role>) -> Actor {
    let token = VerifiedToken {
        provider_id: provider.id,
        organization_id: provider.organization_id,
        subject: subject.parse().expect("a subject"),
        name: None,
        role,
        global_admin: false,
    };
    Actor::Person { token, chosen: None }
}

async fn as_told(world: World) {
    let told = json!({
        "issuer": ISSUER, "audience": "api://rollbook", "algorithm": "PS256",
        "roleClaim": "https://acme.example/role", "jwksUri": "HTTPS://idp.example:443/keys?p=a b",
    });
    let provider = set(&world, told).await;
    let Provider { organization_id, issuer, audience, algorithm, .. } = &provider;
    assert_eq!(organization_id.to_string(), world.acme.id);
    assert_eq!(
        (issuer.as_str(), audience.as_str(), *algorithm),
        (ISSUER, "api://rollbook", Algorithm::Ps256)
    );
    assert_eq!(provider.role_claim.as_deref(), Some("https://acme.example/role"));
    assert_eq!(provider.jwks_uri.as_deref(), Some("https://idp.example/keys?p=a%20b"));
    // The one that was there before stays.
    assert!(registered(&world, "https://issuer.example/acme").await.is_some());
}

async fn unless_told(world: World) {
    for told in [json!({}), json!({ "algorithm": null, "roleClaim": null, "jwksUri": null })] {
        let mut input = usual();
        input.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let provider = set(&world, input).await;
        assert_eq!(
            (provider.algorithm, provider.role_claim, provider.jwks_uri),
            (Algorithm::Rs256, None, None)
        );
    }
}

/// What is told takes the place of all that was told before.
async fn told_again(world: World) {
    let mut told = usual();
    told["algorithm"] = "EdDSA".into();
    told["roleClaim"] = "role".into();
    told["jwksUri"] = "https://idp.example/keys".into();
    let first = set(&world, told).await;
    let again = set(&world, json!({ "issuer": ISSUER, "audience": "another" })).await;
    let expected = Provider {
        audience: "another".into(),
        algorithm: Algorithm::Rs256,
        role_claim: None,
        jwks_uri: None,
        ..first
    };
    assert_eq!(again, expected);
    assert_eq!(world.contents().await["identity_providers"].len(), 3);
}

async fn its_people_sign_in(world: World) {
    let provider = set(&world, usual()).await;
    for (subject, told, role) in
        [("grace", None, "learner"), ("grace 2", Some(Role::Coordinator), "coordinator")]
    {
        let me = world.ok(&signs_in(&provider, subject, told), "session.me", json!({})).await;
        assert_eq!((&me["organizationId"], &me["role"]), (&json!("<acme>"), &json!(role)));
    }
    // A subject is somebody else at each provider.
    let learner = world.ok(&signs_in(&provider, "learner", None), "session.me", json!({})).await;
    assert_ne!(learner["userId"], "<learner>");
    world.ok(&world.acme.learner, "session.me", json!({})).await;
}

/// D18: an issuer says which organization.
async fn an_issuer_that_is_taken(world: World) {
    let there = world.global_admin.choosing(&world.globex.id);
    world.ok(&there, SET, usual()).await;
    for issuer in [ISSUER, "https://issuer.example/globex"] {
        let input = json!({ "issuer": issuer, "audience": "rollbook" });
        let error = world.refused(&world.global_admin, SET, input).await;
        expect(&error, &refusal(SET, "CONFLICT", json!({ "type": "issuerTaken" })));
    }
}

async fn never_taken_twice_at_once(world: World) {
    let there = world.global_admin.choosing(&world.globex.id);
    for round in 0..10 {
        let input = json!({ "issuer": format!("{ISSUER}/{round}"), "audience": "rollbook" });
        let (one, other) =
            join(world.call(&world.global_admin, SET, input.clone()), world.call(&there, SET, input)).await;
        let error = match (one, other) {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
            both => panic!("one has it, and the other does not: {both:#?}"),
        };
        expect(&error, &refusal(SET, "CONFLICT", json!({ "type": "issuerTaken" })));
    }
}

async fn removed(world: World) {
    let provider = set(&world, usual()).await;
    let grace = signs_in(&provider, "grace", Some(Role::Author));
    let me = world.ok(&grace, "session.me", json!({})).await;
    let input = json!({ "userId": me["userId"] });
    let member = world.ok(&world.acme.admin, "member.get", input.clone()).await;

    expect(&world.ok(&world.global_admin, REMOVE, theirs()).await, &acme());
    assert_eq!(registered(&world, ISSUER).await, None);
    let error = world.refused(&grace, "session.me", json!({})).await;
    expect(&error, &refusal("session.me", "UNAUTHORIZED", json!(null)));
    // D24: they are who they were, and whoever signs in elsewhere is not concerned.
    expect(&world.ok(&world.acme.admin, "member.get", input).await, &member);
    world.ok(&world.acme.learner, "session.me", json!({})).await;
    let error = world.refused(&world.global_admin, REMOVE, theirs()).await;
    expect(&error, &refusal(REMOVE, "NOT_FOUND", json!(null)));
}

/// Who was never there is not made a member by the token that they still have.
async fn a_stranger_to_one_that_is_removed(world: World) {
    let provider = set(&world, usual()).await;
    world.ok(&world.global_admin, REMOVE, theirs()).await;
    let error = world.refused(&signs_in(&provider, "grace", None), "session.me", json!({})).await;
    expect(&error, &refusal("session.me", "UNAUTHORIZED", json!(null)));
}

async fn taken_up_again(world: World) {
    let first = set(&world, usual()).await;
    let grace = signs_in(&first, "grace", None);
    let me = world.ok(&grace, "session.me", json!({})).await;
    world.ok(&world.global_admin, REMOVE, theirs()).await;
    let again = set(&world, json!({ "issuer": ISSUER, "audience": "another" })).await;
    assert_eq!(again, Provider { audience: "another".into(), ..first });
    expect(&world.ok(&grace, "session.me", json!({})).await, &me);
}

async fn removed_for_another_organization(world: World) {
    let ours = set(&world, usual()).await;
    let grace = signs_in(&ours, "grace", None);
    let me = world.ok(&grace, "session.me", json!({})).await;
    world.ok(&world.global_admin, REMOVE, theirs()).await;

    let there = world.global_admin.choosing(&world.globex.id);
    world.ok(&there, SET, usual()).await;
    let theirs = registered(&world, ISSUER).await.expect("a provider");
    assert_ne!(theirs.id, ours.id);
    let namesake = world.ok(&signs_in(&theirs, "grace", None), "session.me", json!({})).await;
    assert_eq!(namesake["organizationId"], "<globex>");
    assert_ne!(namesake["userId"], me["userId"]);
    world.refused(&grace, "session.me", json!({})).await;
    let error = world.refused(&world.global_admin, SET, usual()).await;
    expect(&error, &refusal(SET, "CONFLICT", json!({ "type": "issuerTaken" })));
}

async fn one_that_is_not_theirs(world: World) {
    set(&world, usual()).await;
    let there = world.global_admin.choosing(&world.globex.id);
    for (actor, issuer) in [
        (&there, ISSUER),
        (&there, "https://issuer.example/acme"),
        (&world.global_admin, "https://issuer.example/globex"),
        (&world.global_admin, "https://idp.example/realms/acme/"),
        (&world.global_admin, "https://idp.example/realms/ACME"),
        (&world.global_admin, "nobody"),
    ] {
        let error = world.refused(actor, REMOVE, json!({ "issuer": issuer })).await;
        expect(&error, &refusal(REMOVE, "NOT_FOUND", json!(null)));
    }
}

async fn the_built_in_one(world: World) {
    let issuer = "https://issuer.example/acme";
    let problem = "the built-in issuer of development mode";
    let reason = json!({ "type": "invalidInput", "field": "issuer", "problem": problem });
    let input = json!({ "issuer": issuer, "audience": "rollbook" });
    let error = world.refused(&world.global_admin, SET, input).await;
    expect(&error, &refusal(SET, "BAD_REQUEST", reason.clone()));
    let error = world.refused(&world.global_admin, REMOVE, json!({ "issuer": issuer })).await;
    expect(&error, &refusal(REMOVE, "BAD_REQUEST", reason));
}

async fn refused_as_invalid(world: &World, input: Value, field: &str, problem: &str) {
    let error = world.refused(&world.global_admin, SET, input).await;
    let reason = json!({ "type": "invalidInput", "field": field, "problem": problem });
    expect(&error, &refusal(SET, "BAD_REQUEST", reason));
}

async fn what_is_no_issuer(world: World) {
    let long = format!("https://idp.example/{}", "a".repeat(981));
    for (issuer, problem) in [
        ("", "empty"),
        (long.as_str(), "longer than 1000 characters"),
        ("idp.example", "not a URL"),
        ("HTTPS://idp.example", "not a URL"),
        ("https://idp.example ", "not a URL"),
        ("http://idp.example", "not https"),
        ("http://localhost:3000", "not https"),
        ("https://idp.example?tenant=acme", "with a query or a fragment"),
        ("https://idp.example/#acme", "with a query or a fragment"),
        ("https://ada:secret@idp.example", "with credentials"),
        ("https://127.0.0.1", "an address that is not public"),
        ("https://[fd00::1]/realms/acme", "an address that is not public"),
    ] {
        let input = json!({ "issuer": issuer, "audience": "rollbook" });
        refused_as_invalid(&world, input, "issuer", problem).await;
    }
    set(&world, json!({ "issuer": long[..1000], "audience": "rollbook" })).await;
}

async fn what_is_no_address_of_keys(world: World) {
    for (jwks_uri, problem) in [
        ("", "empty"),
        ("/keys", "not a URL"),
        ("http://idp.example/keys", "not https"),
        ("https://ada@idp.example/keys", "with credentials"),
        ("https://169.254.169.254/keys", "an address that is not public"),
    ] {
        let mut input = usual();
        input["jwksUri"] = jwks_uri.into();
        refused_as_invalid(&world, input, "jwksUri", problem).await;
    }
}

async fn what_is_not_told_right(world: World) {
    let long = "a".repeat(256);
    for (field, value) in [
        ("audience", json!("")),
        ("audience", json!(null)),
        ("audience", json!(long)),
        ("audience", json!(["rollbook"])),
        ("roleClaim", json!("")),
        ("roleClaim", json!(long)),
        ("algorithm", json!("none")),
        ("algorithm", json!("HS256")),
        ("algorithm", json!("rs256")),
        ("issuer", json!(null)),
        ("secret", json!("x")),
    ] {
        let mut input = usual();
        input[field] = value.clone();
        let error = world.refused(&world.global_admin, SET, input).await;
        assert_eq!(error["data"]["code"], "BAD_REQUEST", "{field} {value}");
        assert_eq!(error["data"]["reason"]["field"], field, "{value}");
    }
}

async fn on_this_machine_in_development_mode(world: World) {
    let app = Arc::into_inner(world.another_app()).expect("nobody else has it");
    let app = Arc::new(app.trusting_loopback());
    let set = async |input: Value| call(&app, &world.global_admin, SET, &input.to_string()).await;
    for issuer in ["http://127.0.0.1:3000", "http://localhost:3000/oidc", "https://[::1]"] {
        let input =
            json!({ "issuer": issuer, "audience": "rollbook", "jwksUri": "http://localhost:3000/keys" });
        set(input).await.unwrap();
        assert!(registered(&world, issuer).await.is_some());
    }
    for issuer in ["http://idp.example", "http://10.0.0.1", "https://10.0.0.1"] {
        set(json!({ "issuer": issuer, "audience": "rollbook" })).await.expect_err(issuer);
    }
}

/// By the subject at the first provider that is left.
async fn members_are_provisioned_at_the_first(world: World) {
    let input = json!({ "slug": "initech", "name": "Initech" });
    let initech = world.call(&world.global_admin, "organization.create", input).await.unwrap();
    let there = world.global_admin.choosing(initech["id"].as_str().unwrap());
    let provision = "member.provision";
    let peter = json!({ "subject": "peter" });
    let error = world.refused(&there, provision, peter.clone()).await;
    expect(&error, &refusal(provision, "PRECONDITION_FAILED", json!({ "type": "noIdentityProvider" })));

    let issuers = ["https://idp.example/b", "https://idp.example/a"];
    for (issuer, subject) in issuers.into_iter().zip(["peter", "michael"]) {
        world.ok(&there, SET, json!({ "issuer": issuer, "audience": "rollbook" })).await;
        world.ok(&there, provision, json!({ "subject": subject })).await;
    }
    for (issuer, subject) in issuers.into_iter().zip(["peter", "samir"]) {
        let member = world.ok(&there, provision, json!({ "subject": subject })).await;
        let provider = registered(&world, issuer).await.expect("a provider");
        let me = world.ok(&signs_in(&provider, subject, None), "session.me", json!({})).await;
        assert_eq!(me["userId"], member["userId"]);
        world.ok(&there, REMOVE, json!({ "issuer": issuer })).await;
    }
    let error = world.refused(&there, provision, peter).await;
    expect(&error, &refusal(provision, "PRECONDITION_FAILED", json!({ "type": "noIdentityProvider" })));
}

/// The answer is the former one, and nothing comes back by it.
async fn under_a_key(world: World) {
    let mut input = usual();
    input["idempotencyKey"] = "k".into();
    let first = world.ok(&world.global_admin, SET, input.clone()).await;
    world.ok(&world.global_admin, REMOVE, theirs()).await;
    let before = world.contents().await;
    expect(&world.ok(&world.global_admin, SET, input).await, &first);
    assert_eq!(world.contents().await, before);
}

/// Without a session, by the slug; nothing else is different.
async fn by_an_operator(world: World) {
    let slug = |text: &str| text.parse::<Slug>().unwrap();
    let create = json!({ "slug": "initech", "name": "Initech" });
    let create: CreateInput = serde_json::from_value(create).unwrap();
    let made = create_as_operator(&world.app, &create).await.unwrap();
    let there = world.global_admin.choosing(&made.id.to_string());
    let read = world.call(&there, "organization.get", json!({})).await.unwrap();
    assert_eq!(serde_json::to_value(&made).unwrap(), read);
    let error = create_as_operator(&world.app, &create).await.unwrap_err();
    assert_eq!(serde_json::to_value(error.reason()).unwrap(), json!({ "type": "slugTaken" }));

    let input: SetIdentityProviderInput = serde_json::from_value(usual()).unwrap();
    let nobody = set_identity_provider_of(&world.app, &slug("nobody"), &input, false).await.unwrap();
    assert_eq!(nobody, None);
    let set = set_identity_provider_of(&world.app, &slug("initech"), &input, false).await.unwrap();
    assert_eq!(set, Some(made.clone()));
    let provider = registered(&world, ISSUER).await.expect("a provider");
    assert_eq!(provider.organization_id, made.id);
    let error = set_identity_provider_of(&world.app, &slug("acme"), &input, false).await.unwrap_err();
    assert_eq!(serde_json::to_value(error.reason()).unwrap(), json!({ "type": "issuerTaken" }));

    let issuer: Issuer = ISSUER.parse().unwrap();
    for not_theirs in ["acme", "nobody"] {
        let error = remove_identity_provider_of(&world.app, &slug(not_theirs), &issuer).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{not_theirs}");
    }
    let removed = remove_identity_provider_of(&world.app, &slug("initech"), &issuer).await.unwrap();
    assert_eq!((removed, registered(&world, ISSUER).await), (made, None));
    let local = json!({ "issuer": "http://localhost:3000", "audience": "rollbook" });
    let local: SetIdentityProviderInput = serde_json::from_value(local).unwrap();
    let error = set_identity_provider_of(&world.app, &slug("acme"), &local, false).await.unwrap_err();
    assert_eq!(serde_json::to_value(error.reason()).unwrap()["problem"], "not https");
}

/// Whoever runs the service says which provider is the platform's; no procedure does.
async fn the_platforms(world: World) {
    let acme: Slug = "acme".parse().unwrap();
    let by_operator = async |input: Value, platform: bool| {
        let input: SetIdentityProviderInput = serde_json::from_value(input).unwrap();
        set_identity_provider_of(&world.app, &acme, &input, platform).await
    };
    let is_platform = async || registered(&world, ISSUER).await.expect("a provider").platform;
    let error = by_operator(usual(), true).await.unwrap_err();
    assert_eq!(serde_json::to_value(error.reason()).unwrap()["field"], "roleClaim");

    let with_claim = json!({ "issuer": ISSUER, "audience": "rollbook", "roleClaim": "role" });
    by_operator(with_claim.clone(), true).await.unwrap();
    assert!(is_platform().await);
    // Set by a global admin it stays what it is.
    assert!(set(&world, with_claim.clone()).await.platform);
    by_operator(with_claim.clone(), false).await.unwrap();
    assert!(!is_platform().await);
    assert!(!set(&world, with_claim.clone()).await.platform);
    // Removed, and set anew by a global admin, it is one as any other.
    by_operator(with_claim.clone(), true).await.unwrap();
    world.ok(&world.global_admin, REMOVE, theirs()).await;
    assert!(!set(&world, with_claim).await.platform);
}

async fn by_whom(world: World) {
    let every_scope = world.service(Scope::ALL).await;
    let acme = &world.acme;
    for (path, input) in [(SET, usual()), (REMOVE, json!({ "issuer": "https://issuer.example/acme" }))] {
        for actor in [&acme.learner, &acme.author, &acme.coordinator, &acme.admin, &every_scope] {
            let error = world.refused(actor, path, input.clone()).await;
            expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
        let error = world.refused(&Actor::Anonymous, path, input).await;
        expect(&error, &refusal(path, "UNAUTHORIZED", json!(null)));
    }
}
