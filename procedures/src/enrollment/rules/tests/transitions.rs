//! The transition table against one written out from the domain's list: "these, and nothing else".

use super::super::{Step, is_transition};
use crate::enrollment::EnrollmentStatus::{self, Cancelled, Completed, Enrolled, Expired, Waitlisted};

const STEPS: [Step; 6] =
    [Step::Enroll, Step::Promote, Step::Complete, Step::Unenroll, Step::Expire, Step::Revoke];

/// Every transition there is.
const LIST: [(Option<EnrollmentStatus>, Step, EnrollmentStatus); 13] = [
    // create → enrolled | waitlisted
    (None, Step::Enroll, Enrolled),
    (None, Step::Enroll, Waitlisted),
    // waitlisted → enrolled | cancelled
    (Some(Waitlisted), Step::Promote, Enrolled),
    (Some(Waitlisted), Step::Unenroll, Cancelled),
    // enrolled → completed | cancelled | expired
    (Some(Enrolled), Step::Complete, Completed),
    (Some(Enrolled), Step::Unenroll, Cancelled),
    (Some(Enrolled), Step::Expire, Expired),
    // completed → cancelled (revoke only)
    (Some(Completed), Step::Revoke, Cancelled),
    // cancelled, expired → enrolled | waitlisted (enroll only)
    (Some(Cancelled), Step::Enroll, Enrolled),
    (Some(Cancelled), Step::Enroll, Waitlisted),
    (Some(Expired), Step::Enroll, Enrolled),
    (Some(Expired), Step::Enroll, Waitlisted),
    // completed with an expired certificate → enrolled (enroll only): it holds its seat already
    (Some(Completed), Step::Enroll, Enrolled),
];

#[test]
fn status_transition_enforcement_allows_the_listed_transitions_and_nothing_else() {
    let mut allowed = 0;
    let statuses = EnrollmentStatus::ALL;
    for step in STEPS {
        for from in std::iter::once(None).chain(statuses.iter().copied().map(Some)) {
            for to in statuses.iter().copied() {
                let listed = LIST.contains(&(from, step, to));
                assert_eq!(is_transition(from, step, to), listed, "{from:?} → {to:?} by {step:?}");
                allowed += usize::from(listed);
            }
        }
    }
    assert_eq!(
        allowed,
        LIST.len(),
        "the list names each transition once, and by a status and a step that there are"
    );
}

#[test]
fn nothing_but_enrolling_leaves_a_cancelled_or_expired_enrollment() {
    for step in STEPS.into_iter().filter(|step| *step != Step::Enroll) {
        for from in [Cancelled, Expired] {
            for to in EnrollmentStatus::ALL {
                assert!(!is_transition(Some(from), step, *to), "{from:?} → {to:?} by {step:?}");
            }
        }
    }
}
