//! The demo data: two organizations with users of every role, courses, and an enrollment in every status. It is added
//! once, through the very procedures that clients call. Each step has its idempotency key, so a start that was cut
//! short is taken up by the next, and processes that start together make one demo.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use procedures::Caller;
use procedures::course::Course;
use procedures::enrollment::EnrollmentStatus;
use procedures::error::{Error, Reason, Result};
use procedures::member::{Member, Role};
use procedures::session::Scope;
use procedures::values::{CourseId, EnrollmentId, Name, Page, Slug, UserId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::idp::Issuers;
use super::inside::{Inside, parsed};

/// How long to wait for another process that is at the same step.
const PAUSE: Duration = Duration::from_millis(50);

/// The organizations, by slug.
pub const ORGANIZATIONS: [(&str, &str); 2] = [("acme", "Acme Learning"), ("globex", "Globex Academy")];

/// The people of each organization: subject, name, role.
pub const PEOPLE: [(&str, &str, Role); 8] = [
    ("ada", "Ada Admin", Role::Admin),
    ("carol", "Carol Coordinator", Role::Coordinator),
    ("arthur", "Arthur Author", Role::Author),
    ("lena", "Lena Learner", Role::Learner),
    ("liam", "Liam Learner", Role::Learner),
    ("lily", "Lily Learner", Role::Learner),
    ("luca", "Luca Learner", Role::Learner),
    ("lois", "Lois Learner", Role::Learner),
];

/// What the last step makes: where it is, nothing is missing.
const LAST: &str = "Advanced negotiation";

/// Makes both organizations, and fills each that is not filled yet.
pub async fn ensure(issuers: &Issuers) -> Result<()> {
    for (slug, name) in ORGANIZATIONS {
        let (slug, name) = (parsed::<Slug>(slug)?, parsed::<Name>(name)?);
        issuers.ensure_organization(slug.clone(), name).await?;
        let inside = Inside::new(issuers, slug);
        Demo { inside, steps: AtomicU32::new(0) }.ensure().await?;
    }
    Ok(())
}

struct Demo<'a> {
    inside: Inside<'a>,
    /// How many have been taken; they are the same ones each time.
    steps: AtomicU32,
}

#[derive(Deserialize)]
struct Made<Id> {
    id: Id,
}

impl Demo<'_> {
    async fn ensure(&self) -> Result<()> {
        let admin = self.inside.sign_in("ada", Role::Admin).await?;
        let last: Page<Course> = self.inside.call(&admin, "course.list", json!({ "search": LAST })).await?;
        if !last.items.is_empty() {
            return Ok(());
        }
        let mut users = Vec::new();
        for (subject, name, role) in PEOPLE {
            let member = json!({ "subject": subject, "displayName": name, "role": role });
            let member: Member = self.step(&admin, "member.provision", member).await?;
            users.push(member.user_id);
        }
        let [_, _, author, lena, liam, lily, luca, lois] = users[..] else {
            return Err(Error::internal("the demo has eight people"));
        };

        let onboarding = json!({ "title": "Onboarding", "description": "The first week, day by day.", "authorIds": [author] });
        let onboarding =
            self.course(&admin, onboarding, &["Welcome", "Tools", "People", "Security", "Feedback"]).await?;
        let first_aid = json!({ "title": "First aid", "capacity": 2, "waitlist": true, "accessDays": 90 });
        let first_aid = self.course(&admin, first_aid, &["Theory", "Practice"]).await?;
        let history = json!({ "title": "Company history", "certificate": false });
        let history = self.course(&admin, history, &["The beginnings", "Today"]).await?;
        for (course, user, status) in [
            (onboarding, lena, EnrollmentStatus::Enrolled),
            (onboarding, liam, EnrollmentStatus::Cancelled),
            (history, lily, EnrollmentStatus::Completed),
            (history, luca, EnrollmentStatus::Expired),
            (first_aid, liam, EnrollmentStatus::Enrolled),
            (first_aid, lena, EnrollmentStatus::Enrolled),
            (first_aid, lois, EnrollmentStatus::Waitlisted),
        ] {
            self.enrollment(&admin, course, user, status).await?;
        }
        let draft = json!({ "title": LAST, "authorIds": [author] });
        let _: Made<CourseId> = self.step(&admin, "course.create", draft).await?;
        Ok(())
    }

    /// One mutation, under the key of its place among the steps.
    async fn step<T: DeserializeOwned>(&self, caller: &Caller, path: &str, mut input: Value) -> Result<T> {
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        input["idempotencyKey"] = format!("demo-{step}").into();
        loop {
            match self.inside.call(caller, path, input.clone()).await {
                // Another process is at the same step.
                Err(error) if error.reason() == Some(&Reason::KeyInFlight) => sleep(PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    async fn course(&self, admin: &Caller, input: Value, modules: &[&str]) -> Result<CourseId> {
        let course: Made<CourseId> = self.step(admin, "course.create", input).await?;
        for title in modules {
            let module = json!({ "courseId": course.id, "title": title, "kind": "lesson" });
            let _: Value = self.step(admin, "course.addModule", module).await?;
        }
        let _: Value = self.step(admin, "course.publish", json!({ "courseId": course.id })).await?;
        Ok(course.id)
    }

    async fn enrollment(
        &self,
        admin: &Caller,
        course: CourseId,
        user: UserId,
        status: EnrollmentStatus,
    ) -> Result<()> {
        let subject = json!({ "courseId": course, "userId": user });
        let enrollment: Made<EnrollmentId> = self.step(admin, "enrollment.enroll", subject.clone()).await?;
        match status {
            EnrollmentStatus::Enrolled => {}
            EnrollmentStatus::Cancelled => {
                let _: Value = self.step(admin, "enrollment.unenroll", subject).await?;
            }
            // The course is full: whoever is enrolled now waits.
            EnrollmentStatus::Waitlisted => {}
            EnrollmentStatus::Completed => {
                let waived = json!({ "enrollmentId": enrollment.id, "waiveReason": "Knew it all from the former course." });
                let _: Value = self.step(admin, "enrollment.complete", waived).await?;
            }
            EnrollmentStatus::Expired => {
                let service = self.inside.service(&[Scope::EnrollmentsWrite]).await?;
                let expired = json!({ "enrollmentId": enrollment.id });
                match self.inside.call::<Value>(&service, "enrollment.expire", expired).await {
                    // A former start, or another process, has done it: with a token, and so a key, of its own.
                    Err(error) if matches!(error.reason(), Some(Reason::InvalidTransition { .. })) => {}
                    outcome => {
                        outcome?;
                    }
                }
            }
        }
        Ok(())
    }
}
