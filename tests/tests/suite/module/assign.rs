//! `module.assign`

use procedures::session::Scope;
use serde_json::json;
use tests::{Actor, World, expect, on_both, refusal};

use super::start::{event, is_not_found, is_refused_unless_under_way, is_stored, module, of, progress};
use crate::answers::enrollment;

on_both![
    a_later_module_is_given,
    assigning_twice_changes_nothing,
    what_was_taken_away_comes_back_with_its_progress,
    a_retired_module_is_not_given,
    not_under_way,
    given_and_taken_away_by_whom,
    unknown_and_foreign,
];

const ASSIGN: &str = "module.assign";
const UNASSIGN: &str = "module.unassign";

/// D14.
async fn a_later_module_is_given(world: World) {
    world.course("course", json!({})).await;
    world.ok(&world.acme.learner, "enrollment.enroll", json!({ "courseId": "<course>" })).await;
    world.module("<course>", "module").await;
    let answer = world.ok(&world.acme.admin, ASSIGN, of("<1>", "<module>")).await;
    let given = json!({ "modulesTotal": 1, "updatedAt": "<t2>", "version": 2 });
    let expected =
        json!({ "module": module(json!({ "enrolledAt": "<t2>" })), "enrollment": enrollment(given) });
    expect(&answer, &expected);
    let by_the_admin = json!({ "kind": "moduleAssigned", "actor": { "kind": "user", "id": "<admin>" } });
    is_stored(&world, &answer, &event(by_the_admin)).await;
}

async fn assigning_twice_changes_nothing(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "from the start").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.module("<course>", "later").await;
    let input = of("<enrollment>", "<later>");
    let first = world.ok(&world.acme.admin, ASSIGN, input.clone()).await;
    let before = world.contents().await;
    expect(&world.ok(&world.acme.admin, ASSIGN, input).await, &first);
    let other = world.ok(&world.acme.admin, ASSIGN, of("<enrollment>", "<from the start>")).await;
    expect(&other["enrollment"], &first["enrollment"]);
    assert_eq!(world.contents().await, before);
}

async fn what_was_taken_away_comes_back_with_its_progress(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    world.module("<course>", "other").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    let input = of("<enrollment>", "<module>");
    let completed = world.ok(&world.acme.learner, "module.complete", input.clone()).await;
    let taken = world.ok(&world.acme.admin, UNASSIGN, input.clone()).await;
    assert_eq!(progress(&taken), [0, 1, 0]);
    let given = world.ok(&world.acme.admin, ASSIGN, input).await;
    expect(&given["module"], &completed["module"]);
    assert_eq!(progress(&given), [50, 2, 1]);
}

/// D15: not to those who do not have it, for whichever reason.
async fn a_retired_module_is_not_given(world: World) {
    let admin = &world.acme.admin;
    let retire = async |module: &str| {
        world.ok(admin, "course.retireModule", json!({ "moduleId": module })).await;
    };
    world.course("course", json!({})).await;
    for name in ["had", "taken away", "left behind"] {
        world.module("<course>", name).await;
    }
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.ok(admin, UNASSIGN, of("<enrollment>", "<taken away>")).await;
    retire("<left behind>").await;
    world.cancelled("<enrollment>").await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    world.module("<course>", "later").await;
    for module in ["<had>", "<taken away>", "<later>"] {
        retire(module).await;
    }
    for module in ["<taken away>", "<left behind>", "<later>"] {
        let error = world.refused(admin, ASSIGN, of("<enrollment>", module)).await;
        let reason =
            json!({ "type": "invalidInput", "field": "moduleId", "problem": "the module is retired" });
        expect(&error, &refusal(ASSIGN, "BAD_REQUEST", reason));
    }
    let before = world.contents().await;
    let answer = world.ok(admin, ASSIGN, of("<enrollment>", "<had>")).await;
    assert_eq!(answer["module"]["softDeleted"], false);
    assert_eq!(world.contents().await, before);
}

async fn not_under_way(world: World) {
    is_refused_unless_under_way(&world, &world.acme.admin, ASSIGN).await;
}

async fn given_and_taken_away_by_whom(world: World) {
    let acme = &world.acme;
    world.course("course", json!({ "authorIds": ["<author>"] })).await;
    world.module("<course>", "module").await;
    world.enrolled(&acme.learner, "<course>", "enrollment").await;
    world.enrolled(&acme.author, "<course>", "of the author").await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    let another = world.service(&[Scope::EnrollmentsRead, Scope::ProgressWrite, Scope::CoursesWrite]).await;
    for path in [ASSIGN, UNASSIGN] {
        let error = world.refused(&Actor::Anonymous, path, of("<enrollment>", "<module>")).await;
        expect(&error, &refusal(path, "UNAUTHORIZED", json!(null)));
        for enrollment in ["<enrollment>", "<of the author>", unknown] {
            for actor in [&acme.learner, &acme.peer, &acme.author] {
                let error = world.refused(actor, path, of(enrollment, "<module>")).await;
                expect(&error, &refusal(path, "FORBIDDEN", json!({ "type": "roleRequired" })));
            }
            let error = world.refused(&another, path, of(enrollment, "<module>")).await;
            let reason = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
            expect(&error, &refusal(path, "FORBIDDEN", reason));
        }
    }
    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    for actor in [&acme.coordinator, &acme.admin, &world.global_admin, &writer] {
        for enrollment in ["<enrollment>", "<of the author>"] {
            for (path, is_taken) in [(UNASSIGN, true), (ASSIGN, false)] {
                let answer = world.ok(actor, path, of(enrollment, "<module>")).await;
                assert_eq!(answer["module"]["softDeleted"], is_taken);
            }
        }
    }
}

async fn unknown_and_foreign(world: World) {
    let writer = world.service(&[Scope::EnrollmentsWrite]).await;
    let actors = [&world.acme.coordinator, &world.acme.admin, &world.global_admin, &writer];
    is_not_found(&world, &actors, ASSIGN).await;
}
