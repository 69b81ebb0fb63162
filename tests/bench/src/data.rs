//! What a benchmark finds in the database, as numbers: `sql/data.sql` makes the same ids and places of them.

use md5::{Digest, Md5};
use uuid::Uuid;

pub const ORGANIZATIONS: u64 = 20;
pub const USERS: u64 = 100_000;
pub const COURSES: u64 = 2_000;
pub const MODULES_PER_COURSE: u64 = 5;

/// The first users are the organizations' admins and coordinators, the others learners.
const STAFF: u64 = 1_000;
const LEARNERS: u64 = USERS - STAFF;

const COURSES_PER_ORGANIZATION: u64 = COURSES / ORGANIZATIONS;

/// An organization's courses but for the first, which everybody is in, and the last, which is a draft.
const SPREAD_COURSES: u64 = COURSES_PER_ORGANIZATION - 2;

/// How many enrollments may be there to begin with: then every user is in their organization's first course.
pub const MOST_ENROLLMENTS: u64 = 1_000_000;

/// Past all that may be there to begin with: the laps before this one are theirs.
const FIRST_FRESH_LAP: u64 = 10;

/// How many learners can still be enrolled somewhere.
pub const FRESH_PLACES: u64 = (SPREAD_COURSES - FIRST_FRESH_LAP) * LEARNERS;

/// When the first enrollment was made, and how long after each the next one, in milliseconds.
const BEGINNING: u64 = 1_735_689_600_000;
const INTERVAL: u64 = 20_000;

/// A learner in a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub user: u64,
    pub course: u64,
}

impl Place {
    /// In the learner's lap through the courses of their organization.
    fn spread(number: u64) -> Self {
        let (user, lap) = (STAFF + number % LEARNERS, number / LEARNERS);
        let course = 1 + (user / ORGANIZATIONS + lap) % SPREAD_COURSES;
        Place { user, course: organization(user) * COURSES_PER_ORGANIZATION + course }
    }

    /// Whose enrollment is there to begin with.
    pub fn preloaded(enrollment: u64) -> Self {
        match enrollment % 10 {
            0 => Place { user: enrollment / 10, course: first_course(organization(enrollment / 10)) },
            other => Place::spread(enrollment / 10 * 9 + other - 1),
        }
    }

    /// Whom to enroll where: evenly over learners and courses, and nobody twice.
    pub fn fresh(number: u64) -> Self {
        Place::spread(FIRST_FRESH_LAP * LEARNERS + number)
    }
}

pub fn organization(user: u64) -> u64 {
    user % ORGANIZATIONS
}

/// The course that everybody in an organization is in.
pub fn first_course(organization: u64) -> u64 {
    organization * COURSES_PER_ORGANIZATION
}

/// A coordinator of an organization.
pub fn coordinator(organization: u64, number: u64) -> u64 {
    let coordinators = STAFF / ORGANIZATIONS - 1;
    (1 + number % coordinators) * ORGANIZATIONS + organization
}

/// The name by which a user's identity provider knows them, and that of the provider.
pub fn subject(user: u64) -> String {
    format!("user-{user}")
}

pub fn issuer(organization: u64) -> String {
    format!("http://127.0.0.1/org-{organization}")
}

/// What the tokens are for, and the name of the one key that signs all of them.
pub const AUDIENCE: &str = "rollbook";
pub const KEY_ID: &str = "bench";

pub fn user_id(user: u64) -> Uuid {
    id("user", user)
}

pub fn course_id(course: u64) -> Uuid {
    id("course", course)
}

pub fn organization_id(organization: u64) -> Uuid {
    id("organization", organization)
}

pub fn enrollment_id(enrollment: u64) -> Uuid {
    let digest = digest("enrollment", enrollment);
    let milliseconds = u128::from(BEGINNING + enrollment * INTERVAL);
    // 12 hexadecimal digits of time, a 7, 3 of the digest, an 8, and 15 more of it.
    Uuid::from_u128(
        milliseconds << 80 | 7 << 76 | (digest >> 116) << 64 | 8 << 60 | (digest >> 56) & ((1 << 60) - 1),
    )
}

fn id(kind: &str, number: u64) -> Uuid {
    Uuid::from_u128(digest(kind, number))
}

fn digest(kind: &str, number: u64) -> u128 {
    u128::from_be_bytes(Md5::digest(format!("{kind} {number}")).into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_is_enrolled_twice() {
        let mut places = HashSet::new();
        assert!((0..MOST_ENROLLMENTS).map(Place::preloaded).all(|place| places.insert(place)));
        assert!((0..500_000).map(Place::fresh).all(|place| places.insert(place)));
        let last = (FRESH_PLACES - 500_000..FRESH_PLACES).map(Place::fresh);
        assert!(last.into_iter().all(|place| places.insert(place)));
    }

    #[test]
    fn learners_are_enrolled_in_published_courses_of_their_organization() {
        for place in (0..FRESH_PLACES).step_by(977).map(Place::fresh) {
            assert!((STAFF..USERS).contains(&place.user));
            assert_eq!(place.course / COURSES_PER_ORGANIZATION, organization(place.user));
            assert!((1..=SPREAD_COURSES).contains(&(place.course % COURSES_PER_ORGANIZATION)));
        }
    }

    #[test]
    fn fresh_places_are_spread_evenly() {
        let mut courses = vec![0_u32; usize::try_from(COURSES).unwrap()];
        for place in (0..LEARNERS).map(Place::fresh) {
            courses[usize::try_from(place.course).unwrap()] += 1;
        }
        let taken: Vec<u32> = courses.into_iter().filter(|learners| *learners > 0).collect();
        assert_eq!(taken.len(), usize::try_from(SPREAD_COURSES * ORGANIZATIONS).unwrap());
        assert!(taken.iter().all(|learners| (50..=51).contains(learners)));
    }

    /// What `bench.id` and `bench.enrollment_id` answered.
    #[test]
    fn ids_are_those_of_the_sql() {
        assert_eq!(user_id(42).to_string(), "87564135-d7e0-94eb-1aaf-2023c8340c93");
        assert_eq!(enrollment_id(12_345).to_string(), "01942de0-e120-7bd1-8930-cf805728a068");
    }

    #[test]
    fn staff_are_coordinators() {
        for number in 0..200 {
            let user = coordinator(7, number);
            assert_eq!(organization(user), 7);
            assert!((1..50).contains(&(user / ORGANIZATIONS)));
        }
    }
}
