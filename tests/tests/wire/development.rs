//! Development mode: what it prints, what it hands out, and where it refuses to run.

use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use tests::process::{Process, command};
use tokio::process::Command;
use tokio::time::timeout;

use crate::shape::{code_of, without_request_id};
use crate::site::{Client, Site};
use crate::{on_both, on_postgres, on_sqlite};

on_both![the_printed_calls_work_as_pasted, a_restart_keeps_the_demo_data];
on_postgres![two_processes_agree];
on_sqlite![
    the_identity_provider_is_what_signs,
    organizations_on_demand,
    service_tokens,
    the_clock,
    requests_that_are_refused,
    other_machines_are_refused,
];

async fn the_printed_calls_work_as_pasted(site: Site) {
    let guide = &site.server.guide;
    let start = guide.find("TOKEN=").expect("the calls begin with a token");
    let end = guide.find("\nCtrl-C").expect("the last line");
    let pasted =
        Command::new("bash").arg("-c").arg(&guide[start..end]).output().await.expect("bash and curl");
    let output = String::from_utf8(pasted.stdout).expect("a text");
    let mut answers: Vec<Value> =
        output.lines().map(|line| serde_json::from_str(line).expect("an answer a line")).collect();
    assert_eq!(answers.len(), 6, "{output}");

    let first = answers[0]["result"].take();
    assert_eq!((&first["status"], &first["attempt"]), (&json!("enrolled"), &json!(1)), "{output}");
    assert_eq!((&first["modulesTotal"], &first["progress"]), (&json!(5), &json!(0)));
    let conflict = json!({
        "message": "Already enrolled in this course.",
        "code": -32009,
        "data": {
            "code": "CONFLICT", "httpStatus": 409, "path": "enrollment.enroll", "requestId": null,
            "rule": "unique_enrollment_per_user_per_course",
            "reason": { "type": "alreadyEnrolled", "enrollmentId": first["id"], "status": "enrolled" },
        },
    });
    assert_eq!(without_request_id(answers[1]["error"].take()), conflict);
    let left = &answers[2]["result"];
    assert_eq!(
        (&left["id"], &left["status"], &left["softDeleted"]),
        (&first["id"], &json!("cancelled"), &json!(true))
    );
    let back = &answers[3]["result"];
    assert_eq!(
        (&back["id"], &back["status"], &back["attempt"]),
        (&first["id"], &json!("enrolled"), &json!(2))
    );
    let listed = answers[4]["result"]["items"].as_array().expect("a page");
    assert!(listed.contains(back), "{output}");
    assert_eq!(answers[5], json!({ "result": { "data": answers[4]["result"] } }), "by tRPC");
}

async fn a_restart_keeps_the_demo_data(site: Site) {
    let demo = |server: &Process| {
        let start = server.guide.find("Acme Learning").expect("its organizations are printed");
        let end = server.guide.find("\nPaste").expect("its calls are printed");
        server.guide[start..end].to_owned()
    };
    let before = demo(&site.server);
    for status in ["admin ", "coordinator ", "author ", "learner ", "(draft)", "2 of 2 seats taken", "globex"]
    {
        assert!(before.contains(status), "{before}");
    }
    let lena = site.person("lena", "learner").await;
    let enrollments = lena.ok("enrollment.listByUser", json!({})).await;
    assert_eq!(enrollments["items"].as_array().map(Vec::len), Some(2));
    let site = site.crash().await;
    assert_eq!(demo(&site.server), before);
    // So does the session, though the address is another one.
    assert_eq!(lena.at(site.address()).ok("enrollment.listByUser", json!({})).await, enrollments);
}

