//! A typed client of Rollbook for services in Rust, on jsonrpsee's clients.
//!
//! A procedure is a type, the very one that the server declares it by: its input and its answer follow from it.
//!
//! ```no_run
//! use rollbook_client::enrollment::{Enroll, EnrollInput};
//! use rollbook_client::error::Reason;
//! use rollbook_client::values::{CourseId, UserId};
//! use rollbook_client::{CallError, HttpClient, Session};
//!
//! # async fn example(token: String, course_id: CourseId, learner: UserId) -> Result<(), CallError> {
//! let rollbook = HttpClient::new("https://rollbook.example.com", &Session::bearing(token))?;
//! let input = EnrollInput { course_id, user_id: Some(learner), notes: None, waitlist: None };
//! match rollbook.call::<Enroll>(input).await {
//!     Ok(enrollment) => println!("{} is {:?}", enrollment.id, enrollment.status),
//!     Err(error) => match error.reason() {
//!         Some(Reason::AlreadyEnrolled { enrollment_id, .. }) => println!("see {enrollment_id}"),
//!         _ => return Err(error),
//!     },
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod refusal;
mod subscription;

pub use client::{Callable, Client, HttpClient, Session, WsClient};
pub use procedures::router::Signature;
pub use procedures::{error, values};
pub use refusal::{CallError, Refusal};
pub use subscription::Subscription;

/// `course.*`.
pub mod course {
    pub use procedures::course::{
        AddModule, AddModuleInput, Archive, ArchiveInput, Course, CourseStatus, Create, CreateInput,
        EnrollmentMode, Get, GetInput, List, ListInput, Module, ModuleKind, Publish, PublishInput,
        RetireModule, RetireModuleInput, Unpublish, UnpublishInput, Update, UpdateInput, UpdateModule,
        UpdateModuleInput,
    };
}

/// `enrollment.*`.
pub mod enrollment {
    pub use procedures::enrollment::{
        Access, AccessInput, AccessReason, Count, CountInput, Enroll, EnrollInput, Enrollment,
        EnrollmentAccess, EnrollmentCount, EnrollmentStatus, Find, FindInput, Get, GetInput, History,
        HistoryInput, ListByCourse, ListByCourseInput, ListByUser, ListByUserInput, OnChange, OnChangeInput,
        RosterEntry, RosterUser, Source, Unenroll, UnenrollInput,
    };
}

/// What happened to enrollments.
pub mod event {
    pub use procedures::event::{ActorKind, Event, EventActor, EventData, EventId, EventKind};
}

/// `member.*`.
pub mod member {
    pub use procedures::member::{
        Get, GetInput, List, ListInput, Member, MembershipStatus, Provision, ProvisionInput, Role, SetRole,
        SetRoleInput,
    };
}

/// `module.*`.
pub mod module {
    pub use procedures::module::{ListByEnrollment, ListByEnrollmentInput, ModuleEnrollment};
}

/// `organization.*`.
pub mod organization {
    pub use procedures::organization::{Create, CreateInput, Get, GetInput, Organization};
}

/// `session.*`. What `session.me` answers is [`Me`](session::Me)'s output.
pub mod session {
    pub use procedures::router::NoInput;
    pub use procedures::session::{Me, Scope, SessionKind};
}
