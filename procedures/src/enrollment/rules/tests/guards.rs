//! The guards. [`World::decide`] sees to it that each refusal leaves facts and changes as they were.

use super::*;
use crate::enrollment::EnrollmentStatus::{Cancelled, Completed, Enrolled, Expired, Waitlisted};

fn not_found<T>(rule: Option<Rule>) -> Result<T, Refusal> {
    refused(Code::NotFound, rule, None)
}

fn already_enrolled<T>(row: &EnrollmentRow) -> Result<T, Refusal> {
    let reason = Reason::AlreadyEnrolled { enrollment_id: row.id, status: row.status };
    refused(Code::Conflict, Some(Rule::UniqueEnrollmentPerUserPerCourse), Some(reason))
}

fn precondition<T>(reason: Reason) -> Result<T, Refusal> {
    refused(Code::PreconditionFailed, None, Some(reason))
}

#[test]
fn valid_course_id() {
    for wish in [enroll(), unenroll()] {
        let mut world = World::new();
        world.facts.courses.clear();
        let answer = world.ask(&admin(), user(&learner()), wish);
        assert_eq!(answer, not_found(Some(Rule::ValidCourseId)));
    }
}

#[test]
fn valid_user_id() {
    for wish in [enroll(), unenroll()] {
        let answer = World::new().ask(&admin(), id(99), wish);
        assert_eq!(answer, not_found(Some(Rule::ValidUserId)));
    }
}

#[test]
fn an_unknown_course_is_reported_before_an_unknown_user() {
    let mut world = World::new();
    world.facts.courses.clear();
    assert_eq!(world.ask(&admin(), id(99), enroll()), not_found(Some(Rule::ValidCourseId)));
}

#[test]
fn coordinator_proxy_enrollment_allowed() {
    let too_high = || {
        let rule = Rule::CoordinatorProxyEnrollmentAllowed;
        refused(Code::Forbidden, Some(rule), Some(Reason::RoleRequired))
    };
    for whom in [author(), admin(), person(id(27), Some(Role::Coordinator), false)] {
        let mut world = World::new();
        world.facts.members.insert(id(27), (Role::Coordinator, MembershipStatus::Active));
        assert_eq!(world.enroll(&coordinator(), &whom), too_high());
        world.enroll(&admin(), &whom).unwrap();
        assert_eq!(world.unenroll(&coordinator(), &whom), too_high());
        world.unenroll(&service(), &whom).unwrap();
        world.enroll(&global_admin(), &whom).unwrap();
    }
    let mut world = World::new();
    assert_eq!(world.enroll(&coordinator(), &learner()).unwrap().status, Enrolled);
    assert_eq!(world.enroll(&coordinator(), &coordinator()).unwrap().status, Enrolled);
    assert_eq!(world.unenroll(&coordinator(), &learner()).unwrap().status, Cancelled);
    assert_eq!(world.unenroll(&coordinator(), &coordinator()).unwrap().status, Cancelled);
}

#[test]
fn tenant_scoped_access() {
    for status in [MembershipStatus::Suspended, MembershipStatus::Ended] {
        for caller in every_source() {
            let mut world = World::new();
            world.facts.members.insert(user(&learner()), (Role::Learner, status));
            let answer = world.enroll(&caller, &learner());
            let expected = refused(Code::Forbidden, Some(Rule::TenantScopedAccess), Some(Reason::NotAMember));
            assert_eq!(answer, expected, "{status:?} {caller:?}");
        }
    }
}

#[test]
fn a_suspended_member_can_be_unenrolled() {
    let mut world = World::new().having(former(Enrolled));
    world.facts.members.insert(user(&learner()), (Role::Learner, MembershipStatus::Suspended));
    assert_eq!(world.unenroll(&coordinator(), &learner()).unwrap().status, Cancelled);
}

#[test]
fn unique_enrollment_per_user_per_course() {
    for caller in every_source() {
        for status in [Enrolled, Waitlisted, Completed] {
            let existing = former(status);
            let mut world = World::new().having(existing.clone());
            assert_eq!(world.enroll(&caller, &learner()), already_enrolled(&existing), "{caller:?}");
        }
        for status in [Cancelled, Expired] {
            let existing = former(status);
            let row = World::new().having(existing.clone()).enroll(&caller, &learner()).unwrap();
            assert_eq!((row.id, row.status, row.attempt), (existing.id, Enrolled, existing.attempt + 1));
        }
    }
}

