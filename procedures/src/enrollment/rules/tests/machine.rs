//! Random stories, told to the rules and to the model of the domain: after every turn the answer, the events and the
//! state are the model's, what is to be written leads to that state, and a dry run has said so before.

use std::cell::RefCell;
use std::time::Duration;

use model::{
    Action as Dry, Ask, Change, Kind, Outcome, Place, Removal, Role as Is, Standing, Status, Told, Turn,
};
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::course::{CourseStatus, EnrollmentMode, ModuleKind};
use crate::enrollment::check::{CheckOutcome, predict};
use crate::enrollment::rules::effects::count;
use crate::error::Reason;
use crate::module::Removal as Because;
use crate::policy::Action;

/// How many stories are told, of how many turns, and how often as many more while some answer was not given yet:
/// chance passes over the rarest in about one run of twenty.
const STORIES: u32 = 400;
const ENCORES: usize = 9;
const TURNS: std::ops::Range<usize> = 20..140;

/// Every answer there is: the kinds of events, and the words of refusals.
const ANSWERS: [&str; 29] = [
    "alreadyEnrolled",
    "belowPassScore",
    "cancelled",
    "certificateIssued",
    "certificateVoided",
    "closed",
    "completed",
    "courseFull",
    "courseNotPublished",
    "enrolled",
    "expired",
    "invalidInput",
    "invalidTransition",
    "managedCourse",
    "moduleAssigned",
    "moduleCompleted",
    "moduleStarted",
    "moduleUnassigned",
    "modulesIncomplete",
    "notAMember",
    "notFound",
    "notOpenYet",
    "notesSet",
    "promoted",
    "reactivated",
    "revoked",
    "roleRequired",
    "versionMismatch",
    "waitlisted",
];

