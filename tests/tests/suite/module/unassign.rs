//! `module.unassign`; who may is told with `module.assign`

use procedures::session::Scope;
use serde_json::json;
use tests::{World, expect, on_both, refusal};

use super::start::{event, is_not_found, is_refused_unless_under_way, is_stored, module, of, progress};
use crate::answers::{each, enrollment};

on_both![
    a_module_is_taken_away,
    it_leaves_the_total,
    taking_it_twice_changes_nothing,
    under_a_key,
    enrolling_again_does_not_give_it_back,
    retired_modules_leave_the_total_on_enrolling_again,
    what_one_never_had,
    not_under_way,
    unknown_and_foreign,
];

const UNASSIGN: &str = "module.unassign";

async fn a_module_is_taken_away(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.module("<course>", "second").await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    let answer = world.ok(&world.acme.coordinator, UNASSIGN, of("<1>", "<module>")).await;
    let left = json!({ "modulesTotal": 1, "updatedAt": "<t2>", "version": 2 });
    let expected =
        json!({ "module": module(json!({ "softDeleted": true })), "enrollment": enrollment(left) });
    expect(&answer, &expected);
    let by_the_coordinator =
        json!({ "kind": "moduleUnassigned", "actor": { "kind": "user", "id": "<coordinator>" } });
    is_stored(&world, &answer, &event(by_the_coordinator)).await;
}

/// D12: what is left may be all completed; the course is not.
async fn it_leaves_the_total(world: World) {
    world.course("course", json!({ "autoComplete": true })).await;
    for name in ["a", "b", "c"] {
        world.module("<course>", name).await;
    }
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    for name in ["<a>", "<b>"] {
        world.ok(&world.acme.learner, "module.complete", of("<enrollment>", name)).await;
    }
    let without_a = world.ok(&world.acme.admin, UNASSIGN, of("<enrollment>", "<a>")).await;
    assert_eq!(progress(&without_a), [50, 2, 1]);
    assert_eq!(without_a["module"]["completed"], true);
    let without_c = world.ok(&world.acme.admin, UNASSIGN, of("<enrollment>", "<c>")).await;
    assert_eq!(progress(&without_c), [100, 1, 1]);
    assert_eq!(without_c["enrollment"]["status"], "enrolled");
}

async fn taking_it_twice_changes_nothing(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = of("<enrollment>", "<module>");
    let first = world.ok(&world.acme.admin, UNASSIGN, input.clone()).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, UNASSIGN, input).await, &first);
    assert_eq!(world.contents().await, before);
}

/// A call that is repeated does not take away what was given back meanwhile.
async fn under_a_key(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let mut keyed = of("<enrollment>", "<module>");
    keyed["idempotencyKey"] = "k".into();
    let first = world.ok(&world.acme.admin, UNASSIGN, keyed.clone()).await;
    world.ok(&world.acme.admin, "module.assign", of("<enrollment>", "<module>")).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, UNASSIGN, keyed).await, &first);
    assert_eq!(world.contents().await, before);
}

/// D15.
async fn enrolling_again_does_not_give_it_back(world: World) {
    let learner = &world.acme.learner;
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.module("<course>", "other").await;
    world.enrolled(learner, "<course>", "enrollment").await;
    let input = of("<enrollment>", "<module>");
    world.ok(&world.acme.admin, UNASSIGN, input.clone()).await;
    world.cancelled("<enrollment>").await;
    let again = world.ok(learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    assert_eq!(again["modulesTotal"], 1);
    let modules =
        world.ok(learner, "module.listByEnrollment", json!({ "enrollmentId": "<enrollment>" })).await;
    assert_eq!(each(&json!({ "items": modules }), "softDeleted"), [true, false]);
    let answer = world.ok(&world.acme.admin, "module.assign", input).await;
    assert_eq!(progress(&answer), [0, 2, 0]);
}

/// D15: until then those enrolled keep them, with their part in the progress.
async fn retired_modules_leave_the_total_on_enrolling_again(world: World) {
    let learner = &world.acme.learner;
    world.course("course", json!({})).await;
    for name in ["a", "b", "c"] {
        world.module("<course>", name).await;
    }
    world.enrolled(learner, "<course>", "enrollment").await;
    for name in ["<a>", "<b>"] {
        world.ok(learner, "module.complete", of("<enrollment>", name)).await;
    }
    world.ok(&world.acme.admin, "course.retireModule", json!({ "moduleId": "<a>" })).await;
    world.module("<course>", "d").await;
    let input = json!({ "enrollmentId": "<enrollment>" });
    let standing = async || {
        let read = world.ok(learner, "enrollment.get", input.clone()).await;
        ["progress", "modulesTotal", "modulesCompleted"].map(|field| read[field].clone())
    };
    assert_eq!(standing().await, [66, 3, 2]);
    world.cancelled("<enrollment>").await;
    assert_eq!(standing().await, [66, 3, 2]);
    world.enrolled(learner, "<course>", "enrollment").await;
    assert_eq!(standing().await, [33, 3, 1]);
    let modules = json!({ "items": world.ok(learner, "module.listByEnrollment", input.clone()).await });
    assert_eq!(each(&modules, "moduleId"), ["<a>", "<b>", "<c>", "<d>"]);
    assert_eq!(each(&modules, "softDeleted"), [true, false, false, false]);
    assert_eq!(each(&modules, "completed"), [true, true, false, false]);
}

async fn what_one_never_had(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.module("<course>", "later").await;
    let error = world.refused(&world.acme.admin, UNASSIGN, of("<enrollment>", "<later>")).await;
    expect(&error, &refusal(UNASSIGN, "NOT_FOUND", json!(null)));
}

async fn not_under_way(world: World) {
    is_refused_unless_under_way(&world, &world.acme.admin, UNASSIGN).await;
}

async fn unknown_and_foreign(world: World) {
    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    let actors = [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &writer];
    is_not_found(&world, &actors, UNASSIGN).await;
}
