//! Random stories.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::answers::{Ask, Caller, Command};
use super::effects::Change;
use super::world::{DAY, Kind};

/// One after another.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    Ask(Ask),
    Change(Change),
}

// As `World::begin` has them: learners first, then an author, a coordinator, an admin.
const COURSES: std::ops::Range<usize> = 0..3;
const PEOPLE: std::ops::Range<usize> = 0..6;

/// Stories of so many turns.
pub fn turns(how_many: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Turn>> {
    vec(prop_oneof![6 => ask().prop_map(Turn::Ask), 1 => change().prop_map(Turn::Change)], how_many)
}

/// Mostly about learners, by those who may.
fn ask() -> impl Strategy<Value = Ask> {
    let user = || prop_oneof![8 => 0..3_usize, 1 => PEOPLE];
    let caller = prop_oneof![
        1 => PEOPLE.prop_map(Caller::Person),
        1 => Just(Caller::Person(4)),
        3 => Just(Caller::Person(5)),
        1 => Just(Caller::GlobalAdmin),
        6 => Just(Caller::Service),
    ];
    let own = user().prop_map(|user| (Caller::Person(user), user));
    let who = prop_oneof![2 => own, 3 => (caller, user())];
    (who, COURSES, command()).prop_map(|((caller, user), course, command)| Ask {
        caller,
        course,
        user,
        command,
    })
}

fn command() -> impl Strategy<Value = Command> {
    let complete = (select(vec![None, Some(30), Some(50), Some(100)]), any::<bool>());
    prop_oneof![
        10 => prop_oneof![4 => Just(true), 1 => Just(false)].prop_map(|waitlist| Command::Enroll { waitlist }),
        4 => Just(Command::Unenroll),
        1 => Just(Command::Promote),
        4 => complete.prop_map(|(score, waived)| Command::Complete { score, waived }),
        2 => Just(Command::Expire),
        2 => Just(Command::Revoke),
        1 => any::<bool>().prop_map(|stale| Command::SetNotes { stale }),
        1 => (0..6_usize).prop_map(Command::StartModule),
        5 => (0..6_usize).prop_map(Command::CompleteModule),
        1 => (0..6_usize).prop_map(Command::AssignModule),
        1 => (0..6_usize).prop_map(Command::UnassignModule),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let kind = select(vec![Kind::Lesson, Kind::Quiz]);
    let capacity = select(vec![Some(0), Some(1), Some(2), Some(3), None]);
    prop_oneof![
        5 => (1..5_i64).prop_map(|half_days| Change::HoursPass(half_days * DAY / 2)),
        3 => COURSES.prop_map(Change::Publish),
        1 => COURSES.prop_map(Change::Unpublish),
        3 => (COURSES, capacity).prop_map(|(course, capacity)| Change::Capacity(course, capacity)),
        1 => (COURSES, any::<bool>()).prop_map(|(course, managed)| Change::Managed(course, managed)),
        1 => (COURSES, kind).prop_map(|(course, kind)| Change::AddModule(course, kind)),
        1 => (COURSES, 0..6_usize).prop_map(|(course, number)| Change::RetireModule(course, number)),
        1 => PEOPLE.prop_map(Change::Suspend),
        2 => PEOPLE.prop_map(Change::Resume),
        1 => PEOPLE.prop_map(Change::EndMembership),
        2 => PEOPLE.prop_map(Change::Provision),
    ]
}
