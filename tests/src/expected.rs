//! What to expect of an answer, spelled out: the whole of it is compared.

use serde_json::{Value, json};

use crate::world::REQUEST_ID;

/// Fails with both texts, field by field, unless the answer is the expected one.
#[track_caller]
pub fn expect(answer: &Value, expected: &Value) {
    assert!(answer == expected, "\nexpected: {expected:#}\nanswered: {answer:#}\n");
}

/// The first object with the fields of the second in place of its own. A name that the first lacks is a mistake.
#[track_caller]
pub fn merged(mut whole: Value, fields: Value) -> Value {
    let (Value::Object(whole_fields), Value::Object(fields)) = (&mut whole, fields) else {
        panic!("only objects are merged")
    };
    for (name, value) in fields {
        let known = whole_fields.insert(name.clone(), value);
        assert!(known.is_some(), "there is no field {name}");
    }
    whole
}

/// The whole error of a refused call: its code and reason as the contract has them.
#[track_caller]
pub fn refusal(path: &str, code: &str, reason: Value) -> Value {
    let (number, status) = match code {
        "BAD_REQUEST" => (-32600, 400),
        "UNAUTHORIZED" => (-32001, 401),
        "FORBIDDEN" => (-32003, 403),
        "NOT_FOUND" => (-32004, 404),
        "CONFLICT" => (-32009, 409),
        "PRECONDITION_FAILED" => (-32012, 412),
        "UNPROCESSABLE_CONTENT" => (-32022, 422),
        "TOO_MANY_REQUESTS" => (-32029, 429),
        _ => panic!("{code} is not a refusal"),
    };
    let kind = reason["type"].as_str().unwrap_or("");
    let (message, rule) = match (code, kind) {
        ("UNAUTHORIZED", _) => ("A valid session is required.", None),
        ("NOT_FOUND", _) => ("No such thing here.", None),
        ("UNPROCESSABLE_CONTENT", _) => ("The idempotency key was used before with another input.", None),
        (_, "invalidInput") => ("The input is not valid.", None),
        (_, "notAMember") => ("Not an active member of this organization.", Some("tenant_scoped_access")),
        (_, "roleRequired") => ("The caller's role does not allow this.", None),
        (_, "scopeRequired") => ("The service token's scopes do not allow this.", None),
        (_, "managedCourse") => ("The course is managed: its coordinators decide who is enrolled.", None),
        (_, "alreadyEnrolled") => {
            ("Already enrolled in this course.", Some("unique_enrollment_per_user_per_course"))
        }
        (_, "invalidTransition") => {
            ("The enrollment's status does not allow this.", Some("status_transition_enforcement"))
        }
        (_, "versionMismatch") => ("Changed by someone else since it was read.", None),
        (_, "keyInFlight") => ("A call with this idempotency key is still running.", None),
        (_, "tombstone") => ("A person cancelled this enrollment; only a person enrolls again.", None),
        (_, "slugTaken") => ("Another organization has this slug.", None),
        (_, "issuerTaken") => ("Another organization signs in with this issuer.", None),
        (_, "noIdentityProvider") => ("The organization has no identity provider yet.", None),
        (_, "courseNotPublished") => ("The course is not published.", None),
        (_, "courseFull") => ("Every seat of the course is taken.", None),
        (_, "notOpenYet") => ("Enrolling has not begun yet.", None),
        (_, "closed") => ("Enrolling has ended.", None),
        (_, "modulesIncomplete") => ("Not every module is completed.", None),
        (_, "belowPassScore") => ("The score is below the course's pass score.", None),
        (_, "rateLimited") => ("Too many calls.", None),
        (_, other) => panic!("{other:?} is no reason of a refusal"),
    };
    let mut data = json!({ "code": code, "httpStatus": status, "path": path, "requestId": REQUEST_ID });
    if !reason.is_null() {
        data["reason"] = reason;
    }
    if let Some(rule) = rule {
        data["rule"] = rule.into();
    }
    json!({ "message": message, "code": number, "data": data })
}
