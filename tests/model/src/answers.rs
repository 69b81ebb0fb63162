//! Who asks for what, and what is answered.

use super::Word;
use super::world::{Kind, Part, Place, Removal, Role, Standing, Status, Told, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Person(usize),
    /// One who is no member.
    GlobalAdmin,
    /// With every scope.
    Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Enroll {
        waitlist: bool,
    },
    Unenroll,
    Promote,
    Complete {
        score: Option<u32>,
        waived: bool,
    },
    Expire,
    Revoke,
    /// With the version as it is, or one that is over.
    SetNotes {
        stale: bool,
    },
    /// These name a module of the course by its number, counted around.
    StartModule(usize),
    CompleteModule(usize),
    AssignModule(usize),
    UnassignModule(usize),
}

/// Someone asks for something about somebody's place in a course.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub caller: Caller,
    pub course: usize,
    pub user: usize,
    pub command: Command,
}

/// What has happened, or everything that refuses, the first of which is the answer.
pub type Answer = Result<Vec<Told>, Vec<Word>>;

impl World {
    /// Answers, and lets what was asked for happen.
    pub fn ask(&mut self, ask: &Ask) -> Answer {
        self.may(ask).map_err(|word| vec![word])?;
        let refusals = self.refusals(ask);
        if refusals.is_empty() { Ok(self.perform(ask)) } else { Err(refusals) }
    }

    pub fn is_own(ask: &Ask) -> bool {
        ask.caller == Caller::Person(ask.user)
    }

    fn role(&self, caller: Caller) -> Option<Role> {
        match caller {
            Caller::Person(person) => Some(self.people[person].role),
            Caller::GlobalAdmin | Caller::Service => None,
        }
    }

    /// The table of who may do what, as far as it does not depend on who the others are.
    pub(crate) fn may(&self, ask: &Ask) -> Result<(), Word> {
        let is_active = |person: usize| self.people[person].standing == Standing::Active;
        if matches!(ask.caller, Caller::Person(person) if !is_active(person)) {
            return Err("notAMember");
        }
        let role = self.role(ask.caller);
        let own = Self::is_own(ask);
        let service = ask.caller == Caller::Service;
        let staff = !matches!(role, Some(Role::Learner | Role::Author));
        let allowed = match ask.command {
            Command::Enroll { .. } | Command::Unenroll => own || staff,
            Command::Promote | Command::AssignModule(_) | Command::UnassignModule(_) => staff,
            Command::Complete { score, waived } => {
                if score.is_some() || !waived {
                    service
                } else {
                    staff
                }
            }
            Command::Expire => service,
            Command::Revoke => staff && role != Some(Role::Coordinator),
            Command::SetNotes { .. } => staff && !service,
            Command::StartModule(_) | Command::CompleteModule(_) => {
                if self.places.contains_key(&(ask.course, ask.user)) && !own && !staff {
                    return Err("notFound");
                }
                own || service || !self.places.contains_key(&(ask.course, ask.user))
            }
        };
        if allowed { Ok(()) } else { Err("roleRequired") }
    }

