//! The waitlist (D9 to D11): who waits, who is next, and when.

use super::*;

fn waiter(number: u128) -> Insider {
    person(id(200 + number), Some(Role::Learner), false)
}

/// A learner's place in the queue since a day in February.
fn waits(number: u128, day: u32) -> EnrollmentRow {
    EnrollmentRow {
        id: id(300 + number),
        user_id: user(&waiter(number)),
        waitlisted_at: Some(at(&format!("2026-02-{day:02}T08:00:00Z"))),
        ..former(Waitlisted)
    }
}

/// The same once they are promoted, in the course below.
fn promoted(row: EnrollmentRow) -> EnrollmentRow {
    let now = World::new().now;
    EnrollmentRow {
        status: Enrolled,
        enrolled_at: now,
        expires_at: Some(at("2026-03-11T12:00:00Z")),
        updated_at: now,
        version: 10,
        modules_total: 1,
        ..row
    }
}

/// A course with one seat, ten days of access and one module. The learner has the seat in this status, and two
/// others wait for it.
fn contested(status: EnrollmentStatus) -> World {
    World::with(|course| (course.capacity, course.access_days) = (Some(1), Some(10)))
        .offering(&[1])
        .having(former(status))
        .queued(1, 1, MembershipStatus::Active)
        .queued(2, 2, MembershipStatus::Active)
}

impl World {
    fn queued(self, number: u128, day: u32, status: MembershipStatus) -> Self {
        self.with_member(&waiter(number), Role::Learner, status).having(waits(number, day))
    }

    /// The world with another capacity, whose seats nobody has given away yet.
    fn with_capacity(mut self, capacity: Option<i32>) -> Self {
        self.course().capacity = capacity;
        self.course().limit_seats();
        self
    }

    fn fill(&mut self) {
        fill(&mut self.facts, &mut self.changes, self.now, course_id(), REQUEST).unwrap();
    }

    fn status_of(&self, number: u128) -> EnrollmentStatus {
        self.row(&waiter(number)).status
    }

    fn queue(&self) -> BTreeSet<(Moment, EnrollmentId, UserId)> {
        self.facts.queues[&course_id()].first.clone()
    }
}

fn queue_of(rows: impl IntoIterator<Item = EnrollmentRow>) -> BTreeSet<(Moment, EnrollmentId, UserId)> {
    rows.into_iter().map(|row| (row.waitlisted_at.unwrap(), row.id, row.user_id)).collect()
}

