//! What a dry run says.

use super::Word;
use super::answers::{Ask, Caller, Command};
use super::world::{Status, World};

/// What a dry run can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Enroll,
    Unenroll,
    Revoke,
}

impl Action {
    pub const ALL: [Self; 3] = [Action::Enroll, Action::Unenroll, Action::Revoke];

    pub const fn word(self) -> &'static str {
        match self {
            Action::Enroll => "enroll",
            Action::Unenroll => "unenroll",
            Action::Revoke => "revoke",
        }
    }

    /// The command it is a dry run of.
    pub const fn command(self) -> Command {
        match self {
            Action::Enroll => Command::Enroll { waitlist: true },
            Action::Unenroll => Command::Unenroll,
            Action::Revoke => Command::Revoke,
        }
    }
}

/// What would come of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Refused(Vec<Word>),
    Becomes {
        status: Status,
        reactivates: bool,
        position: Option<usize>,
        seat_freed: bool,
        promotes: Option<usize>,
        certificate_voided: bool,
    },
}

/// The outcome, or why nothing is said.
pub type Check = Result<Outcome, Word>;

impl World {
    pub fn check(&self, caller: Caller, course: usize, user: usize, action: Action) -> Check {
        let ask = Ask { caller, course, user, command: action.command() };
        let reading = Ask { command: Command::Unenroll, ..ask };
        self.may(&reading)?;
        let refused = self.may(&ask).err();
        let shut = self.refusals(&ask);
        if shut.first() == Some(&"notFound") {
            return Err("notFound");
        }
        let mut words: Vec<Word> = refused.into_iter().collect();
        for word in shut.into_iter().filter(|word| *word != "notFound") {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if !words.is_empty() {
            return Ok(Outcome::Refused(words));
        }
        let before = self.places.get(&(course, user)).map(|place| place.status);
        let mut then = self.clone();
        let told = then.perform(&ask);
        let status = then.places[&(course, user)].status;
        let position = then.queue(course).iter().position(|waiting| *waiting == user);
        let happens = |kind| told.iter().find(|told| told.0 == kind);
        Ok(Outcome::Becomes {
            status,
            reactivates: happens("reactivated").is_some(),
            position: position.map(|place| place + 1),
            seat_freed: status == Status::Cancelled
                && matches!(before, Some(Status::Enrolled | Status::Completed)),
            promotes: happens("promoted").map(|told| told.2),
            certificate_voided: happens("certificateVoided").is_some(),
        })
    }
}
