//! Who may do what: the domain's table (`DOMAIN.md`) as one pure function, and the proofs that stores demand.
//!
//! A refusal by role is FORBIDDEN and decided before anything is looked up, so it is the same whatever id was named.
//! What a caller may not know of is NOT_FOUND (D17); that is decided here too, once the thing is at hand.

use crate::caller::{Actor, Insider};
use crate::error::{Error, Reason, Result};
use crate::member::Role;
use crate::session::Scope;
use crate::values::{CourseId, UserId};

/// The rows of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Enroll, unenroll, read and progress oneself.
    OwnEnrollment,
    /// Enroll and unenroll others.
    WriteEnrollments,
    /// Rosters, counts and the enrollments of others.
    ReadEnrollments,
    /// What coordinators wrote about an enrollment.
    ReadNotes,
    /// Promote by hand, assign modules, complete with a waiver.
    DecideEnrollments,
    /// Record that another's modules are started or completed, complete with a score.
    RecordProgress,
    /// Take a completion back.
    RevokeCompletions,
    /// End what has run out of time.
    ExpireEnrollments,
    /// Create, edit, publish and archive courses and their modules.
    WriteCourses,
    /// Make cohorts, and say who and what is in them.
    WriteCohorts,
    /// Provision members, set their roles, suspend and end memberships, anonymize.
    WriteMembers,
    /// Say where the organization's events are sent.
    WriteWebhooks,
    /// Make the tokens that services call with, see and revoke them.
    WriteServiceTokens,
    /// The organization's whole event log, and the proof of its invariants.
    ReadEvents,
    /// Create organizations, read what they are, change them, say where their people sign in.
    WriteOrganizations,
}

/// The cells of the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Allowed,
    /// Towards learners alone (D21).
    LearnersOnly,
    /// In the courses that the caller is an author of.
    OwnCoursesOnly,
    Refused(Reason),
}

/// The columns of the table.
enum Standing<'a> {
    Member(Role),
    GlobalAdmin {
        member: bool,
    },
    Service(&'a [Scope]),
    /// Neither; the authenticator lets no such person in.
    Outsider,
}

/// The table itself.
pub fn verdict(caller: &Insider, action: Action) -> Verdict {
    use Action::{
        DecideEnrollments, ExpireEnrollments, OwnEnrollment, ReadEnrollments, ReadEvents, ReadNotes,
        RecordProgress, RevokeCompletions, WriteCohorts, WriteCourses, WriteEnrollments, WriteMembers,
        WriteOrganizations, WriteServiceTokens, WriteWebhooks,
    };
    use Verdict::{Allowed, LearnersOnly, OwnCoursesOnly, Refused};
    let no = || Refused(Reason::RoleRequired);
    match standing(caller) {
        Standing::Member(Role::Learner) => match action {
            OwnEnrollment => Allowed,
            WriteEnrollments | ReadEnrollments | ReadNotes | DecideEnrollments | RecordProgress
            | RevokeCompletions | ExpireEnrollments | WriteCourses | WriteCohorts | WriteMembers
            | WriteWebhooks | WriteServiceTokens | ReadEvents | WriteOrganizations => no(),
        },
        Standing::Member(Role::Author) => match action {
            OwnEnrollment => Allowed,
            ReadEnrollments | WriteCourses => OwnCoursesOnly,
            WriteEnrollments | ReadNotes | DecideEnrollments | RecordProgress | RevokeCompletions
            | ExpireEnrollments | WriteCohorts | WriteMembers | WriteWebhooks | WriteServiceTokens
            | ReadEvents | WriteOrganizations => no(),
        },
        Standing::Member(Role::Coordinator) => match action {
            OwnEnrollment | ReadEnrollments | ReadNotes | DecideEnrollments | WriteCohorts => Allowed,
            WriteEnrollments => LearnersOnly,
            RecordProgress | RevokeCompletions | ExpireEnrollments | WriteCourses | WriteMembers
            | WriteWebhooks | WriteServiceTokens | ReadEvents | WriteOrganizations => no(),
        },
        Standing::Member(Role::Admin) => match action {
            OwnEnrollment | WriteEnrollments | ReadEnrollments | ReadNotes | DecideEnrollments
            | RevokeCompletions | WriteCourses | WriteCohorts | WriteMembers | WriteWebhooks
            | WriteServiceTokens | ReadEvents => Allowed,
            RecordProgress | ExpireEnrollments | WriteOrganizations => no(),
        },
        Standing::GlobalAdmin { member } => match action {
            OwnEnrollment if !member => Refused(Reason::NotAMember),
            OwnEnrollment | WriteEnrollments | ReadEnrollments | ReadNotes | DecideEnrollments
            | RevokeCompletions | WriteCourses | WriteCohorts | WriteMembers | WriteWebhooks
            | WriteServiceTokens | ReadEvents | WriteOrganizations => Allowed,
            RecordProgress | ExpireEnrollments => no(),
        },
        Standing::Service(scopes) => match action {
            WriteEnrollments | DecideEnrollments | RevokeCompletions | ExpireEnrollments => {
                scoped(scopes, Scope::EnrollmentsWrite)
            }
            ReadEnrollments => scoped(scopes, Scope::EnrollmentsRead),
            RecordProgress => scoped(scopes, Scope::ProgressWrite),
            WriteCourses => scoped(scopes, Scope::CoursesWrite),
            WriteCohorts => scoped(scopes, Scope::CohortsWrite),
            WriteMembers => scoped(scopes, Scope::MembersWrite),
            ReadEvents => scoped(scopes, Scope::EventsRead),
            OwnEnrollment | ReadNotes | WriteWebhooks | WriteServiceTokens | WriteOrganizations => no(),
        },
        Standing::Outsider => Refused(Reason::NotAMember),
    }
}

