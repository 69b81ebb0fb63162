//! The modules of an enrollment: given and taken with it, started and completed, assigned and unassigned (D4,
//! D14, D15).

use super::*;

fn nothing() -> Changes {
    Changes::default()
}

fn about(module_id: ModuleId) -> EventData {
    EventData { module_id: Some(module_id), ..EventData::default() }
}

/// What can be wished of a module, by those who may.
fn every_wish(of: ModuleId) -> [(Wish, Insider); 4] {
    [
        (Wish::StartModule(of), learner()),
        (Wish::CompleteModule(of), learner()),
        (Wish::AssignModule(of), coordinator()),
        (Wish::UnassignModule(of), coordinator()),
    ]
}

#[test]
fn enrolling_gives_every_current_module() {
    let mut world = World::new().offering(&[1, 2, 3]);
    world.module(3).retired = true;
    let elsewhere = ModuleFact { kind: ModuleKind::Lesson, retired: false };
    world.facts.modules.insert(id(11), BTreeMap::from([(module(9), elsewhere)]));
    let row = world.enroll(&coordinator(), &learner()).unwrap();
    assert_eq!((row.modules_total, row.modules_completed), (2, 0));

    let given = world.facts.module_enrollments[&row.id].clone();
    let expected: Vec<ModuleEnrollmentRow> = given
        .iter()
        .zip([1, 2])
        .map(|(given, number)| ModuleEnrollmentRow {
            id: given.id,
            enrollment_id: row.id,
            enrolled_at: world.now,
            ..place(number)
        })
        .collect();
    assert_eq!(expected.len(), 2);
    assert_eq!(given, expected);
    assert_eq!(world.changes.modules_added, by_id(expected));
    assert_eq!(world.changes.modules_updated, BTreeMap::new());
}

#[test]
fn a_course_without_modules_gives_none() {
    let mut world = World::new();
    let row = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!((row.modules_total, row.modules_completed), (0, 0));
    assert_eq!((world.changes.modules_added.len(), world.changes.modules_updated.len()), (0, 0));
}

/// D4, D19.
#[test]
fn leaving_takes_the_modules_and_keeps_the_progress() {
    for wish in [unenroll(), Wish::EndMembership] {
        let unassigned = removed(Removal::Unassigned, completed(place(3)));
        let retired = removed(Removal::ModuleRetired, place(4));
        let places = [completed(place(1)), started(place(2)), unassigned.clone(), retired.clone()];
        let mut world = World::new().having(former(Enrolled)).taking(places);
        let row = world.ask(&coordinator(), wish).unwrap();
        assert_eq!((row.modules_total, row.modules_completed), (2, 1));
        let because = Removal::EnrollmentCancelled;
        let taken = [removed(because, completed(place(1))), removed(because, started(place(2)))];
        let expected = by_id(taken.clone());
        assert_eq!(world.changes.modules_updated, expected, "those removed before keep their reason");
        assert_eq!(world.changes.modules_added, BTreeMap::new());
        let [one, two] = taken;
        assert_eq!(world.facts.module_enrollments[&row.id], [one, two, unassigned, retired]);
    }
}

/// D15.
#[test]
fn enrolling_again_restores_adds_retires_and_leaves_away() {
    let because = Removal::EnrollmentCancelled;
    let fourth = removed(Removal::Unassigned, completed(place(4)));
    let fifth = removed(Removal::Unassigned, completed(place(5)));
    let sixth = removed(Removal::ModuleRetired, completed(place(6)));
    let mut world = World::new().offering(&[1, 2, 3, 4, 5, 6, 7]).having(former(Cancelled)).taking([
        removed(because, completed(place(1))),
        removed(because, started(place(2))),
        removed(because, completed(place(3))),
        fourth.clone(),
        fifth.clone(),
        sixth.clone(),
    ]);
    for number in [3, 5, 6] {
        world.module(number).retired = true;
    }
    let row = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!((row.modules_total, row.modules_completed), (3, 1), "1 with its progress, 2 and 7");

    let added = world.changes.modules_added.values().next().unwrap().clone();
    assert_eq!(added, ModuleEnrollmentRow { id: added.id, enrolled_at: world.now, ..place(7) });
    assert_eq!(world.changes.modules_added, by_id([added.clone()]));
    let changed =
        [completed(place(1)), started(place(2)), removed(Removal::ModuleRetired, completed(place(3)))];
    assert_eq!(world.changes.modules_updated, by_id(changed.clone()));
    let [one, two, three] = changed;
    let now_there = [one, two, three, fourth, fifth, sixth, added];
    assert_eq!(world.facts.module_enrollments[&row.id], now_there);
}