#[test]
fn a_newcomer_waits_where_every_seat_is_taken() {
    let mut world = World::with(|course| (course.capacity, course.access_days) = (Some(1), Some(10)))
        .offering(&[1])
        .having(former(Enrolled));
    let (counted, now) = (world.course().clone(), world.now);
    let decided = world.decide(&other_learner(), &other_learner(), enroll()).unwrap();
    // No access, and no modules.
    let row = EnrollmentRow {
        status: Waitlisted,
        waitlisted_at: Some(now),
        ..first(decided.row.id, &other_learner(), now)
    };
    assert_eq!(decided, Decided { row: row.clone(), position: Some(1), module: None });
    let queue = Queue { first: queue_of([row.clone()]), tail: Some(now) };
    assert_eq!(world.facts.queues, BTreeMap::from([(course_id(), queue)]));
    let course = CourseRow { waitlisted_count: 1, ..counted };
    let actor = EventActor::of(&other_learner());
    let changes = Changes {
        events: vec![event(actor, EventKind::Waitlisted, &row, moved(None, &row))],
        added: BTreeMap::from([(row.id, row)]),
        courses: BTreeMap::from([(course_id(), course)]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
}

/// D1.
#[test]
fn one_who_comes_again_waits_too() {
    let had = removed(Removal::EnrollmentCancelled, completed(place(1)));
    let mut world = World::with(|course| (course.capacity, course.access_days) = (Some(0), Some(10)))
        .offering(&[1])
        .having(former(Cancelled))
        .taking([had]);
    let (old, now) = (world.row(&learner()), world.now);
    let decided = world.decide(&learner(), &learner(), enroll()).unwrap();
    let row = EnrollmentRow {
        status: Waitlisted,
        enrolled_at: now,
        cancelled_at: None,
        enrolled_by_user_id: None,
        reminder_sent_at: None,
        updated_at: now,
        source: Source::Myself,
        source_ref: None,
        waitlisted_at: Some(now),
        expires_at: None,
        attempt: 4,
        version: 10,
        ..old
    };
    assert_eq!(decided, Decided { row: row.clone(), position: Some(1), module: None });
    assert_eq!(world.changes.modules_updated, BTreeMap::new(), "the modules come with the seat");
    let data = moved(Some(Cancelled), &row);
    let happened = event(EventActor::of(&learner()), EventKind::Reactivated, &row, data);
    assert_eq!(world.changes.events, [happened]);

    let mut world = world.with_capacity(Some(1));
    world.fill();
    let row = world.row(&learner());
    assert_eq!((row.status, row.modules_total, row.modules_completed), (Enrolled, 1, 1));
    assert_eq!(world.changes.modules_updated, by_id([completed(place(1))]));
}

#[test]
fn nobody_jumps_the_queue() {
    for caller in [other_learner(), coordinator(), admin(), global_admin(), service()] {
        // A seat is free, but not for long.
        let mut world = contested(Enrolled).with_capacity(Some(2));
        let answer = world.decide(&caller, &other_learner(), enroll_at_once());
        assert_eq!(answer, Err(full(2)), "{caller:?}");
        let decided = world.decide(&caller, &other_learner(), enroll()).unwrap();
        assert_eq!((decided.row.status, decided.position), (Waitlisted, Some(3)), "{caller:?}");
    }
    let mut world = contested(Enrolled).with_capacity(Some(2));
    assert_eq!(world.enroll_by_cohort(&admin(), &other_learner()).unwrap().status, Waitlisted);
}

#[test]
fn newcomers_line_up_behind_everyone_who_waits() {
    let now = World::new().now;
    let ahead = at("2026-03-01T12:00:05Z");
    for (tail, expected) in [
        (at("2026-02-02T08:00:00Z"), now),
        (just_before(now), now),
        (now, just_after(now)),
        // The clock of another server is ahead of this one's.
        (ahead, just_after(ahead)),
    ] {
        let mut world = contested(Enrolled);
        world.facts.queues.get_mut(&course_id()).unwrap().tail = Some(tail);
        for (whom, since, position) in [(other_learner(), expected, 3), (author(), just_after(expected), 4)] {
            let decided = world.decide(&whom, &whom, enroll()).unwrap();
            assert_eq!((decided.row.waitlisted_at, decided.position), (Some(since), Some(position)));
        }
    }
}

#[test]
fn a_freed_seat_goes_to_the_first_who_waits() {
    let voided = vec![EventKind::Revoked, EventKind::CertificateVoided];
    for (held, caller, wish, freed_by, counters) in [
        (Enrolled, learner(), unenroll(), vec![EventKind::Cancelled], [1, 1, 0, 1, 0]),
        (Enrolled, admin(), Wish::EndMembership, vec![EventKind::Cancelled], [1, 1, 0, 1, 0]),
        (Enrolled, service(), Wish::Expire, vec![EventKind::Expired], [1, 1, 0, 0, 1]),
        (Completed, admin(), revoke(), voided, [1, 1, 0, 1, 0]),
    ] {
        assert!(wish.may_leave(), "the queue is loaded");
        let mut world = contested(held);
        world.ask(&caller, wish.clone()).unwrap();
        let row = promoted(waits(1, 1));
        assert_eq!(world.row(&waiter(1)), row, "{wish:?}");
        assert_eq!(world.changes.updated[&row.id], row, "{wish:?}");
        assert_eq!(world.row(&waiter(2)), waits(2, 2), "{wish:?}");
        assert_eq!(world.queue(), queue_of([waits(2, 2)]), "{wish:?}");

        let (last, earlier) = world.changes.events.split_last().unwrap();
        let data = moved(Some(Waitlisted), &row);
        assert_eq!(*last, event(EventActor::SYSTEM, EventKind::Promoted, &row, data), "{wish:?}");
        assert_eq!(earlier.iter().map(|event| event.kind).collect::<Vec<_>>(), freed_by, "{wish:?}");
        let given: Vec<UserId> = world.changes.modules_added.values().map(|place| place.user_id).collect();
        assert_eq!(given, [row.user_id], "{wish:?}");
        assert_eq!(world.counters(), counters, "{wish:?}");
        assert_eq!(world.changes.courses, world.facts.courses, "{wish:?}");
        assert_eq!(world.course().seats_limit, Some(1), "{wish:?}");
    }
}

#[test]
fn free_seats_are_filled_in_the_order_of_the_queue() {
    for (capacity, seats) in [(Some(0), 0), (Some(1), 0), (Some(2), 1), (Some(3), 2), (Some(9), 3), (None, 3)]
    {
        // Of those who wait since the same moment, the lower id is first.
        let mut world = World::with(|course| course.capacity = Some(1))
            .having(former(Enrolled))
            .queued(3, 4, MembershipStatus::Active)
            .queued(2, 4, MembershipStatus::Active)
            .queued(7, 3, MembershipStatus::Active)
            .with_capacity(capacity);
        world.fill();
        let promoted: Vec<UserId> = world.changes.events.iter().map(|event| event.user_id).collect();
        let in_order = [7, 2, 3].map(|number| user(&waiter(number)));
        assert_eq!(promoted, in_order[..seats].to_vec(), "{capacity:?}");
        assert!(world.kinds().iter().all(|kind| *kind == EventKind::Promoted), "{capacity:?}");
        assert_eq!(world.counters()[..2].iter().sum::<i32>(), 4, "{capacity:?}");
        assert_eq!(world.queue().len(), 3 - seats, "{capacity:?}");
    }
}

/// D16.
#[test]
fn nobody_is_promoted_into_a_course_that_is_hidden_or_over() {
    let over: [fn(&mut CourseRow); 3] = [
        |course| course.status = CourseStatus::Draft,
        |course| course.status = CourseStatus::Archived,
        |course| course.ends_at = Some(World::new().now),
    ];
    for change in over {
        let mut world = contested(Enrolled);
        change(world.course());
        world.unenroll(&learner(), &learner()).unwrap();
        world.fill();
        assert_eq!(world.kinds(), [EventKind::Cancelled]);
        assert_eq!(world.counters(), [0, 2, 0, 1, 0]);
    }
    let open: [fn(&mut CourseRow); 2] = [
        |course| course.ends_at = Some(just_after(World::new().now)),
        |course| course.closes_at = Some(at("2026-02-15T00:00:00Z")),
    ];
    for change in open {
        let mut world = contested(Enrolled);
        change(world.course());
        world.unenroll(&learner(), &learner()).unwrap();
        assert_eq!(world.counters(), [1, 1, 0, 1, 0]);
    }
}

/// D19.
#[test]
fn those_who_are_not_active_are_skipped_and_cancelled() {
    let mut world = World::with(|course| (course.capacity, course.access_days) = (Some(1), Some(10)))
        .offering(&[1])
        .having(former(Enrolled))
        .queued(1, 1, MembershipStatus::Suspended)
        .queued(2, 2, MembershipStatus::Ended)
        .queued(3, 3, MembershipStatus::Active)
        .queued(4, 4, MembershipStatus::Suspended);
    let now = world.now;
    world.unenroll(&learner(), &learner()).unwrap();
    let skipped = |row: EnrollmentRow| EnrollmentRow {
        status: Cancelled,
        cancelled_at: Some(now),
        updated_at: now,
        version: 10,
        ..row
    };
    let rows = [skipped(waits(1, 1)), skipped(waits(2, 2)), promoted(waits(3, 3)), waits(4, 4)];
    assert_eq!([1, 2, 3, 4].map(|number| world.row(&waiter(number))), rows);
    let [suspended, ended, next, _] = &rows;
    let because = |row: &EnrollmentRow, reason: &str| {
        let data = EventData { reason: Some(reason.into()), ..moved(Some(Waitlisted), row) };
        event(EventActor::SYSTEM, EventKind::Cancelled, row, data)
    };
    let happened = [
        because(suspended, "membershipSuspended"),
        because(ended, "membershipEnded"),
        event(EventActor::SYSTEM, EventKind::Promoted, next, moved(Some(Waitlisted), next)),
    ];
    assert_eq!(world.changes.events[1..], happened);
    assert_eq!(world.counters(), [1, 1, 0, 3, 0]);
}

/// Anyone who waits, not only the first.
#[test]
fn promotion_by_hand() {
    for caller in [coordinator(), admin(), global_admin(), service()] {
        let mut world = contested(Enrolled).with_capacity(Some(2));
        let counted = world.course().clone();
        let decided = world.decide(&caller, &waiter(2), Wish::Promote).unwrap();
        let row = promoted(waits(2, 2));
        assert_eq!(decided, Decided::from(row.clone()), "{caller:?}");
        assert_eq!(world.queue(), queue_of([waits(1, 1)]));
        let course = CourseRow { enrolled_count: 2, waitlisted_count: 1, ..counted };
        assert_eq!(world.changes.courses, BTreeMap::from([(course_id(), course)]));
        let data = moved(Some(Waitlisted), &row);
        let happened = event(EventActor::of(&caller), EventKind::Promoted, &row, data);
        assert_eq!(world.changes.events, [happened]);
        assert_eq!(world.changes.updated, BTreeMap::from([(row.id, row)]));
    }
}

/// D9.
#[test]
fn leaving_the_queue_frees_no_seat() {
    let mut world = contested(Enrolled);
    world.unenroll(&waiter(1), &waiter(1)).unwrap();
    assert_eq!(world.kinds(), [EventKind::Cancelled]);
    assert_eq!(world.counters(), [1, 1, 0, 1, 0]);
    assert_eq!(world.queue(), queue_of([waits(2, 2)]));
    world.unenroll(&learner(), &learner()).unwrap();
    assert_eq!([1, 2].map(|number| world.status_of(number)), [Cancelled, Enrolled]);
}

/// D10: a course lowered below what is taken stays above its capacity until seats are given back.
#[test]
fn a_lowered_course_gives_no_seat_until_it_is_below_its_capacity() {
    let seated =
        |number, whom: &Insider| EnrollmentRow { id: id(number), user_id: user(whom), ..former(Enrolled) };
    let mut world = World::with(|course| course.capacity = Some(1))
        .having(former(Enrolled))
        .having(seated(42, &other_learner()))
        .having(seated(43, &author()))
        .queued(1, 1, MembershipStatus::Active);
    assert_eq!(world.course().seats_limit, Some(3));
    for (whom, seats_limit, expected) in
        [(learner(), 2, Waitlisted), (other_learner(), 1, Waitlisted), (author(), 1, Enrolled)]
    {
        world.unenroll(&service(), &whom).unwrap();
        assert_eq!((world.course().seats_limit, world.status_of(1)), (Some(seats_limit), expected));
    }
    assert_eq!(world.enroll(&learner(), &learner()).unwrap().status, Waitlisted, "it is full again");
    assert_eq!(world.course().seats_limit, Some(1));
}

#[test]
fn a_course_without_a_capacity_has_no_limit_of_seats() {
    let mut world = World::new();
    world.enroll(&learner(), &learner()).unwrap();
    world.unenroll(&learner(), &learner()).unwrap();
    assert_eq!(world.course().seats_limit, None);
}
