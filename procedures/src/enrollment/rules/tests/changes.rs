//! What a decision changes: the row, its course's counters, its events, and nothing else.

use super::*;

#[test]
fn a_first_enrollment() {
    let mut world = World::new();
    let decided = world.decide(&learner(), &learner(), enroll()).unwrap();
    let row = first(decided.row.id, &learner(), world.now);
    assert_eq!(decided, Decided { row: row.clone(), position: None, module: None });
    assert_eq!(world.facts.enrollments, BTreeMap::from([((course_id(), user(&learner())), row.clone())]));
    let course = CourseRow { enrolled_count: 1, ..course() };
    assert_eq!(world.facts.courses, BTreeMap::from([(course_id(), course.clone())]));
    let data = EventData {
        status: Some(Enrolled),
        attempt: Some(1),
        source: Some(Source::Myself),
        ..EventData::default()
    };
    let changes = Changes {
        events: vec![event(EventActor::of(&learner()), EventKind::Enrolled, &row, data)],
        added: BTreeMap::from([(row.id, row)]),
        courses: BTreeMap::from([(course_id(), course)]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
}

/// D21.
#[test]
fn an_enrollment_says_who_brought_it_about() {
    for (caller, source, enrolled_by) in [
        (learner(), Source::Myself, None),
        (coordinator(), Source::Coordinator, Some(user(&coordinator()))),
        (admin(), Source::Coordinator, Some(user(&admin()))),
        (global_admin(), Source::Coordinator, Some(user(&global_admin()))),
        (service(), Source::Integration, None),
    ] {
        for (existing, kind) in
            [(None, EventKind::Enrolled), (Some(former(Cancelled)), EventKind::Reactivated)]
        {
            let from = existing.as_ref().map(|row| row.status);
            let mut world = existing.into_iter().fold(World::new(), World::having);
            let row = world.enroll(&caller, &learner()).unwrap();
            assert_eq!((row.source, row.enrolled_by_user_id), (source, enrolled_by), "{caller:?}");
            assert_eq!(row.source_ref, None, "{caller:?}");
            let happened = event(EventActor::of(&caller), kind, &row, moved(from, &row));
            assert_eq!(world.changes.events, [happened]);
        }
    }
    let own = World::new().enroll(&admin(), &admin()).unwrap();
    assert_eq!((own.source, own.enrolled_by_user_id), (Source::Myself, None));
}

/// D20.
#[test]
fn a_cohort_enrolls_as_the_system() {
    for (existing, kind) in [(None, EventKind::Enrolled), (Some(former(Expired)), EventKind::Reactivated)] {
        let from = existing.as_ref().map(|row| row.status);
        let mut world = existing.into_iter().fold(World::new(), World::having);
        let row = world.enroll_by_cohort(&coordinator(), &learner()).unwrap();
        assert_eq!((row.source, row.enrolled_by_user_id), (Source::Cohort, None));
        assert_eq!(row.source_ref.as_deref(), Some("00000000-0000-0000-0000-000000000023"));
        assert_eq!(world.changes.events, [event(EventActor::SYSTEM, kind, &row, moved(from, &row))]);
    }
}

/// D1, D3, D6.
#[test]
fn enrolling_again_reactivates_the_same_row() {
    let revoked = EnrollmentRow {
        status: Cancelled,
        cancelled_at: Some(at("2025-07-01T08:00:00Z")),
        ..former(Completed)
    };
    let cancelled = EnrollmentRow { tombstone: true, ..former(Cancelled) };
    for old in [cancelled, former(Expired), revoked] {
        let mut world = World::with(|course| course.access_days = Some(30)).having(old.clone());
        let counted = world.course().clone();
        let row = world.enroll(&learner(), &learner()).unwrap();
        // Same id and created_at, one attempt more, what was the former attempt's cleared, the rest kept.
        let expected = EnrollmentRow {
            id: old.id,
            user_id: old.user_id,
            course_id: old.course_id,
            organization_id: old.organization_id,
            status: Enrolled,
            enrolled_at: world.now,
            completed_at: None,
            cancelled_at: None,
            completion_score: None,
            enrolled_by_user_id: None,
            certificate_id: None,
            reminder_sent_at: None,
            notes: old.notes,
            created_at: old.created_at,
            updated_at: world.now,
            source: Source::Myself,
            source_ref: None,
            started_at: old.started_at,
            waitlisted_at: None,
            expires_at: Some(at("2026-03-31T12:00:00Z")),
            attempt: 4,
            version: 10,
            modules_total: 0,
            modules_completed: 0,
            tombstone: false,
        };
        assert_eq!(row, expected);

        let mut course = CourseRow { enrolled_count: 1, ..counted };
        *course.count_mut(old.status) -= 1;
        let data = EventData {
            from: Some(old.status),
            status: Some(Enrolled),
            attempt: Some(4),
            source: Some(Source::Myself),
            ..EventData::default()
        };
        let changes = Changes {
            events: vec![event(EventActor::of(&learner()), EventKind::Reactivated, &row, data)],
            updated: BTreeMap::from([(row.id, row)]),
            courses: BTreeMap::from([(course_id(), course)]),
            ..Changes::default()
        };
        assert_eq!(all_changes(&world.changes), all_changes(&changes));
    }
}

#[test]
fn notes_are_replaced_only_by_notes() {
    for (existing, given, expected) in [
        (None, Some("Front row."), Some("Front row.")),
        (Some(former(Cancelled)), Some("Front row."), Some("Front row.")),
        (Some(former(Cancelled)), None, Some("Asked for a later date.")),
        (None, None, None),
    ] {
        let mut world = existing.into_iter().fold(World::new(), World::having);
        let wish = Wish::Enroll { notes: given.map(notes), waitlist: true };
        let row = world.ask(&coordinator(), wish).unwrap();
        assert_eq!(row.notes.as_ref().map(Notes::as_str), expected);
    }
}

#[test]
fn access_ends_after_its_days_or_with_the_course() {
    let [soon, late] = ["2026-03-05T00:00:00Z", "2027-01-01T00:00:00Z"].map(at);
    for (access_days, ends_at, expected) in [
        (None, None, None),
        (Some(0), None, Some(World::new().now)),
        (Some(10), None, Some(at("2026-03-11T12:00:00Z"))),
        (None, Some(late), Some(late)),
        (Some(10), Some(late), Some(at("2026-03-11T12:00:00Z"))),
        (Some(10), Some(soon), Some(soon)),
    ] {
        let limited = || World::with(|course| (course.access_days, course.ends_at) = (access_days, ends_at));
        for existing in [None, Some(former(Expired))] {
            let mut world = existing.into_iter().fold(limited(), World::having);
            assert_eq!(world.enroll(&learner(), &learner()).unwrap().expires_at, expected);
        }
        let mut world = limited().having(former(Waitlisted));
        assert_eq!(world.ask(&coordinator(), Wish::Promote).unwrap().expires_at, expected);
    }
}

/// D4, D9.
#[test]
fn unenrolling_cancels_and_keeps_the_record() {
    for status in [Enrolled, Waitlisted] {
        for (caller, reason, tombstone) in [
            (learner(), None, true),
            (coordinator(), Some("Moved to the autumn course."), true),
            (service(), None, false),
        ] {
            let old = former(status);
            let mut world = World::new().having(old.clone());
            let counted = world.course().clone();
            let row = world.ask(&caller, Wish::Unenroll { reason: reason.map(why) }).unwrap();
            let expected = EnrollmentRow {
                status: Cancelled,
                cancelled_at: Some(world.now),
                updated_at: world.now,
                version: 10,
                tombstone,
                ..old
            };
            assert_eq!(row, expected);
            assert_eq!(world.facts.enrollments, BTreeMap::from([((course_id(), row.user_id), expected)]));

            let mut course = CourseRow { cancelled_count: 1, ..counted };
            *course.count_mut(status) -= 1;
            let data = EventData {
                from: Some(status),
                status: Some(Cancelled),
                attempt: Some(3),
                source: Some(Source::Coordinator),
                enrolled_by_user_id: Some(user(&admin())),
                reason: reason.map(str::to_owned),
                ..EventData::default()
            };
            let changes = Changes {
                events: vec![event(EventActor::of(&caller), EventKind::Cancelled, &row, data)],
                updated: BTreeMap::from([(row.id, row)]),
                courses: BTreeMap::from([(course_id(), course)]),
                ..Changes::default()
            };
            assert_eq!(all_changes(&world.changes), all_changes(&changes));
        }
    }
}

/// D19: it is the system that cancels, whoever ends the membership.
#[test]
fn a_membership_ends_and_the_enrollment_with_it() {
    for status in [Enrolled, Waitlisted] {
        for membership in [MembershipStatus::Active, MembershipStatus::Ended] {
            let old = former(status);
            let mut world =
                World::new().having(old.clone()).with_member(&learner(), Role::Learner, membership);
            let row = world.ask(&admin(), Wish::EndMembership).unwrap();
            let expected = EnrollmentRow {
                status: Cancelled,
                cancelled_at: Some(world.now),
                updated_at: world.now,
                version: 10,
                ..old
            };
            assert_eq!(row, expected);
            let data = EventData { reason: Some("membershipEnded".into()), ..moved(Some(status), &row) };
            let happened = event(EventActor::SYSTEM, EventKind::Cancelled, &row, data);
            assert_eq!(world.changes.events, [happened]);
            assert_eq!(world.counters(), [0, 0, 0, 1, 0]);
        }
    }
}

/// D7: what was done stays as it was.
#[test]
fn expiring_keeps_the_record_and_its_modules() {
    let mut world =
        World::new().offering(&[1, 2]).having(former(Enrolled)).taking([completed(place(1)), place(2)]);
    let (old, counted) = (world.row(&learner()), world.course().clone());
    let row = world.ask(&service(), Wish::Expire).unwrap();
    let expected = EnrollmentRow { status: Expired, updated_at: world.now, version: 10, ..old };
    assert_eq!(row, expected);
    let data = moved(Some(Enrolled), &row);
    let course = CourseRow { enrolled_count: 0, expired_count: 1, ..counted };
    let changes = Changes {
        events: vec![event(EventActor::of(&service()), EventKind::Expired, &row, data)],
        updated: BTreeMap::from([(row.id, row)]),
        courses: BTreeMap::from([(course_id(), course)]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
}

#[test]
fn setting_notes_changes_nothing_else() {
    for status in EnrollmentStatus::ALL {
        for given in [None, Some("Front row.")] {
            let old = former(*status);
            let mut world = World::new().having(old.clone());
            let wish = Wish::SetNotes { notes: given.map(notes), version: Some(9) };
            let decided = world.decide(&coordinator(), &learner(), wish).unwrap();
            let row = EnrollmentRow { notes: given.map(notes), updated_at: world.now, version: 10, ..old };
            assert_eq!(decided, Decided::from(row.clone()), "{status:?}");
            let actor = EventActor::of(&coordinator());
            let changes = Changes {
                events: vec![event(actor, EventKind::NotesSet, &row, EventData::default())],
                updated: BTreeMap::from([(row.id, row)]),
                ..Changes::default()
            };
            assert_eq!(all_changes(&world.changes), all_changes(&changes), "{status:?}");
        }
    }
}

/// D20.
#[test]
fn a_persons_cancel_is_a_tombstone_until_a_person_enrolls_again() {
    for caller in every_source() {
        let is_person = caller.user_id().is_some();
        let row = World::new().having(former(Enrolled)).unenroll(&caller, &learner()).unwrap();
        assert_eq!(row.tombstone, is_person, "{caller:?} cancels");
        let mut world = World::new().having(EnrollmentRow { tombstone: true, ..former(Cancelled) });
        let row = world.enroll(&caller, &learner()).unwrap();
        assert_eq!(row.tombstone, !is_person, "{caller:?} enrolls again");
    }
    for (caller, expected) in [(admin(), true), (global_admin(), true), (service(), false)] {
        let row = World::new().having(former(Completed)).ask(&caller, revoke()).unwrap();
        assert_eq!(row.tombstone, expected, "{caller:?} revokes");
    }
    for wish in [unenroll(), Wish::Expire, Wish::EndMembership] {
        let mut world = World::new().having(EnrollmentRow { tombstone: true, ..former(Enrolled) });
        assert!(world.ask(&service(), wish).unwrap().tombstone, "no one else takes it away");
    }
}

#[test]
fn a_row_made_in_a_batch_stays_an_added_one() {
    let mut world = World::new();
    let made = world.enroll(&learner(), &learner()).unwrap();
    world.unenroll(&learner(), &learner()).unwrap();
    let row = world.enroll(&coordinator(), &learner()).unwrap();
    assert_eq!((row.id, row.attempt, row.version, row.cancelled_at), (made.id, 2, 3, None));
    assert_eq!(world.changes.added, BTreeMap::from([(row.id, row)]));
    assert_eq!(world.changes.updated, BTreeMap::new());
    let course = CourseRow { enrolled_count: 1, ..course() };
    assert_eq!(world.changes.courses, BTreeMap::from([(course_id(), course)]));
    assert_eq!(world.kinds(), [EventKind::Enrolled, EventKind::Cancelled, EventKind::Reactivated]);
}

#[test]
fn a_refusal_amid_a_batch_costs_the_others_nothing() {
    let two_seats = || {
        World::with(|course| (course.capacity, course.waitlist) = (Some(2), false)).having(former(Completed))
    };
    let mut alone = two_seats();
    alone.enroll(&author(), &author()).unwrap();

    let mut world = two_seats();
    assert!(world.enroll(&learner(), &learner()).is_err(), "completed already");
    let row = world.enroll(&author(), &author()).unwrap();
    assert!(world.enroll(&other_learner(), &other_learner()).is_err(), "full");
    assert!(world.unenroll(&coordinator(), &admin()).is_err(), "not a learner");
    assert_eq!(world.facts.courses, alone.facts.courses);
    assert_eq!(world.changes.added, BTreeMap::from([(row.id, row)]));
    assert_eq!(world.kinds(), [EventKind::Enrolled]);
}
