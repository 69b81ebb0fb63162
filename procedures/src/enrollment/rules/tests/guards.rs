//! The guards, each by its rule and its reason; those of modules and completion stand with these.
//! [`World::carry_out`] sees to it that each refusal leaves facts and changes as they were.

use super::*;

fn every_wish() -> [Wish; 12] {
    [
        enroll(),
        unenroll(),
        Wish::Promote,
        complete(),
        Wish::Expire,
        revoke(),
        Wish::EndMembership,
        Wish::SetNotes { notes: None, version: None },
        Wish::StartModule(module(1)),
        Wish::CompleteModule(module(1)),
        Wish::AssignModule(module(1)),
        Wish::UnassignModule(module(1)),
    ]
}

/// A command with no role in its way.
fn by_system(whom: &Insider, wish: Wish) -> Command {
    let subject = policy::subject_of_system(user(whom));
    Command { course_id: course_id(), subject, by: By::system(REQUEST), wish }
}

fn stranger() -> Insider {
    person(id(99), Some(Role::Learner), false)
}

fn not_a_member() -> Refusal {
    refusal(Code::Forbidden, Some(Rule::TenantScopedAccess), Reason::NotAMember)
}

fn not_a_learner() -> Refusal {
    refusal(Code::Forbidden, Some(Rule::CoordinatorProxyEnrollmentAllowed), Reason::RoleRequired)
}

fn not_published() -> Refusal {
    precondition(Reason::CourseNotPublished)
}

fn managed_course() -> Refusal {
    refusal(Code::Forbidden, None, Reason::ManagedCourse)
}

fn tombstone() -> Refusal {
    refusal(Code::Conflict, None, Reason::Tombstone)
}

fn closed(closed_at: Moment) -> Refusal {
    precondition(Reason::Closed { closed_at })
}

#[test]
fn valid_course_id() {
    for wish in every_wish() {
        let mut world = World::new().having(former(Enrolled));
        world.facts.courses.clear();
        for whom in [learner(), stranger()] {
            let command = by_system(&whom, wish.clone());
            assert_eq!(world.gates(&command), [not_found(Some(Rule::ValidCourseId))], "{wish:?}");
            assert_eq!(world.carry_out(&command), Err(not_found(Some(Rule::ValidCourseId))), "{wish:?}");
        }
    }
}

#[test]
fn valid_user_id() {
    for wish in every_wish() {
        let mut world = World::new();
        let command = by_system(&stranger(), wish);
        assert_eq!(world.gates(&command), [not_found(Some(Rule::ValidUserId))], "{command:?}");
        assert_eq!(world.carry_out(&command), Err(not_found(Some(Rule::ValidUserId))), "{command:?}");
    }
}

#[test]
fn what_is_wished_of_no_enrollment_is_not_found() {
    for wish in every_wish() {
        let mut world = World::new().offering(&[1]);
        let is_first = matches!(wish, Wish::Enroll { .. });
        let command = by_system(&learner(), wish);
        if is_first {
            world.carry_out(&command).unwrap();
        } else {
            assert_eq!(world.gates(&command), [not_found(None)], "{command:?}");
            assert_eq!(world.carry_out(&command), Err(not_found(None)), "{command:?}");
        }
    }
}

/// D21.
#[test]
fn coordinator_proxy_enrollment_allowed() {
    let peer = person(id(27), Some(Role::Coordinator), false);
    for whom in [author(), admin(), peer.clone()] {
        let mut world = World::new().with_member(&peer, Role::Coordinator, MembershipStatus::Active);
        assert_eq!(world.enroll(&coordinator(), &whom), Err(not_a_learner()));
        assert_eq!(world.enroll_by_cohort(&coordinator(), &whom), Err(not_a_learner()));
        world.enroll(&admin(), &whom).unwrap();
        assert_eq!(world.unenroll(&coordinator(), &whom), Err(not_a_learner()));
        world.unenroll(&service(), &whom).unwrap();
        world.enroll_by_cohort(&admin(), &whom).unwrap();
        world.unenroll(&global_admin(), &whom).unwrap();
        world.enroll(&global_admin(), &whom).unwrap();
    }
    for whom in [learner(), coordinator()] {
        let mut world = World::new();
        assert_eq!(world.enroll(&coordinator(), &whom).unwrap().status, Enrolled);
        assert_eq!(world.unenroll(&coordinator(), &whom).unwrap().status, Cancelled);
    }
}

