//! `enrollment.enroll`

use std::time::Duration;

use procedures::member::Role;
use procedures::session::Scope;
use serde_json::json;
use tests::{Actor, World, expect, on_both, refusal};

use crate::answers::{enrollment, last_page};

on_both![
    a_learner_enrolls_themselves,
    without_a_session,
    all_current_modules_come_with_it,
    access_ends_after_so_many_days,
    access_ends_with_the_course,
    an_active_enrollment_stands,
    a_cancelled_enrollment_is_taken_up_again,
    an_expired_enrollment_is_taken_up_again,
    taking_up_again_clears_what_belonged_to_the_former_attempt,
    modules_that_changed_meanwhile,
    only_published_courses,
    an_enrollment_survives_its_course_being_unpublished,
    before_it_opens,
    after_it_closes,
    a_full_course,
    a_seat_that_was_freed,
    an_organization_s_admin_raises_the_capacity,
    a_managed_course,
    a_coordinator_enrolls_learners,
    an_admin_enrolls_anyone,
    a_global_admin_enrolls_others,
    a_service_enrolls_by_its_scope,
    only_active_members_are_enrolled,
    nobody_of_this_id,
    notes_of_a_coordinator,
    whether_to_wait,
];

const ENROLL: &str = "enrollment.enroll";

fn course_is(id: &str) -> serde_json::Value {
    json!({ "courseId": id })
}

async fn a_learner_enrolls_themselves(world: World) {
    world.course("course", json!({})).await;
    let answer = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    expect(&answer, &enrollment(json!({})));

    let stored = world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<1>" })).await;
    expect(&stored, &answer);
}

async fn without_a_session(world: World) {
    world.course("course", json!({})).await;
    let error = world.refused(&Actor::Anonymous, ENROLL, course_is("<course>")).await;
    expect(&error, &refusal(ENROLL, "UNAUTHORIZED", json!(null)));
}

async fn all_current_modules_come_with_it(world: World) {
    world.course("course", json!({})).await;
    for name in ["first", "second", "retired"] {
        world.module("<course>", name).await;
    }
    world.ok(&world.acme.admin, "course.retireModule", json!({ "moduleId": "<retired>" })).await;
    let answer = world.ok(&world.acme.peer, ENROLL, course_is("<course>")).await;
    expect(
        &answer,
        &enrollment(json!({
            "userId": "<peer>",
            "modulesTotal": 2,
            "enrolledAt": "<t2>",
            "createdAt": "<t2>",
            "updatedAt": "<t2>",
        })),
    );
}

async fn access_ends_after_so_many_days(world: World) {
    let fields = json!({ "accessDays": 30, "endsAt": "2400-01-01T00:00:00Z" });
    world.course("course", fields).await;
    let answer = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    expect(&answer, &enrollment(json!({ "expiresAt": "<t1+30d>" })));
}

async fn access_ends_with_the_course(world: World) {
    let fields = json!({ "accessDays": 36_500, "endsAt": "2035-01-01T00:00:00Z" });
    world.course("course", fields).await;
    let answer = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    expect(&answer, &enrollment(json!({ "expiresAt": "2035-01-01T00:00:00.000000Z" })));
}

/// D2.
async fn an_active_enrollment_stands(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    world.enrolled(&world.acme.learner, "<course>", "enrollment").await;
    for status in ["waitlisted", "enrolled", "completed"] {
        match status {
            "enrolled" => world.capacity("<course>", json!(1)).await,
            "completed" => world.completed("<enrollment>").await,
            _ => {}
        }
        for actor in [&world.acme.learner, &world.acme.coordinator, &world.acme.admin, &world.global_admin] {
            let input = json!({ "courseId": "<course>", "userId": "<learner>" });
            let error = world.refused(actor, ENROLL, input).await;
            let reason = json!({
                "type": "alreadyEnrolled",
                "enrollmentId": "<enrollment>",
                "status": status,
            });
            expect(&error, &refusal(ENROLL, "CONFLICT", reason));
        }
    }
}

