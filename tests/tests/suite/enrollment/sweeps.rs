//! What happens to enrollments by itself, as the scheduler makes it happen.

use std::time::Duration;

use procedures::enrollment::{Sweep, Swept, sweep};
use procedures::member::Role;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both};

use crate::answers::each;

on_both![
    access_ends_and_whoever_waits_gets_the_seat,
    whoever_waits_for_a_course_that_has_ended,
    reminders_by_the_organization_s_lead_times,
    of_certificates_too,
    two_processes_at_once,
    more_than_one_step,
    nothing_is_due,
];

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3600);

/// A sweep to its end; how much it has changed.
async fn swept(world: &World, kind: Sweep) -> usize {
    let mut changed = 0;
    loop {
        let step = sweep(&world.app, kind).await.expect("a sweep");
        changed += step.changed;
        if !step.more {
            return changed;
        }
    }
}

async fn events(world: &World) -> Value {
    world.ok(&world.acme.admin, "event.since", json!({ "limit": 200 })).await
}

/// D7, D11.
async fn access_ends_and_whoever_waits_gets_the_seat(world: World) {
    world.course("course", json!({ "capacity": 1, "accessDays": 10 })).await;
    world.enrolled(&world.acme.learner, "<course>", "first").await;
    world.enrolled(&world.acme.peer, "<course>", "second").await;
    world.clock_ahead(DAY * 10 - HOUR);
    assert_eq!(swept(&world, Sweep::Expiry).await, 0);
    world.clock_ahead(DAY * 10);
    assert_eq!(swept(&world, Sweep::Expiry).await, 1);
    assert_eq!(swept(&world, Sweep::Expiry).await, 0);

    let told = events(&world).await;
    assert_eq!(each(&told, "kind"), ["enrolled", "waitlisted", "expired", "promoted"]);
    assert_eq!(each(&told, "enrollmentId"), ["<first>", "<second>", "<first>", "<second>"]);
    let expired = &told["items"][2];
    expect(&expired["actor"], &json!({ "kind": "system", "id": null }));
    assert_eq!(
        (&expired["data"]["from"], &expired["data"]["status"]),
        (&json!("enrolled"), &json!("expired"))
    );
    // The access of whoever was promoted begins now.
    let second = world.ok(&world.acme.peer, "enrollment.get", json!({ "enrollmentId": "<second>" })).await;
    assert_eq!(second["status"], "enrolled");
    world.clock_ahead(DAY * 19);
    assert_eq!(swept(&world, Sweep::Expiry).await, 0);
    world.clock_ahead(DAY * 21);
    assert_eq!(swept(&world, Sweep::Expiry).await, 1);
    let proof = world.ok(&world.acme.admin, "admin.verify", json!({})).await;
    assert_eq!(proof["ok"], true, "{proof:#}");
}

async fn whoever_waits_for_a_course_that_has_ended(world: World) {
    let ends_at = world.app.clock.now().plus(DAY).to_string();
    world.course("course", json!({ "capacity": 1, "endsAt": ends_at })).await;
    world.enrolled(&world.acme.learner, "<course>", "first").await;
    world.enrolled(&world.acme.peer, "<course>", "second").await;
    assert_eq!(swept(&world, Sweep::ClosedWaitlists).await, 0);
    world.clock_ahead(DAY);
    // The seat is freed, but nobody is promoted into a course that has ended.
    assert_eq!(swept(&world, Sweep::Expiry).await, 1);
    assert_eq!(swept(&world, Sweep::ClosedWaitlists).await, 1);
    let history =
        world.ok(&world.acme.peer, "enrollment.history", json!({ "enrollmentId": "<second>" })).await;
    assert_eq!(each(&history, "kind"), ["waitlisted", "cancelled"]);
    assert_eq!(history["items"][1]["data"]["reason"], "courseClosed");
    assert_eq!(history["items"][1]["actor"]["kind"], "system");
}

