//! What goes wrong, and how much of it a client is told.
//!
//! One shape on every wire ([`ErrorShape`]). A refusal carries its [`Reason`], typed, for clients to branch on, and
//! the [`Rule`] that refused. A fault carries its cause, which is logged under the request's id and never sent.

use std::error::Error as StdError;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::enrollment::EnrollmentStatus;
use crate::values::{EnrollmentId, Moment, Score};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// tRPC's error keys; each is also a number (JSON-RPC's `code`) and an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    ParseError,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotSupported,
    Timeout,
    Conflict,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    UnprocessableContent,
    TooManyRequests,
    InternalServerError,
    ServiceUnavailable,
}

impl Code {
    /// The key itself, as JSON has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::ParseError => "PARSE_ERROR",
            Code::BadRequest => "BAD_REQUEST",
            Code::Unauthorized => "UNAUTHORIZED",
            Code::Forbidden => "FORBIDDEN",
            Code::NotFound => "NOT_FOUND",
            Code::MethodNotSupported => "METHOD_NOT_SUPPORTED",
            Code::Timeout => "TIMEOUT",
            Code::Conflict => "CONFLICT",
            Code::PreconditionFailed => "PRECONDITION_FAILED",
            Code::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Code::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Code::UnprocessableContent => "UNPROCESSABLE_CONTENT",
            Code::TooManyRequests => "TOO_MANY_REQUESTS",
            Code::InternalServerError => "INTERNAL_SERVER_ERROR",
            Code::ServiceUnavailable => "SERVICE_UNAVAILABLE",
        }
    }

    /// tRPC's number for this key, which JSON-RPC carries as `error.code`.
    pub const fn number(self) -> i32 {
        match self {
            Code::ParseError => -32700,
            Code::BadRequest => -32600,
            Code::Unauthorized => -32001,
            Code::Forbidden => -32003,
            Code::NotFound => -32004,
            Code::MethodNotSupported => -32005,
            Code::Timeout => -32008,
            Code::Conflict => -32009,
            Code::PreconditionFailed => -32012,
            Code::PayloadTooLarge => -32013,
            Code::UnsupportedMediaType => -32015,
            Code::UnprocessableContent => -32022,
            Code::TooManyRequests => -32029,
            Code::InternalServerError | Code::ServiceUnavailable => -32603,
        }
    }

    /// The key that an HTTP status stands for where there is nothing else to go by.
    pub const fn of_http_status(status: u16) -> Option<Self> {
        match status {
            400 => Some(Code::BadRequest),
            401 => Some(Code::Unauthorized),
            403 => Some(Code::Forbidden),
            404 => Some(Code::NotFound),
            405 => Some(Code::MethodNotSupported),
            408 => Some(Code::Timeout),
            409 => Some(Code::Conflict),
            412 => Some(Code::PreconditionFailed),
            413 => Some(Code::PayloadTooLarge),
            415 => Some(Code::UnsupportedMediaType),
            422 => Some(Code::UnprocessableContent),
            429 => Some(Code::TooManyRequests),
            500 => Some(Code::InternalServerError),
            503 => Some(Code::ServiceUnavailable),
            _ => None,
        }
    }

    pub const fn http_status(self) -> u16 {
        match self {
            Code::ParseError | Code::BadRequest => 400,
            Code::Unauthorized => 401,
            Code::Forbidden => 403,
            Code::NotFound => 404,
            Code::MethodNotSupported => 405,
            Code::Timeout => 408,
            Code::Conflict => 409,
            Code::PreconditionFailed => 412,
            Code::PayloadTooLarge => 413,
            Code::UnsupportedMediaType => 415,
            Code::UnprocessableContent => 422,
            Code::TooManyRequests => 429,
            Code::InternalServerError => 500,
            Code::ServiceUnavailable => 503,
        }
    }
}

/// The domain's named rules (`DOMAIN.md`), as `error.data.rule` carries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    ValidUserId,
    ValidCourseId,
    CompletionScoreRange,
    CompletedAtAfterEnrolledAt,
    OrganizationConsistency,
    CertificateIdSetOnlyOnCompletion,
    UniqueEnrollmentPerUserPerCourse,
    CertificateIssuedOnCompletion,
    CoordinatorProxyEnrollmentAllowed,
    TenantScopedAccess,
    CancelledEnrollmentBlocksCertificate,
    StatusTransitionEnforcement,
    ExpiryReminderScheduling,
}