/// D1, D3: the same row, with all of enroll's checks.
async fn a_cancelled_enrollment_is_taken_up_again(world: World) {
    world.course("course", json!({ "accessDays": 1 })).await;
    let learner = &world.acme.learner;
    let first = world.ok(learner, ENROLL, course_is("<course>")).await;
    expect(&first, &enrollment(json!({ "expiresAt": "<t1+1d>" })));
    world.ok(&world.acme.learner, "enrollment.unenroll", course_is("<course>")).await;

    world.ok(&world.acme.admin, "course.unpublish", course_is("<course>")).await;
    let error = world.refused(learner, ENROLL, course_is("<course>")).await;
    expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", json!({ "type": "courseNotPublished" })));
    world.ok(&world.acme.admin, "course.publish", course_is("<course>")).await;

    let again = world.ok(learner, ENROLL, course_is("<course>")).await;
    let at = again["enrolledAt"].clone();
    assert!(at != first["enrolledAt"]);
    let expires_at = again["expiresAt"].clone();
    assert_eq!(expires_at, json!(at.as_str().unwrap().replace('>', "+1d>")));
    expect(
        &again,
        &enrollment(json!({
            "attempt": 2, "version": 3, "enrolledAt": at, "updatedAt": at, "expiresAt": expires_at,
        })),
    );
}

/// D2.
async fn an_expired_enrollment_is_taken_up_again(world: World) {
    world.course("course", json!({})).await;
    world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    world.expired("<1>").await;
    let again = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    expect(
        &again,
        &enrollment(json!({ "attempt": 2, "version": 3, "enrolledAt": "<t2>", "updatedAt": "<t2>" })),
    );
}

async fn taking_up_again_clears_what_belonged_to_the_former_attempt(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>", "userId": "<learner>", "notes": "by the coordinator" });
    world.ok(&world.acme.coordinator, ENROLL, input).await;
    world
        .sql(
            "UPDATE course_enrollments SET reminder_sent_at = enrolled_at, waitlisted_at = enrolled_at, \
              source_ref = 'a cohort'",
        )
        .await
        .unwrap();
    world.cancelled("<1>").await;
    world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    let read = world.ok(&world.acme.admin, "enrollment.get", json!({ "enrollmentId": "<1>" })).await;
    expect(
        &read,
        &enrollment(json!({
            "attempt": 2, "version": 3, "enrolledAt": "<t2>", "updatedAt": "<t2>", "notes": "by the coordinator",
        })),
    );
    let kept = world.contents().await["course_enrollments"].concat();
    assert!(!kept.contains("a cohort"), "{kept}");
}

/// D15: progress comes back, new modules are added, retired ones leave, those an admin took away stay away.
async fn modules_that_changed_meanwhile(world: World) {
    world.course("course", json!({})).await;
    for name in ["done", "taken away", "retired"] {
        world.module("<course>", name).await;
    }
    world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    let (done, taken) = (world.id_literal("<done>"), world.id_literal("<taken away>"));
    for sql in [
        format!("UPDATE module_enrollments SET completed_at = enrolled_at WHERE module_id = {done}"),
        format!(
            "UPDATE module_enrollments SET soft_deleted = true, removed_because = 'unassigned' \
             WHERE module_id = {taken}"
        ),
        "UPDATE course_enrollments SET modules_total = 2, modules_completed = 1".into(),
    ] {
        assert_eq!(world.sql(&sql).await, Ok(1));
    }
    let left = world.ok(&world.acme.learner, "enrollment.unenroll", course_is("<course>")).await;
    assert_eq!((&left["progress"], &left["modulesTotal"]), (&json!(50), &json!(2)), "D4: progress is kept");

    world.ok(&world.acme.admin, "course.retireModule", json!({ "moduleId": "<retired>" })).await;
    world.module("<course>", "new").await;
    let again = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    let at = again["enrolledAt"].clone();
    expect(
        &again,
        &enrollment(json!({
            "attempt": 2, "version": 3, "enrolledAt": at, "updatedAt": at,
            "modulesTotal": 2, "modulesCompleted": 1, "progress": 50,
        })),
    );
    let modules =
        world.call(&world.acme.learner, "module.listByEnrollment", json!({ "enrollmentId": "<1>" })).await;
    let modules = modules.unwrap();
    let seen = modules.as_array().unwrap().iter();
    let seen: Vec<_> = seen
        .map(|module| {
            let flag = |name: &str| module[name].as_bool().unwrap();
            (module["title"].as_str().unwrap(), flag("completed"), flag("softDeleted"))
        })
        .collect();
    let expected =
        [("done", true, false), ("taken away", false, true), ("retired", false, true), ("new", false, false)];
    assert_eq!(seen, expected);
}