async fn two_processes_agree(site: Site) {
    let other = Process::start(&site.database_url).await;
    let here = site.person("wire-learner", "learner").await;
    let there = here.at(other.address);
    assert_eq!(there.ok("session.me", json!({})).await, here.ok("session.me", json!({})).await);

    let other = Site { kind: site.kind, database_url: site.database_url.clone(), server: other };
    for organization in ["acme", "globex"] {
        let path = format!("/dev/idp/{organization}/jwks.json");
        assert_eq!(site.get(&path).await.json(), other.get(&path).await.json());
    }
    let issued = other.person("wire-learner", "learner").await;
    assert_eq!(issued.user_id, here.user_id);
    issued.at(site.address()).ok("session.me", json!({})).await;

    // A move of the clock is followed by the other process within a second or so.
    let now = site.dev("clock", &json!({ "now": "2031-01-01T00:00:00Z" })).await.json();
    assert!(now["now"].as_str().is_some_and(|now| now.starts_with("2031-01-01T00:00:0")), "{now}");
    let follows = async {
        while there.call("session.me", json!({})).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(5), follows).await.expect("the other process follows");
    assert_eq!(code_of(&there.refused("session.me", json!({})).await), "UNAUTHORIZED");
    let later = other.dev("clock", &json!({ "advanceSeconds": 0 })).await.json();
    assert!(later["now"].as_str().is_some_and(|now| now.starts_with("2031-01-01T00:00:")), "{later}");
    let fresh = other.person("wire-learner", "learner").await;
    fresh.at(site.address()).ok("session.me", json!({})).await;
}