/// D19.
#[test]
fn tenant_scoped_access() {
    for status in [MembershipStatus::Suspended, MembershipStatus::Ended] {
        let not_active = || World::new().with_member(&learner(), Role::Learner, status);
        for caller in every_source() {
            assert_eq!(
                not_active().enroll(&caller, &learner()),
                Err(not_a_member()),
                "{status:?} {caller:?}"
            );
        }
        assert_eq!(not_active().enroll_by_cohort(&admin(), &learner()), Err(not_a_member()), "{status:?}");
        for caller in [coordinator(), admin(), global_admin(), service()] {
            let mut world = not_active().having(former(Waitlisted));
            assert_eq!(world.ask(&caller, Wish::Promote), Err(not_a_member()), "{status:?} {caller:?}");
        }
        for (from, wish, to) in [
            (Enrolled, unenroll(), Cancelled),
            (Waitlisted, unenroll(), Cancelled),
            (Enrolled, Wish::Expire, Expired),
            (Completed, revoke(), Cancelled),
        ] {
            let row = not_active().having(former(from)).ask(&service(), wish).unwrap();
            assert_eq!(row.status, to, "what one has is taken all the same");
        }
    }
}

/// D2.
#[test]
fn unique_enrollment_per_user_per_course() {
    for caller in every_source() {
        for status in [Enrolled, Waitlisted, Completed] {
            let existing = former(status);
            let mut world = World::new().having(existing.clone());
            assert_eq!(world.enroll(&caller, &learner()), Err(already_enrolled(&existing)), "{caller:?}");
        }
        for status in [Cancelled, Expired] {
            let row = World::new().having(former(status)).enroll(&caller, &learner()).unwrap();
            assert_eq!((row.id, row.status, row.attempt), (former(status).id, Enrolled, 4), "{caller:?}");
        }
    }
}

/// D8.
#[test]
fn a_completion_stands_until_its_certificate_expires() {
    let valid_until = |expires_at: Option<Moment>| {
        let mut world = World::new().having(former(Completed));
        world.certificate().expires_at = expires_at;
        world
    };
    let stands = already_enrolled(&former(Completed));
    let now = World::new().now;
    for caller in every_source() {
        for expires_at in [None, Some(just_after(now))] {
            assert_eq!(
                valid_until(expires_at).enroll(&caller, &learner()).unwrap_err(),
                stands,
                "{caller:?}"
            );
        }
        for expires_at in [Some(now), Some(just_before(now))] {
            let row = valid_until(expires_at).enroll(&caller, &learner()).unwrap();
            assert_eq!(row.status, Enrolled, "{caller:?}");
        }
        let mut world = World::new().having(EnrollmentRow { certificate_id: None, ..former(Completed) });
        assert_eq!(world.enroll(&caller, &learner()).unwrap_err(), stands, "without a certificate");
    }
    let mut world = valid_until(Some(just_before(now)));
    assert_eq!(world.enroll_by_cohort(&admin(), &learner()).unwrap_err(), stands, "done for good");
}

#[test]
fn a_second_enrolling_in_one_batch_is_a_duplicate_of_the_first() {
    let mut world = World::new();
    let row = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!(world.enroll(&coordinator(), &learner()), Err(already_enrolled(&row)));
    assert_eq!(world.kinds(), [EventKind::Enrolled]);
}

/// D20.
#[test]
fn a_cohort_leaves_a_tombstone_alone() {
    for status in [Cancelled, Expired] {
        let buried = || World::new().having(EnrollmentRow { tombstone: true, ..former(status) });
        assert_eq!(buried().enroll_by_cohort(&admin(), &learner()), Err(tombstone()));
        for caller in every_source() {
            assert_eq!(buried().enroll(&caller, &learner()).unwrap().status, Enrolled, "{caller:?}");
        }
        let mut world = World::new().having(former(status));
        assert_eq!(world.enroll_by_cohort(&admin(), &learner()).unwrap().status, Enrolled);
    }
}

/// D16.
#[test]
fn published_only() {
    for status in [CourseStatus::Draft, CourseStatus::Archived] {
        let hidden = || World::with(|course| course.status = status);
        for caller in every_source() {
            assert_eq!(hidden().enroll(&caller, &learner()), Err(not_published()), "{caller:?}");
            let mut world = hidden().having(former(Cancelled));
            assert_eq!(world.enroll(&caller, &learner()), Err(not_published()), "{caller:?}");
        }
        assert_eq!(hidden().enroll_by_cohort(&admin(), &learner()), Err(not_published()));
        let mut world = hidden().having(former(Waitlisted));
        assert_eq!(world.ask(&coordinator(), Wish::Promote), Err(not_published()));
        let mut world = hidden().having(former(Enrolled));
        assert_eq!(world.unenroll(&learner(), &learner()).unwrap().status, Cancelled, "one may always leave");
    }
}