/// D16: whoever asks.
async fn only_published_courses(world: World) {
    world.draft_in(&world.acme, "draft", json!({})).await;
    world.course("archived", json!({})).await;
    world.ok(&world.acme.admin, "course.archive", course_is("<archived>")).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for course in ["<draft>", "<archived>"] {
        for actor in
            [&world.acme.learner, &world.acme.coordinator, &world.acme.admin, &world.global_admin, &service]
        {
            let input = json!({ "courseId": course, "userId": "<learner>" });
            let error = world.refused(actor, ENROLL, input).await;
            expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", json!({ "type": "courseNotPublished" })));
        }
    }
}

/// D16.
async fn an_enrollment_survives_its_course_being_unpublished(world: World) {
    world.course("course", json!({})).await;
    let enrolled = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    for change in ["course.unpublish", "course.archive"] {
        world.ok(&world.acme.admin, change, course_is("<course>")).await;
        let kept = world.ok(&world.acme.learner, "enrollment.find", course_is("<course>")).await;
        expect(&kept, &enrolled);
    }
}

async fn before_it_opens(world: World) {
    world.course("course", json!({ "opensAt": "2124-05-06T07:08:09Z" })).await;
    for actor in [&world.acme.learner, &world.acme.admin] {
        let input = json!({ "courseId": "<course>", "userId": "<learner>" });
        let error = world.refused(actor, ENROLL, input).await;
        let reason = json!({ "type": "notOpenYet", "opensAt": "2124-05-06T07:08:09.000000Z" });
        expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", reason));
    }
    world.clock_ahead(Duration::from_secs(100 * 366 * 86_400));
    world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
}

async fn after_it_closes(world: World) {
    world
        .course("closes", json!({ "closesAt": "2124-01-01T00:00:00Z", "endsAt": "2124-02-01T00:00:00Z" }))
        .await;
    world.course("ends", json!({ "endsAt": "2124-03-01T00:00:00Z" })).await;
    world.ok(&world.acme.peer, ENROLL, course_is("<closes>")).await;
    world.clock_ahead(Duration::from_secs(100 * 366 * 86_400));
    for (course, closed_at) in [("<closes>", "2124-01-01"), ("<ends>", "2124-03-01")] {
        let input = json!({ "courseId": course, "userId": "<learner>" });
        for actor in [&world.acme.learner, &world.acme.coordinator] {
            let error = world.refused(actor, ENROLL, input.clone()).await;
            let reason = json!({ "type": "closed", "closedAt": format!("{closed_at}T00:00:00.000000Z") });
            expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", reason));
        }
    }
}

/// D10: enrolled and completed enrollments hold a seat, and nobody overbooks.
async fn a_full_course(world: World) {
    world.course("course", json!({ "capacity": 2, "waitlist": false })).await;
    world.course("none", json!({ "capacity": 0, "waitlist": false })).await;
    world.enrolled(&world.acme.author, "<course>", "first").await;
    world.enrolled(&world.acme.coordinator, "<course>", "second").await;
    world.completed("<second>").await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for (course, capacity) in [("<course>", 2), ("<none>", 0)] {
        for actor in [&world.acme.learner, &world.acme.admin, &world.global_admin, &service] {
            let input = json!({ "courseId": course, "userId": "<learner>" });
            let error = world.refused(actor, ENROLL, input).await;
            let reason = json!({ "type": "courseFull", "capacity": capacity });
            expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", reason));
        }
    }
}

async fn a_seat_that_was_freed(world: World) {
    world.course("course", json!({ "capacity": 1, "waitlist": false })).await;
    world.enrolled(&world.acme.peer, "<course>", "left").await;
    world.ok(&world.acme.peer, "enrollment.unenroll", course_is("<course>")).await;
    let answer = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    assert_eq!(answer["status"], "enrolled");

    let error = world.refused(&world.acme.peer, ENROLL, course_is("<course>")).await;
    let reason = json!({ "type": "courseFull", "capacity": 1 });
    expect(&error, &refusal(ENROLL, "PRECONDITION_FAILED", reason));
}

