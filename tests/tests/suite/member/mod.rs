//! `member.*`

mod end;
mod get;
mod list;
mod provision;
mod resume;
mod set_role;
mod suspend;

use serde_json::{Value, json};
use tests::merged;

/// A new learner without a name.
#[track_caller]
fn member(fields: Value) -> Value {
    let usual = json!({
        "userId": "<1>",
        "organizationId": "<acme>",
        "displayName": null,
        "email": null,
        "role": "learner",
        "status": "active",
        "createdAt": "<t1>",
    });
    merged(usual, fields)
}
