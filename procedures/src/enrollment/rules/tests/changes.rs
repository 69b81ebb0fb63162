//! What a decision changes: the row, its course's counters, its event, and nothing else.

use super::*;
use crate::enrollment::EnrollmentStatus::{Cancelled, Completed, Enrolled, Expired, Waitlisted};
use crate::enrollment::Source;
use crate::event::EventData;

/// The one event that a change of the learner's enrollment adds.
fn event(caller: &Insider, kind: EventKind, row: &EnrollmentRow, data: EventData) -> NewEvent {
    NewEvent {
        kind,
        course_id: course_id(),
        enrollment_id: row.id,
        user_id: row.user_id,
        actor: EventActor::of(caller),
        request_id: "request".into(),
        data,
    }
}

fn first_of(row: &EnrollmentRow) -> EventData {
    EventData {
        status: Some(Enrolled),
        attempt: Some(1),
        source: Some(row.source),
        enrolled_by_user_id: row.enrolled_by_user_id,
        ..EventData::default()
    }
}

#[test]
fn a_first_enrollment() {
    let mut world = World::new();
    let row = world.enroll(&learner(), &learner()).unwrap();
    let expected = EnrollmentRow {
        id: row.id,
        user_id: user(&learner()),
        course_id: course_id(),
        organization_id: organization(),
        status: Enrolled,
        enrolled_at: world.now,
        completed_at: None,
        cancelled_at: None,
        completion_score: None,
        enrolled_by_user_id: None,
        certificate_id: None,
        reminder_sent_at: None,
        notes: None,
        created_at: world.now,
        updated_at: world.now,
        source: Source::Myself,
        source_ref: None,
        started_at: None,
        waitlisted_at: None,
        expires_at: None,
        attempt: 1,
        version: 1,
        modules_total: 0,
        modules_completed: 0,
    };
    assert_eq!(row, expected);
    assert_eq!(world.facts.enrollments, BTreeMap::from([((course_id(), user(&learner())), row.clone())]));
    let course = CourseRow { enrolled_count: 1, ..course() };
    assert_eq!(world.facts.courses, BTreeMap::from([(course_id(), course.clone())]));
    let changes = Changes {
        added: BTreeMap::from([(row.id, row.clone())]),
        courses: BTreeMap::from([(course_id(), course)]),
        events: vec![event(&learner(), EventKind::Enrolled, &row, first_of(&row))],
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
}

#[test]
fn an_enrollment_says_who_brought_it_about() {
    for (caller, source, enrolled_by) in [
        (learner(), Source::Myself, None),
        (coordinator(), Source::Coordinator, Some(user(&coordinator()))),
        (admin(), Source::Coordinator, Some(user(&admin()))),
        (global_admin(), Source::Coordinator, Some(user(&global_admin()))),
        (service(), Source::Integration, None),
    ] {
        let mut world = World::new();
        let row = world.enroll(&caller, &learner()).unwrap();
        assert_eq!((row.source, row.enrolled_by_user_id), (source, enrolled_by), "{caller:?}");
        assert_eq!(world.changes.events, [event(&caller, EventKind::Enrolled, &row, first_of(&row))]);

        let again = World::new().having(former(Cancelled)).enroll(&caller, &learner()).unwrap();
        assert_eq!((again.source, again.enrolled_by_user_id), (source, enrolled_by), "{caller:?} once more");
    }
    let own = World::new().enroll(&admin(), &admin()).unwrap();
    assert_eq!((own.source, own.enrolled_by_user_id), (Source::Myself, None));
}

#[test]
fn enrolling_again_reactivates_the_same_row() {
    for status in [Cancelled, Expired] {
        let old = former(status);
        let mut world = World::with(|course| course.access_days = Some(30)).having(old.clone());
        let counted = world.course().clone();
        let row = world.enroll(&learner(), &learner()).unwrap();
        // Written out from D1: same id and created_at, one attempt more, a new enrolled_at, progress kept.
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
            notes: old.notes.clone(),
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
        };
        assert_eq!(row, expected);

        let mut course = CourseRow { enrolled_count: 1, ..counted };
        *course.count_mut(status) -= 1;
        let data = EventData {
            from: Some(status),
            attempt: Some(4),
            source: Some(Source::Myself),
            ..first_of(&row)
        };
        let changes = Changes {
            updated: BTreeMap::from([(row.id, row.clone())]),
            courses: BTreeMap::from([(course_id(), course)]),
            events: vec![event(&learner(), EventKind::Reactivated, &row, data)],
            ..Changes::default()
        };
        assert_eq!(all_changes(&world.changes), all_changes(&changes));
    }
}