async fn an_organization_s_admin_raises_the_capacity(world: World) {
    world.course("course", json!({ "capacity": 0 })).await;
    let input = json!({ "courseId": "<course>", "version": 2, "capacity": 1 });
    world.ok(&world.acme.admin, "course.update", input).await;
    let answer = world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
    assert_eq!(answer["status"], "enrolled");
}

/// D20: learners do not enroll themselves; everyone else does as ever.
async fn a_managed_course(world: World) {
    world.course("course", json!({ "enrollmentMode": "managed" })).await;
    for input in [course_is("<course>"), json!({ "courseId": "<course>", "userId": "<learner>" })] {
        let error = world.refused(&world.acme.learner, ENROLL, input).await;
        expect(&error, &refusal(ENROLL, "FORBIDDEN", json!({ "type": "managedCourse" })));
    }
    let input = json!({ "courseId": "<course>", "userId": "<learner>" });
    world.ok(&world.acme.coordinator, ENROLL, input).await;
    for actor in [&world.acme.author, &world.acme.coordinator, &world.acme.admin] {
        world.ok(actor, ENROLL, course_is("<course>")).await;
    }
}

/// D21.
async fn a_coordinator_enrolls_learners(world: World) {
    world.course("course", json!({})).await;
    let input = |user: &str| json!({ "courseId": "<course>", "userId": user });
    let answer = world.ok(&world.acme.coordinator, ENROLL, input("<learner>")).await;
    expect(&answer, &enrollment(json!({ "source": "coordinator", "enrolledByUserId": "<coordinator>" })));

    let other = world.person("other coordinator", Role::Coordinator).await;
    for user in ["<author>", "<coordinator>", "<admin>"] {
        let error = world.refused(&other, ENROLL, input(user)).await;
        let mut expected = refusal(ENROLL, "FORBIDDEN", json!({ "type": "roleRequired" }));
        expected["data"]["rule"] = "coordinator_proxy_enrollment_allowed".into();
        expect(&error, &expected);
    }
    for actor in [&world.acme.peer, &world.acme.author] {
        for user in ["<learner>", "<globex learner>", "00000000-0000-4000-8000-000000000000"] {
            let error = world.refused(actor, ENROLL, input(user)).await;
            expect(&error, &refusal(ENROLL, "FORBIDDEN", json!({ "type": "roleRequired" })));
        }
    }
}

async fn an_admin_enrolls_anyone(world: World) {
    world.course("course", json!({})).await;
    for (user, number) in [("<learner>", 1), ("<author>", 2), ("<coordinator>", 3)] {
        let input = json!({ "courseId": "<course>", "userId": user });
        let answer = world.ok(&world.acme.admin, ENROLL, input).await;
        let at = format!("<t{number}>");
        expect(
            &answer,
            &enrollment(json!({
                "id": format!("<{number}>"), "userId": user, "source": "coordinator",
                "enrolledByUserId": "<admin>", "createdAt": at, "enrolledAt": at, "updatedAt": at,
            })),
        );
    }
}

async fn a_global_admin_enrolls_others(world: World) {
    world.course("course", json!({})).await;
    let error = world.refused(&world.global_admin, ENROLL, course_is("<course>")).await;
    expect(&error, &refusal(ENROLL, "FORBIDDEN", json!({ "type": "notAMember" })));

    let input = json!({ "courseId": "<course>", "userId": "<learner>" });
    let answer = world.ok(&world.global_admin, ENROLL, input).await;
    expect(&answer, &enrollment(json!({ "source": "coordinator", "enrolledByUserId": "<global admin>" })));
}

async fn a_service_enrolls_by_its_scope(world: World) {
    world.course("course", json!({})).await;
    let input = json!({ "courseId": "<course>", "userId": "<admin>" });
    let others = [Scope::EnrollmentsRead, Scope::CoursesWrite, Scope::MembersWrite];
    let error = world.refused(&world.service(&others).await, ENROLL, input.clone()).await;
    let reason = json!({ "type": "scopeRequired", "scope": "enrollments:write" });
    expect(&error, &refusal(ENROLL, "FORBIDDEN", reason));

    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let error = world.refused(&service, ENROLL, course_is("<course>")).await;
    let reason = json!({ "type": "invalidInput", "field": "userId", "problem": "required of a service" });
    expect(&error, &refusal(ENROLL, "BAD_REQUEST", reason));

    let answer = world.ok(&service, ENROLL, input).await;
    expect(&answer, &enrollment(json!({ "userId": "<admin>", "source": "integration" })));
}

