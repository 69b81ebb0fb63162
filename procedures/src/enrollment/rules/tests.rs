//! The rules without a database: guards and gates, the transition table, what each wish changes, the waitlist,
//! completion and the modules.

mod changes;
mod completion;
mod guards;
mod machine;
mod modules;
mod reminders;
mod transitions;
mod waitlist;

use std::fmt::Debug;
use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::caller::{Person, Service, Tenant};
use crate::course::{CourseStatus, EnrollmentMode};
use crate::enrollment::EnrollmentStatus::{Cancelled, Completed, Enrolled, Expired, Waitlisted};
use crate::enrollment::Source;
use crate::error::{Code, Reason, Rule};
use crate::event::{EventData, EventKind};
use crate::module::Removal;
use crate::policy::{self, Action};
use crate::session::Scope;
use crate::values::{Entity, Id, OrganizationId};

/// The one request of these tests.
const REQUEST: &str = "request";

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

fn cohort_id() -> CohortId {
    id(35)
}

fn certificate_id() -> CertificateId {
    id(51)
}

fn module(number: u128) -> ModuleId {
    id(60 + number)
}

fn at(moment: &str) -> Moment {
    moment.parse().unwrap()
}

fn just_before(moment: Moment) -> Moment {
    moment.minus(Duration::from_micros(1))
}

fn just_after(moment: Moment) -> Moment {
    moment.plus(Duration::from_micros(1))
}

fn notes(text: &str) -> Notes {
    text.parse().unwrap()
}

fn why(text: &str) -> ReasonText {
    text.parse().unwrap()
}

fn score(hundredths: i64) -> Score {
    Score::from_hundredths(hundredths).unwrap()
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
    let scopes = vec![Scope::EnrollmentsWrite, Scope::ProgressWrite];
    insider(Actor::Service(Service { token_id: id(31), scopes }))
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
    By::of(caller, REQUEST)
}

/// Enrolling by someone who would wait for a seat.
fn enroll() -> Wish {
    Wish::Enroll { notes: None, waitlist: true }
}

/// Enrolling by someone who would not.
fn enroll_at_once() -> Wish {
    Wish::Enroll { notes: None, waitlist: false }
}

fn unenroll() -> Wish {
    Wish::Unenroll { reason: None }
}

fn complete() -> Wish {
    Wish::Complete { score: None, waiver: None }
}

fn revoke() -> Wish {
    Wish::Revoke { reason: why("A mix-up.") }
}

/// What a caller wishes about someone, if the policy lets them.
fn command(caller: &Insider, whom: &Insider, wish: Wish) -> Result<Command> {
    let subject = subject(caller, user(whom), &wish)?;
    Ok(Command { course_id: course_id(), subject, by: by(caller), wish })
}

/// What the policy says to a wish, asked as the wish's procedure asks it.
fn subject(caller: &Insider, whom: UserId, wish: &Wish) -> Result<Subject> {
    let action = match wish {
        Wish::Enroll { .. } | Wish::Unenroll { .. } => {
            return policy::subject_of_change(caller, Some(whom));
        }
        Wish::EndMembership | Wish::RunOut | Wish::Remind | Wish::GiveUpWaiting => {
            return Ok(policy::subject_of_system(whom));
        }
        Wish::Promote
        | Wish::AssignModule(_)
        | Wish::UnassignModule(_)
        | Wish::Complete { waiver: Some(_), .. } => Action::DecideEnrollments,
        Wish::Complete { waiver: None, .. } | Wish::StartModule(_) | Wish::CompleteModule(_) => {
            Action::RecordProgress
        }
        Wish::Expire => Action::ExpireEnrollments,
        Wish::Revoke { .. } => Action::RevokeCompletions,
        Wish::SetNotes { .. } => Action::ReadNotes,
    };
    policy::subject_of_enrollment(caller, action, whom, false)
}

