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

/// `admin.*`.
pub mod admin {
    pub use procedures::admin::{Invariant, InvariantCheck, InvariantReport, Verify, Violation};
    pub use procedures::router::NoInput;
}

/// `certificate.*`.
pub mod certificate {
    pub use procedures::certificate::{
        Certificate, CertificateNumber, CertificateState, Get, GetInput, ListByUser, ListByUserInput,
        Verification, Verify, VerifyInput,
    };
}

/// `cohort.*`.
pub mod cohort {
    pub use procedures::cohort::{
        AddMembers, AddMembersInput, AttachCourse, AttachCourseInput, Cohort, Create, CreateInput,
        DetachCourse, DetachCourseInput, Get, GetInput, List, ListInput, RemoveMembers, RemoveMembersInput,
        SkippedPlace, Sync, SyncInput, SyncReport,
    };
}

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
        Access, AccessInput, AccessReason, Check, CheckAction, CheckInput, CheckOutcome, Complete,
        CompleteInput, Consequences, Count, CountInput, Enroll, EnrollInput, EnrollMany, EnrollManyInput,
        EnrollManyItem, EnrollManyResult, EnrollManyResults, Enrollment, EnrollmentAccess, EnrollmentCheck,
        EnrollmentCount, EnrollmentStatus, Expire, ExpireInput, Find, FindInput, Get, GetInput, History,
        HistoryInput, ListByCourse, ListByCourseInput, ListByOrganization, ListByOrganizationInput,
        ListByUser, ListByUserInput, OnChange, OnChangeInput, Promote, PromoteInput, Revoke, RevokeInput,
        RosterEntry, RosterUser, SetNotes, SetNotesInput, Source, Unenroll, UnenrollInput,
    };
}

/// `event.*`: what happened to enrollments.
pub mod event {
    pub use procedures::event::{
        ActorKind, Event, EventActor, EventData, EventId, EventKind, Since, SinceInput,
    };
}

/// `member.*`.
pub mod member {
    pub use procedures::member::{
        End, EndInput, Get, GetInput, List, ListInput, Member, MembershipStatus, Provision, ProvisionInput,
        Resume, ResumeInput, Role, SetRole, SetRoleInput, Suspend, SuspendInput,
    };
}

/// `module.*`.
pub mod module {
    pub use procedures::module::{
        Assign, AssignInput, Complete, CompleteInput, Drift, DriftEntry, DriftInput, ListByEnrollment,
        ListByEnrollmentInput, ModuleEnrollment, ModuleProgress, Start, StartInput, Unassign, UnassignInput,
    };
}

/// `organization.*`.
pub mod organization {
    pub use procedures::organization::{
        Create, CreateInput, Get, GetInput, Organization, RemoveIdentityProvider,
        RemoveIdentityProviderInput, SetIdentityProvider, SetIdentityProviderInput, Update, UpdateInput,
    };
}

/// `serviceToken.*`: what services call with.
pub mod service_token {
    pub use procedures::service_token::{
        Create, CreateInput, CreatedServiceToken, List, ListInput, Revoke, RevokeInput, ServiceToken,
    };
    pub use procedures::session::Scope;
}

/// `session.*`. What `session.me` answers is [`Me`](session::Me)'s output.
pub mod session {
    pub use procedures::router::NoInput;
    pub use procedures::session::{Me, Scope, SessionKind};
}

/// `user.*`.
pub mod user {
    pub use procedures::user::{Anonymize, AnonymizeInput, Anonymized};
}

/// `webhook.*`: where events are sent.
pub mod webhook {
    pub use procedures::webhook::{
        Create, CreateInput, CreatedWebhook, Delete, DeleteInput, List, ListInput, Redeliver, RedeliverInput,
        Webhook,
    };
}