/// Whether the change of a call that failed for want of the database may have been made all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was not: the call can be repeated.
    NotApplied,
    /// It may have been: repeat it with its idempotency key, or look first.
    Unknown,
}

/// Why a call was refused; `type` says which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reason {
    /// The input is not of the declared shape; `field` is a path such as `items[3].courseId`, empty for the whole.
    InvalidInput { field: String, problem: String },
    /// Not an active member of the organization the call is in.
    NotAMember,
    /// The caller's role does not allow it.
    RoleRequired,
    /// The service token lacks this scope.
    ScopeRequired { scope: String },
    /// The course is managed: learners neither enroll nor unenroll themselves (D20).
    ManagedCourse,
    /// There is an active enrollment already (D2).
    AlreadyEnrolled { enrollment_id: EnrollmentId, status: EnrollmentStatus },
    /// The enrollment's status does not allow it (D3).
    InvalidTransition { from: EnrollmentStatus, to: EnrollmentStatus },
    /// The thing was changed since it was read; `current` is its version now.
    VersionMismatch { current: i32 },
    /// A call with the same idempotency key is still running.
    KeyInFlight,
    /// A person cancelled the enrollment, so a cohort leaves it alone until a person enrolls again (D20).
    Tombstone,
    /// Another organization has this slug.
    SlugTaken,
    /// Another organization signs in with this issuer (D18).
    IssuerTaken,
    /// The organization has no identity provider yet, so nobody can be known by a subject there.
    NoIdentityProvider,
    /// The course is a draft or archived (D16).
    CourseNotPublished,
    /// Every seat is taken (D10).
    CourseFull { capacity: i32 },
    /// Enrolling begins later.
    NotOpenYet { opens_at: Moment },
    /// Enrolling has ended.
    Closed { closed_at: Moment },
    /// So many modules are not completed yet (D12).
    ModulesIncomplete { missing: i32 },
    /// The score does not reach the course's pass score (D12).
    BelowPassScore { pass_score: Score },
    /// Too many calls, of this caller or from its address; none of these was made. Come back after so many seconds.
    RateLimited { retry_after_seconds: u32 },
    /// The database, or a set of keys, is out of reach.
    Unavailable { outcome: Outcome },
}

impl Reason {
    pub const fn code(&self) -> Code {
        match self {
            Reason::InvalidInput { .. } => Code::BadRequest,
            Reason::NotAMember
            | Reason::RoleRequired
            | Reason::ScopeRequired { .. }
            | Reason::ManagedCourse => Code::Forbidden,
            Reason::AlreadyEnrolled { .. }
            | Reason::InvalidTransition { .. }
            | Reason::VersionMismatch { .. }
            | Reason::KeyInFlight
            | Reason::Tombstone
            | Reason::SlugTaken
            | Reason::IssuerTaken => Code::Conflict,
            Reason::NoIdentityProvider
            | Reason::CourseNotPublished
            | Reason::CourseFull { .. }
            | Reason::NotOpenYet { .. }
            | Reason::Closed { .. }
            | Reason::ModulesIncomplete { .. }
            | Reason::BelowPassScore { .. } => Code::PreconditionFailed,
            Reason::RateLimited { .. } => Code::TooManyRequests,
            Reason::Unavailable { .. } => Code::ServiceUnavailable,
        }
    }

    /// The named rule behind this reason, where there is one.
    const fn rule(&self) -> Option<Rule> {
        match self {
            Reason::NotAMember => Some(Rule::TenantScopedAccess),
            Reason::AlreadyEnrolled { .. } => Some(Rule::UniqueEnrollmentPerUserPerCourse),
            Reason::InvalidTransition { .. } => Some(Rule::StatusTransitionEnforcement),
            Reason::InvalidInput { .. }
            | Reason::RoleRequired
            | Reason::ScopeRequired { .. }
            | Reason::ManagedCourse
            | Reason::VersionMismatch { .. }
            | Reason::KeyInFlight
            | Reason::Tombstone
            | Reason::SlugTaken
            | Reason::IssuerTaken
            | Reason::NoIdentityProvider
            | Reason::CourseNotPublished
            | Reason::CourseFull { .. }
            | Reason::NotOpenYet { .. }
            | Reason::Closed { .. }
            | Reason::ModulesIncomplete { .. }
            | Reason::BelowPassScore { .. }
            | Reason::RateLimited { .. }
            | Reason::Unavailable { .. } => None,
        }
    }