/// The enrolling of someone by a cohort, on its owner's behalf.
fn cohort_command(owner: &Insider, whom: &Insider) -> Command {
    let subject = policy::subject_of_cohort(owner, user(whom), false);
    Command { course_id: course_id(), subject, by: By::cohort(cohort_id(), REQUEST), wish: enroll() }
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

fn refusal(code: Code, rule: Option<Rule>, reason: Reason) -> Refusal {
    Refusal { code, rule, reason: Some(reason) }
}

fn not_found(rule: Option<Rule>) -> Refusal {
    Refusal { code: Code::NotFound, rule, reason: None }
}

fn role_required() -> Refusal {
    refusal(Code::Forbidden, None, Reason::RoleRequired)
}

fn already_enrolled(row: &EnrollmentRow) -> Refusal {
    let reason = Reason::AlreadyEnrolled { enrollment_id: row.id, status: row.status };
    refusal(Code::Conflict, Some(Rule::UniqueEnrollmentPerUserPerCourse), reason)
}

fn invalid_transition(from: EnrollmentStatus, to: EnrollmentStatus) -> Refusal {
    let reason = Reason::InvalidTransition { from, to };
    refusal(Code::Conflict, Some(Rule::StatusTransitionEnforcement), reason)
}

fn precondition(reason: Reason) -> Refusal {
    refusal(Code::PreconditionFailed, None, reason)
}

fn full(capacity: i32) -> Refusal {
    precondition(Reason::CourseFull { capacity })
}

/// One course with its members at one moment: at first published, open to all, without limits, nobody enrolled.
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
        world.course().limit_seats();
        world
    }

    /// The world with a member who is, or is no longer, what is said here.
    fn with_member(mut self, whom: &Insider, role: Role, status: MembershipStatus) -> Self {
        self.facts.members.insert(user(whom), (role, status));
        self
    }

    /// The world with an enrollment of an earlier time: counted by its course, in the queue if it waits, with
    /// the certificate it refers to.
    fn having(mut self, row: EnrollmentRow) -> Self {
        let course = self.course();
        *course.count_mut(row.status) += 1;
        course.limit_seats();
        if let Some(since) = row.waitlisted_at.filter(|_| row.status == Waitlisted) {
            let queue = self.facts.queues.entry(row.course_id).or_default();
            queue.first.insert((since, row.id, row.user_id));
            queue.tail = queue.tail.max(Some(since));
        }
        if let Some(certificate) = certificate_of(&row) {
            self.facts.certificates.insert(certificate.id, certificate);
        }
        self.facts.enrollments.insert((row.course_id, row.user_id), row);
        self
    }

    /// The world with these modules in its course, all of them lessons.
    fn offering(mut self, numbers: &[u128]) -> Self {
        let lesson = ModuleFact { kind: ModuleKind::Lesson, retired: false };
        let lessons = numbers.iter().map(|number| (module(*number), lesson));
        self.facts.modules.entry(course_id()).or_default().extend(lessons);
        self
    }

    /// The world with these module enrollments of the learner's, which their enrollment counts.
    fn taking(mut self, places: impl IntoIterator<Item = ModuleEnrollmentRow>) -> Self {
        let places = Vec::from_iter(places);
        let row = self.facts.enrollments.get_mut(&(course_id(), user(&learner()))).unwrap();
        for place in &places {
            if matches!(place.removed_because, None | Some(Removal::EnrollmentCancelled)) {
                row.modules_total += 1;
                row.modules_completed += i32::from(place.completed_at.is_some());
            }
        }
        self.facts.module_enrollments.insert(row.id, places);
        self
    }

    fn course(&mut self) -> &mut CourseRow {
        self.facts.courses.get_mut(&course_id()).unwrap()
    }

    fn module(&mut self, number: u128) -> &mut ModuleFact {
        self.facts.modules.get_mut(&course_id()).unwrap().get_mut(&module(number)).unwrap()
    }

    /// The certificate of the learner's former enrollment.
    fn certificate(&mut self) -> &mut CertificateRow {
        self.facts.certificates.get_mut(&certificate_id()).unwrap()
    }

    fn row(&self, whom: &Insider) -> EnrollmentRow {
        self.facts.enrollments[&(course_id(), user(whom))].clone()
    }

    /// How many are enrolled, waitlisted, completed, cancelled and expired.
    fn counters(&self) -> [i32; 5] {
        let course = &self.facts.courses[&course_id()];
        [
            course.enrolled_count,
            course.waitlisted_count,
            course.completed_count,
            course.cancelled_count,
            course.expired_count,
        ]
    }

    /// What happened, in its order.
    fn kinds(&self) -> Vec<EventKind> {
        self.changes.events.iter().map(|event| event.kind).collect()
    }

    fn gates(&self, command: &Command) -> Vec<Refusal> {
        gates(&self.facts, self.now, command).iter().map(Refusal::of).collect()
    }

    /// Decides one command; a refusal has changed neither facts nor changes.
    fn carry_out(&mut self, command: &Command) -> Result<Decided, Refusal> {
        let before = (self.facts.clone(), self.changes.clone());
        let answer = decide(&mut self.facts, &mut self.changes, self.now, command);
        answer.map_err(|error| {
            assert_eq!(all_facts(&self.facts), all_facts(&before.0), "a refusal changes no fact");
            assert_eq!(all_changes(&self.changes), all_changes(&before.1), "a refusal is no change");
            Refusal::of(&error)
        })
    }

    fn decide(&mut self, caller: &Insider, whom: &Insider, wish: Wish) -> Result<Decided, Refusal> {
        let command = command(caller, whom, wish).map_err(|error| Refusal::of(&error))?;
        self.carry_out(&command)
    }

    /// The same about the learner.
    fn ask(&mut self, caller: &Insider, wish: Wish) -> Result<EnrollmentRow, Refusal> {
        Ok(self.decide(caller, &learner(), wish)?.row)
    }

    fn enroll(&mut self, caller: &Insider, whom: &Insider) -> Result<EnrollmentRow, Refusal> {
        Ok(self.decide(caller, whom, enroll())?.row)
    }

    fn unenroll(&mut self, caller: &Insider, whom: &Insider) -> Result<EnrollmentRow, Refusal> {
        Ok(self.decide(caller, whom, unenroll())?.row)
    }

    fn enroll_by_cohort(&mut self, owner: &Insider, whom: &Insider) -> Result<EnrollmentRow, Refusal> {
        Ok(self.carry_out(&cohort_command(owner, whom))?.row)
    }
}