#[test]
fn a_second_enrolling_in_one_batch_is_a_duplicate_of_the_first() {
    let mut world = World::new();
    let row = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!(world.enroll(&coordinator(), &learner()), already_enrolled(&row));
    assert_eq!(world.changes.events.len(), 1);
}

#[test]
fn a_duplicate_is_reported_before_anything_about_the_course() {
    let past = at("2026-01-01T00:00:00Z");
    let make: [fn(&mut CourseRow, Moment); 5] = [
        |course, _| course.status = CourseStatus::Draft,
        |course, _| course.status = CourseStatus::Archived,
        |course, _| course.enrollment_mode = EnrollmentMode::Managed,
        |course, past| course.closes_at = Some(past),
        |course, _| course.capacity = Some(1),
    ];
    for make in make {
        let existing = former(Enrolled);
        let mut world = World::with(|course| make(course, past)).having(existing.clone());
        assert_eq!(world.enroll(&learner(), &learner()), already_enrolled(&existing));
    }
}

#[test]
fn published_only() {
    for status in [CourseStatus::Draft, CourseStatus::Archived] {
        for caller in every_source() {
            let mut world = World::with(|course| course.status = status);
            assert_eq!(
                world.enroll(&caller, &learner()),
                precondition(Reason::CourseNotPublished),
                "{caller:?}"
            );
            let mut world = World::with(|course| course.status = status).having(former(Cancelled));
            assert_eq!(
                world.enroll(&caller, &learner()),
                precondition(Reason::CourseNotPublished),
                "{caller:?}"
            );
        }
        let mut world = World::with(|course| course.status = status).having(former(Enrolled));
        assert_eq!(world.unenroll(&learner(), &learner()).unwrap().status, Cancelled, "one may always leave");
    }
}

#[test]
fn managed_courses_are_closed_to_learners_alone() {
    let managed = || World::with(|course| course.enrollment_mode = EnrollmentMode::Managed);
    let refusal = || refused(Code::Forbidden, None, Some(Reason::ManagedCourse));
    assert_eq!(managed().enroll(&learner(), &learner()), refusal());
    assert_eq!(managed().having(former(Cancelled)).enroll(&learner(), &learner()), refusal());
    for status in EnrollmentStatus::ALL {
        assert_eq!(
            managed().having(former(*status)).unenroll(&learner(), &learner()),
            refusal(),
            "{status:?}"
        );
    }
    assert_eq!(managed().unenroll(&learner(), &learner()), not_found(None));

    for caller in [coordinator(), admin(), global_admin(), service()] {
        let mut world = managed();
        assert_eq!(world.enroll(&caller, &learner()).unwrap().status, Enrolled);
        assert_eq!(world.unenroll(&caller, &learner()).unwrap().status, Cancelled);
    }
    let learner_and_global_admin = person(user(&other_learner()), Some(Role::Learner), true);
    assert_eq!(managed().enroll(&learner_and_global_admin, &learner()).unwrap().status, Enrolled);
    for oneself in [author(), coordinator(), admin()] {
        let mut world = managed();
        assert_eq!(world.enroll(&oneself, &oneself).unwrap().status, Enrolled);
        assert_eq!(world.unenroll(&oneself, &oneself).unwrap().status, Cancelled);
    }
}

