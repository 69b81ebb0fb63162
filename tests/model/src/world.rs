//! What there is.

use std::collections::BTreeMap;

/// How long a day is.
pub const DAY: i64 = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Learner,
    Author,
    Coordinator,
    Admin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Active,
    Suspended,
    Ended,
}

#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub role: Role,
    pub standing: Standing,
}

/// Modules with a result, and others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Lesson,
    Quiz,
}

#[derive(Clone, Debug, Default)]
pub struct Course {
    pub published: bool,
    pub capacity: Option<usize>,
    pub waitlist: bool,
    pub opens: Option<i64>,
    pub closes: Option<i64>,
    pub ends: Option<i64>,
    pub access_days: Option<i64>,
    pub pass_score: Option<u32>,
    pub certificate: bool,
    pub valid_days: Option<i64>,
    pub managed: bool,
    pub auto_complete: bool,
    /// Each with whether it is retired.
    pub modules: Vec<(Kind, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Enrolled,
    Waitlisted,
    Completed,
    Cancelled,
    Expired,
}

impl Status {
    pub const fn word(self) -> &'static str {
        match self {
            Status::Enrolled => "enrolled",
            Status::Waitlisted => "waitlisted",
            Status::Completed => "completed",
            Status::Cancelled => "cancelled",
            Status::Expired => "expired",
        }
    }
}

/// Why a module is no longer given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    Cancelled,
    Retired,
    Unassigned,
}

/// A module that was given to someone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub started: bool,
    pub completed: bool,
    pub removed: Option<Removal>,
}

/// Someone's place in a course.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub status: Status,
    pub attempt: i32,
    pub version: i32,
    pub expires: Option<i64>,
    /// The later, the further behind in the queue.
    pub waits_since: u64,
    pub tombstone: bool,
    pub score: Option<u32>,
    /// Of this attempt: when it expires, and whether it is void.
    pub certificate: Option<(Option<i64>, bool)>,
    pub noted: bool,
    /// What counts of the modules.
    pub total: usize,
    pub completed: usize,
    pub parts: BTreeMap<usize, Part>,
}

/// An event: of which kind, in which course, to whom.
pub type Told = (&'static str, usize, usize);

#[derive(Clone, Debug)]
pub struct World {
    /// Hours since it began.
    pub now: i64,
    pub courses: Vec<Course>,
    pub people: Vec<Person>,
    /// By course and person.
    pub places: BTreeMap<(usize, usize), Place>,
    /// How often someone has begun to wait.
    pub(crate) waits: u64,
}

impl World {
    /// Three courses: one with a single seat; one of two seats without a waitlist, with a pass score and certificates
    /// that expire; one with a window, an end and modules that complete it by themselves. And six people.
    pub fn begin() -> Self {
        let blank = Course { published: true, certificate: true, ..Course::default() };
        let tiny =
            Course { capacity: Some(1), waitlist: true, modules: vec![(Kind::Lesson, false)], ..blank };
        let scored = Course {
            capacity: Some(2),
            access_days: Some(10),
            pass_score: Some(50),
            valid_days: Some(2),
            ..blank.clone()
        };
        let timed = Course {
            capacity: Some(3),
            waitlist: true,
            opens: Some(DAY),
            closes: Some(5 * DAY),
            ends: Some(8 * DAY),
            access_days: Some(4),
            auto_complete: true,
            modules: vec![(Kind::Lesson, false), (Kind::Quiz, false)],
            ..blank
        };
        let person = |role| Person { role, standing: Standing::Active };
        let people =
            [Role::Learner, Role::Learner, Role::Learner, Role::Author, Role::Coordinator, Role::Admin];
        World {
            now: 0,
            courses: vec![tiny, scored, timed],
            people: people.map(person).to_vec(),
            places: BTreeMap::new(),
            waits: 0,
        }
    }

    /// How many in a course have one of these statuses.
    pub(crate) fn count(&self, course: usize, statuses: &[Status]) -> usize {
        let of =
            |((of, _), place): &(&(usize, usize), &Place)| *of == course && statuses.contains(&place.status);
        self.places.iter().filter(of).count()
    }

    /// D10.
    pub fn seats_taken(&self, course: usize) -> usize {
        self.count(course, &[Status::Enrolled, Status::Completed])
    }

    pub(crate) fn has_seat(&self, course: usize) -> bool {
        self.courses[course].capacity.is_none_or(|capacity| self.seats_taken(course) < capacity)
    }

    /// Who waits, the first first.
    pub fn queue(&self, course: usize) -> Vec<usize> {
        let waits = self.places.iter().filter(|((of, _), _)| *of == course);
        let mut waits: Vec<_> = waits.filter(|(_, place)| place.status == Status::Waitlisted).collect();
        waits.sort_by_key(|(_, place)| place.waits_since);
        waits.into_iter().map(|((_, user), _)| *user).collect()
    }

    pub(crate) fn passed(&self, moment: Option<i64>) -> bool {
        moment.is_some_and(|moment| moment <= self.now)
    }

    /// D7: what its status comes to.
    pub(crate) fn standing(&self, place: &Place) -> Status {
        match place.status {
            Status::Enrolled if self.passed(place.expires) => Status::Expired,
            status => status,
        }
    }
}
