//! What happens when nothing refuses, and what others change meanwhile.

use super::answers::{Ask, Caller, Command};
use super::world::{DAY, Kind, Part, Place, Removal, Standing, Status, Told, World};

/// What happens to courses and memberships.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    HoursPass(i64),
    Publish(usize),
    Unpublish(usize),
    Capacity(usize, Option<usize>),
    Managed(usize, bool),
    AddModule(usize, Kind),
    /// The module of this number, counted around.
    RetireModule(usize, usize),
    Suspend(usize),
    Resume(usize),
    EndMembership(usize),
    /// Makes an ended membership active again.
    Provision(usize),
}

impl World {
    /// Lets it happen; what it makes happen to enrollments.
    pub fn change(&mut self, change: Change) -> Vec<Told> {
        let mut told = Vec::new();
        match change {
            Change::HoursPass(hours) => self.now += hours,
            Change::Publish(course) => {
                if !std::mem::replace(&mut self.courses[course].published, true) {
                    self.fill(course, &mut told);
                }
            }
            Change::Unpublish(course) => self.courses[course].published = false,
            Change::Capacity(course, capacity) => {
                self.courses[course].capacity = capacity;
                self.fill(course, &mut told);
            }
            Change::Managed(course, managed) => {
                self.courses[course].managed = managed;
                self.fill(course, &mut told);
            }
            Change::AddModule(course, kind) => self.courses[course].modules.push((kind, false)),
            Change::RetireModule(course, number) => {
                if let Some(number) = self.module(course, number) {
                    self.courses[course].modules[number].1 = true;
                }
            }
            Change::Suspend(user) => self.stand(user, Standing::Active, Standing::Suspended),
            Change::Resume(user) => self.stand(user, Standing::Suspended, Standing::Active),
            Change::Provision(user) => self.stand(user, Standing::Ended, Standing::Active),
            Change::EndMembership(user) => {
                if self.people[user].standing == Standing::Ended {
                    return told;
                }
                self.people[user].standing = Standing::Ended;
                for course in 0..self.courses.len() {
                    let place = self.places.get(&(course, user));
                    if place
                        .is_some_and(|place| matches!(place.status, Status::Enrolled | Status::Waitlisted))
                    {
                        self.cancel("cancelled", course, user, false, &mut told);
                        self.fill(course, &mut told);
                    }
                }
            }
        }
        told
    }

    fn stand(&mut self, user: usize, from: Standing, to: Standing) {
        if self.people[user].standing == from {
            self.people[user].standing = to;
        }
    }

    pub(crate) fn perform(&mut self, ask: &Ask) -> Vec<Told> {
        let Ask { caller, course, user, command } = *ask;
        let mut told = Vec::new();
        match command {
            Command::Enroll { .. } => self.enroll(caller, course, user, &mut told),
            Command::Unenroll => {
                self.cancel("cancelled", course, user, caller != Caller::Service, &mut told);
                self.fill(course, &mut told);
            }
            Command::Promote => self.promote(course, user, &mut told),
            Command::Complete { score, .. } => self.complete(course, user, score, &mut told),
            Command::Expire => {
                let place = self.changed(course, user);
                place.status = Status::Expired;
                told.push(("expired", course, user));
                self.fill(course, &mut told);
            }
            Command::Revoke => {
                self.cancel("revoked", course, user, caller != Caller::Service, &mut told);
                if let Some((_, voided)) = self.place(course, user).certificate.as_mut() {
                    *voided = true;
                    told.push(("certificateVoided", course, user));
                }
                self.fill(course, &mut told);
            }
            Command::SetNotes { .. } => {
                self.changed(course, user).noted = true;
                told.push(("notesSet", course, user));
            }
            Command::StartModule(number)
            | Command::CompleteModule(number)
            | Command::AssignModule(number)
            | Command::UnassignModule(number) => {
                if let Some(number) = self.module(course, number) {
                    self.change_module(ask, number, &mut told);
                }
            }
        }
        told
    }

    fn place(&mut self, course: usize, user: usize) -> &mut Place {
        self.places.get_mut(&(course, user)).expect("a place that a gate has found")
    }

    /// A place that is about to be another version.
    fn changed(&mut self, course: usize, user: usize) -> &mut Place {
        let place = self.place(course, user);
        place.version += 1;
        place
    }

    fn enroll(&mut self, caller: Caller, course: usize, user: usize, told: &mut Vec<Told>) {
        let has_seat = self.seat_for(course, user);
        let former = self.places.get(&(course, user)).cloned();
        let anew = former.as_ref().is_some_and(|place| place.status == Status::Completed);
        self.waits += 1;
        let place = Place {
            status: if has_seat { Status::Enrolled } else { Status::Waitlisted },
            attempt: former.as_ref().map_or(1, |place| place.attempt + 1),
            version: former.as_ref().map_or(1, |place| place.version + 1),
            expires: None,
            waits_since: self.waits,
            tombstone: caller == Caller::Service && former.as_ref().is_some_and(|place| place.tombstone),
            score: None,
            certificate: None,
            noted: former.as_ref().is_some_and(|place| place.noted),
            total: former.as_ref().map_or(0, |place| place.total),
            completed: former.as_ref().map_or(0, |place| place.completed),
            parts: former.as_ref().map(|place| place.parts.clone()).unwrap_or_default(),
        };
        self.places.insert((course, user), place);
        if has_seat {
            self.seat(course, user, anew);
        }
        let kind = match (former, has_seat) {
            (Some(_), _) => "reactivated",
            (None, true) => "enrolled",
            (None, false) => "waitlisted",
        };
        told.push((kind, course, user));
    }

