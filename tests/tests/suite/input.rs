//! What no procedure lets in: BAD_REQUEST with the path of the field, before anything else is looked at.

use serde_json::{Value, json};
use tests::{World, on_both, refusal, router};

on_both![invalid_inputs, as_sent, an_unknown_field_anywhere, valid_at_the_edge];

const UUID: &str = "00000000-0000-4000-8000-000000000000";

/// The field and the problem that an input is refused with.
async fn problem(world: &World, path: &str, input: &Value) -> (String, String) {
    let sent = world.call(&world.global_admin, path, input.clone()).await;
    reason_of(path, sent.expect_err(&format!("{path} refuses {input}")))
}

fn reason_of(path: &str, error: Value) -> (String, String) {
    let reason = error["data"]["reason"].clone();
    assert_eq!(error, refusal(path, "BAD_REQUEST", reason.clone()));
    let text = |name: &str| reason[name].as_str().unwrap().to_owned();
    (text("field"), text("problem"))
}

async fn invalid_inputs(world: World) {
    let before = world.contents().await;
    let long = |characters: usize| "ä".repeat(characters);
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        ("enrollment.enroll", json!({}), "courseId", "missing field `courseId`"),
        ("enrollment.enroll", json!(null), "courseId", "missing field `courseId`"),
        (
            "enrollment.enroll",
            json!({ "courseId": null }),
            "courseId",
            "invalid type: null, expected a string",
        ),
        (
            "enrollment.enroll",
            json!({ "courseId": 1 }),
            "courseId",
            "invalid type: integer `1`, expected a string",
        ),
        ("enrollment.enroll", json!({ "courseId": "" }), "courseId", "not a UUID"),
        ("enrollment.enroll", json!({ "courseId": UUID.replace('-', "") }), "courseId", "not a UUID"),
        ("enrollment.enroll", json!({ "courseId": format!("{{{UUID}}}") }), "courseId", "not a UUID"),
        ("enrollment.enroll", json!({ "courseId": UUID, "userId": "me" }), "userId", "not a UUID"),
        ("enrollment.enroll", json!({ "courseId": UUID, "notes": "" }), "notes", "empty"),
        ("enrollment.enroll", json!({ "courseId": UUID, "notes": " \n" }), "notes", "empty"),
        (
            "enrollment.enroll",
            json!({ "courseId": UUID, "notes": "a\0b" }),
            "notes",
            "contains a control character",
        ),
        (
            "enrollment.enroll",
            json!({ "courseId": UUID, "notes": long(10_001) }),
            "notes",
            "longer than 10000 characters",
        ),
        (
            "enrollment.enroll",
            json!({ "courseId": UUID, "waitlist": 1 }),
            "waitlist",
            "invalid type: integer `1`, expected a boolean",
        ),
        (
            "enrollment.enroll",
            json!({ "courseId": UUID, "idempotencyKey": "" }),
            "idempotencyKey",
            "not 1 to 255 visible ASCII characters",
        ),
        (
            "enrollment.enroll",
            json!({ "courseId": UUID, "idempotencyKey": "k".repeat(256) }),
            "idempotencyKey",
            "not 1 to 255 visible ASCII characters",
        ),
        (
            "enrollment.enroll",
            json!({ "courseId": UUID, "idempotencyKey": "ä" }),
            "idempotencyKey",
            "not 1 to 255 visible ASCII characters",
        ),
        ("enrollment.enroll", json!([]), "", "invalid type: sequence, expected an object"),
        ("enrollment.enroll", json!("text"), "", "invalid type: string \"text\", expected an object"),
        ("enrollment.unenroll", json!({ "courseId": UUID, "reason": "" }), "reason", "empty"),
        (
            "enrollment.unenroll",
            json!({ "courseId": UUID, "reason": long(1_001) }),
            "reason",
            "longer than 1000 characters",
        ),
        ("enrollment.listByUser", json!({ "limit": 0 }), "limit", "not a number from 1 to 200"),
        ("enrollment.listByUser", json!({ "limit": 201 }), "limit", "not a number from 1 to 200"),
        (
            "enrollment.listByUser",
            json!({ "limit": -1 }),
            "limit",
            "invalid value: integer `-1`, expected u32",
        ),
        (
            "enrollment.listByUser",
            json!({ "limit": 1.5 }),
            "limit",
            "invalid type: floating point `1.5`, expected u32",
        ),
        ("enrollment.listByUser", json!({ "cursor": "x" }), "cursor", "not a cursor of this list"),
        (
            "enrollment.listByUser",
            json!({ "statuses": "enrolled" }),
            "statuses",
            "invalid type: string \"enrolled\", expected a sequence",
        ),
        (
            "enrollment.listByUser",
            json!({ "statuses": ["enrolled", "Enrolled"] }),
            "statuses[1]",
            "unknown variant `Enrolled`, expected one of `enrolled`, `waitlisted`, `completed`, `cancelled`, `expired`",
        ),
        ("enrollment.listByCourse", json!({ "courseId": UUID, "search": "" }), "search", "empty"),
        (
            "enrollment.listByCourse",
            json!({ "courseId": UUID, "search": "a\0" }),
            "search",
            "contains a control character",
        ),
        (
            "enrollment.listByCourse",
            json!({ "courseId": UUID, "search": long(201) }),
            "search",
            "longer than 200 characters",
        ),
        (
            "enrollment.history",
            json!({ "enrollmentId": UUID, "cursor": "1" }),
            "cursor",
            "not a cursor of this list",
        ),
        (
            "enrollment.history",
            json!({ "enrollmentId": UUID, "cursor": "99999999999999999" }),
            "cursor",
            "not a cursor of this list",
        ),
        ("course.create", json!({ "title": "" }), "title", "empty"),
        ("course.create", json!({ "title": long(201) }), "title", "longer than 200 characters"),
        ("course.create", json!({ "title": "a\0" }), "title", "contains a control character"),
        (
            "course.create",
            json!({ "title": "a", "capacity": -1 }),
            "capacity",
            "not a whole number from 0 to 1000000000",
        ),
        (
            "course.create",
            json!({ "title": "a", "capacity": 1_000_000_001 }),
            "capacity",
            "not a whole number from 0 to 1000000000",
        ),
        (
            "course.create",
            json!({ "title": "a", "capacity": 4_294_967_297_i64 }),
            "capacity",
            "not a whole number from 0 to 1000000000",
        ),
        (
            "course.create",
            json!({ "title": "a", "capacity": "1" }),
            "capacity",
            "invalid type: string \"1\", expected i64",
        ),
        (
            "course.create",
            json!({ "title": "a", "accessDays": -1 }),
            "accessDays",
            "not a whole number from 0 to 36500",
        ),
        (
            "course.create",
            json!({ "title": "a", "certificateValidDays": -1 }),
            "certificateValidDays",
            "not a whole number from 0 to 36500",
        ),
        (
            "course.create",
            json!({ "title": "a", "passScore": -0.01 }),
            "passScore",
            "not a number from 0 to 100",
        ),
        (
            "course.create",
            json!({ "title": "a", "passScore": 100.01 }),
            "passScore",
            "not a number from 0 to 100",
        ),
        (
            "course.create",
            json!({ "title": "a", "passScore": 50.001 }),
            "passScore",
            "more than two decimals",
        ),
        (
            "course.create",
            json!({ "title": "a", "opensAt": "tomorrow" }),
            "opensAt",
            "not a moment in RFC 3339",
        ),
        (
            "course.create",
            json!({ "title": "a", "opensAt": "2030-02-30T00:00:00Z" }),
            "opensAt",
            "not a moment in RFC 3339",
        ),
        (
            "course.create",
            json!({ "title": "a", "opensAt": "1969-12-31T23:59:59Z" }),
            "opensAt",
            "not a moment of the years 1970 to 9999",
        ),
        (
            "course.create",
            json!({ "title": "a", "opensAt": 0 }),
            "opensAt",
            "invalid type: integer `0`, expected a string",
        ),
        (
            "course.create",
            json!({ "title": "a", "enrollmentMode": "closed" }),
            "enrollmentMode",
            "unknown variant `closed`, expected `open` or `managed`",
        ),
        ("course.create", json!({ "title": "a", "authorIds": [UUID, "b"] }), "authorIds[1]", "not a UUID"),
        ("course.create", json!({ "title": "a", "description": "" }), "description", "empty"),
        (
            "course.update",
            json!({ "courseId": UUID, "version": 0 }),
            "version",
            "not a whole number from 1 to 2147483647",
        ),
        ("course.update", json!({ "courseId": UUID }), "version", "missing field `version`"),
        (
            "course.addModule",
            json!({ "courseId": UUID, "title": "a", "kind": "exam" }),
            "kind",
            "unknown variant `exam`, expected one of `lesson`, `quiz`, `survey`, `webinar`, `scorm`",
        ),
        (
            "course.addModule",
            json!({ "courseId": UUID, "title": "a", "kind": "quiz", "position": 0 }),
            "position",
            "not a whole number from 1 to 1000000",
        ),
        ("member.provision", json!({ "subject": "" }), "subject", "empty"),
        ("member.provision", json!({ "subject": long(256) }), "subject", "longer than 255 characters"),
        ("member.provision", json!({ "subject": "a", "email": "nobody" }), "email", "not an e-mail address"),
        ("member.provision", json!({ "subject": "a", "email": "a@b\0" }), "email", "not an e-mail address"),
        (
            "member.provision",
            json!({ "subject": "a", "displayName": long(201) }),
            "displayName",
            "longer than 200 characters",
        ),
        (
            "member.setRole",
            json!({ "userId": UUID, "role": "mentor" }),
            "role",
            "unknown variant `mentor`, expected one of `learner`, `author`, `coordinator`, `admin`",
        ),
        ("organization.get", json!({ "organizationId": "acme" }), "organizationId", "not a UUID"),
    ];
    for (path, input, field, expected) in cases {
        assert_eq!(problem(&world, path, &input).await, (field.into(), expected.into()), "{path} {input}");
    }
    assert_eq!(world.contents().await, before);
}

