//! Whole answers, from the usual one and what differs from it.

use serde_json::{Value, json};
use tests::merged;

/// The first enrollment of `<learner>` in `<course>`, by themselves.
#[track_caller]
pub fn enrollment(fields: Value) -> Value {
    let usual = json!({
        "id": "<1>",
        "userId": "<learner>",
        "courseId": "<course>",
        "organizationId": "<acme>",
        "status": "enrolled",
        "source": "self",
        "enrolledAt": "<t1>",
        "startedAt": null,
        "completedAt": null,
        "cancelledAt": null,
        "waitlistedAt": null,
        "expiresAt": null,
        "completionScore": null,
        "progress": 0,
        "modulesTotal": 0,
        "modulesCompleted": 0,
        "enrolledByUserId": null,
        "certificateId": null,
        "reminderSentAt": null,
        "notes": null,
        "attempt": 1,
        "version": 1,
        "softDeleted": false,
        "waitlistPosition": null,
        "createdAt": "<t1>",
        "updatedAt": "<t1>",
    });
    merged(usual, fields)
}

/// The same with its learner, as a roster has it.
#[track_caller]
pub fn roster_entry(name: &str, fields: Value) -> Value {
    let mut entry = enrollment(fields);
    entry["user"] = json!({ "id": entry["userId"], "displayName": name });
    entry
}

/// A draft of acme as `course.create` makes it of a title alone.
#[track_caller]
pub fn course(fields: Value) -> Value {
    let usual = json!({
        "id": "<course>",
        "organizationId": "<acme>",
        "title": "course",
        "description": null,
        "status": "draft",
        "capacity": null,
        "waitlist": true,
        "seatsTaken": 0,
        "opensAt": null,
        "closesAt": null,
        "accessDays": null,
        "endsAt": null,
        "passScore": null,
        "certificate": true,
        "certificateValidDays": null,
        "enrollmentMode": "open",
        "autoComplete": false,
        "authorIds": [],
        "modulesTotal": 0,
        "version": 1,
        "publishedAt": null,
        "createdAt": "<t1>",
        "updatedAt": "<t1>",
    });
    merged(usual, fields)
}

/// The same, published before anything else happened to it.
#[track_caller]
pub fn published(fields: Value) -> Value {
    let usual = json!({ "status": "published", "version": 2, "publishedAt": "<t2>", "updatedAt": "<t2>" });
    merged(course(usual), fields)
}

/// An event's data as `enrollment.history` tells it: with the request that brought it about.
pub fn audited(mut data: Value) -> Value {
    data["requestId"] = tests::REQUEST_ID.into();
    data
}

/// The last page of a list.
pub fn last_page(items: impl IntoIterator<Item = Value>) -> Value {
    json!({ "items": items.into_iter().collect::<Vec<_>>(), "nextCursor": null })
}

/// One field of every item of a page.
pub fn each(page: &Value, field: &str) -> Vec<Value> {
    page["items"].as_array().expect("a page").iter().map(|item| item[field].clone()).collect()
}