    /// Access begins, with the modules of today (D15).
    fn seat(&mut self, course: usize, user: usize, anew: bool) {
        let Course { expires, modules } = self.offered(course);
        let place = self.place(course, user);
        (place.status, place.expires) = (Status::Enrolled, expires);
        for (number, retired) in modules {
            if retired && !place.parts.contains_key(&number) {
                continue;
            }
            let part = place.parts.entry(number).or_default();
            if anew {
                (part.started, part.completed) = (false, false);
            }
            if part.removed != Some(Removal::Unassigned) {
                part.removed = retired.then_some(Removal::Retired);
            }
        }
        place.count_parts();
    }

    fn offered(&self, course: usize) -> Course {
        let of = &self.courses[course];
        let days = of.access_days.map(|days| self.now + days * DAY);
        Course {
            expires: days.into_iter().chain(of.ends).min(),
            modules: of.modules.iter().map(|(_, retired)| *retired).enumerate().collect(),
        }
    }

    fn promote(&mut self, course: usize, user: usize, told: &mut Vec<Told>) {
        self.changed(course, user);
        self.seat(course, user, false);
        told.push(("promoted", course, user));
    }

    fn complete(&mut self, course: usize, user: usize, score: Option<u32>, told: &mut Vec<Told>) {
        let of = &self.courses[course];
        let expires = of.valid_days.map(|days| self.now + days * DAY);
        let certificate = of.certificate.then_some((expires, false));
        let place = self.changed(course, user);
        (place.status, place.score, place.certificate) = (Status::Completed, score, certificate);
        told.push(("completed", course, user));
        if certificate.is_some() {
            told.push(("certificateIssued", course, user));
        }
    }

    fn cancel(
        &mut self,
        kind: &'static str,
        course: usize,
        user: usize,
        by_person: bool,
        told: &mut Vec<Told>,
    ) {
        let place = self.changed(course, user);
        place.status = Status::Cancelled;
        place.tombstone |= by_person;
        for part in place.parts.values_mut() {
            part.removed = part.removed.or(Some(Removal::Cancelled));
        }
        told.push((kind, course, user));
    }

    /// D11: as long as there is a seat, for the first who waits.
    fn fill(&mut self, course: usize, told: &mut Vec<Told>) {
        while self.courses[course].published
            && !self.passed(self.courses[course].ends)
            && self.has_seat(course)
        {
            let Some(&user) = self.queue(course).first() else { return };
            if self.people[user].standing == Standing::Active {
                self.promote(course, user, told);
            } else {
                self.cancel("cancelled", course, user, false, told);
            }
        }
    }

    fn change_module(&mut self, ask: &Ask, number: usize, told: &mut Vec<Told>) {
        let Ask { course, user, .. } = *ask;
        let place = self.place(course, user);
        let before = place.parts.get(&number).copied();
        let part = place.parts.entry(number).or_default();
        let kind = match ask.command {
            Command::StartModule(_) => {
                part.started = true;
                "moduleStarted"
            }
            Command::CompleteModule(_) => {
                (part.started, part.completed) = (true, true);
                "moduleCompleted"
            }
            Command::AssignModule(_) => {
                part.removed = None;
                "moduleAssigned"
            }
            Command::UnassignModule(_) => {
                part.removed = Some(Removal::Unassigned);
                "moduleUnassigned"
            }
            Command::Enroll { .. }
            | Command::Unenroll
            | Command::Promote
            | Command::Complete { .. }
            | Command::Expire
            | Command::Revoke
            | Command::SetNotes { .. } => return,
        };
        if before == Some(*part) {
            return;
        }
        place.version += 1;
        place.count_parts();
        told.push((kind, course, user));
        let all_done = place.total == place.completed && place.status == Status::Enrolled;
        let of = &self.courses[course];
        if kind == "moduleCompleted" && all_done && of.auto_complete && of.pass_score.is_none() {
            self.complete(course, user, None, told);
        }
    }
}

/// What a course gives at this moment.
struct Course {
    expires: Option<i64>,
    /// Each with whether it is retired.
    modules: Vec<(usize, bool)>,
}

impl Place {
    fn count_parts(&mut self) {
        let given = || self.parts.values().filter(|part: &&Part| part.removed.is_none());
        (self.total, self.completed) = (given().count(), given().filter(|part| part.completed).count());
    }
}