async fn the_identity_provider_is_what_signs(site: Site) {
    let lena = site.person("lena", "learner").await;
    let configuration = site.get("/dev/idp/acme/.well-known/openid-configuration").await;
    assert_eq!((configuration.status, configuration.header("content-type")), (200, Some("application/json")));
    let configuration = configuration.json();
    let base = format!("http://{}", site.address());
    let expected = json!({
        "issuer": format!("{base}/dev/idp/acme"),
        "jwks_uri": format!("{base}/dev/idp/acme/jwks.json"),
        "token_endpoint": format!("{base}/dev/token"),
        "id_token_signing_alg_values_supported": ["ES256"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
    });
    assert_eq!(configuration, expected);

    let published = site.get("/dev/idp/acme/jwks.json").await.json();
    assert_eq!(published["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(published["keys"][0].get("d"), None, "the private half is published");
    let set: JwkSet = serde_json::from_value(published).expect("a key set");
    let header = jsonwebtoken::decode_header(&lena.token).expect("a token");
    let key = set.find(header.kid.as_deref().expect("a kid")).expect("the key is published");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["rollbook"]);
    validation.set_issuer(&[format!("{base}/dev/idp/acme")]);
    let key = DecodingKey::from_jwk(key).expect("a key");
    let claims = jsonwebtoken::decode::<Value>(&lena.token, &key, &validation).expect("signed by it").claims;
    assert_eq!((&claims["sub"], &claims["role"]), (&json!("lena"), &json!("learner")));

    let globex = site.get("/dev/idp/globex/jwks.json").await.json();
    let others: JwkSet = serde_json::from_value(globex).expect("a key set");
    assert_ne!(set, others);
}

async fn organizations_on_demand(site: Site) {
    let made = site.dev("organization", &json!({ "slug": "initech", "name": "Initech" })).await.json();
    let again = site.dev("organization", &json!({ "slug": "initech" })).await.json();
    assert_eq!(made, again);
    let admin = site.person_of("initech", "bill", "admin").await;
    assert_eq!(made, json!({ "organizationId": admin.organization_id }));
    let owner = json!({ "organization": "initech", "subject": "peter", "globalAdmin": true });
    let organization = site.signed_in(&owner).await.ok("organization.get", json!({})).await;
    assert_eq!((&organization["slug"], &organization["name"]), (&json!("initech"), &json!("Initech")));
    assert_eq!(admin.ok("course.list", json!({})).await, json!({ "items": [], "nextCursor": null }));

    // The role is set anew with each token.
    for role in ["learner", "author", "coordinator", "admin"] {
        let bill = site.person_of("initech", "bill", role).await;
        assert_eq!(bill.user_id, admin.user_id);
        assert_eq!(bill.ok("session.me", json!({})).await["role"], role);
    }
}

async fn service_tokens(site: Site) {
    let course = site.course(1).await;
    let lena = site.person("wire-learner", "learner").await;
    let with = async |scopes: Value| {
        let answer =
            site.dev("service-token", &json!({ "organization": "acme", "scopes": scopes })).await.json();
        let token = answer["token"].as_str().expect("a token").to_owned();
        assert!(token.starts_with("rbs_") && token.len() == 68, "{token}");
        Client::bearing(site.address(), &token)
    };
    let reader = with(json!(["enrollments:read"])).await;
    let expected = json!({
        "kind": "service", "userId": null, "organizationId": lena.organization_id, "role": null,
        "globalAdmin": false, "displayName": null, "scopes": ["enrollments:read"],
    });
    assert_eq!(reader.ok("session.me", json!({})).await, expected);
    let enroll = json!({ "courseId": course, "userId": lena.user_id });
    let refused = reader.refused("enrollment.enroll", enroll.clone()).await;
    assert_eq!(code_of(&refused), "FORBIDDEN");
    assert_eq!(refused["data"]["reason"]["type"], "scopeRequired");

    let writer = with(json!(["enrollments:read", "enrollments:write"])).await;
    let enrolled = writer.ok("enrollment.enroll", enroll).await;
    assert_eq!((&enrolled["source"], &enrolled["enrolledByUserId"]), (&json!("integration"), &Value::Null));
}

async fn the_clock(site: Site) {
    let moved = site.dev("clock", &json!({ "now": "2030-06-01T12:00:00Z" })).await;
    assert_eq!(moved.status, 200);
    let course = site.course(1).await;
    let lena = site.person("wire-learner", "learner").await;
    let enrolled = lena.ok("enrollment.enroll", json!({ "courseId": course })).await;
    assert!(
        enrolled["enrolledAt"].as_str().is_some_and(|at| at.starts_with("2030-06-01T12:00:")),
        "{enrolled}"
    );
    site.dev("clock", &json!({ "advanceSeconds": 86_400 })).await;
    let lena = site.person("wire-learner", "learner").await;
    let left = lena.ok("enrollment.unenroll", json!({ "courseId": course })).await;
    assert!(left["cancelledAt"].as_str().is_some_and(|at| at.starts_with("2030-06-02T12:00:")), "{left}");
}

async fn requests_that_are_refused(site: Site) {
    for (path, body, code) in [
        ("token", json!({ "organization": "nobody", "subject": "lena" }), "NOT_FOUND"),
        ("token", json!({ "organization": "Not a slug", "subject": "lena" }), "NOT_FOUND"),
        ("token", json!({ "organization": "acme" }), "BAD_REQUEST"),
        ("token", json!({ "organization": "acme", "subject": "" }), "BAD_REQUEST"),
        ("token", json!({ "organization": "acme", "subject": "lena", "role": "king" }), "BAD_REQUEST"),
        ("token", json!({ "organization": "acme", "subject": "lena", "expiresIn": 1e12 }), "BAD_REQUEST"),
        ("token", json!({ "organization": "acme", "subject": "lena", "more": 1 }), "BAD_REQUEST"),
        ("service-token", json!({ "organization": "acme", "scopes": ["everything"] }), "BAD_REQUEST"),
        ("service-token", json!({ "organization": "nobody", "scopes": [] }), "NOT_FOUND"),
        ("organization", json!({ "slug": "Not a slug" }), "BAD_REQUEST"),
        ("clock", json!({}), "BAD_REQUEST"),
        ("clock", json!({ "now": "yesterday" }), "BAD_REQUEST"),
        ("clock", json!({ "now": "2030-01-01T00:00:00Z", "advanceSeconds": 1 }), "BAD_REQUEST"),
        ("clock", json!({ "advanceSeconds": i64::MAX }), "BAD_REQUEST"),
    ] {
        let answer = site.dev(path, &body).await;
        assert_eq!(code_of(&answer.json()["error"]), code, "{path} {body}");
        assert_eq!(json!(answer.status), answer.json()["error"]["data"]["httpStatus"]);
    }
}

async fn other_machines_are_refused(site: Site) {
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let arguments = ["dev", "--host", host, "--port", "0", "--database-url", &site.database_url];
        let refused = timeout(Duration::from_secs(20), command(&arguments).output()).await.expect("it ends");
        let refused = refused.expect("it starts");
        assert_eq!(refused.status.code(), Some(1), "{host}");
        assert_eq!(
            String::from_utf8_lossy(&refused.stderr),
            "rollbook: development mode hands out sessions to whoever asks, so it listens on a loopback address only\n"
        );
        assert!(refused.stdout.is_empty());
    }
}
