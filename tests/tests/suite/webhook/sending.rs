//! How deliveries are claimed and settled: once each, and no webhook in the way of another.

use std::time::Duration;

use procedures::delivery::{Channel, Claimed, Settlement, claim, dispatch, settle};
use procedures::lease::Lease;
use serde_json::json;
use tests::{World, on_both};

use super::{claimed, deliveries, dispatched, happened, made, settled};

on_both![
    a_few_at_a_time_to_one_webhook,
    a_receiver_that_is_not_well_holds_up_no_other,
    each_is_claimed_once,
    a_claim_that_was_given_up,
    given_up_after_twenty_attempts,
    an_event_that_cannot_be_read_holds_up_no_other,
    one_process_has_the_lease,
];

async fn next(world: &World) -> Option<Claimed> {
    claim(&world.app, Channel::Webhook).await.unwrap()
}

async fn a_few_at_a_time_to_one_webhook(world: World) {
    world.course("course", json!({})).await;
    made(&world, "busy", json!({})).await;
    happened(&world, &["enroll", "unenroll", "enroll"]).await;
    dispatched(&world).await;
    let (first, _second) = (claimed(&world).await, claimed(&world).await);
    assert!(next(&world).await.is_none(), "two are under way");
    settled(&world, &first, Settlement::Delivered).await;
    claimed(&world).await;
    assert!(next(&world).await.is_none());
}

async fn a_receiver_that_is_not_well_holds_up_no_other(world: World) {
    world.course("course", json!({})).await;
    made(&world, "ill", json!({})).await;
    happened(&world, &["enroll", "unenroll"]).await;
    dispatched(&world).await;
    made(&world, "well", json!({})).await;
    happened(&world, &["enroll"]).await;
    dispatched(&world).await;
    let ill = claimed(&world).await;
    settled(&world, &ill, Settlement::Failed("busy".into())).await;
    let well = claimed(&world).await;
    assert_ne!(well.webhook_id(), ill.webhook_id(), "the other one's turn");
    settled(&world, &well, Settlement::Delivered).await;
    assert!(next(&world).await.is_none(), "the ill one is left alone for a while");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let again = claimed(&world).await;
    assert_eq!(again.webhook_id(), ill.webhook_id());
    settled(&world, &again, Settlement::Delivered).await;
    // It is well again, and is told what is left without delay.
    for _ in 0..2 {
        let left = claimed(&world).await;
        settled(&world, &left, Settlement::Delivered).await;
    }
    assert!(next(&world).await.is_none());
}

/// By whichever process.
async fn each_is_claimed_once(world: World) {
    world.course("course", json!({})).await;
    for name in ["one", "two", "three"] {
        made(&world, name, json!({})).await;
    }
    happened(&world, &["enroll", "unenroll"]).await;
    let other = world.another_app();
    let (one, two) = tokio::join!(dispatch(&world.app, Channel::Webhook), dispatch(&other, Channel::Webhook));
    assert_eq!(one.unwrap().deliveries + two.unwrap().deliveries, 6, "dispatched once");
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let (one, two) = tokio::join!(claim(&world.app, Channel::Webhook), claim(&other, Channel::Webhook));
        for claimed in [one.unwrap(), two.unwrap()].into_iter().flatten() {
            assert!(ids.insert(claimed.id().to_string()), "claimed twice");
        }
    }
    while let Some(claimed) = next(&world).await {
        assert!(ids.insert(claimed.id().to_string()), "claimed twice");
    }
    assert_eq!(ids.len(), 6);
}

/// Whoever comes back to it does not settle what is somebody else's now.
async fn a_claim_that_was_given_up(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll"]).await;
    dispatched(&world).await;
    let first = claimed(&world).await;
    assert!(first.stands_for(&world.app, Duration::from_secs(60)));
    let past = match world.kind {
        tests::Kind::Postgres => "now() - interval '1 second'",
        tests::Kind::Sqlite => "0",
    };
    assert_eq!(world.sql(&format!("UPDATE deliveries SET due_at = {past}")).await, Ok(1));
    let second = claimed(&world).await;
    assert_eq!((second.id(), second.attempt()), (first.id(), 2));
    settle(&world.app, &first, Settlement::Hopeless("too late".into())).await.unwrap();
    assert_eq!(deliveries(&world).await, ["1 claimed 2"]);
    settled(&world, &second, Settlement::Delivered).await;
    assert_eq!(deliveries(&world).await, ["1 delivered 2"]);
}

async fn given_up_after_twenty_attempts(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll"]).await;
    dispatched(&world).await;
    let past = match world.kind {
        tests::Kind::Postgres => "now() - interval '1 second'",
        tests::Kind::Sqlite => "0",
    };
    for attempt in 1..=20 {
        let sent = claimed(&world).await;
        assert_eq!(sent.attempt(), attempt);
        settled(&world, &sent, Settlement::Failed("busy".into())).await;
        world.sql(&format!("UPDATE deliveries SET due_at = {past}")).await.unwrap();
        world.sql("UPDATE webhooks SET retry_at = NULL").await.unwrap();
    }
    assert_eq!(deliveries(&world).await, ["1 dead 20"]);
    assert!(next(&world).await.is_none());
}

/// As one that a newer version wrote, or that somebody altered.
async fn an_event_that_cannot_be_read_holds_up_no_other(world: World) {
    world.course("course", json!({})).await;
    made(&world, "webhook", json!({})).await;
    happened(&world, &["enroll", "unenroll"]).await;
    dispatched(&world).await;
    let unguarded = match world.kind {
        tests::Kind::Postgres => "ALTER TABLE events DISABLE TRIGGER append_only",
        tests::Kind::Sqlite => "DROP TRIGGER events_are_not_updated",
    };
    world.sql(unguarded).await.unwrap();
    world.sql("UPDATE events SET kind = 'unheardOf' WHERE number = 1").await.unwrap();
    let (mut failed, mut sent) = (0, 0);
    for _ in 0..3 {
        match claim(&world.app, Channel::Webhook).await {
            Ok(Some(claimed)) => {
                assert_eq!(claimed.event.id.to_string(), "0000000000000002");
                settled(&world, &claimed, Settlement::Delivered).await;
                sent += 1;
            }
            Ok(None) => {}
            Err(_) => {
                failed += 1;
                world.sql("UPDATE webhooks SET retry_at = NULL").await.unwrap();
            }
        }
    }
    assert_eq!((failed, sent), (1, 1));
}

async fn one_process_has_the_lease(world: World) {
    let other = world.another_app();
    let (mut one, mut two) = (Lease::new("a job"), Lease::new("a job"));
    assert!(one.hold(&world.app).await.unwrap());
    assert!(one.hold(&world.app).await.unwrap());
    assert!(!two.hold(&other).await.unwrap());
    assert!(Lease::new("another job").hold(&other).await.unwrap());
    one.release(&world.app).await;
    assert!(two.hold(&other).await.unwrap());
    assert!(!one.hold(&world.app).await.unwrap());
    // One that is not renewed runs out.
    tokio::time::sleep(procedures::limits::LEASE + Duration::from_millis(100)).await;
    assert!(one.hold(&world.app).await.unwrap());
}
