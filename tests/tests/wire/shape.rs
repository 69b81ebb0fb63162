//! The one error shape of the contract.

use std::collections::BTreeSet;

use serde_json::Value;

/// Each key with its number and status.
const CODES: [(&str, i64, u64); 15] = [
    ("PARSE_ERROR", -32700, 400),
    ("BAD_REQUEST", -32600, 400),
    ("UNAUTHORIZED", -32001, 401),
    ("FORBIDDEN", -32003, 403),
    ("NOT_FOUND", -32004, 404),
    ("METHOD_NOT_SUPPORTED", -32005, 405),
    ("TIMEOUT", -32008, 408),
    ("CONFLICT", -32009, 409),
    ("PRECONDITION_FAILED", -32012, 412),
    ("PAYLOAD_TOO_LARGE", -32013, 413),
    ("UNSUPPORTED_MEDIA_TYPE", -32015, 415),
    ("UNPROCESSABLE_CONTENT", -32022, 422),
    ("TOO_MANY_REQUESTS", -32029, 429),
    ("INTERNAL_SERVER_ERROR", -32603, 500),
    ("SERVICE_UNAVAILABLE", -32603, 503),
];

/// Fails unless this is an error in the contract's shape and nothing more; answers with its key.
#[track_caller]
pub fn code_of(error: &Value) -> &str {
    let fields = |value: &Value| -> Vec<String> {
        let object = value.as_object().unwrap_or_else(|| panic!("not an object: {error}"));
        object.keys().cloned().collect::<BTreeSet<_>>().into_iter().collect()
    };
    assert_eq!(fields(error), ["code", "data", "message"], "{error}");
    let data = &error["data"];
    let extra =
        |name: &String| !["code", "httpStatus", "path", "requestId", "reason", "rule"].contains(&&**name);
    assert!(!fields(data).iter().any(extra), "{error}");
    let code = data["code"].as_str().unwrap_or_else(|| panic!("no data.code: {error}"));
    let known = CODES.iter().find(|(known, ..)| *known == code).unwrap_or_else(|| panic!("{error}"));
    assert_eq!(
        (error["code"].as_i64(), data["httpStatus"].as_u64()),
        (Some(known.1), Some(known.2)),
        "{error}"
    );
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    assert!(data["requestId"].as_str().is_some_and(|id| !id.is_empty()), "{error}");
    assert!(data.get("path").is_some_and(|path| path.is_null() || path.is_string()), "{error}");
    known.0
}

/// Fails unless this is the answer to a call that was refused with this id and key.
#[track_caller]
pub fn assert_refused(answer: &Value, id: &Value, code: &str) {
    let names = answer.as_object().unwrap_or_else(|| panic!("{answer}")).keys().map(String::as_str);
    assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(["error", "id", "jsonrpc"]), "{answer}");
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    assert_eq!(&answer["id"], id, "{answer}");
    assert_eq!(code_of(&answer["error"]), code, "{answer}");
}

/// An error without what differs from request to request.
pub fn without_request_id(mut error: Value) -> Value {
    for path in ["/data/requestId", "/error/data/requestId"] {
        if let Some(id) = error.pointer_mut(path) {
            *id = Value::Null;
        }
    }
    error
}