    const fn message(&self) -> &'static str {
        match self {
            Reason::InvalidInput { .. } => "The input is not valid.",
            Reason::NotAMember => "Not an active member of this organization.",
            Reason::RoleRequired => "The caller's role does not allow this.",
            Reason::ScopeRequired { .. } => "The service token's scopes do not allow this.",
            Reason::ManagedCourse => "The course is managed: its coordinators decide who is enrolled.",
            Reason::AlreadyEnrolled { .. } => "Already enrolled in this course.",
            Reason::InvalidTransition { .. } => "The enrollment's status does not allow this.",
            Reason::VersionMismatch { .. } => "Changed by someone else since it was read.",
            Reason::KeyInFlight => "A call with this idempotency key is still running.",
            Reason::Tombstone => "A person cancelled this enrollment; only a person enrolls again.",
            Reason::SlugTaken => "Another organization has this slug.",
            Reason::IssuerTaken => "Another organization signs in with this issuer.",
            Reason::NoIdentityProvider => "The organization has no identity provider yet.",
            Reason::CourseNotPublished => "The course is not published.",
            Reason::CourseFull { .. } => "Every seat of the course is taken.",
            Reason::NotOpenYet { .. } => "Enrolling has not begun yet.",
            Reason::Closed { .. } => "Enrolling has ended.",
            Reason::ModulesIncomplete { .. } => "Not every module is completed.",
            Reason::BelowPassScore { .. } => "The score is below the course's pass score.",
            Reason::RateLimited { .. } => "Too many calls.",
            Reason::Unavailable { .. } => "Temporarily out of service.",
        }
    }
}

/// A call's failure: what its client is told, and the cause that only the log is told.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: &'static str,
    rule: Option<Rule>,
    reason: Option<Reason>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    retryable: bool,
}

impl Error {
    pub const fn new(code: Code, message: &'static str) -> Self {
        Error { code, message, rule: None, reason: None, cause: None, retryable: false }
    }

    /// No such thing, or not for this caller to know (D17): one answer for both.
    pub const fn not_found() -> Self {
        Self::new(Code::NotFound, "No such thing here.")
    }

    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, "A valid session is required.")
    }

    pub fn invalid_input(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Reason::InvalidInput { field: field.into(), problem: problem.into() }.into()
    }

    /// A defect. The client learns that there is one and under which request id to ask about it.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error { cause: Some(cause.into()), ..Self::new(Code::InternalServerError, "Internal error.") }
    }

    pub fn unavailable(outcome: Outcome, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error { cause: Some(cause.into()), ..Reason::Unavailable { outcome }.into() }
    }

    /// The transaction lost against another one and can be repeated as a whole.
    pub(crate) fn retryable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Error { retryable: true, ..Self::unavailable(Outcome::NotApplied, cause) }
    }

    /// The same for another caller who has met it too; its cause is logged once.
    pub(crate) fn for_another(&self) -> Self {
        Error { rule: self.rule, reason: self.reason.clone(), ..Self::new(self.code, self.message) }
    }

    /// Whether what was to be done may have been done.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        self.reason == Some(Reason::Unavailable { outcome: Outcome::Unknown })
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable
    }

    #[must_use]
    pub fn by_rule(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    pub fn code(&self) -> Code {
        self.code
    }

    pub fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }

    /// What to log: only faults have one.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync)> {
        self.cause.as_deref()
    }

    /// What the client is told.
    pub fn shape(&self, path: Option<&str>, request_id: &str) -> ErrorShape {
        ErrorShape {
            message: self.message.to_owned(),
            code: self.code.number(),
            data: ErrorData {
                code: self.code,
                http_status: self.code.http_status(),
                path: path.map(str::to_owned),
                request_id: request_id.to_owned(),
                rule: self.rule,
                reason: self.reason.clone(),
            },
        }
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Error {
            rule: reason.rule(),
            reason: Some(reason.clone()),
            ..Self::new(reason.code(), reason.message())
        }
    }
}
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.code, self.message)
    }
}
impl StdError for Error {}

/// The object under `error` on every wire, and per item of a bulk call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
pub struct ErrorShape {
    pub message: String,
    /// tRPC's number for `data.code`.
    pub code: i32,
    pub data: ErrorData,
}

/// What an error says beside its message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorData {
    /// Branch on this, and on `reason.type`.
    pub code: Code,
    pub http_status: u16,
    /// The procedure, where the request got as far as naming one.
    pub path: Option<String>,
    /// Names the request in the server's log.
    pub request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rule: Option<Rule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<Reason>,
}