/// Facts in a form that can be compared.
fn all_facts(facts: &Facts) -> impl PartialEq + Debug + use<> {
    facts.clone()
}

/// Changes in a form that can be compared.
fn all_changes(changes: &Changes) -> impl PartialEq + Debug + use<> {
    let Changes {
        added,
        updated,
        modules_added,
        modules_updated,
        certificates_added,
        certificates_updated,
        courses,
        events,
    } = changes.clone();
    (
        (added, updated, modules_added, modules_updated),
        (certificates_added, certificates_updated, courses, events),
    )
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
        seats_limit: None,
        version: 3,
        published_at: Some(created_at),
        created_at,
        updated_at: created_at,
    }
}

/// A first enrollment of oneself, as it is made at a moment.
fn first(id: EnrollmentId, of: &Insider, now: Moment) -> EnrollmentRow {
    EnrollmentRow {
        id,
        user_id: user(of),
        course_id: course_id(),
        organization_id: organization(),
        status: Enrolled,
        enrolled_at: now,
        completed_at: None,
        cancelled_at: None,
        completion_score: None,
        enrolled_by_user_id: None,
        certificate_id: None,
        reminder_sent_at: None,
        notes: None,
        created_at: now,
        updated_at: now,
        source: Source::Myself,
        source_ref: None,
        started_at: None,
        waitlisted_at: None,
        expires_at: None,
        attempt: 1,
        version: 1,
        modules_total: 0,
        modules_completed: 0,
        tombstone: false,
    }
}

