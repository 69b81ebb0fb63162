//! From a database's error to a call's, in one exhaustive match.
//!
//! A rule is checked before a row is written; a constraint that refuses a row all the same is the last guard. Its
//! name maps back to the rule's, so the log says which rule let something through.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as Diesel};

use crate::error::{Error, Outcome, Rule};

/// PostgreSQL names the constraint; SQLite quotes a CHECK's name or a unique index's columns.
const CONSTRAINTS: &[(&str, Rule)] = &[
    ("completion_score_range", Rule::CompletionScoreRange),
    ("completed_at_after_enrolled_at", Rule::CompletedAtAfterEnrolledAt),
    ("certificate_id_set_only_on_completion", Rule::CertificateIdSetOnlyOnCompletion),
    ("idx_course_enrollments_unique_user_course", Rule::UniqueEnrollmentPerUserPerCourse),
    ("course_enrollments.user_id, course_enrollments.course_id", Rule::UniqueEnrollmentPerUserPerCourse),
    ("certificate_issued_on_completion", Rule::CertificateIssuedOnCompletion),
    ("certificates.enrollment_id, certificates.attempt", Rule::CertificateIssuedOnCompletion),
    ("valid_user_id", Rule::ValidUserId),
    ("valid_course_id", Rule::ValidCourseId),
    ("organization_consistency", Rule::OrganizationConsistency),
    // SQLite does not say which foreign key failed; all of them keep rows of one organization together.
    ("FOREIGN KEY constraint failed", Rule::OrganizationConsistency),
];

/// The rule whose constraint refused a row.
fn rule_of(information: &dyn DatabaseErrorInformation) -> Option<Rule> {
    let name = information.constraint_name().unwrap_or_else(|| information.message());
    CONSTRAINTS.iter().find(|(constraint, _)| name.contains(constraint)).map(|(_, rule)| *rule)
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        match &error {
            Diesel::DatabaseError(kind, information) => match kind {
                DatabaseErrorKind::SerializationFailure => Error::retryable(error),
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::RestrictViolation
                | DatabaseErrorKind::ExclusionViolation => match rule_of(information.as_ref()) {
                    Some(rule) => Error::internal(error).by_rule(rule),
                    None => Error::internal(error),
                },
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                    Error::unavailable(Outcome::NotApplied, error)
                }
                // diesel has no kinds for these; the messages are PostgreSQL's (in English, the pool sees to it) and SQLite's.
                DatabaseErrorKind::Unknown => match information.message() {
                    "deadlock detected" => Error::retryable(error),
                    message if is_out_of_reach(message) => Error::unavailable(Outcome::NotApplied, error),
                    // A trigger of SQLite's names the constraint that it stands for.
                    _ => match rule_of(information.as_ref()) {
                        Some(rule) => Error::internal(error).by_rule(rule),
                        None => Error::internal(error),
                    },
                },
                DatabaseErrorKind::ReadOnlyTransaction => Error::unavailable(Outcome::NotApplied, error),
                _ => Error::internal(error),
            },
            Diesel::BrokenTransactionManager => Error::unavailable(Outcome::NotApplied, error),
            Diesel::InvalidCString(_)
            | Diesel::NotFound
            | Diesel::QueryBuilderError(_)
            | Diesel::DeserializationError(_)
            | Diesel::SerializationError(_)
            | Diesel::RollbackErrorOnCommit { .. }
            | Diesel::RollbackTransaction
            | Diesel::AlreadyInTransaction
            | Diesel::NotInTransaction => Error::internal(error),
            _ => Error::internal(error),
        }
    }
}

/// Timeouts, a server that shuts down, a full disk, a file that another process holds.
fn is_out_of_reach(message: &str) -> bool {
    [
        "canceling statement due to",
        "terminating connection due to",
        "the database system is",
        "could not extend file",
        "No space left on device",
        "remaining connection slots",
        "sorry, too many clients",
        "database is locked",
        "database or disk is full",
        "disk I/O error",
    ]
    .iter()
    .any(|start| message.contains(start))
}
