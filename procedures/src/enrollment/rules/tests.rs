//! The rules without a database: each by its name, then all of them together against a model.

mod changes;
mod guards;
mod machine;
mod model;
mod modules;
mod transitions;

use std::fmt::Debug;

use uuid::Uuid;

use super::*;
use crate::caller::{Actor, Insider, Person, Service, Tenant};
use crate::error::Code;
use crate::policy;
use crate::session::Scope;
use crate::values::{Entity, Id, OrganizationId, Score};

/// The same id each time for the same number.
fn id<E: Entity>(number: u128) -> Id<E> {
    Uuid::from_u128(number).into()
}

fn organization() -> OrganizationId {
    id(1)
}

fn course_id() -> CourseId {
    id(10)
}

fn at(moment: &str) -> Moment {
    moment.parse().unwrap()
}

fn notes(text: &str) -> Notes {
    text.parse().unwrap()
}

fn insider(actor: Actor) -> Insider {
    Insider { tenant: Tenant::of(organization()), actor }
}

fn person(user_id: UserId, role: Option<Role>, global_admin: bool) -> Insider {
    insider(Actor::Person(Person { user_id, display_name: None, role, global_admin }))
}

fn learner() -> Insider {
    person(id(21), Some(Role::Learner), false)
}

fn other_learner() -> Insider {
    person(id(22), Some(Role::Learner), false)
}

fn author() -> Insider {
    person(id(23), Some(Role::Author), false)
}

fn coordinator() -> Insider {
    person(id(24), Some(Role::Coordinator), false)
}

fn admin() -> Insider {
    person(id(25), Some(Role::Admin), false)
}

/// One who is no member of the organization they act in.
fn global_admin() -> Insider {
    person(id(26), None, true)
}

fn service() -> Insider {
    insider(Actor::Service(Service { token_id: id(31), scopes: vec![Scope::EnrollmentsWrite] }))
}

fn user(insider: &Insider) -> UserId {
    insider.user_id().unwrap()
}

/// Everyone who may enroll the learner, the learner first.
fn every_source() -> [Insider; 5] {
    [learner(), coordinator(), admin(), global_admin(), service()]
}

/// A caller as records keep them.
fn by(caller: &Insider) -> By {
    By::of(caller, "request")
}

fn enroll() -> Wish {
    Wish::Enroll { notes: None }
}

fn unenroll() -> Wish {
    Wish::Unenroll { reason: None }
}

/// A refusal as far as clients tell one from another.
#[derive(Debug, PartialEq)]
struct Refusal {
    code: Code,
    rule: Option<Rule>,
    reason: Option<Reason>,
}

impl Refusal {
    fn of(error: &Error) -> Self {
        let data = error.shape(None, "").data;
        Refusal { code: data.code, rule: data.rule, reason: data.reason }
    }
}

fn refused<T>(code: Code, rule: Option<Rule>, reason: Option<Reason>) -> Result<T, Refusal> {
    Err(Refusal { code, rule, reason })
}

/// One course with its members at one moment: at first published, open to all and without limits, nobody enrolled.
struct World {
    now: Moment,
    facts: Facts,
    changes: Changes,
}

impl World {
    fn new() -> Self {
        let mut facts = Facts::default();
        facts.courses.insert(course_id(), course());
        for (member, role) in [
            (learner(), Role::Learner),
            (other_learner(), Role::Learner),
            (author(), Role::Author),
            (coordinator(), Role::Coordinator),
            (admin(), Role::Admin),
        ] {
            facts.members.insert(user(&member), (role, MembershipStatus::Active));
        }
        World { now: at("2026-03-01T12:00:00Z"), facts, changes: Changes::default() }
    }

    /// A world whose course is different.
    fn with(change: impl FnOnce(&mut CourseRow)) -> Self {
        let mut world = World::new();
        change(world.course());
        world
    }

    fn course(&mut self) -> &mut CourseRow {
        self.facts.courses.get_mut(&course_id()).unwrap()
    }

    /// The world with an enrollment of an earlier time, counted by its course.
    fn having(mut self, row: EnrollmentRow) -> Self {
        *self.course().count_mut(row.status) += 1;
        self.facts.enrollments.insert((row.course_id, row.user_id), row);
        self
    }