#[test]
fn only_the_modules_that_change_are_written() {
    // An expired enrollment never gave its modules back.
    let places = [completed(place(1)), started(place(2))];
    let mut world = World::new().offering(&[1, 2]).having(former(Expired)).taking(places);
    world.module(2).retired = true;
    let row = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!((row.modules_total, row.modules_completed), (1, 1));
    let retired = removed(Removal::ModuleRetired, started(place(2)));
    assert_eq!(world.changes.modules_updated, by_id([retired]));
    assert_eq!(world.changes.modules_added, BTreeMap::new());
}

#[test]
fn modules_given_in_a_batch_stay_added_ones() {
    let mut world = World::new().offering(&[1]);
    let row = world.enroll(&learner(), &learner()).unwrap();
    let given = world.facts.module_enrollments[&row.id][0].clone();
    world.unenroll(&learner(), &learner()).unwrap();
    let taken = removed(Removal::EnrollmentCancelled, given.clone());
    assert_eq!(world.changes.modules_added, by_id([taken]));
    world.enroll(&learner(), &learner()).unwrap();
    assert_eq!(world.changes.modules_added, by_id([given]));
    assert_eq!(world.changes.modules_updated, BTreeMap::new());
}

/// D17.
#[test]
fn a_module_of_another_course_is_not_found() {
    for (wish, caller) in every_wish(module(9)) {
        let mut world = World::new().offering(&[1]).having(former(Enrolled)).taking([place(1)]);
        let elsewhere = ModuleFact { kind: ModuleKind::Lesson, retired: false };
        world.facts.modules.insert(id(11), BTreeMap::from([(module(9), elsewhere)]));
        assert_eq!(world.ask(&caller, wish.clone()), Err(not_found(None)), "{wish:?}");
    }
}

/// D14: what is completed stays so, at 100.
#[test]
fn only_an_enrollment_in_a_seat_makes_progress() {
    for status in [Waitlisted, Completed, Cancelled, Expired] {
        for (wish, caller) in every_wish(module(1)) {
            let place = match status {
                Cancelled => removed(Removal::EnrollmentCancelled, place(1)),
                Enrolled | Waitlisted | Completed | Expired => place(1),
            };
            let mut world = World::new().offering(&[1]).having(former(status)).taking([place]);
            let answer = world.ask(&caller, wish.clone());
            assert_eq!(answer, Err(invalid_transition(status, Enrolled)), "{wish:?}");
        }
    }
}

#[test]
fn learners_complete_what_has_no_result_themselves() {
    for kind in ModuleKind::ALL {
        let course = || {
            let mut world = World::new().offering(&[1]).having(former(Enrolled)).taking([place(1)]);
            world.module(1).kind = *kind;
            world
        };
        let wish = || Wish::CompleteModule(module(1));
        let own = course().ask(&learner(), wish()).map(|row| row.modules_completed);
        match kind {
            ModuleKind::Lesson | ModuleKind::Survey | ModuleKind::Webinar => assert_eq!(own, Ok(1)),
            ModuleKind::Quiz | ModuleKind::Scorm => assert_eq!(own, Err(role_required()), "{kind:?}"),
        }
        assert_eq!(course().ask(&service(), wish()).unwrap().modules_completed, 1, "{kind:?}");
        assert!(course().ask(&learner(), Wish::StartModule(module(1))).is_ok(), "{kind:?}");
    }
}

/// D14.
#[test]
fn what_one_does_not_have_is_neither_started_nor_completed() {
    let unassigned = removed(Removal::Unassigned, completed(place(1)));
    let retired = removed(Removal::ModuleRetired, completed(place(1)));
    for had in [None, Some(unassigned), Some(retired)] {
        for wish in [Wish::StartModule(module(1)), Wish::CompleteModule(module(1))] {
            for caller in [learner(), service()] {
                let mut world = World::new().offering(&[1]).having(former(Enrolled)).taking(had.clone());
                assert_eq!(world.ask(&caller, wish.clone()), Err(not_found(None)), "{wish:?} {had:?}");
            }
        }
    }
}