/// D20.
#[test]
fn managed_courses_are_closed_to_learners_alone() {
    let managed = || World::with(|course| course.enrollment_mode = EnrollmentMode::Managed);
    assert_eq!(managed().enroll(&learner(), &learner()), Err(managed_course()));
    assert_eq!(managed().having(former(Cancelled)).enroll(&learner(), &learner()), Err(managed_course()));
    for status in EnrollmentStatus::ALL {
        let answer = managed().having(former(*status)).unenroll(&learner(), &learner());
        assert_eq!(answer, Err(managed_course()), "{status:?}");
    }
    assert_eq!(managed().unenroll(&learner(), &learner()), Err(not_found(None)));

    for caller in [coordinator(), admin(), global_admin(), service()] {
        let mut world = managed();
        assert_eq!(world.enroll(&caller, &learner()).unwrap().status, Enrolled, "{caller:?}");
        assert_eq!(world.unenroll(&caller, &learner()).unwrap().status, Cancelled, "{caller:?}");
    }
    assert_eq!(managed().enroll_by_cohort(&coordinator(), &learner()).unwrap().status, Enrolled);
    let learner_and_global_admin = person(user(&other_learner()), Some(Role::Learner), true);
    for oneself in [author(), coordinator(), admin(), learner_and_global_admin] {
        let mut world = managed();
        assert_eq!(world.enroll(&oneself, &oneself).unwrap().status, Enrolled, "{oneself:?}");
        assert_eq!(world.unenroll(&oneself, &oneself).unwrap().status, Cancelled, "{oneself:?}");
    }
}

#[test]
fn the_window_holds_for_every_source() {
    let [opening, closing, end] =
        ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"].map(at);
    let not_yet = Some(Reason::NotOpenYet { opens_at: opening });
    let closed = |closed_at| Some(Reason::Closed { closed_at });
    let cases = [
        // opens_at, closes_at, ends_at, now, the refusal
        (Some(opening), None, None, just_before(opening), not_yet),
        (Some(opening), None, None, opening, None),
        (None, Some(closing), None, just_before(closing), None),
        (None, Some(closing), None, closing, closed(closing)),
        (None, None, Some(closing), just_before(closing), None),
        (None, None, Some(closing), closing, closed(closing)),
        (Some(opening), Some(closing), Some(end), just_before(closing), None),
        (None, Some(closing), Some(end), end, closed(closing)),
        (None, Some(end), Some(closing), end, closed(closing)),
        (None, None, None, end, None),
    ];
    for (case, (opens_at, closes_at, ends_at, now, refusal)) in cases.into_iter().enumerate() {
        for world in [World::new(), World::new().having(former(Expired))] {
            let open = || {
                let (facts, changes) = (world.facts.clone(), Changes::default());
                let mut world = World { now, facts, changes };
                let course = world.course();
                (course.opens_at, course.closes_at, course.ends_at) = (opens_at, closes_at, ends_at);
                world
            };
            let expected = || match &refusal {
                Some(reason) => Err(precondition(reason.clone())),
                None => Ok(now),
            };
            for caller in every_source() {
                let enrolled_at = open().enroll(&caller, &learner()).map(|row| row.enrolled_at);
                assert_eq!(enrolled_at, expected(), "case {case} {caller:?}");
            }
            let enrolled_at = open().enroll_by_cohort(&admin(), &learner()).map(|row| row.enrolled_at);
            assert_eq!(enrolled_at, expected(), "case {case} a cohort");
        }
    }
}

#[test]
fn a_closed_course_can_be_left() {
    let past = at("2026-01-01T00:00:00Z");
    let mut world = World::with(|course| course.ends_at = Some(past)).having(former(Enrolled));
    assert_eq!(world.unenroll(&learner(), &learner()).unwrap().status, Cancelled);
}

/// D11: whoever waits has asked in time.
#[test]
fn a_seat_is_given_until_the_course_ends() {
    let now = World::new().now;
    for (opens_at, closes_at, ends_at, expected) in [
        (None, Some(just_before(now)), None, Ok(Enrolled)),
        (Some(just_after(now)), None, None, Ok(Enrolled)),
        (None, None, Some(just_after(now)), Ok(Enrolled)),
        (None, None, Some(now), Err(closed(now))),
        (None, Some(just_before(now)), Some(now), Err(closed(now))),
    ] {
        let window = |course: &mut CourseRow| {
            (course.opens_at, course.closes_at, course.ends_at) = (opens_at, closes_at, ends_at);
        };
        let mut world = World::with(window).having(former(Waitlisted));
        assert_eq!(world.ask(&coordinator(), Wish::Promote).map(|row| row.status), expected);
    }
}