    /// Decides one command; a refusal has changed neither facts nor changes.
    fn decide(&mut self, command: &Command) -> Result<EnrollmentRow, Refusal> {
        let before = (self.facts.clone(), self.changes.clone());
        let answer = decide(&mut self.facts, &mut self.changes, self.now, command);
        answer.map_err(|error| {
            assert_eq!(all_facts(&self.facts), all_facts(&before.0), "a refusal changes no fact");
            assert_eq!(all_changes(&self.changes), all_changes(&before.1), "a refusal is no change");
            Refusal::of(&error)
        })
    }

    fn ask(&mut self, caller: &Insider, whom: UserId, wish: Wish) -> Result<EnrollmentRow, Refusal> {
        let subject = policy::subject_of_change(caller, Some(whom)).map_err(|error| Refusal::of(&error))?;
        self.decide(&Command { course_id: course_id(), subject, by: by(caller), wish })
    }

    fn enroll(&mut self, caller: &Insider, whom: &Insider) -> Result<EnrollmentRow, Refusal> {
        self.ask(caller, user(whom), enroll())
    }

    fn unenroll(&mut self, caller: &Insider, whom: &Insider) -> Result<EnrollmentRow, Refusal> {
        self.ask(caller, user(whom), unenroll())
    }
}

/// Facts in a form that can be compared.
fn all_facts(facts: &Facts) -> impl PartialEq + Debug + use<> {
    let Facts { courses, members, enrollments, modules, module_enrollments } = facts.clone();
    (courses, members, enrollments, modules, module_enrollments)
}

/// Changes in a form that can be compared.
fn all_changes(changes: &Changes) -> impl PartialEq + Debug + use<> {
    let Changes { added, updated, modules_added, modules_updated, courses, events } = changes.clone();
    (added, updated, modules_added, modules_updated, courses, events)
}

fn course() -> CourseRow {
    let created_at = at("2025-01-01T00:00:00Z");
    CourseRow {
        id: course_id(),
        organization_id: organization(),
        title: "Bookkeeping".parse().unwrap(),
        description: None,
        status: CourseStatus::Published,
        capacity: None,
        waitlist: true,
        opens_at: None,
        closes_at: None,
        access_days: None,
        ends_at: None,
        pass_score: None,
        certificate: true,
        certificate_valid_days: None,
        enrollment_mode: EnrollmentMode::Open,
        auto_complete: false,
        modules_total: 0,
        enrolled_count: 0,
        waitlisted_count: 0,
        completed_count: 0,
        cancelled_count: 0,
        expired_count: 0,
        version: 3,
        published_at: Some(created_at),
        created_at,
        updated_at: created_at,
    }
}

/// The learner's enrollment of an earlier time, their third, with something in every field that its status allows.
fn former(status: EnrollmentStatus) -> EnrollmentRow {
    let was_completed = status == EnrollmentStatus::Completed;
    EnrollmentRow {
        id: id(41),
        user_id: user(&learner()),
        course_id: course_id(),
        organization_id: organization(),
        status,
        enrolled_at: at("2025-06-01T08:00:00Z"),
        completed_at: was_completed.then(|| at("2025-06-20T08:00:00Z")),
        cancelled_at: (status == EnrollmentStatus::Cancelled).then(|| at("2025-07-01T08:00:00Z")),
        completion_score: was_completed.then_some(Score::MAX),
        enrolled_by_user_id: Some(user(&admin())),
        certificate_id: was_completed.then(|| id(51)),
        reminder_sent_at: Some(at("2025-06-15T08:00:00Z")),
        notes: Some(notes("Asked for a later date.")),
        created_at: at("2025-02-01T08:00:00Z"),
        updated_at: at("2025-07-01T08:00:00Z"),
        source: crate::enrollment::Source::Coordinator,
        source_ref: Some("a list".into()),
        started_at: Some(at("2025-06-02T08:00:00Z")),
        waitlisted_at: Some(at("2025-05-01T08:00:00Z")),
        expires_at: Some(at("2025-12-01T08:00:00Z")),
        attempt: 3,
        version: 9,
        modules_total: 0,
        modules_completed: 0,
    }
}

/// A completion taken back: the row keeps its certificate, which is void (D5, D6).
fn revoked() -> EnrollmentRow {
    EnrollmentRow {
        status: EnrollmentStatus::Cancelled,
        cancelled_at: Some(at("2025-07-01T08:00:00Z")),
        ..former(EnrollmentStatus::Completed)
    }
}