#[test]
fn the_window_holds_for_every_source() {
    let [early, opening, closing, end] = [
        "2026-02-28T23:59:59.999999Z",
        "2026-03-01T00:00:00Z",
        "2026-04-01T00:00:00Z",
        "2026-05-01T00:00:00Z",
    ]
    .map(at);
    let last = at("2026-03-31T23:59:59.999999Z");
    let not_yet = Some(Reason::NotOpenYet { opens_at: opening });
    let closed = |closed_at| Some(Reason::Closed { closed_at });
    let cases = [
        // opens_at, closes_at, ends_at, now, the refusal
        (Some(opening), None, None, early, not_yet),
        (Some(opening), None, None, opening, None),
        (None, Some(closing), None, last, None),
        (None, Some(closing), None, closing, closed(closing)),
        (None, None, Some(closing), last, None),
        (None, None, Some(closing), closing, closed(closing)),
        (Some(opening), Some(closing), Some(end), last, None),
        (None, Some(closing), Some(end), end, closed(closing)),
        (None, Some(end), Some(closing), end, closed(closing)),
        (None, None, None, end, None),
    ];
    for (case, (opens_at, closes_at, ends_at, now, expected)) in cases.into_iter().enumerate() {
        for caller in every_source() {
            for world in [World::new(), World::new().having(former(Expired))] {
                let mut world = World { now, ..world };
                let course = world.course();
                (course.opens_at, course.closes_at, course.ends_at) = (opens_at, closes_at, ends_at);
                let enrolled_at = world.enroll(&caller, &learner()).map(|row| row.enrolled_at);
                let expected = expected.clone().map_or(Ok(now), precondition);
                assert_eq!(enrolled_at, expected, "case {case} {caller:?}");
            }
        }
    }
}

#[test]
fn a_closed_course_can_be_left() {
    let past = at("2026-01-01T00:00:00Z");
    let mut world = World::with(|course| course.ends_at = Some(past)).having(former(Enrolled));
    assert_eq!(world.unenroll(&learner(), &learner()).unwrap().status, Cancelled);
}

#[test]
fn nobody_overbooks_a_course() {
    for caller in every_source() {
        for (capacity, enrolled, completed) in [(0, 0, 0), (2, 2, 0), (2, 0, 2), (2, 1, 1), (2, 3, 1)] {
            for former in [None, Some(former(Cancelled)), Some(former(Expired))] {
                let mut world = World::with(|course| {
                    course.capacity = Some(capacity);
                    course.enrolled_count = enrolled;
                    course.completed_count = completed;
                });
                world = former.into_iter().fold(world, World::having);
                assert_eq!(world.enroll(&caller, &learner()), precondition(Reason::CourseFull { capacity }));
            }
        }
    }
}

#[test]
fn only_enrolled_and_completed_ones_hold_a_seat() {
    for caller in every_source() {
        let mut world = World::with(|course| {
            course.capacity = Some(3);
            (course.enrolled_count, course.completed_count) = (1, 1);
            (course.cancelled_count, course.expired_count) = (7, 7);
        });
        assert_eq!(world.enroll(&caller, &learner()).unwrap().status, Enrolled);
        assert_eq!(
            world.enroll(&other_learner(), &other_learner()),
            precondition(Reason::CourseFull { capacity: 3 }),
            "that was the last seat"
        );
    }
}

#[test]
fn a_seat_freed_in_a_batch_is_there_for_the_next() {
    let mut world = World::with(|course| course.capacity = Some(1)).having(former(Enrolled));
    let full = precondition(Reason::CourseFull { capacity: 1 });
    assert_eq!(world.enroll(&other_learner(), &other_learner()), full);
    world.unenroll(&learner(), &learner()).unwrap();
    assert_eq!(world.enroll(&other_learner(), &other_learner()).unwrap().status, Enrolled);
    assert_eq!(world.enroll(&learner(), &learner()), precondition(Reason::CourseFull { capacity: 1 }));
}

#[test]
fn status_transition_enforcement() {
    for caller in every_source() {
        for from in [Completed, Cancelled, Expired] {
            let mut world = World::new().having(former(from));
            let reason = Reason::InvalidTransition { from, to: Cancelled };
            let expected = refused(Code::Conflict, Some(Rule::StatusTransitionEnforcement), Some(reason));
            assert_eq!(world.unenroll(&caller, &learner()), expected, "{caller:?}");
        }
        for from in [Enrolled, Waitlisted] {
            let mut world = World::new().having(former(from));
            assert_eq!(world.unenroll(&caller, &learner()).unwrap().status, Cancelled, "{from:?} {caller:?}");
        }
    }
}

#[test]
fn unenrolling_without_an_enrollment_is_not_found() {
    for caller in every_source() {
        assert_eq!(World::new().unenroll(&caller, &learner()), not_found(None), "{caller:?}");
    }
}
