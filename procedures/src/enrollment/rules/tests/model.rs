//! What the rules are measured by: a small model of enrolling, written from the domain's decisions alone. It keeps
//! one place a person and course, and counts anew whenever a number is asked for.

mod meanwhile;

use std::time::Duration;

use super::*;
use crate::enrollment::EnrollmentStatus::{Cancelled, Completed, Enrolled, Expired, Waitlisted};
use crate::enrollment::Source;
use crate::enrollment::rules::effects::count;
use crate::module::Removal;

pub(super) use meanwhile::{Fate, Meanwhile};

/// Someone asks for something.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub caller: Insider,
    pub course: CourseId,
    pub user: UserId,
    pub wish: Wish,
}

impl Ask {
    pub fn pair(&self) -> (CourseId, UserId) {
        (self.course, self.user)
    }
}

pub(super) struct Model {
    pub now: Moment,
    /// What courses are set to; the counters of these rows are not used.
    pub courses: BTreeMap<CourseId, CourseRow>,
    pub members: BTreeMap<UserId, (Role, MembershipStatus)>,
    /// Each module, and whether it is current.
    pub modules: BTreeMap<CourseId, Vec<(ModuleId, bool)>>,
    pub places: BTreeMap<(CourseId, UserId), Place>,
}

pub(super) struct Place {
    pub row: EnrollmentRow,
    parts: BTreeMap<ModuleId, Part>,
}

/// A module that was given to someone.
struct Part {
    id: ModuleEnrollmentId,
    enrolled_at: Moment,
    completed_at: Option<Moment>,
    unassigned: bool,
    /// Retired when the enrollment was taken up again.
    left_behind: bool,
}

impl Part {
    fn counts(&self) -> bool {
        !self.unassigned && !self.left_behind
    }
}

impl Place {
    /// Before the first attempt.
    fn new((course_id, user_id): (CourseId, UserId), now: Moment) -> Self {
        let blank = former(Expired);
        let row = EnrollmentRow {
            id: EnrollmentId::NIL,
            user_id,
            course_id,
            created_at: now,
            notes: None,
            started_at: None,
            attempt: 0,
            version: 0,
            ..blank
        };
        Place { row, parts: BTreeMap::new() }
    }

    fn count_parts(&mut self) {
        let counted = || self.parts.values().filter(|part| part.counts());
        self.row.modules_total = count(counted());
        self.row.modules_completed = count(counted().filter(|part| part.completed_at.is_some()));
    }

    /// The module enrollment that a part is.
    fn part_row(&self, module_id: ModuleId, part: &Part) -> ModuleEnrollmentRow {
        let removed_because = match part {
            Part { unassigned: true, .. } => Some(Removal::Unassigned),
            Part { left_behind: true, .. } => Some(Removal::ModuleRetired),
            _ if self.row.status == Cancelled => Some(Removal::EnrollmentCancelled),
            _ => None,
        };
        ModuleEnrollmentRow {
            id: part.id,
            organization_id: organization(),
            enrollment_id: self.row.id,
            user_id: self.row.user_id,
            module_id,
            enrolled_at: part.enrolled_at,
            started_at: None,
            completed_at: part.completed_at,
            soft_deleted: removed_because.is_some(),
            removed_because,
        }
    }
}