/// D10.
#[test]
fn nobody_overbooks_a_course() {
    for (capacity, enrolled, completed) in [(0, 0, 0), (2, 2, 0), (2, 0, 2), (2, 1, 1), (2, 3, 1)] {
        let taken = |waitlist| {
            World::with(|course| {
                (course.capacity, course.waitlist) = (Some(capacity), waitlist);
                (course.enrolled_count, course.completed_count) = (enrolled, completed);
            })
        };
        for caller in every_source() {
            for existing in [None, Some(former(Cancelled)), Some(former(Expired))] {
                for (waitlist, wish) in
                    [(false, enroll()), (true, enroll_at_once()), (false, enroll_at_once())]
                {
                    let mut world = existing.clone().into_iter().fold(taken(waitlist), World::having);
                    assert_eq!(world.ask(&caller, wish), Err(full(capacity)), "{caller:?}");
                }
            }
        }
        assert_eq!(taken(false).enroll_by_cohort(&admin(), &learner()), Err(full(capacity)));
        for caller in [coordinator(), admin(), global_admin(), service()] {
            let mut world = taken(true).having(former(Waitlisted));
            assert_eq!(world.ask(&caller, Wish::Promote), Err(full(capacity)), "{caller:?}");
        }
    }
}

#[test]
fn only_enrolled_and_completed_ones_hold_a_seat() {
    for caller in every_source() {
        let mut world = World::with(|course| {
            (course.capacity, course.waitlist) = (Some(3), false);
            (course.enrolled_count, course.completed_count) = (1, 1);
            (course.cancelled_count, course.expired_count) = (7, 7);
        });
        assert_eq!(world.enroll(&caller, &learner()).unwrap().status, Enrolled);
        assert_eq!(world.enroll(&other_learner(), &other_learner()), Err(full(3)), "that was the last seat");
    }
}

#[test]
fn a_seat_freed_in_a_batch_is_there_for_the_next() {
    let mut world = World::with(|course| (course.capacity, course.waitlist) = (Some(1), false));
    world = world.having(former(Enrolled));
    assert_eq!(world.enroll(&other_learner(), &other_learner()), Err(full(1)));
    world.unenroll(&learner(), &learner()).unwrap();
    assert_eq!(world.enroll(&other_learner(), &other_learner()).unwrap().status, Enrolled);
    assert_eq!(world.enroll(&learner(), &learner()), Err(full(1)));
}

/// D3 to D5, D9.
#[test]
fn status_transition_enforcement() {
    let waived = Wish::Complete { score: None, waiver: Some(why("Known already.")) };
    let cases: [(Wish, Insider, EnrollmentStatus, &[EnrollmentStatus]); 6] = [
        (unenroll(), learner(), Cancelled, &[Enrolled, Waitlisted]),
        (Wish::Promote, coordinator(), Enrolled, &[Waitlisted]),
        (waived, coordinator(), Completed, &[Enrolled]),
        (Wish::Expire, service(), Expired, &[Enrolled]),
        (revoke(), admin(), Cancelled, &[Completed]),
        (Wish::EndMembership, admin(), Cancelled, &[Enrolled, Waitlisted]),
    ];
    for (wish, caller, to, allowed) in cases {
        for from in EnrollmentStatus::ALL {
            let answer = World::new().having(former(*from)).ask(&caller, wish.clone()).map(|row| row.status);
            let expected = if allowed.contains(from) { Ok(to) } else { Err(invalid_transition(*from, to)) };
            assert_eq!(answer, expected, "{wish:?} {from:?}");
        }
    }
}

/// D7: access ends at its moment, whether the status says so already or not.
#[test]
fn whose_access_has_ended_counts_as_expired() {
    let now = World::new().now;
    let until = |expires_at: Moment| {
        World::new()
            .offering(&[1])
            .having(EnrollmentRow { expires_at: Some(expires_at), ..former(Enrolled) })
            .taking([completed(place(1))])
    };
    for (wish, caller, to) in [
        (complete(), service(), Completed),
        (Wish::StartModule(module(1)), learner(), Enrolled),
        (Wish::CompleteModule(module(1)), learner(), Enrolled),
        (Wish::AssignModule(module(1)), coordinator(), Enrolled),
        (Wish::UnassignModule(module(1)), coordinator(), Enrolled),
    ] {
        assert_eq!(until(just_after(now)).ask(&caller, wish.clone()).unwrap().status, to, "{wish:?}");
        for ended in [now, just_before(now)] {
            let answer = until(ended).ask(&caller, wish.clone());
            assert_eq!(answer, Err(invalid_transition(Expired, to)), "{wish:?}");
        }
    }
    assert_eq!(until(now).unenroll(&learner(), &learner()).unwrap().status, Cancelled);
    assert_eq!(until(now).ask(&service(), Wish::Expire).unwrap().status, Expired);
}