#[test]
fn enrolling_again_after_a_revocation_gives_the_certificate_up() {
    let row = World::new().having(revoked()).enroll(&coordinator(), &learner()).unwrap();
    assert_eq!((row.id, row.status, row.attempt), (revoked().id, Enrolled, 4));
    assert_eq!((row.certificate_id, row.completed_at, row.completion_score), (None, None, None));
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
        let wish = Wish::Enroll { notes: given.map(notes) };
        let row = world.ask(&coordinator(), user(&learner()), wish).unwrap();
        assert_eq!(row.notes.as_ref().map(Notes::as_str), expected);
    }
}

#[test]
fn access_ends_after_its_days_or_with_the_course() {
    let [soon, late] = ["2026-03-05T00:00:00Z", "2027-01-01T00:00:00Z"].map(at);
    for (access_days, ends_at, expected) in [
        (None, None, None),
        (Some(10), None, Some(at("2026-03-11T12:00:00Z"))),
        (None, Some(late), Some(late)),
        (Some(10), Some(late), Some(at("2026-03-11T12:00:00Z"))),
        (Some(10), Some(soon), Some(soon)),
    ] {
        for existing in [None, Some(former(Expired))] {
            let world = World::with(|course| (course.access_days, course.ends_at) = (access_days, ends_at));
            let mut world = existing.into_iter().fold(world, World::having);
            assert_eq!(world.enroll(&learner(), &learner()).unwrap().expires_at, expected);
        }
    }
}

#[test]
fn unenrolling_cancels_and_keeps_the_record() {
    for status in [Enrolled, Waitlisted] {
        for (caller, reason) in
            [(learner(), None), (coordinator(), Some("Moved to the autumn course.")), (service(), None)]
        {
            let old = former(status);
            let mut world = World::new().having(old.clone());
            let counted = world.course().clone();
            let wish = Wish::Unenroll { reason: reason.map(|text| text.parse().unwrap()) };
            let row = world.ask(&caller, user(&learner()), wish).unwrap();
            let expected = EnrollmentRow {
                status: Cancelled,
                cancelled_at: Some(world.now),
                updated_at: world.now,
                version: 10,
                ..old
            };
            assert_eq!(row, expected);
            assert_eq!(world.facts.enrollments, BTreeMap::from([((course_id(), row.user_id), row.clone())]));

            let mut course = CourseRow { cancelled_count: 1, ..counted };
            *course.count_mut(status) -= 1;
            let data = EventData {
                from: Some(status),
                status: Some(Cancelled),
                attempt: Some(3),
                source: Some(Source::Coordinator),
                enrolled_by_user_id: Some(user(&admin())),
                reason: reason.map(str::to_owned),
            };
            let changes = Changes {
                updated: BTreeMap::from([(row.id, row.clone())]),
                courses: BTreeMap::from([(course_id(), course)]),
                events: vec![event(&caller, EventKind::Cancelled, &row, data)],
                ..Changes::default()
            };
            assert_eq!(all_changes(&world.changes), all_changes(&changes));
        }
    }
}

#[test]
fn a_row_made_in_a_batch_stays_an_added_one() {
    let mut world = World::new();
    let first = world.enroll(&learner(), &learner()).unwrap();
    world.unenroll(&learner(), &learner()).unwrap();
    let row = world.enroll(&coordinator(), &learner()).unwrap();
    assert_eq!((row.id, row.attempt, row.version, row.cancelled_at), (first.id, 2, 3, None));
    assert_eq!(world.changes.added, BTreeMap::from([(row.id, row)]));
    assert_eq!(world.changes.updated, BTreeMap::new());
    assert_eq!(
        world.changes.courses,
        BTreeMap::from([(course_id(), CourseRow { enrolled_count: 1, ..course() })])
    );
    let kinds: Vec<EventKind> = world.changes.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Enrolled, EventKind::Cancelled, EventKind::Reactivated]);
}

#[test]
fn a_refusal_amid_a_batch_costs_the_others_nothing() {
    let mut world = World::with(|course| course.capacity = Some(2)).having(former(Completed));
    let alone = {
        let mut world = World::with(|course| course.capacity = Some(2)).having(former(Completed));
        world.enroll(&author(), &author()).unwrap();
        world.facts.courses
    };
    assert!(world.enroll(&learner(), &learner()).is_err(), "completed already");
    let row = world.enroll(&author(), &author()).unwrap();
    assert!(world.enroll(&other_learner(), &other_learner()).is_err(), "full");
    assert!(world.unenroll(&coordinator(), &admin()).is_err(), "not a learner");
    assert_eq!(world.facts.courses, alone);
    assert_eq!(world.changes.added, BTreeMap::from([(row.id, row)]));
    assert_eq!(world.changes.events.len(), 1);
}