fn standing(caller: &Insider) -> Standing<'_> {
    match &caller.actor {
        Actor::Service(service) => Standing::Service(&service.scopes),
        Actor::Person(person) => match (person.global_admin, person.role) {
            (true, role) => Standing::GlobalAdmin { member: role.is_some() },
            (false, Some(role)) => Standing::Member(role),
            (false, None) => Standing::Outsider,
        },
    }
}

fn scoped(scopes: &[Scope], scope: Scope) -> Verdict {
    match scopes.contains(&scope) {
        true => Verdict::Allowed,
        false => Verdict::Refused(Reason::ScopeRequired { scope: scope.as_str().to_owned() }),
    }
}

/// Refuses unless the action is allowed without conditions.
pub(crate) fn require(caller: &Insider, action: Action) -> Result<()> {
    match verdict(caller, action) {
        Verdict::Allowed => Ok(()),
        Verdict::Refused(reason) => Err(reason.into()),
        Verdict::LearnersOnly | Verdict::OwnCoursesOnly => Err(Reason::RoleRequired.into()),
    }
}

/// Whom a call is about, and that the caller may do this to them: proof for the enrollment stores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject {
    user_id: UserId,
    standing: SubjectStanding,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum SubjectStanding {
    Oneself,
    Another { learners_only: bool },
}

impl Subject {
    pub fn user_id(self) -> UserId {
        self.user_id
    }

    pub fn is_caller(self) -> bool {
        matches!(self.standing, SubjectStanding::Oneself)
    }

    /// D21: a coordinator acts for learners alone.
    pub fn must_be_learner(self) -> bool {
        matches!(self.standing, SubjectStanding::Another { learners_only: true })
    }
}

/// The person whose enrollment is to be changed: the caller, unless another is named.
pub(crate) fn subject_of_change(caller: &Insider, named: Option<UserId>) -> Result<Subject> {
    subject(caller, named, Action::WriteEnrollments)
}

/// The person whose enrollment is to be read. Authors read rosters, not persons.
pub(crate) fn subject_of_reading(caller: &Insider, named: Option<UserId>) -> Result<Subject> {
    subject(caller, named, Action::ReadEnrollments)
}