/// The learner's enrollment of an earlier time, their third, with something in every field that its status
/// allows. Its access has not ended, unless it is expired.
fn former(status: EnrollmentStatus) -> EnrollmentRow {
    let was_completed = status == Completed;
    EnrollmentRow {
        id: id(41),
        user_id: user(&learner()),
        course_id: course_id(),
        organization_id: organization(),
        status,
        enrolled_at: at("2025-06-01T08:00:00Z"),
        completed_at: was_completed.then(|| at("2025-06-20T08:00:00Z")),
        cancelled_at: (status == Cancelled).then(|| at("2025-07-01T08:00:00Z")),
        completion_score: was_completed.then_some(Score::MAX),
        enrolled_by_user_id: Some(user(&admin())),
        certificate_id: was_completed.then(certificate_id),
        reminder_sent_at: Some(at("2025-06-15T08:00:00Z")),
        notes: Some(notes("Asked for a later date.")),
        created_at: at("2025-02-01T08:00:00Z"),
        updated_at: at("2025-07-01T08:00:00Z"),
        source: Source::Coordinator,
        source_ref: Some("a list".into()),
        started_at: Some(at("2025-06-02T08:00:00Z")),
        waitlisted_at: Some(at("2025-05-01T08:00:00Z")),
        expires_at: match status {
            Waitlisted => None,
            Expired => Some(at("2025-12-01T08:00:00Z")),
            Enrolled | Completed | Cancelled => Some(at("2026-12-01T08:00:00Z")),
        },
        attempt: 3,
        version: 9,
        modules_total: 0,
        modules_completed: 0,
        tombstone: false,
    }
}

/// The certificate that an enrollment of an earlier time refers to. It has no end, and is void if that is
/// cancelled.
fn certificate_of(row: &EnrollmentRow) -> Option<CertificateRow> {
    Some(CertificateRow {
        id: row.certificate_id?,
        number: "0000-0000-0000-0000-0000-0001".parse().unwrap(),
        organization_id: row.organization_id,
        enrollment_id: row.id,
        attempt: row.attempt,
        user_id: row.user_id,
        course_id: row.course_id,
        issued_at: row.completed_at?,
        expires_at: None,
        voided_at: row.cancelled_at,
        void_reason: row.cancelled_at.map(|_| "A mix-up.".into()),
    })
}

/// A module enrollment that came with the learner's former enrollment, untouched.
fn place(number: u128) -> ModuleEnrollmentRow {
    ModuleEnrollmentRow {
        id: id(80 + number),
        organization_id: organization(),
        enrollment_id: id(41),
        user_id: user(&learner()),
        module_id: module(number),
        enrolled_at: at("2025-06-01T08:00:00Z"),
        started_at: None,
        completed_at: None,
        soft_deleted: false,
        removed_because: None,
    }
}

fn started(place: ModuleEnrollmentRow) -> ModuleEnrollmentRow {
    ModuleEnrollmentRow { started_at: Some(at("2025-06-02T08:00:00Z")), ..place }
}

fn completed(place: ModuleEnrollmentRow) -> ModuleEnrollmentRow {
    ModuleEnrollmentRow { completed_at: Some(at("2025-06-03T08:00:00Z")), ..started(place) }
}

fn removed(because: Removal, place: ModuleEnrollmentRow) -> ModuleEnrollmentRow {
    ModuleEnrollmentRow { soft_deleted: true, removed_because: Some(because), ..place }
}

fn by_id(
    places: impl IntoIterator<Item = ModuleEnrollmentRow>,
) -> BTreeMap<ModuleEnrollmentId, ModuleEnrollmentRow> {
    places.into_iter().map(|place| (place.id, place)).collect()
}

fn event(actor: EventActor, kind: EventKind, row: &EnrollmentRow, data: EventData) -> NewEvent {
    NewEvent {
        kind,
        course_id: course_id(),
        enrollment_id: row.id,
        user_id: row.user_id,
        actor,
        request_id: REQUEST.into(),
        data,
    }
}

/// What an event tells of the row that its change led to.
fn moved(from: Option<EnrollmentStatus>, row: &EnrollmentRow) -> EventData {
    EventData {
        from,
        status: Some(row.status),
        attempt: Some(row.attempt),
        source: Some(row.source),
        enrolled_by_user_id: row.enrolled_by_user_id,
        ..EventData::default()
    }
}
