//! What follows from the table for calls about one enrollment, for predictions and for cohorts, by caller.

use uuid::Uuid;

use super::*;
use crate::caller::{Person, Service, Tenant};
use crate::error::Code;

/// What may be done to an enrollment that is named by its id, in the order of the columns below.
const ACTIONS: [Action; 5] = [
    Action::DecideEnrollments,
    Action::RecordProgress,
    Action::RevokeCompletions,
    Action::ExpireEnrollments,
    Action::ReadNotes,
];

/// A decision as far as the tables tell one from another.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Oneself,
    Anyone,
    LearnersOnly,
    NotFound,
    Because(Reason),
}

use Answer::{Anyone, Because, LearnersOnly, NotFound, Oneself};

impl Answer {
    fn to(whom: UserId, decided: Result<Subject>) -> Self {
        match decided {
            Ok(subject) => Answer::about(whom, subject),
            Err(error) => Answer::of_refusal(&error),
        }
    }

    fn about(whom: UserId, subject: Subject) -> Self {
        assert_eq!(subject.user_id(), whom);
        match (subject.is_caller(), subject.must_be_learner()) {
            (true, false) => Oneself,
            (false, false) => Anyone,
            (false, true) => LearnersOnly,
            (true, true) => panic!("whoever acts for themselves need not be a learner"),
        }
    }

    fn of_refusal(error: &Error) -> Self {
        match error.reason() {
            Some(reason) => Because(reason.clone()),
            None => {
                assert_eq!(error.code(), Code::NotFound);
                NotFound
            }
        }
    }
}

fn somebody() -> UserId {
    Uuid::from_u128(2).into()
}

/// The person who calls, if it is one.
fn own() -> UserId {
    Uuid::from_u128(3).into()
}

fn insider(actor: Actor) -> Insider {
    Insider { tenant: Tenant::of(Uuid::from_u128(1).into()), actor }
}

fn person(role: Option<Role>, global_admin: bool) -> Insider {
    insider(Actor::Person(Person { user_id: own(), display_name: None, role, global_admin }))
}

fn member(role: Role) -> Insider {
    person(Some(role), false)
}

/// One who is no member.
fn global_admin() -> Insider {
    person(None, true)
}

fn service(scopes: &[Scope]) -> Insider {
    insider(Actor::Service(Service { token_id: Uuid::from_u128(4).into(), scopes: scopes.to_vec() }))
}

fn role() -> Answer {
    Because(Reason::RoleRequired)
}

fn scope_required(scope: &str) -> Reason {
    Reason::ScopeRequired { scope: scope.into() }
}

fn scope(scope: &str) -> Answer {
    Because(scope_required(scope))
}

/// The same answer to each action.
fn each(answer: Answer) -> [Answer; 5] {
    ACTIONS.map(|_| answer.clone())
}

#[test]
fn the_subject_of_anothers_enrollment() {
    let reads = [Scope::EnrollmentsRead];
    let writes = [Scope::EnrollmentsWrite];
    let records = [Scope::ProgressWrite];
    let (read, write, record) =
        (|| scope("enrollments:read"), || scope("enrollments:write"), || scope("progress:write"));
    for (caller, is_author, expected) in [
        (member(Role::Learner), false, each(NotFound)),
        (member(Role::Author), false, each(NotFound)),
        (member(Role::Author), true, each(role())),
        (member(Role::Coordinator), false, [Anyone, role(), role(), role(), Anyone]),
        (member(Role::Admin), false, [Anyone, role(), Anyone, role(), Anyone]),
        (global_admin(), false, [Anyone, role(), Anyone, role(), Anyone]),
        (service(&reads), false, [write(), record(), write(), write(), role()]),
        (service(&writes), false, [Anyone, record(), Anyone, Anyone, read()]),
        (service(&records), false, [write(), Anyone, write(), write(), read()]),
        (service(&[]), false, [write(), record(), write(), write(), read()]),
    ] {
        let answers = ACTIONS.map(|action| {
            Answer::to(somebody(), subject_of_enrollment(&caller, action, somebody(), is_author))
        });
        assert_eq!(answers, expected, "{caller:?} {is_author}");
    }
    // D21.
    let coordinator = member(Role::Coordinator);
    let proxy = subject_of_enrollment(&coordinator, Action::WriteEnrollments, somebody(), false);
    assert_eq!(Answer::to(somebody(), proxy), LearnersOnly);
}

#[test]
fn the_subject_of_ones_own_enrollment() {
    for (caller, expected) in [
        (member(Role::Learner), [role(), Oneself, role(), role(), role()]),
        (member(Role::Author), [role(), Oneself, role(), role(), role()]),
        (member(Role::Coordinator), [Anyone, Oneself, role(), role(), Anyone]),
        (member(Role::Admin), [Anyone, Oneself, Anyone, role(), Anyone]),
        (person(Some(Role::Learner), true), [Anyone, Oneself, Anyone, role(), Anyone]),
        (global_admin(), [Anyone, Because(Reason::NotAMember), Anyone, role(), Anyone]),
    ] {
        let answers =
            ACTIONS.map(|action| Answer::to(own(), subject_of_enrollment(&caller, action, own(), false)));
        assert_eq!(answers, expected, "{caller:?}");
    }
}

