//! What other procedures do to the model's world, those included that are not there yet.

use std::time::Duration;

use super::*;

/// What happens between the batches, by other procedures.
#[derive(Clone, Debug)]
pub enum Meanwhile {
    HoursPass(u64),
    CourseIs(CourseId, CourseStatus),
    ModeIs(CourseId, EnrollmentMode),
    CapacityIs(CourseId, Option<i32>),
    MemberIs(UserId, MembershipStatus),
    ModuleAdded(CourseId),
    /// The module at this place, counted around.
    ModuleRetired(CourseId, usize),
    Befalls(CourseId, UserId, Fate),
}

/// What befalls an enrollment.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    Waitlisted,
    Completed,
    Expired,
    Revoked,
    ModuleCompleted(usize),
    ModuleUnassigned(usize),
}

impl Model {
    pub fn meanwhile(&mut self, event: &Meanwhile) {
        match *event {
            Meanwhile::HoursPass(hours) => self.now = self.now.plus(Duration::from_secs(3600 * hours)),
            Meanwhile::CourseIs(course, status) => self.courses.get_mut(&course).unwrap().status = status,
            Meanwhile::ModeIs(course, mode) => self.courses.get_mut(&course).unwrap().enrollment_mode = mode,
            Meanwhile::CapacityIs(course, seats) => self.courses.get_mut(&course).unwrap().capacity = seats,
            Meanwhile::MemberIs(user, status) => self.members.get_mut(&user).unwrap().1 = status,
            Meanwhile::ModuleAdded(course) => {
                let number = self.modules.values().map(Vec::len).sum::<usize>();
                self.modules.entry(course).or_default().push((id(200 + number as u128), true));
            }
            Meanwhile::ModuleRetired(course, place) => {
                let modules = self.modules.entry(course).or_default();
                let places = modules.len().max(1);
                if let Some((_, is_current)) = modules.get_mut(place % places) {
                    *is_current = false;
                }
            }
            Meanwhile::Befalls(course, user, fate) => {
                let now = self.now;
                if let Some(place) = self.places.get_mut(&(course, user)) {
                    place.befall(fate, now);
                }
            }
        }
    }
}

impl Place {
    /// Does to an enrollment what its status allows, as the procedures for it would.
    fn befall(&mut self, fate: Fate, now: Moment) {
        let row = &mut self.row;
        match (fate, row.status) {
            (Fate::Waitlisted, Enrolled) => (row.status, row.waitlisted_at) = (Waitlisted, Some(now)),
            (Fate::Expired, Enrolled) => row.status = Expired,
            (Fate::Completed, Enrolled) => {
                (row.status, row.completed_at) = (Completed, Some(now));
                (row.completion_score, row.certificate_id) = (Some(Score::MAX), Some(id(51)));
            }
            (Fate::Revoked, Enrolled) => {
                self.befall(Fate::Completed, now);
                self.befall(Fate::Revoked, now);
            }
            (Fate::Revoked, Completed) => (row.status, row.cancelled_at) = (Cancelled, Some(now)),
            (Fate::ModuleCompleted(place), Enrolled) => {
                row.started_at = row.started_at.or(Some(now));
                self.change_part(place, |part| part.completed_at = Some(now));
            }
            (Fate::ModuleUnassigned(place), Enrolled) => {
                self.change_part(place, |part| part.unassigned = true);
            }
            (_, Waitlisted | Completed | Cancelled | Expired) => {}
        }
    }

    fn change_part(&mut self, place: usize, change: impl FnOnce(&mut Part)) {
        let mut counted: Vec<&mut Part> = self.parts.values_mut().filter(|part| part.counts()).collect();
        let places = counted.len().max(1);
        if let Some(part) = counted.get_mut(place % places) {
            change(part);
        }
        self.count_parts();
    }
}
