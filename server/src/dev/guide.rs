//! What `rollbook dev` prints: addresses, ids, and calls that work as pasted.

use std::fmt::Write;

use procedures::course::{Course, CourseStatus};
use procedures::error::{Error, Result};
use procedures::member::{Member, Role};
use procedures::values::{CourseId, Page};
use serde_json::{Value, json};

use super::demo::ORGANIZATIONS;
use super::idp::{Issuers, TokenRequest};
use super::inside::{Inside, parsed};

/// How long the printed token lives, in seconds: twelve hours.
const TOKEN_SECONDS: i64 = 12 * 60 * 60;

pub async fn text(issuers: &Issuers) -> Result<String> {
    let base = &issuers.base;
    let mut out = String::new();
    let written = write!(
        out,
        "Rollbook is ready.\n\n\
         JSON-RPC   {base}/rpc  (POST, or a WebSocket)\n\
         tRPC       {base}/trpc  (HTTP, server-sent events, or a WebSocket)\n\
         OpenRPC    {base}/openrpc.json\n\
         Health     {base}/healthz  {base}/readyz\n\
         Sessions   POST {base}/dev/token  {{\"organization\": \"acme\", \"subject\": \"lena\", \"role\": \"learner\"}}\n\
         Services   POST {base}/dev/service-token  {{\"organization\": \"acme\", \"scopes\": [\"enrollments:write\"]}}\n\
         Clock      POST {base}/dev/clock  {{\"advanceSeconds\": 86400}}\n"
    );
    written.map_err(Error::internal)?;
    for (slug, name) in ORGANIZATIONS {
        out += &organization(&Inside::new(issuers, parsed(slug)?), name).await?;
    }
    out += &calls(&Inside::new(issuers, parsed("acme")?)).await?;
    Ok(out)
}

async fn organization(inside: &Inside<'_>, name: &str) -> Result<String> {
    let admin = inside.sign_in("ada", Role::Admin).await?;
    let id = inside.issuers.key(&inside.slug).await?.organization_id;
    let mut out = format!("\n{name}: organization {} {id}\n", inside.slug);
    // An admin may have lost the role since; then the guide is the shorter for it.
    if let Ok(members) = inside.call::<Page<Member>>(&admin, "member.list", json!({ "limit": 20 })).await {
        for member in members.items {
            let name = member.display_name.unwrap_or_default();
            out += &format!("  {:<11} {}  {name}\n", member.role.as_str(), member.user_id);
        }
    }
    let courses: Page<Course> = inside.call(&admin, "course.list", json!({ "limit": 20 })).await?;
    for course in courses.items {
        let seats = match course.capacity {
            Some(capacity) => format!(", {} of {capacity} seats taken", course.seats_taken),
            None => String::new(),
        };
        out +=
            &format!("  course      {}  {} ({}{seats})\n", course.id, course.title, course.status.as_str());
    }
    Ok(out)
}

/// Enroll, enroll again, unenroll, enroll once more: one enrollment, whose second attempt it ends with.
async fn calls(inside: &Inside<'_>) -> Result<String> {
    let luca = inside.sign_in("luca", Role::Learner).await?;
    let courses: Page<Course> =
        inside.call(&luca, "course.list", json!({ "status": CourseStatus::Published, "limit": 1 })).await?;
    let Some(course) = courses.items.first() else { return Ok(String::new()) };
    let request = TokenRequest {
        subject: parsed("luca")?,
        role: Role::Learner,
        name: None,
        global_admin: false,
        expires_in: TOKEN_SECONDS,
    };
    let token = inside.issuers.sign(&inside.issuers.key(&inside.slug).await?, &request)?;
    let base = &inside.issuers.base;
    let mut out = format!(
        "\nPaste these into another terminal, to be luca, a learner of acme:\n\nTOKEN={token}\n\
         rpc() {{ curl -s {base}/rpc -H 'content-type: application/json' -H \"authorization: Bearer $TOKEN\" -d \"$1\"; echo; }}\n"
    );
    let call = |id: u32, method: &str, params: Value| -> String {
        format!("rpc '{}'\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
    };
    let course_id: CourseId = course.id;
    let of_course = json!({ "courseId": course_id });
    out += &call(1, "enrollment.enroll", of_course.clone());
    out += "# once more: CONFLICT, with the id of the enrollment that is there\n";
    out += &call(2, "enrollment.enroll", of_course.clone());
    out += &call(3, "enrollment.unenroll", json!({ "courseId": course_id, "reason": "no time" }));
    out += "# and again: the same id, attempt 2\n";
    out += &call(4, "enrollment.enroll", of_course);
    out += &call(5, "enrollment.listByUser", json!({}));
    out += "# the same as a tRPC client asks for it\n";
    out += &format!(
        "curl -s {base}/trpc/enrollment.listByUser -H \"authorization: Bearer $TOKEN\"; echo\n\
         # and what happens from now on, until Ctrl-C: curl -N {base}/trpc/enrollment.onChange -H \"authorization: Bearer $TOKEN\"\n"
    );
    out += "\nCtrl-C stops the server.\n";
    Ok(out)
}
