//! What happens by itself: reminders (D22), access that has run out (D7), waiting in vain.

use std::time::Duration;

use super::*;
use crate::error::Rule;

const DAY: Duration = Duration::from_secs(86_400);

/// The learner's place ends so long from now; people are reminded 30 and 7 days before.
fn ending(in_days: u32, last: Option<Moment>) -> World {
    let mut world = World::new();
    let ends_at = Some(world.now.plus(DAY * in_days));
    let row = EnrollmentRow { expires_at: ends_at, reminder_sent_at: last, ..former(Enrolled) };
    world.facts.reminder_leads = vec![30, 7];
    world.having(row)
}

fn ask(world: &mut World, wish: Wish) -> Result<EnrollmentRow, Refusal> {
    let subject = policy::subject_of_system(user(&learner()));
    let command = Command { course_id: course_id(), subject, by: By::system(REQUEST), wish };
    world.carry_out(&command).map(|decided| decided.row)
}

fn remind(world: &mut World) -> bool {
    match ask(world, Wish::Remind) {
        Ok(row) => {
            assert_eq!(row.reminder_sent_at, Some(world.now));
            true
        }
        Err(refusal) => {
            assert_eq!(refusal.rule, Some(Rule::ExpiryReminderScheduling));
            false
        }
    }
}

#[test]
fn due_from_each_lead_time_on_and_once_for_each() {
    let mut world = ending(31, None);
    let ends_at = world.now.plus(DAY * 31);
    let mut reminded = Vec::new();
    // Every hour, until it has ended.
    for hour in 0..31 * 24 + 2 {
        world.now = ends_at.minus(DAY * 31).plus(Duration::from_secs(3600) * hour);
        if remind(&mut world) {
            reminded.push(hour / 24);
        }
    }
    assert_eq!(reminded, [1, 24], "31 - 30 and 31 - 7 days from the beginning");
}

#[test]
fn to_the_microsecond() {
    let mut world = ending(30, None);
    world.now = just_before(world.now);
    assert!(!remind(&mut world));
    world.now = just_after(world.now);
    assert!(remind(&mut world));

    let mut world = ending(0, None);
    assert!(!remind(&mut world), "what has ended is not about to end");
    world.now = just_before(world.now);
    assert!(remind(&mut world));
}

/// 24 hours exactly are allowed, less is not, and what falls due meanwhile is not lost.
#[test]
fn one_due_inside_the_window_is_sent_after_it() {
    let now = World::new().now;
    let mut world = ending(7, Some(now.minus(Duration::from_secs(3600))));
    assert!(!remind(&mut world), "the last one is an hour old");
    world.now = just_before(now.plus(Duration::from_secs(23 * 3600)));
    assert!(!remind(&mut world));
    world.now = now.plus(Duration::from_secs(23 * 3600));
    assert!(remind(&mut world));
    world.now = world.now.plus(DAY * 5);
    assert!(!remind(&mut world), "there is none left");
}

#[test]
fn none_without_lead_times_and_none_of_what_does_not_end() {
    let mut world = ending(1, None);
    world.facts.reminder_leads.clear();
    assert!(!remind(&mut world));
    for status in [Waitlisted, Cancelled, Expired, Completed] {
        let mut world = World::new().having(EnrollmentRow { reminder_sent_at: None, ..former(status) });
        world.facts.reminder_leads = vec![365];
        assert!(!remind(&mut world), "{status:?}");
    }
    let endless = EnrollmentRow { expires_at: None, reminder_sent_at: None, ..former(Enrolled) };
    let mut world = World::new().having(endless);
    world.facts.reminder_leads = vec![365];
    assert!(!remind(&mut world));
}

/// Once completed, it is the certificate that ends, if it is not void.
#[test]
fn of_a_certificate() {
    for (voided, reminded) in [(false, true), (true, false)] {
        let mut world = World::new().having(EnrollmentRow { reminder_sent_at: None, ..former(Completed) });
        world.facts.reminder_leads = vec![30];
        let (now, ends_at) = (world.now, world.now.plus(DAY * 30));
        let certificate = world.certificate();
        certificate.expires_at = Some(ends_at);
        (certificate.voided_at, certificate.void_reason) =
            if voided { (Some(now), Some("A mix-up.".into())) } else { (None, None) };
        assert_eq!(remind(&mut world), reminded);
        if reminded {
            let data = &world.changes.events[0].data;
            assert_eq!((data.certificate_id, data.ends_at), (Some(certificate_id()), Some(ends_at)));
        }
    }
}

/// It is not spent on somebody who is not let in, and due again once they are.
#[test]
fn of_active_members_alone() {
    for (status, reminded) in [
        (MembershipStatus::Suspended, false),
        (MembershipStatus::Ended, false),
        (MembershipStatus::Active, true),
    ] {
        let mut world = ending(5, None).with_member(&learner(), Role::Learner, status);
        assert_eq!(ask(&mut world, Wish::Remind).is_ok(), reminded, "{status:?}");
    }
}

#[test]
fn what_a_reminder_changes() {
    let mut world = ending(5, None);
    let before = world.row(&learner());
    let row = ask(&mut world, Wish::Remind).unwrap();
    let now = world.now;
    let expected = EnrollmentRow { reminder_sent_at: Some(now), updated_at: now, version: 10, ..before };
    assert_eq!(row, expected);
    assert_eq!(world.row(&learner()), expected);
    let event = &world.changes.events[0];
    assert_eq!((event.kind, event.actor), (EventKind::ReminderSent, EventActor::SYSTEM));
    assert_eq!(event.data, EventData { ends_at: expected.expires_at, ..EventData::default() });
    assert_eq!(world.changes.events.len(), 1);
}

/// D7: by itself only what has run out of time.
#[test]
fn access_runs_out() {
    for (days, runs_out) in [(0, true), (1, false)] {
        let mut world = ending(days, None);
        let asked = ask(&mut world, Wish::RunOut);
        assert_eq!(asked.is_ok(), runs_out);
        let kinds: &[EventKind] = if runs_out { &[EventKind::Expired] } else { &[] };
        assert_eq!(world.kinds(), kinds);
    }
    for status in [Waitlisted, Completed, Cancelled, Expired] {
        let mut world = World::new().having(former(status));
        assert_eq!(ask(&mut world, Wish::RunOut), Err(invalid_transition(status, Expired)));
    }
}

#[test]
fn nobody_waits_for_a_course_that_has_ended() {
    for (ended, given_up) in [(true, true), (false, false)] {
        let mut world = World::with(|course| course.capacity = Some(0)).having(former(Waitlisted));
        let now = world.now;
        world.course().ends_at = Some(if ended { now } else { just_after(now) });
        match ask(&mut world, Wish::GiveUpWaiting) {
            Ok(row) => {
                assert!(given_up);
                assert_eq!((row.status, row.tombstone), (Cancelled, false));
                assert_eq!(world.changes.events[0].data.reason.as_deref(), Some("courseClosed"));
                assert_eq!(world.counters(), [0, 0, 0, 1, 0]);
            }
            Err(refusal) => {
                assert!(!given_up);
                assert_eq!(refusal, invalid_transition(Waitlisted, Cancelled));
            }
        }
    }
    let mut world = World::with(|course| course.ends_at = Some(course.created_at)).having(former(Enrolled));
    assert_eq!(ask(&mut world, Wish::GiveUpWaiting), Err(invalid_transition(Enrolled, Cancelled)));
}