/// D22.
async fn reminders_by_the_organization_s_lead_times(world: World) {
    world.course("course", json!({ "accessDays": 40 })).await;
    world.enrolled(&world.acme.learner, "<course>", "first").await;
    let sent_at = async || {
        let read =
            world.call(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<first>" })).await;
        read.unwrap()["reminderSentAt"].clone()
    };
    // 30 and 7 days before, unless told.
    for (days, reminders) in [(9, 0), (10, 1), (10, 0), (32, 0), (33, 1), (39, 0)] {
        world.clock_ahead(DAY * days + HOUR);
        assert_eq!(swept(&world, Sweep::Reminders).await, reminders, "after {days} days");
    }
    let before = sent_at().await;
    let input = json!({ "reminderLeadDays": [3, 1, 3] });
    let organization = world.ok(&world.global_admin, "organization.update", input).await;
    assert_eq!(organization["reminderLeadDays"], json!([3, 1]));
    assert_eq!(swept(&world, Sweep::Reminders).await, 1, "of 3 days before, which none was sent since");
    assert_ne!(sent_at().await, before);
    assert_eq!(swept(&world, Sweep::Reminders).await, 0, "of 1 day before: inside the window of 24 hours");
    world.ok(&world.global_admin, "organization.update", json!({ "reminderLeadDays": [] })).await;
    world.course("another", json!({ "accessDays": 1 })).await;
    world.enrolled(&world.acme.learner, "<another>", "second").await;
    assert_eq!(swept(&world, Sweep::Reminders).await, 0, "of nothing any more");

    let history =
        world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<first>" })).await;
    assert_eq!(each(&history, "kind"), ["enrolled", "reminderSent", "reminderSent", "reminderSent"]);
    let enrolled =
        world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<first>" })).await;
    let data = json!({ "endsAt": enrolled["expiresAt"], "requestId": "scheduler" });
    expect(&history["items"][1]["data"], &data);
    assert_eq!(history["items"][1]["actor"]["kind"], "system");
}

async fn of_certificates_too(world: World) {
    world.course("course", json!({ "certificateValidDays": 31 })).await;
    for (actor, name) in [(&world.acme.learner, "kept"), (&world.acme.peer, "revoked")] {
        world.enrolled(actor, "<course>", name).await;
        world.completed(&format!("<{name}>")).await;
    }
    let revoked = json!({ "enrollmentId": "<revoked>", "reason": "a mistake" });
    world.ok(&world.acme.admin, "enrollment.revoke", revoked).await;
    world.clock_ahead(DAY);
    assert_eq!(swept(&world, Sweep::Reminders).await, 1);
    let completed =
        world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<kept>" })).await;
    let history =
        world.ok(&world.acme.learner, "enrollment.history", json!({ "enrollmentId": "<kept>" })).await;
    let reminded = &history["items"][3];
    assert_eq!(reminded["kind"], "reminderSent");
    assert_eq!(reminded["data"]["certificateId"], completed["certificateId"]);
    // Its end, not the enrollment's, which stays completed (D7).
    world.clock_ahead(DAY * 32);
    for kind in Sweep::ALL {
        assert_eq!(swept(&world, kind).await, 0, "{kind:?}");
    }
    let read = world.ok(&world.acme.learner, "enrollment.get", json!({ "enrollmentId": "<kept>" })).await;
    assert_eq!(read["status"], "completed");
}

/// Two schedulers that both think it is their turn do everything once.
async fn two_processes_at_once(world: World) {
    world.course("course", json!({ "accessDays": 20, "capacity": 20 })).await;
    let admin = &world.acme.admin;
    for number in 0..40 {
        world.person(&format!("person {number}"), Role::Learner).await;
    }
    let items: Vec<Value> = (0..40)
        .map(|number| json!({ "courseId": "<course>", "userId": format!("<person {number}>") }))
        .collect();
    world.ok(admin, "enrollment.enrollMany", json!({ "items": items })).await;
    let other = world.another_app();
    other.clock.set_offset_micros(i64::try_from((DAY * 13).as_micros()).unwrap());
    world.clock_ahead(DAY * 13);
    let at_once = async |kind: Sweep| {
        let (one, two) = tokio::join!(sweep(&world.app, kind), sweep(&other, kind));
        one.unwrap().changed + two.unwrap().changed
    };
    assert_eq!(at_once(Sweep::Reminders).await, 20);
    assert_eq!(at_once(Sweep::Reminders).await, 0);
    other.clock.set_offset_micros(i64::try_from((DAY * 20).as_micros()).unwrap());
    world.clock_ahead(DAY * 20);
    assert_eq!(at_once(Sweep::Expiry).await, 20);
    let count = world.ok(admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    assert_eq!([&count["enrolled"], &count["expired"], &count["waitlisted"]], [20, 20, 0]);
    let proof = world.ok(admin, "admin.verify", json!({})).await;
    assert_eq!(proof["ok"], true, "{proof:#}");
}

async fn more_than_one_step(world: World) {
    world.course("course", json!({ "accessDays": 1 })).await;
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    for number in 0..250 {
        world.person(&format!("person {number}"), Role::Learner).await;
    }
    let items: Vec<Value> = (0..250)
        .map(|number| json!({ "courseId": "<course>", "userId": format!("<person {number}>") }))
        .collect();
    world.ok(&service, "enrollment.enrollMany", json!({ "items": items })).await;
    world.clock_ahead(DAY);
    let step = sweep(&world.app, Sweep::Expiry).await.unwrap();
    assert_eq!(step, Swept { changed: 200, more: true });
    let step = sweep(&world.app, Sweep::Expiry).await.unwrap();
    assert_eq!(step, Swept { changed: 50, more: false });
}

async fn nothing_is_due(world: World) {
    world.course("course", json!({})).await;
    world.enrolled(&world.acme.learner, "<course>", "first").await;
    world.clock_ahead(DAY * 30_000);
    let before = world.contents().await;
    for kind in Sweep::ALL {
        assert_eq!(sweep(&world.app, kind).await.unwrap(), Swept { changed: 0, more: false });
    }
    assert_eq!(world.contents().await, before);
}
