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
    /// Create, edit, publish and archive courses and their modules.
    WriteCourses,
    /// Provision members and set their roles.
    WriteMembers,
    /// Create organizations, and read what they are.
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
        OwnEnrollment, ReadEnrollments, ReadNotes, WriteCourses, WriteEnrollments, WriteMembers,
        WriteOrganizations,
    };
    use Verdict::{Allowed, LearnersOnly, OwnCoursesOnly, Refused};
    let no = || Refused(Reason::RoleRequired);
    match standing(caller) {
        Standing::Member(Role::Learner) => match action {
            OwnEnrollment => Allowed,
            WriteEnrollments | ReadEnrollments | ReadNotes | WriteCourses | WriteMembers
            | WriteOrganizations => no(),
        },
        Standing::Member(Role::Author) => match action {
            OwnEnrollment => Allowed,
            ReadEnrollments | WriteCourses => OwnCoursesOnly,
            WriteEnrollments | ReadNotes | WriteMembers | WriteOrganizations => no(),
        },
        Standing::Member(Role::Coordinator) => match action {
            OwnEnrollment | ReadEnrollments | ReadNotes => Allowed,
            WriteEnrollments => LearnersOnly,
            WriteCourses | WriteMembers | WriteOrganizations => no(),
        },
        Standing::Member(Role::Admin) => match action {
            OwnEnrollment | WriteEnrollments | ReadEnrollments | ReadNotes | WriteCourses | WriteMembers => {
                Allowed
            }
            WriteOrganizations => no(),
        },
        Standing::GlobalAdmin { member } => match action {
            OwnEnrollment if !member => Refused(Reason::NotAMember),
            OwnEnrollment | WriteEnrollments | ReadEnrollments | ReadNotes | WriteCourses | WriteMembers
            | WriteOrganizations => Allowed,
        },
        Standing::Service(scopes) => match action {
            WriteEnrollments => scoped(scopes, Scope::EnrollmentsWrite),
            ReadEnrollments => scoped(scopes, Scope::EnrollmentsRead),
            WriteCourses => scoped(scopes, Scope::CoursesWrite),
            WriteMembers => scoped(scopes, Scope::MembersWrite),
            OwnEnrollment | ReadNotes | WriteOrganizations => no(),
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