/// D19, D21.
async fn only_active_members_are_enrolled(world: World) {
    world.course("course", json!({})).await;
    for change in ["suspend", "end"] {
        world.membership(change, "<learner>").await;
        for actor in [&world.acme.learner, &world.acme.coordinator, &world.acme.admin] {
            let input = json!({ "courseId": "<course>", "userId": "<learner>" });
            let error = world.refused(actor, ENROLL, input).await;
            expect(&error, &refusal(ENROLL, "FORBIDDEN", json!({ "type": "notAMember" })));
        }
    }
    let input = json!({ "subject": "learner" });
    world.ok(&world.acme.admin, "member.provision", input).await;
    world.ok(&world.acme.learner, ENROLL, course_is("<course>")).await;
}

async fn nobody_of_this_id(world: World) {
    world.course("course", json!({})).await;
    for actor in [&world.acme.coordinator, &world.acme.admin, &world.global_admin] {
        for user in ["00000000-0000-4000-8000-000000000000", "<globex learner>", "<global admin>"] {
            if user == "<global admin>" && std::ptr::eq(actor, &world.global_admin) {
                continue;
            }
            let error = world.refused(actor, ENROLL, json!({ "courseId": "<course>", "userId": user })).await;
            let mut expected = refusal(ENROLL, "NOT_FOUND", json!(null));
            expected["data"]["rule"] = "valid_user_id".into();
            expect(&error, &expected);
        }
    }
}

async fn notes_of_a_coordinator(world: World) {
    world.course("course", json!({})).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let input = |user: &str| json!({ "courseId": "<course>", "userId": user, "notes": "prefers mornings" });
    for (actor, user) in
        [(&world.acme.learner, "<learner>"), (&world.acme.author, "<author>"), (&service, "<learner>")]
    {
        let error = world.refused(actor, ENROLL, input(user)).await;
        expect(&error, &refusal(ENROLL, "FORBIDDEN", json!({ "type": "roleRequired" })));
    }
    let answer = world.ok(&world.acme.coordinator, ENROLL, input("<learner>")).await;
    let expected = json!({
        "source": "coordinator", "enrolledByUserId": "<coordinator>", "notes": "prefers mornings",
    });
    expect(&answer, &enrollment(expected.clone()));

    let unseen = tests::merged(enrollment(expected), json!({ "notes": null }));
    let own = world.ok(&world.acme.learner, "enrollment.listByUser", json!({})).await;
    expect(&own, &last_page([unseen]));
}

/// D11: whoever would rather not wait is told that the course is full.
async fn whether_to_wait(world: World) {
    world.course("course", json!({ "capacity": 1 })).await;
    world.course("without a waitlist", json!({ "capacity": 1, "waitlist": false })).await;
    let full = refusal(ENROLL, "PRECONDITION_FAILED", json!({ "type": "courseFull", "capacity": 1 }));
    for waitlist in [json!(true), json!(false), json!(null)] {
        let input = |course: &str| json!({ "courseId": course, "waitlist": waitlist });
        for course in ["<course>", "<without a waitlist>"] {
            world.ok(&world.acme.learner, ENROLL, input(course)).await;
        }
        expect(&world.refused(&world.acme.peer, ENROLL, input("<without a waitlist>")).await, &full);
        if waitlist == json!(false) {
            expect(&world.refused(&world.acme.peer, ENROLL, input("<course>")).await, &full);
        } else {
            let answer = world.ok(&world.acme.peer, ENROLL, input("<course>")).await;
            assert_eq!([&answer["status"], &answer["waitlistPosition"]], [&json!("waitlisted"), &json!(1)]);
            world.ok(&world.acme.peer, "enrollment.unenroll", course_is("<course>")).await;
        }
        for course in ["<course>", "<without a waitlist>"] {
            world.ok(&world.acme.learner, "enrollment.unenroll", course_is(course)).await;
        }
    }
}