fn subject(caller: &Insider, named: Option<UserId>, towards_others: Action) -> Result<Subject> {
    let user_id = match (named, caller.user_id()) {
        (Some(named), _) => named,
        (None, Some(own)) => own,
        (None, None) => return Err(Error::invalid_input("userId", "required of a service")),
    };
    if caller.is(user_id) {
        require(caller, Action::OwnEnrollment)?;
        return Ok(Subject { user_id, standing: SubjectStanding::Oneself });
    }
    let learners_only = match verdict(caller, towards_others) {
        Verdict::Allowed => false,
        Verdict::LearnersOnly => true,
        Verdict::OwnCoursesOnly => return Err(Reason::RoleRequired.into()),
        Verdict::Refused(reason) => return Err(reason.into()),
    };
    Ok(Subject { user_id, standing: SubjectStanding::Another { learners_only } })
}

/// The person of an enrollment that is to be acted on by its id, once it is at hand.
///
/// Whoever may not even see it is told that there is no such thing; whoever sees it, but may not do this, that it takes
/// another role.
pub(crate) fn subject_of_enrollment(
    caller: &Insider,
    action: Action,
    of: UserId,
    is_author: bool,
) -> Result<Subject> {
    let towards_others = verdict(caller, action);
    if action == Action::RecordProgress && caller.is(of) {
        require(caller, Action::OwnEnrollment)?;
        return Ok(Subject { user_id: of, standing: SubjectStanding::Oneself });
    }
    match towards_others {
        Verdict::Allowed => {
            Ok(Subject { user_id: of, standing: SubjectStanding::Another { learners_only: false } })
        }
        Verdict::LearnersOnly => {
            Ok(Subject { user_id: of, standing: SubjectStanding::Another { learners_only: true } })
        }
        Verdict::Refused(reason @ Reason::ScopeRequired { .. }) => Err(reason.into()),
        Verdict::OwnCoursesOnly | Verdict::Refused(_) => {
            may_see_enrollment(caller, of, is_author)?;
            Err(Reason::RoleRequired.into())
        }
    }
}

/// Whether anyone like the caller could do this to any enrollment: refused before one is looked up, so that the answer
/// is the same whatever id was named.
pub(crate) fn may_act_on_enrollments(caller: &Insider, action: Action) -> Result<()> {
    match verdict(caller, action) {
        Verdict::Refused(_) if action == Action::RecordProgress && caller.user_id().is_some() => Ok(()),
        Verdict::Refused(reason) => Err(reason.into()),
        Verdict::Allowed | Verdict::LearnersOnly | Verdict::OwnCoursesOnly => Ok(()),
    }
}

/// Whether the caller enrolls learners alone (D21): also those whom they put into a cohort.
pub(crate) fn enrolls_learners_only(caller: &Insider) -> bool {
    verdict(caller, Action::WriteEnrollments) == Verdict::LearnersOnly
}

/// Whom a cohort enrolls on the caller's behalf. Being in a cohort is no way around D21: neither for the caller nor for
/// whoever put that member into it.
pub(crate) fn subject_of_cohort(caller: &Insider, user_id: UserId, added_as_learner: bool) -> Subject {
    let learners_only = added_as_learner || (enrolls_learners_only(caller) && !caller.is(user_id));
    Subject { user_id, standing: SubjectStanding::Another { learners_only } }
}

/// Whom the organization's own rules move: those who wait, or whose membership ends.
pub(crate) fn subject_of_system(user_id: UserId) -> Subject {
    Subject { user_id, standing: SubjectStanding::Another { learners_only: false } }
}

/// Whom `enrollment.check` is about, and what in the caller's own standing would refuse the change. One who could
/// neither read nor change another's enrollments is not told anything about them.
pub(crate) fn subject_of_check(
    caller: &Insider,
    named: Option<UserId>,
    change: Action,
) -> Result<(Subject, Option<Reason>)> {
    let allowed = subject(caller, named, Action::WriteEnrollments);
    let subject = match allowed {
        Ok(subject) => subject,
        Err(_) => subject_of_reading(caller, named)?,
    };
    let refused = match change {
        Action::WriteEnrollments if subject.is_caller() => None,
        Action::WriteEnrollments => match verdict(caller, change) {
            Verdict::Allowed | Verdict::LearnersOnly => None,
            Verdict::OwnCoursesOnly => Some(Reason::RoleRequired),
            Verdict::Refused(reason) => Some(reason),
        },
        other => require(caller, other).err().and_then(|error| error.reason().cloned()),
    };
    Ok((subject, refused))
}