#[test]
fn a_retired_module_is_given_to_nobody_who_does_not_have_it() {
    let problem = "the module is retired".to_owned();
    let reason = Reason::InvalidInput { field: "moduleId".into(), problem };
    for had in
        [None, Some(removed(Removal::Unassigned, place(1))), Some(removed(Removal::ModuleRetired, place(1)))]
    {
        let mut world = World::new().offering(&[1]).having(former(Enrolled)).taking(had.clone());
        world.module(1).retired = true;
        let answer = world.ask(&coordinator(), Wish::AssignModule(module(1)));
        assert_eq!(answer, Err(refusal(Code::BadRequest, None, reason.clone())), "{had:?}");
    }
    // Whoever has it keeps it, and goes on with it.
    let mut world = World::new().offering(&[1]).having(former(Enrolled)).taking([place(1)]);
    world.module(1).retired = true;
    assert_eq!(world.ask(&coordinator(), Wish::AssignModule(module(1))).unwrap(), world.row(&learner()));
    assert_eq!(all_changes(&world.changes), all_changes(&nothing()));
    let row = world.ask(&learner(), Wish::CompleteModule(module(1))).unwrap();
    assert_eq!((row.modules_total, row.modules_completed), (1, 1));
}

#[test]
fn what_one_never_had_is_not_taken_away() {
    for had in [None, Some(removed(Removal::ModuleRetired, place(1)))] {
        let mut world = World::new().offering(&[1]).having(former(Enrolled)).taking(had);
        let answer = world.ask(&coordinator(), Wish::UnassignModule(module(1)));
        assert_eq!(answer, Err(not_found(None)));
    }
}

#[test]
fn starting_a_module() {
    for caller in [learner(), service()] {
        for (started_at, expected) in
            [(None, World::new().now), (Some(at("2025-06-02T08:00:00Z")), at("2025-06-02T08:00:00Z"))]
        {
            let enrolled = EnrollmentRow { started_at, ..former(Enrolled) };
            let mut world = World::new().offering(&[1]).having(enrolled).taking([place(1)]);
            let (old, now) = (world.row(&learner()), world.now);
            let decided = world.decide(&caller, &learner(), Wish::StartModule(module(1))).unwrap();
            let row = EnrollmentRow { started_at: Some(expected), updated_at: now, version: 10, ..old };
            let progress = ModuleEnrollmentRow { started_at: Some(now), ..place(1) };
            assert_eq!(decided, Decided { module: Some(progress.clone()), ..row.clone().into() });
            let actor = EventActor::of(&caller);
            let changes = Changes {
                events: vec![event(actor, EventKind::ModuleStarted, &row, about(module(1)))],
                updated: BTreeMap::from([(row.id, row)]),
                modules_updated: by_id([progress]),
                ..Changes::default()
            };
            assert_eq!(all_changes(&world.changes), all_changes(&changes));
        }
    }
}

#[test]
fn completing_a_module() {
    let now = World::new().now;
    let begun = started(place(1));
    let begun_at = begun.started_at;
    for (had, started_at) in [(place(1), Some(now)), (begun, begun_at)] {
        let mut world =
            World::new().offering(&[1, 2]).having(former(Enrolled)).taking([had.clone(), place(2)]);
        let old = world.row(&learner());
        let decided = world.decide(&learner(), &learner(), Wish::CompleteModule(module(1))).unwrap();
        let row = EnrollmentRow { modules_completed: 1, updated_at: now, version: 10, ..old };
        let progress = ModuleEnrollmentRow { started_at, completed_at: Some(now), ..had };
        assert_eq!(decided, Decided { module: Some(progress.clone()), ..row.clone().into() });
        let actor = EventActor::of(&learner());
        let changes = Changes {
            events: vec![event(actor, EventKind::ModuleCompleted, &row, about(module(1)))],
            updated: BTreeMap::from([(row.id, row)]),
            modules_updated: by_id([progress]),
            ..Changes::default()
        };
        assert_eq!(all_changes(&world.changes), all_changes(&changes));
    }
}