#[test]
fn notes_are_written_as_they_were_read() {
    let changed = || refusal(Code::Conflict, None, Reason::VersionMismatch { current: 9 });
    for (version, expected) in
        [(None, Ok(10)), (Some(9), Ok(10)), (Some(8), Err(changed())), (Some(10), Err(changed()))]
    {
        let wish = Wish::SetNotes { notes: None, version };
        let answer = World::new().having(former(Enrolled)).ask(&coordinator(), wish);
        assert_eq!(answer.map(|row| row.version), expected, "{version:?}");
    }
}

/// Everything that refuses, in its order; the first is the answer.
fn refuses(mut world: World, command: &Command, expected: Vec<Refusal>) {
    assert_eq!(world.gates(command), expected, "{command:?}");
    assert_eq!(world.carry_out(command).err(), expected.into_iter().next(), "{command:?}");
}

#[test]
fn the_gates_tell_everything_that_refuses() {
    let past = at("2026-01-01T00:00:00Z");
    let wrong = |row: EnrollmentRow, role: Role| {
        World::with(|course| {
            (course.status, course.enrollment_mode) = (CourseStatus::Draft, EnrollmentMode::Managed);
            (course.capacity, course.waitlist, course.ends_at) = (Some(0), false, Some(past));
            course.pass_score = Some(score(8_000));
        })
        .having(row)
        .with_member(&learner(), role, MembershipStatus::Suspended)
    };
    let asks = |caller: Insider, wish: Wish| command(&caller, &learner(), wish).unwrap();
    let existing = || already_enrolled(&former(Enrolled));

    let expected = vec![not_a_learner(), not_a_member(), existing(), not_published(), closed(past), full(0)];
    refuses(wrong(former(Enrolled), Role::Author), &asks(coordinator(), enroll()), expected);

    let expected = vec![not_a_member(), existing(), not_published(), managed_course(), closed(past), full(0)];
    refuses(wrong(former(Enrolled), Role::Learner), &asks(learner(), enroll()), expected);

    let row = EnrollmentRow { tombstone: true, ..former(Cancelled) };
    let expected = vec![not_a_member(), tombstone(), not_published(), closed(past), full(0)];
    refuses(wrong(row, Role::Learner), &cohort_command(&admin(), &learner()), expected);

    let expected = vec![managed_course(), invalid_transition(Completed, Cancelled)];
    refuses(wrong(former(Completed), Role::Learner), &asks(learner(), unenroll()), expected);

    let expected = vec![not_a_learner(), invalid_transition(Completed, Cancelled)];
    refuses(wrong(former(Completed), Role::Author), &asks(coordinator(), unenroll()), expected);

    let expected =
        vec![invalid_transition(Expired, Enrolled), not_a_member(), not_published(), closed(past), full(0)];
    refuses(wrong(former(Expired), Role::Author), &asks(coordinator(), Wish::Promote), expected);
}

#[test]
fn the_gates_of_progress_tell_everything_that_refuses() {
    let asks = |caller: Insider, wish: Wish| command(&caller, &learner(), wish).unwrap();
    let pass_score = score(8_000);
    let world = World::with(|course| course.pass_score = Some(pass_score));
    let expected = vec![
        invalid_transition(Expired, Completed),
        precondition(Reason::ModulesIncomplete { missing: 1 }),
        precondition(Reason::BelowPassScore { pass_score }),
    ];
    let world = world.having(former(Expired)).taking([place(1)]);
    refuses(world, &asks(service(), complete()), expected);

    let mut world = World::new().offering(&[1]).having(former(Waitlisted));
    world.module(1).kind = ModuleKind::Quiz;
    let expected = vec![role_required(), invalid_transition(Waitlisted, Enrolled), not_found(None)];
    refuses(world, &asks(learner(), Wish::CompleteModule(module(1))), expected);

    let world = World::new().having(former(Completed));
    let expected = vec![not_found(None), invalid_transition(Completed, Enrolled), not_found(None)];
    refuses(world, &asks(coordinator(), Wish::UnassignModule(module(1))), expected);
}