/// Whether the caller may see an enrollment whose course they are, or are not, an author of. A refusal is NOT_FOUND:
/// the enrollment's id says nothing to those who may not see it.
pub(crate) fn may_see_enrollment(caller: &Insider, of: UserId, is_author: bool) -> Result<()> {
    if caller.is(of) && require(caller, Action::OwnEnrollment).is_ok() {
        return Ok(());
    }
    match verdict(caller, Action::ReadEnrollments) {
        Verdict::Allowed | Verdict::LearnersOnly => Ok(()),
        Verdict::OwnCoursesOnly if is_author => Ok(()),
        // A token's scopes are its owner's to know.
        Verdict::Refused(reason @ Reason::ScopeRequired { .. }) => Err(reason.into()),
        Verdict::OwnCoursesOnly | Verdict::Refused(_) => Err(Error::not_found()),
    }
}

/// Whether the caller could see any enrollment of another at all; only a service is told otherwise.
pub(crate) fn may_see_enrollments(caller: &Insider) -> Result<()> {
    match verdict(caller, Action::ReadEnrollments) {
        Verdict::Refused(reason @ Reason::ScopeRequired { .. }) => Err(reason.into()),
        Verdict::Allowed | Verdict::LearnersOnly | Verdict::OwnCoursesOnly | Verdict::Refused(_) => Ok(()),
    }
}

/// Whether the caller may strip a person of their name, who may be a member of other organizations too: then they are
/// nobody's alone.
pub(crate) fn may_anonymize(caller: &Insider, is_member_elsewhere: bool) -> Result<()> {
    require(caller, Action::WriteMembers)?;
    match standing(caller) {
        Standing::GlobalAdmin { .. } => Ok(()),
        Standing::Member(_) | Standing::Service(_) | Standing::Outsider if is_member_elsewhere => {
            Err(Reason::RoleRequired.into())
        }
        Standing::Member(_) | Standing::Service(_) | Standing::Outsider => Ok(()),
    }
}

/// Whether the caller may read what coordinators wrote.
pub(crate) fn may_read_notes(caller: &Insider) -> bool {
    verdict(caller, Action::ReadNotes) == Verdict::Allowed
}

/// A course that the caller may do something to: proof for the course and roster stores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CourseGrant {
    course_id: CourseId,
}

impl CourseGrant {
    pub fn course_id(self) -> CourseId {
        self.course_id
    }
}

/// What must be known of a course before the caller may touch it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum CourseClaim {
    /// That it exists in the caller's organization.
    Exists,
    /// That, and that the caller is one of its authors.
    Authored(UserId),
}

/// First half of the decision about one course, before it is looked up.
pub(crate) fn course_claim(caller: &Insider, action: Action) -> Result<CourseClaim> {
    match (verdict(caller, action), caller.user_id()) {
        (Verdict::Allowed, _) => Ok(CourseClaim::Exists),
        (Verdict::OwnCoursesOnly, Some(user_id)) => Ok(CourseClaim::Authored(user_id)),
        (Verdict::Refused(reason), _) => Err(reason.into()),
        (Verdict::LearnersOnly | Verdict::OwnCoursesOnly, _) => Err(Reason::RoleRequired.into()),
    }
}

/// Second half: `is_author` is none where the organization has no such course.
pub(crate) fn course_grant(
    claim: CourseClaim,
    course_id: CourseId,
    is_author: Option<bool>,
) -> Result<CourseGrant> {
    match (claim, is_author) {
        (_, None) => Err(Error::not_found()),
        (CourseClaim::Exists, Some(_)) | (CourseClaim::Authored(_), Some(true)) => {
            Ok(CourseGrant { course_id })
        }
        (CourseClaim::Authored(_), Some(false)) => Err(Reason::RoleRequired.into()),
    }
}

#[cfg(test)]
mod tests;