#[test]
fn random_stories_follow_the_model() {
    let given = RefCell::new(BTreeSet::new());
    // What fails is printed, made small; nothing is written beside the sources.
    let mut runner =
        TestRunner::new(Config { cases: STORIES, failure_persistence: None, ..Config::default() });
    for _ in 0..=ENCORES {
        let outcome = runner.run(&model::turns(TURNS), |turns| {
            let mut story = Story::begin();
            for turn in &turns {
                story.turn(turn, &mut given.borrow_mut());
            }
            Ok(())
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
        if given.borrow().len() == ANSWERS.len() {
            break;
        }
    }
    assert_eq!(given.into_inner(), ANSWERS.into(), "every answer was given at least once");
}

/// All that is stored, loaded for every decision, beside the model.
struct Story {
    model: model::World,
    began: Moment,
    facts: Facts,
    /// Those of the turn.
    changes: Changes,
}

fn course_id_of(number: usize) -> CourseId {
    id(10 + number as u128)
}

fn user_id_of(number: usize) -> UserId {
    id(20 + number as u128)
}

fn module_id_of(course: usize, number: usize) -> ModuleId {
    id(1000 + 100 * course as u128 + number as u128)
}

/// A number back from an id.
fn number_of<E: Entity>(id: Id<E>, first: u128) -> usize {
    usize::try_from(id.uuid().as_u128() - first).unwrap()
}

impl Story {
    fn begin() -> Self {
        let model = model::World::begin();
        let began = at("2026-03-01T12:00:00Z");
        let mut story = Story { model, began, facts: Facts::default(), changes: Changes::default() };
        for (number, of) in story.model.courses.clone().into_iter().enumerate() {
            let moment = |hours: Option<i64>| hours.map(|hours| story.moment(hours));
            let days = |days: Option<i64>| days.map(|days| i32::try_from(days).unwrap());
            let capacity = of.capacity.map(|capacity| i32::try_from(capacity).unwrap());
            let row = CourseRow {
                id: course_id_of(number),
                capacity,
                seats_limit: capacity,
                waitlist: of.waitlist,
                opens_at: moment(of.opens),
                closes_at: moment(of.closes),
                ends_at: moment(of.ends),
                access_days: days(of.access_days),
                pass_score: of.pass_score.map(score),
                certificate: of.certificate,
                certificate_valid_days: days(of.valid_days),
                auto_complete: of.auto_complete,
                ..course()
            };
            story.facts.courses.insert(row.id, row);
            for (place, (kind, _)) in of.modules.into_iter().enumerate() {
                story.add_module(number, place, kind);
            }
        }
        for (number, person) in story.model.people.iter().enumerate() {
            let role = match person.role {
                Is::Learner => Role::Learner,
                Is::Author => Role::Author,
                Is::Coordinator => Role::Coordinator,
                Is::Admin => Role::Admin,
            };
            story.facts.members.insert(user_id_of(number), (role, MembershipStatus::Active));
        }
        story
    }

    fn moment(&self, hours: i64) -> Moment {
        self.began.plus(Duration::from_secs(3600 * u64::try_from(hours).unwrap()))
    }

    fn now(&self) -> Moment {
        self.moment(self.model.now)
    }

    fn add_module(&mut self, course: usize, place: usize, kind: Kind) {
        let kind = match kind {
            Kind::Lesson => ModuleKind::Lesson,
            Kind::Quiz => ModuleKind::Quiz,
        };
        let modules = self.facts.modules.entry(course_id_of(course)).or_default();
        modules.insert(module_id_of(course, place), ModuleFact { kind, retired: false });
    }

    fn turn(&mut self, turn: &Turn, given: &mut BTreeSet<&'static str>) {
        let before = self.facts.clone();
        self.changes = Changes::default();
        let told = match turn {
            Turn::Ask(ask) => {
                self.dry_runs(ask);
                match (self.ask(ask), self.model.ask(ask)) {
                    (Ok(()), Ok(told)) => told,
                    (Err(said), Err(words)) => {
                        assert_eq!(said, words, "{turn:?}");
                        assert_eq!(self.facts, before, "a refusal changes no fact: {turn:?}");
                        given.insert(words[0]);
                        Vec::new()
                    }
                    (said, expected) => panic!("{turn:?}: {said:?}, but the model says {expected:?}"),
                }
            }
            Turn::Change(change) => {
                let told = self.model.change(*change);
                self.change(*change);
                told
            }
        };
        assert_eq!(self.events(), told, "{turn:?}");
        given.extend(told.iter().map(|told| told.0));
        self.compare(turn);
        self.hold_invariants(turn);
        if matches!(turn, Turn::Ask(_)) {
            assert_eq!(
                settled(applied(before, &self.changes)),
                settled(self.facts.clone()),
                "what is written"
            );
        }
    }

    /// D19: only an active member is let in.
    fn has_session(&self, caller: model::Caller) -> bool {
        match caller {
            model::Caller::Person(number) => {
                self.facts.members[&user_id_of(number)].1 == MembershipStatus::Active
            }
            model::Caller::GlobalAdmin | model::Caller::Service => true,
        }
    }

    fn caller(&self, caller: model::Caller) -> Insider {
        match caller {
            model::Caller::Person(number) => {
                let user = user_id_of(number);
                person(user, Some(self.facts.members[&user].0), false)
            }
            model::Caller::GlobalAdmin => person(id(99), None, true),
            model::Caller::Service => {
                insider(Actor::Service(Service { token_id: id(31), scopes: Scope::ALL.to_vec() }))
            }
        }
    }

    /// As the session, the procedures and the rules answer, one after another; every shut gate of a refusal.
    fn ask(&mut self, ask: &Ask) -> Result<(), Vec<String>> {
        if !self.has_session(ask.caller) {
            return Err(vec!["notAMember".into()]);
        }
        let command = self.command(ask).map_err(|error| vec![word(&error)])?;
        let shut = words(&gates(&self.facts, self.now(), &command));
        let now = self.now();
        match decide(&mut self.facts, &mut self.changes, now, &command) {
            Ok(decided) => {
                let stored = &self.facts.enrollments[&(command.course_id, command.subject.user_id())];
                assert_eq!(decided.row, *stored);
                assert!(shut.is_empty());
                Ok(())
            }
            Err(error) => {
                assert_eq!(word(&error), shut[0], "the first gate is the answer");
                Err(shut)
            }
        }
    }

    fn command(&self, ask: &Ask) -> Result<Command> {
        use model::Command::{
            AssignModule, Complete, CompleteModule, Enroll, Expire, Promote, Revoke, SetNotes, StartModule,
            UnassignModule, Unenroll,
        };
        let caller = self.caller(ask.caller);
        let (course_id, user_id) = (course_id_of(ask.course), user_id_of(ask.user));
        let row = self.facts.enrollments.get(&(course_id, user_id));
        let module = |number| {
            let module = self.model.module(ask.course, number);
            module.map_or(id(9), |module| module_id_of(ask.course, module))
        };
        let reason = || "So decided.".parse::<ReasonText>().unwrap();
        let (action, wish) = match ask.command {
            Enroll { waitlist } => (Action::WriteEnrollments, Wish::Enroll { notes: None, waitlist }),
            Unenroll => (Action::WriteEnrollments, unenroll()),
            Promote => (Action::DecideEnrollments, Wish::Promote),
            Complete { score: given, waived } => {
                if given.is_some() || !waived {
                    policy::require(&caller, Action::RecordProgress)?;
                }
                let action = if waived { Action::DecideEnrollments } else { Action::RecordProgress };
                (action, Wish::Complete { score: given.map(score), waiver: waived.then(reason) })
            }
            Expire => (Action::ExpireEnrollments, Wish::Expire),
            Revoke => (Action::RevokeCompletions, Wish::Revoke { reason: reason() }),
            SetNotes { stale } => {
                let version = row.map_or(1, |row| row.version) + i32::from(stale);
                (Action::ReadNotes, Wish::SetNotes { notes: Some(notes("Noted.")), version: Some(version) })
            }
            StartModule(number) => (Action::RecordProgress, Wish::StartModule(module(number))),
            CompleteModule(number) => (Action::RecordProgress, Wish::CompleteModule(module(number))),
            AssignModule(number) => (Action::DecideEnrollments, Wish::AssignModule(module(number))),
            UnassignModule(number) => (Action::DecideEnrollments, Wish::UnassignModule(module(number))),
        };
        let subject = if action == Action::WriteEnrollments {
            policy::subject_of_change(&caller, Some(user_id))?
        } else {
            policy::may_act_on_enrollments(&caller, action)?;
            row.ok_or_else(Error::not_found)?;
            policy::subject_of_enrollment(&caller, action, user_id, false)?
        };
        Ok(Command { course_id, subject, by: by(&caller), wish })
    }

    /// Each says what the model says, and changes nothing.
    fn dry_runs(&self, ask: &Ask) {
        if !self.has_session(ask.caller) {
            return;
        }
        let caller = self.caller(ask.caller);
        for dry in Dry::ALL {
            let (action, wish) = match dry {
                Dry::Enroll => (Action::WriteEnrollments, Wish::Enroll { notes: None, waitlist: true }),
                Dry::Unenroll => (Action::WriteEnrollments, unenroll()),
                Dry::Revoke => {
                    (Action::RevokeCompletions, Wish::Revoke { reason: "So decided.".parse().unwrap() })
                }
            };
            let course_id = course_id_of(ask.course);
            let said = policy::subject_of_check(&caller, Some(user_id_of(ask.user)), action);
            let said = said.and_then(|(subject, refused)| {
                let command = Command { course_id, subject, by: by(&caller), wish };
                predict(self.facts.clone(), self.now(), &command, refused)
            });
            match (said, self.model.check(ask.caller, ask.course, ask.user, dry)) {
                (Err(error), Err(expected)) => assert_eq!(word(&error), expected, "{dry:?} {ask:?}"),
                (Ok(said), Ok(Outcome::Refused(expected))) => {
                    assert_eq!(said.outcome, CheckOutcome::Refused);
                    assert_eq!(
                        said.reasons.iter().map(reason_word).collect::<Vec<_>>(),
                        expected,
                        "{dry:?} {ask:?}"
                    );
                }
                (
                    Ok(said),
                    Ok(Outcome::Becomes {
                        status,
                        reactivates,
                        position,
                        seat_freed,
                        promotes,
                        certificate_voided,
                    }),
                ) => {
                    let then = &said.consequences;
                    assert_eq!(said.outcome.as_str(), status.word(), "{dry:?} {ask:?}");
                    let position = position.map(|place| i32::try_from(place).unwrap());
                    assert_eq!(then.waitlist_position, position, "{dry:?} {ask:?}");
                    assert_eq!(then.promotes_user_id, promotes.map(user_id_of), "{dry:?} {ask:?}");
                    assert_eq!(
                        (then.reactivates, then.seat_freed, then.certificate_voided),
                        (reactivates, seat_freed, certificate_voided),
                        "{dry:?} {ask:?}"
                    );
                }
                (said, expected) => panic!("{dry:?} {ask:?}: {said:?}, but the model says {expected:?}"),
            }
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::HoursPass(_) => {}
            Change::Publish(course) => {
                let course = self.course(course);
                if std::mem::replace(&mut course.status, CourseStatus::Published) != CourseStatus::Published {
                    let id = course.id;
                    self.fill(id);
                }
            }
            Change::Unpublish(course) => self.course(course).status = CourseStatus::Draft,
            Change::Capacity(course, capacity) => {
                let course = self.course(course);
                course.capacity = capacity.map(|capacity| i32::try_from(capacity).unwrap());
                course.limit_seats();
                let id = course.id;
                self.fill(id);
            }
            Change::Managed(course, managed) => {
                let mode = if managed { EnrollmentMode::Managed } else { EnrollmentMode::Open };
                self.course(course).enrollment_mode = mode;
                self.fill(course_id_of(course));
            }
            Change::AddModule(course, kind) => {
                self.add_module(course, self.model.courses[course].modules.len() - 1, kind);
            }
            Change::RetireModule(course, number) => {
                if let Some(number) = self.model.module(course, number) {
                    let modules = self.facts.modules.get_mut(&course_id_of(course)).unwrap();
                    modules.get_mut(&module_id_of(course, number)).unwrap().retired = true;
                }
            }
            Change::Suspend(user) | Change::Resume(user) | Change::Provision(user) => {
                let status = match self.model.people[user].standing {
                    Standing::Active => MembershipStatus::Active,
                    Standing::Suspended => MembershipStatus::Suspended,
                    Standing::Ended => MembershipStatus::Ended,
                };
                self.facts.members.get_mut(&user_id_of(user)).unwrap().1 = status;
            }
            Change::EndMembership(user) => self.end_membership(user_id_of(user)),
        }
    }

    fn course(&mut self, number: usize) -> &mut CourseRow {
        self.facts.courses.get_mut(&course_id_of(number)).unwrap()
    }

    fn fill(&mut self, course: CourseId) {
        let now = self.now();
        fill(&mut self.facts, &mut self.changes, now, course, "request").unwrap();
    }

    fn end_membership(&mut self, user: UserId) {
        let now = self.now();
        self.facts.members.get_mut(&user).unwrap().1 = MembershipStatus::Ended;
        let ends = |row: &&EnrollmentRow| matches!(row.status, Enrolled | Waitlisted) && row.user_id == user;
        let courses: Vec<CourseId> =
            self.facts.enrollments.values().filter(ends).map(|row| row.course_id).collect();
        for course_id in courses {
            let subject = policy::subject_of_system(user);
            let command = Command { course_id, subject, by: by(&admin()), wish: Wish::EndMembership };
            decide(&mut self.facts, &mut self.changes, now, &command).unwrap();
        }
    }

    fn events(&self) -> Vec<Told> {
        let told = |event: &NewEvent| {
            (event.kind.as_str(), number_of(event.course_id, 10), number_of(event.user_id, 20))
        };
        self.changes.events.iter().map(told).collect()
    }

    fn compare(&self, turn: &Turn) {
        let keys: Vec<_> =
            self.facts.enrollments.keys().map(|(c, u)| (number_of(*c, 10), number_of(*u, 20))).collect();
        assert!(keys.iter().eq(self.model.places.keys()), "{turn:?}: {keys:?}");
        for (row, place) in self.facts.enrollments.values().zip(self.model.places.values()) {
            let certificate = row.certificate_id.map(|id| &self.facts.certificates[&id]);
            let hours = |at: Option<Moment>| at.map(|at| (at.micros() - self.began.micros()) / 3_600_000_000);
            let found = Place {
                status: match row.status {
                    Enrolled => Status::Enrolled,
                    Waitlisted => Status::Waitlisted,
                    Completed => Status::Completed,
                    Cancelled => Status::Cancelled,
                    Expired => Status::Expired,
                },
                attempt: row.attempt,
                version: row.version,
                expires: hours(row.expires_at),
                // The order of those who wait is compared below.
                waits_since: place.waits_since,
                tombstone: row.tombstone,
                score: place.score.filter(|given| row.completion_score == Some(score(*given))),
                certificate: certificate.map(|of| (hours(of.expires_at), of.voided_at.is_some())),
                noted: row.notes.is_some(),
                total: usize::try_from(row.modules_total).unwrap(),
                completed: usize::try_from(row.modules_completed).unwrap(),
                parts: self.parts(row),
            };
            assert_eq!(found, *place, "{turn:?}");
            assert_eq!(row.completion_score.is_some(), place.score.is_some(), "{turn:?}");
        }
        for number in 0..self.model.courses.len() {
            let queue = self.facts.queues.get(&course_id_of(number)).cloned().unwrap_or_default();
            let waiting: Vec<usize> = queue.first.iter().map(|(_, _, user)| number_of(*user, 20)).collect();
            assert_eq!(waiting, self.model.queue(number), "{turn:?}");
        }
    }

    fn parts(&self, row: &EnrollmentRow) -> BTreeMap<usize, model::Part> {
        let had = self.facts.module_enrollments.get(&row.id).map_or(&[][..], Vec::as_slice);
        let first = module_id_of(number_of(row.course_id, 10), 0).uuid().as_u128();
        let part = |module: &ModuleEnrollmentRow| {
            assert_eq!(module.soft_deleted, module.removed_because.is_some());
            let removed = module.removed_because.map(|because| match because {
                Because::EnrollmentCancelled => Removal::Cancelled,
                Because::ModuleRetired => Removal::Retired,
                Because::Unassigned => Removal::Unassigned,
            });
            let (started, completed) = (module.started_at.is_some(), module.completed_at.is_some());
            (number_of(module.module_id, first), model::Part { started, completed, removed })
        };
        had.iter().map(part).collect()
    }

    fn hold_invariants(&self, turn: &Turn) {
        for course in self.facts.courses.values() {
            let mut counted = course.clone();
            for status in EnrollmentStatus::ALL {
                let of = |row: &&EnrollmentRow| row.course_id == course.id && row.status == *status;
                *counted.count_mut(*status) = count(self.facts.enrollments.values().filter(of));
            }
            assert_eq!(counted, *course, "the counters are the rows: {turn:?}");
            assert!(course.seats_limit.is_none_or(|most| course.seats_taken() <= most), "{turn:?}");
            assert!(course.seats_limit >= course.capacity, "{turn:?}");
        }
    }
}

fn score(points: u32) -> Score {
    serde_json::from_value(points.into()).unwrap()
}

/// The type of a refusal's reason, as clients read it.
fn word(error: &Error) -> String {
    match error.reason() {
        Some(reason) => reason_word(reason),
        None => {
            assert_eq!(error.code(), Code::NotFound, "{error}");
            "notFound".into()
        }
    }
}

fn reason_word(reason: &Reason) -> String {
    serde_json::to_value(reason).unwrap()["type"].as_str().unwrap().into()
}

/// Each once, the first first.
fn words(errors: &[Error]) -> Vec<String> {
    let mut words = Vec::new();
    for word in errors.iter().map(word) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// The facts as they are once the changes are written: updated rows were there before, added ones were not.
fn applied(mut rows: Facts, changes: &Changes) -> Facts {
    for row in changes.updated.values() {
        let old = rows.enrollments.insert((row.course_id, row.user_id), row.clone());
        assert_eq!(old.map(|old| old.id), Some(row.id));
    }
    for row in changes.added.values() {
        let other = rows.enrollments.insert((row.course_id, row.user_id), row.clone());
        assert_eq!(other, None, "at most one enrollment a person and course");
    }
    for module in changes.modules_updated.values() {
        let had = rows.module_enrollments.get_mut(&module.enrollment_id).unwrap();
        *had.iter_mut().find(|other| other.id == module.id).unwrap() = module.clone();
    }
    for module in changes.modules_added.values() {
        let had = rows.module_enrollments.entry(module.enrollment_id).or_default();
        assert!(
            had.iter().all(|other| other.module_id != module.module_id),
            "at most one a person and module"
        );
        had.push(module.clone());
    }
    for certificate in changes.certificates_added.values() {
        assert_eq!(rows.certificates.insert(certificate.id, certificate.clone()), None);
    }
    for certificate in changes.certificates_updated.values() {
        assert!(rows.certificates.insert(certificate.id, certificate.clone()).is_some());
    }
    for course in changes.courses.values() {
        rows.courses.insert(course.id, course.clone());
    }
    rows
}

/// Facts in a form that can be compared: queues are no rows, and the order of modules does not matter.
fn settled(mut facts: Facts) -> Facts {
    facts.queues.clear();
    facts.module_enrollments.retain(|_, rows| !rows.is_empty());
    for rows in facts.module_enrollments.values_mut() {
        rows.sort_by_key(|row| row.module_id);
    }
    facts
}