impl Model {
    /// The answer to an ask: what happened to the enrollment in which status, or the word of the refusal.
    pub fn answer(&mut self, ask: &Ask) -> Result<(EventKind, Option<EnrollmentStatus>), &'static str> {
        let person = match &ask.caller.actor {
            Actor::Person(person) => Some(person),
            Actor::Service(_) => None,
        };
        let own = person.is_some_and(|person| person.user_id == ask.user);
        let as_role = |role| person.is_some_and(|person| !person.global_admin && person.role == Some(role));
        if !own && (as_role(Role::Learner) || as_role(Role::Author)) {
            return Err("roleRequired");
        }
        let course = self.courses.get(&ask.course).cloned().ok_or("notFound")?;
        let (role, membership) = *self.members.get(&ask.user).ok_or("notFound")?;
        if !own && as_role(Role::Coordinator) && role != Role::Learner {
            return Err("roleRequired");
        }
        let barred = own && role == Role::Learner && course.enrollment_mode == EnrollmentMode::Managed;
        let from = self.places.get(&ask.pair()).map(|place| place.row.status);
        match &ask.wish {
            Wish::Enroll { notes } => {
                if membership != MembershipStatus::Active {
                    return Err("notAMember");
                }
                if [Some(Enrolled), Some(Waitlisted), Some(Completed)].contains(&from) {
                    return Err("alreadyEnrolled");
                }
                self.course_takes(&course, barred)?;
                self.enroll(&course, ask, own, notes.clone());
                let kind = if from.is_none() { EventKind::Enrolled } else { EventKind::Reactivated };
                Ok((kind, from))
            }
            Wish::Unenroll { .. } => match from {
                None => Err("notFound"),
                Some(_) if barred => Err("managedCourse"),
                Some(Enrolled | Waitlisted) => {
                    let now = self.now;
                    let place = self.places.get_mut(&ask.pair()).unwrap();
                    (place.row.status, place.row.cancelled_at, place.row.updated_at) =
                        (Cancelled, Some(now), now);
                    place.row.version += 1;
                    Ok((EventKind::Cancelled, from))
                }
                Some(Completed | Cancelled | Expired) => Err("invalidTransition"),
            },
        }
    }

    fn course_takes(&self, course: &CourseRow, barred: bool) -> Result<(), &'static str> {
        let over = |moment: Option<Moment>| moment.is_some_and(|moment| moment <= self.now);
        if course.status != CourseStatus::Published {
            Err("courseNotPublished")
        } else if barred {
            Err("managedCourse")
        } else if course.opens_at.is_some() && !over(course.opens_at) {
            Err("notOpenYet")
        } else if over(course.closes_at) || over(course.ends_at) {
            Err("closed")
        } else if course.capacity.is_some_and(|capacity| capacity <= self.seats(course.id)) {
            Err("courseFull")
        } else {
            Ok(())
        }
    }

    fn enroll(&mut self, course: &CourseRow, ask: &Ask, own: bool, notes: Option<Notes>) {
        let now = self.now;
        let modules = self.modules.get(&course.id).cloned().unwrap_or_default();
        let place = self.places.entry(ask.pair()).or_insert_with(|| Place::new(ask.pair(), now));
        let days = course.access_days.map(|days| now.plus(Duration::from_secs(86_400 * days as u64)));
        let (source, enrolled_by_user_id) = match ask.caller.user_id() {
            None => (Source::Integration, None),
            Some(_) if own => (Source::Myself, None),
            Some(other) => (Source::Coordinator, Some(other)),
        };
        place.row = EnrollmentRow {
            id: place.row.id,
            user_id: ask.user,
            course_id: course.id,
            organization_id: organization(),
            status: Enrolled,
            enrolled_at: now,
            completed_at: None,
            cancelled_at: None,
            completion_score: None,
            enrolled_by_user_id,
            certificate_id: None,
            reminder_sent_at: None,
            notes: notes.or(place.row.notes.clone()),
            created_at: place.row.created_at,
            updated_at: now,
            source,
            source_ref: None,
            started_at: place.row.started_at,
            waitlisted_at: None,
            expires_at: [days, course.ends_at].into_iter().flatten().min(),
            attempt: place.row.attempt + 1,
            version: place.row.version + 1,
            modules_total: 0,
            modules_completed: 0,
        };
        for (module, is_current) in modules {
            if let Some(part) = place.parts.get_mut(&module) {
                part.left_behind = !is_current && !part.unassigned;
            } else if is_current {
                let id = ModuleEnrollmentId::NIL;
                let part =
                    Part { id, enrolled_at: now, completed_at: None, unassigned: false, left_behind: false };
                place.parts.insert(module, part);
            }
        }
        place.count_parts();
    }

    /// Takes over the ids that the rules made.
    pub fn adopt(&mut self, row: &EnrollmentRow, modules: &[ModuleEnrollmentRow]) {
        let place = self.places.get_mut(&(row.course_id, row.user_id)).unwrap();
        if place.row.id == EnrollmentId::NIL {
            place.row.id = row.id;
        }
        for module in modules {
            if let Some(part) = place.parts.get_mut(&module.module_id).filter(|part| part.id == Id::NIL) {
                part.id = module.id;
            }
        }
    }

    fn with_status(&self, course: CourseId, status: EnrollmentStatus) -> i32 {
        let of = |place: &&Place| place.row.course_id == course && place.row.status == status;
        count(self.places.values().filter(of))
    }

    pub fn seats(&self, course: CourseId) -> i32 {
        self.with_status(course, Enrolled) + self.with_status(course, Completed)
    }

    /// What is loaded for a batch about these enrollments.
    pub fn facts(&self, pairs: &BTreeSet<(CourseId, UserId)>) -> Facts {
        let mut facts = Facts::default();
        for (course_id, user_id) in pairs {
            if let Some(course) = self.courses.get(course_id) {
                let mut course = course.clone();
                for status in EnrollmentStatus::ALL {
                    *course.count_mut(*status) = self.with_status(*course_id, *status);
                }
                facts.courses.insert(*course_id, course);
            }
            let modules = self.modules.get(course_id).into_iter().flatten();
            let current: BTreeSet<_> = modules.filter(|module| module.1).map(|module| module.0).collect();
            if !current.is_empty() {
                facts.modules.insert(*course_id, current);
            }
            if let Some(member) = self.members.get(user_id) {
                facts.members.insert(*user_id, *member);
            }
            if let Some(place) = self.places.get(&(*course_id, *user_id)) {
                let parts = place.parts.iter().map(|(module, part)| place.part_row(*module, part));
                facts.module_enrollments.insert(place.row.id, parts.collect());
                facts.enrollments.insert((*course_id, *user_id), place.row.clone());
            }
        }
        facts.module_enrollments.retain(|_, rows| !rows.is_empty());
        facts
    }
}
