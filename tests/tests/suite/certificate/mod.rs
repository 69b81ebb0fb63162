//! `certificate.*`

mod get;
mod list_by_user;
mod verify;

use serde_json::json;
use tests::World;

/// An admin of acme completes an enrollment, its conditions waived; the certificate is called `<name>`.
async fn certified(world: &World, enrollment: &str, name: &str) {
    let input = json!({ "enrollmentId": enrollment, "waiveReason": "for the test" });
    let completed = world.ok(&world.acme.admin, "enrollment.complete", input).await;
    world.name(name, &world.id(completed["certificateId"].as_str().unwrap()));
}

/// An admin of acme takes a completion back.
async fn revoked(world: &World, enrollment: &str) {
    let input = json!({ "enrollmentId": enrollment, "reason": "a mistake" });
    world.call(&world.acme.admin, "enrollment.revoke", input).await.unwrap();
}
