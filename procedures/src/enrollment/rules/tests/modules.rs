//! The modules of an enrollment (D4, D15).

use super::*;
use crate::enrollment::EnrollmentStatus::{Cancelled, Enrolled};
use crate::module::Removal;

fn module(number: u128) -> ModuleId {
    id(60 + number)
}

fn current(modules: &[u128]) -> BTreeSet<ModuleId> {
    modules.iter().map(|number| module(*number)).collect()
}

/// A row of the learner's former enrollment, in the state that a reason for its removal implies.
fn row(number: u128, completed: bool, removed_because: Option<Removal>) -> ModuleEnrollmentRow {
    ModuleEnrollmentRow {
        id: id(80 + number),
        organization_id: organization(),
        enrollment_id: former(Cancelled).id,
        user_id: user(&learner()),
        module_id: module(number),
        enrolled_at: at("2025-06-01T08:00:00Z"),
        started_at: Some(at("2025-06-02T08:00:00Z")),
        completed_at: completed.then(|| at("2025-06-03T08:00:00Z")),
        soft_deleted: removed_because.is_some(),
        removed_because,
    }
}

fn by_id(rows: &[ModuleEnrollmentRow]) -> BTreeMap<ModuleEnrollmentId, ModuleEnrollmentRow> {
    rows.iter().map(|row| (row.id, row.clone())).collect()
}

#[test]
fn enrolling_gives_every_current_module() {
    let mut world = World::new();
    world.facts.modules.insert(course_id(), current(&[1, 2]));
    world.facts.modules.insert(id(11), current(&[9]));
    let enrollment = world.enroll(&coordinator(), &learner()).unwrap();
    assert_eq!((enrollment.modules_total, enrollment.modules_completed), (2, 0));

    let given = &world.facts.module_enrollments[&enrollment.id];
    let expected: Vec<_> = given
        .iter()
        .zip([1, 2])
        .map(|(given, number)| ModuleEnrollmentRow {
            id: given.id,
            organization_id: organization(),
            enrollment_id: enrollment.id,
            user_id: user(&learner()),
            module_id: module(number),
            enrolled_at: world.now,
            started_at: None,
            completed_at: None,
            soft_deleted: false,
            removed_because: None,
        })
        .collect();
    assert_eq!(expected.len(), 2);
    assert_eq!(*given, expected);
    assert_eq!(world.changes.modules_added, by_id(&expected));
    assert_eq!(world.changes.modules_updated, BTreeMap::new());
}

#[test]
fn a_course_without_modules_gives_none() {
    let mut world = World::new();
    let enrollment = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!((enrollment.modules_total, enrollment.modules_completed), (0, 0));
    assert_eq!((world.changes.modules_added.len(), world.changes.modules_updated.len()), (0, 0));
}

#[test]
fn unenrolling_takes_the_modules_and_keeps_the_progress() {
    let mut world =
        World::new().having(EnrollmentRow { modules_total: 2, modules_completed: 1, ..former(Enrolled) });
    let unassigned = row(3, true, Some(Removal::Unassigned));
    let retired = row(4, false, Some(Removal::ModuleRetired));
    let had = vec![row(1, true, None), row(2, false, None), unassigned.clone(), retired.clone()];
    world.facts.module_enrollments.insert(former(Enrolled).id, had);

    let enrollment = world.unenroll(&learner(), &learner()).unwrap();
    assert_eq!((enrollment.modules_total, enrollment.modules_completed), (2, 1));
    let because = Some(Removal::EnrollmentCancelled);
    let taken = [row(1, true, because), row(2, false, because)];
    assert_eq!(world.changes.modules_updated, by_id(&taken), "those removed before keep their reason");
    assert_eq!(world.changes.modules_added, BTreeMap::new());
    let [first, second] = taken;
    assert_eq!(world.facts.module_enrollments[&enrollment.id], [first, second, unassigned, retired]);
}

#[test]
fn enrolling_again_restores_adds_retires_and_leaves_away() {
    let mut world =
        World::new().having(EnrollmentRow { modules_total: 4, modules_completed: 3, ..former(Cancelled) });
    let because = Some(Removal::EnrollmentCancelled);
    let had = vec![
        row(1, true, because),
        row(2, false, because),
        row(3, true, because),
        row(4, true, Some(Removal::Unassigned)),
        row(5, true, Some(Removal::Unassigned)),
        row(6, true, Some(Removal::ModuleRetired)),
    ];
    world.facts.module_enrollments.insert(former(Cancelled).id, had);
    // 3, 5 and 6 are retired, 7 is new.
    world.facts.modules.insert(course_id(), current(&[1, 2, 4, 7]));

    let enrollment = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!(
        (enrollment.modules_total, enrollment.modules_completed),
        (3, 1),
        "1 with its progress, 2 and 7"
    );

    let restored = [row(1, true, None), row(2, false, None)];
    let retired = row(3, true, Some(Removal::ModuleRetired));
    let added = world.changes.modules_added.values().next().unwrap().clone();
    let expected =
        ModuleEnrollmentRow { id: added.id, enrolled_at: world.now, started_at: None, ..row(7, false, None) };
    assert_eq!(added, expected);
    assert_eq!(world.changes.modules_added, by_id(std::slice::from_ref(&added)));
    let [first, second] = restored;
    assert_eq!(world.changes.modules_updated, by_id(&[first.clone(), second.clone(), retired.clone()]));
    let unassigned = [row(4, true, Some(Removal::Unassigned)), row(5, true, Some(Removal::Unassigned))];
    let [fourth, fifth] = unassigned;
    let sixth = row(6, true, Some(Removal::ModuleRetired));
    let now_there = [first, second, retired, fourth, fifth, sixth, added];
    assert_eq!(world.facts.module_enrollments[&enrollment.id], now_there);
}

#[test]
fn only_the_modules_that_change_are_written() {
    // An expired enrollment never gave its modules back.
    let mut world = World::new().having(EnrollmentRow {
        modules_total: 2,
        modules_completed: 1,
        ..former(EnrollmentStatus::Expired)
    });
    world
        .facts
        .module_enrollments
        .insert(former(Cancelled).id, vec![row(1, true, None), row(2, false, None)]);
    world.facts.modules.insert(course_id(), current(&[1]));
    let enrollment = world.enroll(&learner(), &learner()).unwrap();
    assert_eq!((enrollment.modules_total, enrollment.modules_completed), (1, 1));
    let retired = row(2, false, Some(Removal::ModuleRetired));
    assert_eq!(world.changes.modules_updated, by_id(&[retired]));
    assert_eq!(world.changes.modules_added, BTreeMap::new());
}

#[test]
fn modules_given_in_a_batch_stay_added_ones() {
    let mut world = World::new();
    world.facts.modules.insert(course_id(), current(&[1]));
    let enrollment = world.enroll(&learner(), &learner()).unwrap();
    let given = world.facts.module_enrollments[&enrollment.id][0].clone();
    world.unenroll(&learner(), &learner()).unwrap();
    let taken = ModuleEnrollmentRow {
        soft_deleted: true,
        removed_because: Some(Removal::EnrollmentCancelled),
        ..given
    };
    assert_eq!(world.changes.modules_added, by_id(&[taken]));
    world.enroll(&learner(), &learner()).unwrap();
    assert_eq!(world.changes.modules_added, by_id(&[given]));
    assert_eq!(world.changes.modules_updated, BTreeMap::new());
}