/// Before an enrollment is looked up. Whatever is refused here is refused once it is at hand.
#[test]
fn who_may_act_on_enrollments_at_all() {
    let no = || Some(Reason::RoleRequired);
    let (write, record) =
        (|| Some(scope_required("enrollments:write")), || Some(scope_required("progress:write")));
    for (caller, expected) in [
        (member(Role::Learner), [no(), None, no(), no(), no()]),
        (member(Role::Author), [no(), None, no(), no(), no()]),
        (member(Role::Coordinator), [None, None, no(), no(), None]),
        (member(Role::Admin), [None, None, None, no(), None]),
        (global_admin(), [None, None, None, no(), None]),
        (service(&[Scope::EnrollmentsWrite]), [None, record(), None, None, no()]),
        (service(&[Scope::ProgressWrite]), [write(), None, write(), write(), no()]),
        (service(&[]), [write(), record(), write(), write(), no()]),
    ] {
        for (action, expected) in ACTIONS.into_iter().zip(expected) {
            let refusal = may_act_on_enrollments(&caller, action).err();
            let reason = refusal.as_ref().and_then(Error::reason).cloned();
            assert_eq!(reason, expected, "{caller:?} {action:?}");
            assert_eq!(refusal.is_some(), expected.is_some(), "{caller:?} {action:?}");
            if refusal.is_some() {
                for whom in [somebody(), own()] {
                    assert!(
                        subject_of_enrollment(&caller, action, whom, true).is_err(),
                        "{caller:?} {action:?}"
                    );
                }
            }
        }
    }
}

/// Whom the prediction is about with what speaks against it, or why nothing is told.
fn checked(
    caller: &Insider,
    named: Option<UserId>,
    change: Action,
) -> Result<(Answer, Option<Reason>), Answer> {
    match subject_of_check(caller, named, change) {
        Ok((subject, refused)) => Ok((Answer::about(named.unwrap_or(own()), subject), refused)),
        Err(error) => Err(Answer::of_refusal(&error)),
    }
}

#[test]
fn the_subject_of_a_prediction_of_enrolling() {
    let no_person =
        Because(Reason::InvalidInput { field: "userId".into(), problem: "required of a service".into() });
    let reads = [Scope::EnrollmentsRead];
    let writes = [Scope::EnrollmentsWrite];
    let unwritten = || Some(scope_required("enrollments:write"));
    let (no_one, another, oneself) = (None, Some(somebody()), Some(own()));
    for (caller, named, expected) in [
        (member(Role::Learner), no_one, Ok((Oneself, None))),
        (member(Role::Learner), oneself, Ok((Oneself, None))),
        (member(Role::Learner), another, Err(role())),
        (member(Role::Author), no_one, Ok((Oneself, None))),
        (member(Role::Author), another, Err(role())),
        (member(Role::Coordinator), oneself, Ok((Oneself, None))),
        (member(Role::Coordinator), another, Ok((LearnersOnly, None))),
        (member(Role::Admin), another, Ok((Anyone, None))),
        (person(Some(Role::Learner), true), no_one, Ok((Oneself, None))),
        (global_admin(), another, Ok((Anyone, None))),
        (global_admin(), no_one, Err(Because(Reason::NotAMember))),
        (service(&writes), another, Ok((Anyone, None))),
        (service(&reads), another, Ok((Anyone, unwritten()))),
        (service(&[]), another, Err(scope("enrollments:read"))),
        (service(&writes), no_one, Err(no_person)),
    ] {
        assert_eq!(checked(&caller, named, Action::WriteEnrollments), expected, "{caller:?} {named:?}");
    }
}

#[test]
fn the_subject_of_a_prediction_of_revoking() {
    let no = || Some(Reason::RoleRequired);
    let unwritten = || Some(scope_required("enrollments:write"));
    let (no_one, another) = (None, Some(somebody()));
    for (caller, named, expected) in [
        (member(Role::Learner), no_one, Ok((Oneself, no()))),
        (member(Role::Learner), another, Err(role())),
        (member(Role::Author), no_one, Ok((Oneself, no()))),
        (member(Role::Coordinator), no_one, Ok((Oneself, no()))),
        (member(Role::Coordinator), another, Ok((LearnersOnly, no()))),
        (member(Role::Admin), no_one, Ok((Oneself, None))),
        (member(Role::Admin), another, Ok((Anyone, None))),
        (global_admin(), another, Ok((Anyone, None))),
        (service(&[Scope::EnrollmentsWrite]), another, Ok((Anyone, None))),
        (service(&[Scope::EnrollmentsRead]), another, Ok((Anyone, unwritten()))),
    ] {
        assert_eq!(checked(&caller, named, Action::RevokeCompletions), expected, "{caller:?} {named:?}");
    }
}

/// D21: being in a cohort is no way around it, neither for the caller nor for whoever put someone into it.
#[test]
fn the_subject_of_a_cohort() {
    for (caller, whom, added_as_learner, expected) in [
        (member(Role::Coordinator), somebody(), false, LearnersOnly),
        (member(Role::Coordinator), own(), false, Anyone),
        (member(Role::Author), somebody(), true, LearnersOnly),
        (member(Role::Admin), somebody(), false, Anyone),
        (member(Role::Admin), somebody(), true, LearnersOnly),
        (global_admin(), somebody(), false, Anyone),
        (service(&[Scope::CohortsWrite]), somebody(), false, Anyone),
        (service(&[Scope::CohortsWrite]), somebody(), true, LearnersOnly),
    ] {
        let subject = subject_of_cohort(&caller, whom, added_as_learner);
        assert_eq!(Answer::about(whom, subject), expected, "{caller:?} {added_as_learner}");
    }
}