    /// Every gate that is shut.
    pub(crate) fn refusals(&self, ask: &Ask) -> Vec<Word> {
        let person = self.people[ask.user];
        let course = &self.courses[ask.course];
        let place = self.places.get(&(ask.course, ask.user));
        let mut shut = Vec::new();
        let mut gate = |is_shut: bool, word: Word| {
            if is_shut && !shut.contains(&word) {
                shut.push(word);
            }
        };
        let by_hand = matches!(ask.command, Command::Enroll { .. } | Command::Unenroll | Command::Revoke);
        let coordinator = self.role(ask.caller) == Some(Role::Coordinator);
        let other = !Self::is_own(ask);
        gate(by_hand && coordinator && other && person.role != Role::Learner, "roleRequired");
        let kept_out = course.managed && Self::is_own(ask) && self.role(ask.caller) == Some(Role::Learner);
        if let Command::Enroll { waitlist } = ask.command {
            gate(person.standing != Standing::Active, "notAMember");
            gate(place.is_some_and(|place| self.stands(place)), "alreadyEnrolled");
            gate(!course.published, "courseNotPublished");
            gate(kept_out, "managedCourse");
            if course.opens.is_some() && !self.passed(course.opens) {
                gate(true, "notOpenYet");
            } else {
                gate(self.passed(course.closes) || self.passed(course.ends), "closed");
            }
            let would_wait = course.waitlist && waitlist;
            gate(!(would_wait || self.seat_for(ask.course, ask.user)), "courseFull");
            return shut;
        }
        let Some(place) = place else {
            gate(true, "notFound");
            return shut;
        };
        let is = self.standing(place);
        match ask.command {
            Command::Enroll { .. } => {}
            Command::Unenroll => {
                gate(kept_out, "managedCourse");
                gate(!matches!(place.status, Status::Enrolled | Status::Waitlisted), "invalidTransition");
            }
            Command::Promote => {
                gate(is != Status::Waitlisted, "invalidTransition");
                gate(person.standing != Standing::Active, "notAMember");
                gate(!course.published, "courseNotPublished");
                gate(self.passed(course.ends), "closed");
                gate(!self.has_seat(ask.course), "courseFull");
            }
            Command::Complete { score, waived } => {
                gate(is != Status::Enrolled, "invalidTransition");
                gate(!waived && place.completed < place.total, "modulesIncomplete");
                let enough = course.pass_score.is_none_or(|pass| score.is_some_and(|score| score >= pass));
                gate(!waived && !enough, "belowPassScore");
            }
            Command::Expire => gate(place.status != Status::Enrolled, "invalidTransition"),
            Command::Revoke => gate(place.status != Status::Completed, "invalidTransition"),
            Command::SetNotes { stale } => gate(stale, "versionMismatch"),
            Command::StartModule(number)
            | Command::CompleteModule(number)
            | Command::AssignModule(number)
            | Command::UnassignModule(number) => {
                let Some(number) = self.module(ask.course, number) else {
                    gate(true, "notFound");
                    gate(is != Status::Enrolled, "invalidTransition");
                    return shut;
                };
                self.module_gates(ask, place, number, &mut gate);
            }
        }
        shut
    }

    fn module_gates(&self, ask: &Ask, place: &Place, number: usize, gate: &mut impl FnMut(bool, Word)) {
        let (kind, retired) = self.courses[ask.course].modules[number];
        let part = place.parts.get(&number);
        let under_way = self.standing(place) == Status::Enrolled;
        let given = part.is_some_and(|part| matches!(part.removed, None | Some(Removal::Cancelled)));
        let known = |recorded: fn(&Part) -> bool| {
            let stands = part.is_some_and(|part| part.removed.is_none() && recorded(part));
            place.status == Status::Completed && stands
        };
        match ask.command {
            Command::StartModule(_) => {
                gate(!under_way && !known(|part| part.started), "invalidTransition");
                gate(!given, "notFound");
            }
            Command::CompleteModule(_) => {
                gate(kind == Kind::Quiz && Self::is_own(ask), "roleRequired");
                gate(!under_way && !known(|part| part.completed), "invalidTransition");
                gate(!given, "notFound");
            }
            Command::AssignModule(_) => {
                gate(!under_way, "invalidTransition");
                gate(retired && !given, "invalidInput");
            }
            Command::UnassignModule(_) => {
                gate(!under_way, "invalidTransition");
                gate(part.is_none_or(|part| part.removed == Some(Removal::Retired)), "notFound");
            }
            Command::Enroll { .. }
            | Command::Unenroll
            | Command::Promote
            | Command::Complete { .. }
            | Command::Expire
            | Command::Revoke
            | Command::SetNotes { .. } => {}
        }
    }

    /// The module that a number counted around stands for; none in a course without modules.
    pub fn module(&self, course: usize, number: usize) -> Option<usize> {
        number.checked_rem(self.courses[course].modules.len())
    }

    /// D2, D8.
    fn stands(&self, place: &Place) -> bool {
        match place.status {
            Status::Enrolled | Status::Waitlisted => true,
            Status::Completed => !place.certificate.is_some_and(|(expires, _)| self.passed(expires)),
            Status::Cancelled | Status::Expired => false,
        }
    }

    /// D10, D11: whoever completed the course holds a seat; anyone else needs one that nobody waits for, unless there
    /// is one for all.
    pub(crate) fn seat_for(&self, course: usize, user: usize) -> bool {
        let holds_one =
            self.places.get(&(course, user)).is_some_and(|place| place.status == Status::Completed);
        let unlimited = self.courses[course].capacity.is_none();
        holds_one || unlimited || (self.queue(course).is_empty() && self.has_seat(course))
    }
}
