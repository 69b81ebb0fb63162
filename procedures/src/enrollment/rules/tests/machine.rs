//! Random batches of commands by random callers, with the world moving in between: after every command the answer
//! and the facts are those of the model, and the invariants hold.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::model::{Ask, Fate, Meanwhile, Model};
use super::*;
use crate::enrollment::rules::effects::count;
use crate::event::EventData;
use crate::module::Removal;

/// One after another.
#[derive(Clone, Debug)]
enum Turn {
    Batch(Vec<Ask>),
    Meanwhile(Meanwhile),
}

/// Every answer there is: the kinds of events, and the words of refusals.
const ANSWERS: [&str; 13] = [
    "enrolled",
    "reactivated",
    "cancelled",
    "notFound",
    "roleRequired",
    "notAMember",
    "alreadyEnrolled",
    "courseNotPublished",
    "managedCourse",
    "notOpenYet",
    "closed",
    "courseFull",
    "invalidTransition",
];

#[test]
fn random_batches_follow_the_model() {
    let given = RefCell::new(BTreeSet::new());
    // What fails is printed, made small; nothing is written beside the sources.
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&vec(turn(), 1..60), |turns| {
        play(&turns, &mut given.borrow_mut());
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert_eq!(given.into_inner(), ANSWERS.map(String::from).into(), "every answer was given at least once");
}

/// A course of one seat; one of two that gives ten days of access; one without limits but with a window and an end.
fn courses() -> [CourseRow; 3] {
    let [tiny, mut small, mut timed] = [10, 11, 12].map(|number| CourseRow { id: id(number), ..course() });
    small.access_days = Some(10);
    timed.access_days = Some(5);
    timed.opens_at = Some(at("2026-03-02T12:00:00Z"));
    timed.closes_at = Some(at("2026-03-06T12:00:00Z"));
    timed.ends_at = Some(at("2026-03-08T12:00:00Z"));
    [CourseRow { capacity: Some(1), ..tiny }, CourseRow { capacity: Some(2), ..small }, timed]
}

fn new_model() -> Model {
    let World { now, facts, .. } = World::new();
    let courses = courses().map(|course| (course.id, course)).into();
    let modules = BTreeMap::from([(id(11), vec![(id(100), true), (id(101), true)])]);
    Model { now, courses, members: facts.members, modules, places: BTreeMap::new() }
}

fn course_ids() -> impl Strategy<Value = CourseId> {
    select(courses().map(|course| course.id).to_vec())
}

fn members() -> impl Strategy<Value = UserId> {
    select(
        [learner(), other_learner(), author(), coordinator(), admin()].map(|member| user(&member)).to_vec(),
    )
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        3 => vec(ask(), 1..6).prop_map(Turn::Batch),
        2 => meanwhile().prop_map(Turn::Meanwhile),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let own = select(vec![learner(), other_learner(), author(), coordinator(), admin()])
        .prop_map(|caller| (user(&caller), caller));
    let callers = vec![learner(), author(), coordinator(), admin(), global_admin(), service()];
    let users = prop_oneof![12 => members(), 1 => Just(id(99))];
    let others = (users, select(callers));
    let courses = prop_oneof![12 => course_ids(), 1 => Just(id(13))];
    let wishes = prop_oneof![
        3 => select(vec![None, Some(notes("Front row."))]).prop_map(|notes| Wish::Enroll { notes }),
        2 => Just(unenroll()),
        1 => Just(Wish::Unenroll { reason: Some("No time.".parse().unwrap()) }),
    ];
    (prop_oneof![own, others], courses, wishes).prop_map(|((user, caller), course, wish)| Ask {
        caller,
        course,
        user,
        wish,
    })
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    let course_status = prop_oneof![2 => Just(CourseStatus::Published), 1 => select(CourseStatus::ALL)];
    let membership = prop_oneof![2 => Just(MembershipStatus::Active), 1 => select(MembershipStatus::ALL)];
    let seats = select(vec![Some(0), Some(1), Some(2), Some(3), None]);
    let fate = prop_oneof![
        Just(Fate::Waitlisted),
        Just(Fate::Completed),
        Just(Fate::Expired),
        Just(Fate::Revoked),
        (0..4_usize).prop_map(Fate::ModuleCompleted),
        (0..4_usize).prop_map(Fate::ModuleUnassigned),
    ];
    prop_oneof![
        3 => (1..72_u64).prop_map(Meanwhile::HoursPass),
        2 => (course_ids(), course_status).prop_map(|(course, status)| Meanwhile::CourseIs(course, status)),
        1 => (course_ids(), select(EnrollmentMode::ALL)).prop_map(|(course, mode)| Meanwhile::ModeIs(course, mode)),
        1 => (course_ids(), seats).prop_map(|(course, seats)| Meanwhile::CapacityIs(course, seats)),
        1 => (members(), membership).prop_map(|(user, status)| Meanwhile::MemberIs(user, status)),
        1 => course_ids().prop_map(Meanwhile::ModuleAdded),
        1 => (course_ids(), 0..4_usize).prop_map(|(course, place)| Meanwhile::ModuleRetired(course, place)),
        6 => (course_ids(), members(), fate).prop_map(|(course, user, fate)| Meanwhile::Befalls(course, user, fate)),
    ]
}

fn play(turns: &[Turn], given: &mut BTreeSet<String>) {
    let mut model = new_model();
    let mut log = Vec::new();
    for turn in turns {
        match turn {
            Turn::Batch(asks) => batch(&mut model, asks, &mut log, given),
            Turn::Meanwhile(event) => model.meanwhile(event),
        }
    }
}

fn batch(model: &mut Model, asks: &[Ask], log: &mut Vec<NewEvent>, given: &mut BTreeSet<String>) {
    let pairs = asks.iter().map(Ask::pair).collect();
    let loaded = model.facts(&pairs);
    let mut facts = loaded.clone();
    let mut changes = Changes::default();
    for ask in asks {
        let seats_before = model.seats(ask.course);
        given.insert(step(model, &mut facts, &mut changes, ask));
        assert_eq!(all_facts(&settled(&facts)), all_facts(&model.facts(&pairs)), "{ask:?}");
        let happened = log.iter().chain(&changes.events);
        hold_invariants(&facts, ask, seats_before, happened.cloned().collect());
    }
    assert_eq!(
        all_facts(&settled(&applied(loaded, &changes))),
        all_facts(&settled(&facts)),
        "what is written"
    );
    log.extend(changes.events);
}

/// One command, to the rules and to the model. The answer's word.
fn step(model: &mut Model, facts: &mut Facts, changes: &mut Changes, ask: &Ask) -> String {
    let before = (facts.clone(), changes.clone());
    let answer = policy::subject_of_change(&ask.caller, Some(ask.user)).and_then(|subject| {
        let command = Command { course_id: ask.course, subject, by: by(&ask.caller), wish: ask.wish.clone() };
        decide(facts, changes, model.now, &command)
    });
    match (answer, model.answer(ask)) {
        (Ok(row), Ok((kind, from))) => {
            model.adopt(&row, facts.module_enrollments.get(&row.id).map_or(&[], Vec::as_slice));
            assert_eq!(row, model.places[&ask.pair()].row);
            let (last, earlier) = changes.events.split_last().unwrap();
            assert_eq!(earlier, before.1.events, "one event a change");
            assert_eq!(*last, event(ask, kind, from, &row));
            kind.as_str().into()
        }
        (Err(error), Err(expected)) => {
            assert_eq!(word(&error), expected, "{ask:?}");
            assert_eq!(all_facts(facts), all_facts(&before.0), "a refusal changes no fact");
            assert_eq!(all_changes(changes), all_changes(&before.1), "a refusal is no change");
            expected.into()
        }
        (answer, expected) => panic!("{ask:?}: {answer:?}, but the model says {expected:?}"),
    }
}

fn event(ask: &Ask, kind: EventKind, from: Option<EnrollmentStatus>, row: &EnrollmentRow) -> NewEvent {
    let reason = match &ask.wish {
        Wish::Enroll { .. } => None,
        Wish::Unenroll { reason } => reason.as_ref().map(ToString::to_string),
    };
    NewEvent {
        kind,
        course_id: ask.course,
        enrollment_id: row.id,
        user_id: ask.user,
        actor: EventActor::of(&ask.caller),
        request_id: by(&ask.caller).request_id,
        data: EventData {
            from,
            status: Some(row.status),
            attempt: Some(row.attempt),
            source: Some(row.source),
            enrolled_by_user_id: row.enrolled_by_user_id,
            reason,
        },
    }
}

/// The type of a refusal's reason, as clients read it.
fn word(error: &Error) -> String {
    match error.reason() {
        Some(reason) => serde_json::to_value(reason).unwrap()["type"].as_str().unwrap().into(),
        None => {
            assert_eq!(error.code(), Code::NotFound);
            "notFound".into()
        }
    }
}

fn hold_invariants(facts: &Facts, ask: &Ask, seats_before: i32, happened: Vec<NewEvent>) {
    for course in facts.courses.values().filter(|course| course.id == ask.course) {
        let most = course.capacity.map_or(i32::MAX, |capacity| capacity.max(seats_before));
        assert!(course.seats_taken() <= most, "a seat beyond the capacity");
    }
    for row in facts.enrollments.values() {
        let taken_up_again =
            |event: &&NewEvent| event.enrollment_id == row.id && event.kind == EventKind::Reactivated;
        assert_eq!(row.attempt, 1 + count(happened.iter().filter(taken_up_again)), "attempts");

        let modules = facts.module_enrollments.get(&row.id).map_or(&[][..], Vec::as_slice);
        let counted = || {
            let stays = |module: &&ModuleEnrollmentRow| match module.removed_because {
                None | Some(Removal::EnrollmentCancelled) => true,
                Some(Removal::ModuleRetired | Removal::Unassigned) => false,
            };
            modules.iter().filter(stays)
        };
        let completed = counted().filter(|module| module.completed_at.is_some());
        assert_eq!((row.modules_total, row.modules_completed), (count(counted()), count(completed)));
    }
}

/// The rows as they are once the changes are written: updated ones were there before, added ones were not.
fn applied(mut rows: Facts, changes: &Changes) -> Facts {
    for (key, row) in &changes.updated {
        let old = rows.enrollments.insert((row.course_id, row.user_id), row.clone()).unwrap();
        assert_eq!((old.id, *key), (row.id, row.id));
    }
    for (key, row) in &changes.added {
        assert_eq!(*key, row.id);
        let other = rows.enrollments.insert((row.course_id, row.user_id), row.clone());
        assert_eq!(other, None, "at most one enrollment a person and course");
    }
    for (key, module) in &changes.modules_updated {
        let had = rows.module_enrollments.get_mut(&module.enrollment_id).unwrap();
        *had.iter_mut().find(|other| other.id == *key).unwrap() = module.clone();
    }
    for (key, module) in &changes.modules_added {
        let had = rows.module_enrollments.entry(module.enrollment_id).or_default();
        let known = had.iter().any(|other| other.id == *key || other.module_id == module.module_id);
        assert!(!known, "at most one enrollment a person and module");
        had.push(module.clone());
    }
    for (key, course) in &changes.courses {
        *rows.courses.get_mut(key).unwrap() = course.clone();
    }
    rows
}

/// Facts with the module enrollments in one order.
fn settled(facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    facts.module_enrollments.retain(|_, rows| !rows.is_empty());
    for rows in facts.module_enrollments.values_mut() {
        rows.sort_by_key(|row| row.module_id);
    }
    facts
}