#[test]
fn what_is_recorded_is_not_recorded_again() {
    for status in [Enrolled, Completed] {
        for wish in [Wish::StartModule(module(1)), Wish::CompleteModule(module(1))] {
            let mut world = World::new().offering(&[1, 2]).having(former(status));
            world = world.taking([completed(place(1)), place(2)]);
            let old = world.row(&learner());
            let decided = world.decide(&learner(), &learner(), wish.clone()).unwrap();
            let expected = Decided { module: Some(completed(place(1))), ..old.into() };
            assert_eq!(decided, expected, "{status:?} {wish:?}");
            assert_eq!(all_changes(&world.changes), all_changes(&nothing()), "{status:?} {wish:?}");
        }
    }
    // Only a completion leaves that open.
    let mut world = World::new().offering(&[1]).having(former(Expired)).taking([completed(place(1))]);
    let answer = world.ask(&learner(), Wish::CompleteModule(module(1)));
    assert_eq!(answer, Err(invalid_transition(Expired, Enrolled)));
}

/// D14.
#[test]
fn assigning_a_module_that_was_added_later() {
    let mut world = World::new().offering(&[1, 2]).having(former(Enrolled)).taking([completed(place(1))]);
    let (old, now) = (world.row(&learner()), world.now);
    let wish = || Wish::AssignModule(module(2));
    let decided = world.decide(&coordinator(), &learner(), wish()).unwrap();
    let row = EnrollmentRow { modules_total: 2, updated_at: now, version: 10, ..old };
    let given = decided.module.clone().unwrap();
    assert_eq!(given, ModuleEnrollmentRow { id: given.id, enrolled_at: now, ..place(2) });
    assert_eq!(decided, Decided { module: Some(given.clone()), ..row.clone().into() });
    let actor = EventActor::of(&coordinator());
    let changes = Changes {
        events: vec![event(actor, EventKind::ModuleAssigned, &row, about(module(2)))],
        updated: BTreeMap::from([(row.id, row)]),
        modules_added: by_id([given]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
    assert_eq!(world.decide(&coordinator(), &learner(), wish()), Ok(decided), "again");
    assert_eq!(all_changes(&world.changes), all_changes(&changes), "again");
}

#[test]
fn a_module_taken_away_comes_back_with_its_progress_when_assigned() {
    let mut world =
        World::new().offering(&[1, 2]).having(former(Enrolled)).taking([completed(place(1)), place(2)]);
    let (old, now) = (world.row(&learner()), world.now);
    let actor = EventActor::of(&coordinator());
    let unassign = || Wish::UnassignModule(module(1));
    let decided = world.decide(&coordinator(), &learner(), unassign()).unwrap();
    let row =
        EnrollmentRow { modules_total: 1, modules_completed: 0, updated_at: now, version: 10, ..old.clone() };
    let taken = removed(Removal::Unassigned, completed(place(1)));
    assert_eq!(decided, Decided { module: Some(taken.clone()), ..row.clone().into() });
    let changes = Changes {
        events: vec![event(actor, EventKind::ModuleUnassigned, &row, about(module(1)))],
        updated: BTreeMap::from([(row.id, row)]),
        modules_updated: by_id([taken]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
    assert_eq!(world.decide(&coordinator(), &learner(), unassign()), Ok(decided), "again");
    assert_eq!(all_changes(&world.changes), all_changes(&changes), "again");

    world.changes = nothing();
    let decided = world.decide(&coordinator(), &learner(), Wish::AssignModule(module(1))).unwrap();
    let row = EnrollmentRow { updated_at: now, version: 11, ..old };
    assert_eq!(decided, Decided { module: Some(completed(place(1))), ..row.clone().into() });
    let changes = Changes {
        events: vec![event(actor, EventKind::ModuleAssigned, &row, about(module(1)))],
        updated: BTreeMap::from([(row.id, row)]),
        modules_updated: by_id([completed(place(1))]),
        ..Changes::default()
    };
    assert_eq!(all_changes(&world.changes), all_changes(&changes));
}
