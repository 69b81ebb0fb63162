//! What must hold of an organization's rows, each as the rows that there must not be. A rule with a name has that name
//! here too (`DOMAIN.md`).
//!
//! They are read from the rows themselves, not through the code that wrote them, so that neither can hide what the
//! other does wrong. Seals alone are compared by the code that makes them, which has tests of its own.

mod certificates;
mod counters;
mod enrollments;
mod events;
mod organizations;
mod waitlist;

use crate::text_enum;

text_enum! {
    /// What must hold of an organization.
    pub enum Invariant {
        /// No course has more enrollments in a seat than it may have (D10).
        SeatsWithinLimit = "seats_within_limit",
        /// A person has one enrollment in a course (D1).
        UniqueEnrollmentPerUserPerCourse = "unique_enrollment_per_user_per_course",
        /// What is counted along with each change is what there is.
        CountersEqualRows = "counters_equal_rows",
        /// A completion has its certificate, and nothing else has one (D13).
        CertificateIssuedOnCompletion = "certificate_issued_on_completion",
        /// The certificate of a completion that was taken back is void (D5).
        CancelledEnrollmentBlocksCertificate = "cancelled_enrollment_blocks_certificate",
        /// Every change has its event, every event its change, and the log has no gap.
        EventsMatchChanges = "events_match_changes",
        /// Rows that refer to each other are of one organization.
        OrganizationConsistency = "organization_consistency",
        /// Nobody whose membership has ended is enrolled or waits (D19).
        TenantScopedAccess = "tenant_scoped_access",
        /// Nobody waits while there is a seat for them (D11).
        WaitlistMoves = "waitlist_moves",
        /// No event that was sealed has been altered or removed.
        EventLogUnaltered = "event_log_unaltered",
    }
}

/// What proves that an invariant holds.
pub(super) enum Proof {
    /// That nothing of this is found.
    NothingFound(&'static [Sought]),
    /// That each seal is what its event and those before it come to. It is reckoned anew, not asked in SQL.
    SealsFit,
}

impl Invariant {
    pub(super) fn proof(self) -> Proof {
        Proof::NothingFound(match self {
            Invariant::SeatsWithinLimit => enrollments::SEATS_WITHIN_LIMIT,
            Invariant::UniqueEnrollmentPerUserPerCourse => enrollments::UNIQUE_ENROLLMENT_PER_USER_PER_COURSE,
            Invariant::CountersEqualRows => counters::COUNTERS_EQUAL_ROWS,
            Invariant::CertificateIssuedOnCompletion => certificates::CERTIFICATE_ISSUED_ON_COMPLETION,
            Invariant::CancelledEnrollmentBlocksCertificate => {
                certificates::CANCELLED_ENROLLMENT_BLOCKS_CERTIFICATE
            }
            Invariant::EventsMatchChanges => events::EVENTS_MATCH_CHANGES,
            Invariant::OrganizationConsistency => organizations::ORGANIZATION_CONSISTENCY,
            Invariant::TenantScopedAccess => enrollments::TENANT_SCOPED_ACCESS,
            Invariant::WaitlistMoves => waitlist::WAITLIST_MOVES,
            Invariant::EventLogUnaltered => return Proof::SealsFit,
        })
    }
}

/// Rows that there must not be, in SQL that both databases understand alike: expressions for what a violation says, and
/// where to look. `$1` is the organization, `$2` the present moment; SQLite numbers them as they appear, so the
/// organization comes first.
pub(super) struct Sought {
    /// What is wrong, never null.
    pub problem: &'static str,
    pub course: &'static str,
    pub enrollment: &'static str,
    pub user: &'static str,
    pub module: &'static str,
    pub certificate: &'static str,
    /// The number of an event.
    pub event: &'static str,
    /// Tables, joins and conditions. They begin at rows that an index finds by their organization, so that other
    /// tenants cost nothing.
    pub among: &'static str,
}

impl Sought {
    /// No id, to begin with.
    const NOTHING: Sought = Sought {
        problem: "''",
        course: "NULL",
        enrollment: "NULL",
        user: "NULL",
        module: "NULL",
        certificate: "NULL",
        event: "NULL",
        among: "",
    };

    /// About an enrollment that `among` calls `enrollment`.
    const ENROLLMENT: Sought = Sought {
        course: "enrollment.course_id",
        enrollment: "enrollment.id",
        user: "enrollment.user_id",
        ..Sought::NOTHING
    };
}