/// What no JSON library sends.
async fn as_sent(world: World) {
    for (path, input, field, expected) in [
        ("enrollment.enroll", "{", "", "EOF while parsing an object"),
        ("enrollment.enroll", "", "", "EOF while parsing a value"),
        ("enrollment.enroll", "{} {}", "courseId", "missing field `courseId`"),
        ("session.me", "{} {}", "", "trailing characters"),
        (
            "enrollment.enroll",
            r#"{"courseId":"00000000-0000-4000-8000-000000000000","courseId":"00000000-0000-4000-8000-000000000001"}"#,
            "courseId",
            "duplicate field `courseId`",
        ),
        ("enrollment.enroll", r#"{"courseId":"\ud800"}"#, "courseId", "unexpected end of hex escape"),
    ] {
        let error = world.call_as_sent(&world.acme.admin, path, input).await.expect_err(input);
        let error = serde_json::from_str(&error).unwrap();
        assert_eq!(reason_of(path, error), (field.into(), expected.into()), "{input}");
    }
}

/// In every procedure, and to everyone who may call at all.
async fn an_unknown_field_anywhere(world: World) {
    for procedure in router().iter() {
        let path = &procedure.path;
        let error = world.call(&world.global_admin, path, json!({ "unheardOf": 1 })).await.expect_err(path);
        assert_eq!(reason_of(path, error).0, "unheardOf");
    }
}

async fn valid_at_the_edge(world: World) {
    let text = |characters: usize| "ä".repeat(characters);
    let input = json!({
        "title": text(200),
        "description": text(10_000),
        "capacity": 1_000_000_000,
        "accessDays": 0,
        "certificateValidDays": 36_500,
        "passScore": 100,
        "opensAt": "1970-01-01T00:00:00Z",
        "closesAt": "9999-12-31T23:59:59.999999Z",
        "authorIds": [],
        "idempotencyKey": "~".repeat(255),
    });
    let course = world.call(&world.acme.admin, "course.create", input).await.unwrap();
    assert_eq!(
        [&course["opensAt"], &course["closesAt"]],
        ["1970-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"]
    );
    let id = course["id"].as_str().unwrap();
    world.call(&world.acme.admin, "course.publish", json!({ "courseId": id })).await.unwrap();
    let notes = format!("a\tb\r\n{}", text(9_995));
    let input = json!({ "courseId": id, "userId": world.id("<learner>"), "notes": notes });
    let enrolled = world.call(&world.acme.admin, "enrollment.enroll", input).await.unwrap();
    assert_eq!(enrolled["notes"], notes);
    let input = json!({ "courseId": id, "userId": world.id("<learner>"), "reason": text(1_000) });
    world.call(&world.acme.admin, "enrollment.unenroll", input).await.unwrap();
    for limit in [1, 200] {
        let page = world.call(&world.acme.admin, "course.list", json!({ "limit": limit })).await.unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
    }
    let offset = json!({ "title": "offset", "opensAt": "2030-01-01T02:00:00.123456789+02:00" });
    let course = world.call(&world.acme.admin, "course.create", offset).await.unwrap();
    assert_eq!(course["opensAt"], "2030-01-01T00:00:00.123456Z");
}
