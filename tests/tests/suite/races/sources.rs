//! One seat wanted from every side at once, one that is freed while those who wait are suspended, and a person who is
//! forgotten while they leave and are written about.

use std::collections::BTreeMap;

use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::{ENROLL, Racers, UNENROLL, enroll_all, learners, proved, race};
use crate::answers::each;

on_both![
    the_last_seats_from_every_source,
    suspending_those_who_wait_and_freeing_a_seat,
    anonymizing_ending_and_taking_notes,
];

const ROSTER: &str = "enrollment.listByCourse";
const SET_NOTES: &str = "enrollment.setNotes";

/// How many courses are raced in at once.
const COURSES: usize = 12;

/// D10, D11: every source obeys the capacity, and joins the same queue. Courses have one to three seats.
async fn the_last_seats_from_every_source(world: World) {
    let acme = &world.acme;
    let people = learners(&world, "person", 9).await;
    let [alone, learner, member, integrated, row, next_row, last_row, one, other] =
        std::array::from_fn(|number| people[number].1.clone());
    let service = world.service(&[Scope::EnrollmentsWrite]).await;
    let mut calls = Vec::new();
    let mut courses = Vec::new();
    for number in 0..COURSES {
        let seats = 1 + number % 3;
        let course = world.course(&format!("course {number}"), json!({ "capacity": seats })).await;
        let input = json!({ "name": "a cohort", "courseIds": [course] });
        let cohort = world.call(&acme.admin, "cohort.create", input).await.unwrap();
        let of = |user: &String| json!({ "courseId": course, "userId": user });
        let mut six = [
            (people[0].0.clone(), ENROLL, json!({ "courseId": course })),
            (acme.coordinator.clone(), ENROLL, of(&learner)),
            (acme.admin.clone(), ENROLL, of(&member)),
            (service.clone(), ENROLL, of(&integrated)),
            (
                acme.admin.clone(),
                "enrollment.enrollMany",
                json!({ "items": [of(&row), of(&next_row), of(&last_row)] }),
            ),
            (
                acme.coordinator.clone(),
                "cohort.addMembers",
                json!({ "cohortId": cohort["id"], "userIds": [one, other] }),
            ),
        ];
        // Each has the earliest start now and then.
        six.rotate_left(number % 6);
        calls.extend(six);
        courses.push((course, seats));
    }
    let mut answered = BTreeMap::new();
    for answer in race(&world, calls).await {
        let answer = answer.expect("no reason to refuse");
        match answer["results"].as_array() {
            Some(rows) => {
                let rows: Vec<&Value> = rows.iter().map(|row| &row["ok"]).collect();
                // Earlier rows queue first: those in a seat, then places in their order.
                let places = rows.iter().map(|row| row["waitlistPosition"].as_u64().unwrap_or(0));
                assert!(places.is_sorted(), "{answer:#}");
                answered.extend(rows.into_iter().map(|row| (row["id"].to_string(), row.clone())));
            }
            None if answer["memberCount"].is_null() => {
                answered.insert(answer["id"].to_string(), answer);
            }
            None => assert_eq!(answer["memberCount"], 2),
        }
    }
    assert_eq!(answered.len(), 7 * COURSES);

    for (course, seats) in courses {
        let roster = world.call(&acme.admin, ROSTER, json!({ "courseId": course })).await.unwrap();
        let entries = roster["items"].as_array().unwrap();
        let mut places = Vec::new();
        for entry in entries {
            let place = entry["waitlistPosition"].as_u64();
            let status = if place.is_some() { "waitlisted" } else { "enrolled" };
            assert_eq!(entry["status"], status);
            places.extend(place);
            let source = match entry["userId"].as_str().unwrap() {
                user if user == alone => "self",
                user if user == integrated => "integration",
                user if user == one || user == other => "cohort",
                _ => "coordinator",
            };
            assert_eq!(entry["source"], source);
            // The place that was answered is the place that one has; a cohort's members are told none.
            match answered.get(&entry["id"].to_string()) {
                Some(answer) => {
                    assert_eq!(
                        [&answer["status"], &answer["waitlistPosition"]],
                        [&entry["status"], &entry["waitlistPosition"]]
                    );
                }
                None => assert_eq!(source, "cohort"),
            }
        }
        places.sort_unstable();
        assert_eq!(entries.len(), 9);
        let waiting = 9 - u64::try_from(seats).unwrap();
        assert_eq!(places, (1..=waiting).collect::<Vec<_>>(), "{seats} seats");
    }
    proved(&world).await;
}

/// D11: whoever is suspended before their turn comes is passed over; whoever's turn comes before is enrolled, and stays
/// so. Either way the seat goes to the first who is active, because the last in the queue is.
async fn suspending_those_who_wait_and_freeing_a_seat(world: World) {
    let waiting = learners(&world, "waiting", 2 * COURSES).await;
    let mut people = vec!["<learner>"];
    people.extend(waiting.iter().map(|(_, user)| user.as_str()));
    people.push("<peer>");
    let mut calls = Vec::new();
    for (number, two) in waiting.chunks(2).enumerate() {
        let course = format!("<course {number}>");
        world.course(&format!("course {number}"), json!({ "capacity": 1 })).await;
        enroll_all(&world, &course, &people).await;
        // From the first on, so that at any moment somebody's suspension and their turn are close together.
        let suspend = |user: &String| (world.acme.admin.clone(), "member.suspend", json!({ "userId": user }));
        calls.push(suspend(&two[0].1));
        calls.push((world.acme.learner.clone(), UNENROLL, json!({ "courseId": course })));
        calls.push(suspend(&two[1].1));
    }
    for answer in race(&world, calls).await {
        let answer = answer.expect("no reason to refuse");
        let expected = if answer["courseId"].is_null() { "suspended" } else { "cancelled" };
        assert_eq!(answer["status"], expected);
    }

    let admin = &world.acme.admin;
    for number in 0..COURSES {
        let input = json!({ "courseId": format!("<course {number}>") });
        let roster = world.call(admin, ROSTER, input).await.unwrap();
        let mut statuses = each(&roster, "status");
        let seated = statuses.iter().position(|status| status == "enrolled").expect("the seat is taken");
        let behind = statuses.split_off(seated + 1);
        statuses.pop();
        assert!(statuses.iter().all(|status| status == "cancelled"), "{statuses:?}");
        assert!(behind.iter().all(|status| status == "waitlisted"), "{behind:?}");
        let places = each(&roster, "waitlistPosition").split_off(seated + 1);
        assert_eq!(places, (1..=behind.len()).map(Value::from).collect::<Vec<_>>());
        // Before the one with the seat were those passed over, and first of all whoever left.
        for (place, id) in each(&roster, "id").into_iter().enumerate().take(seated + 1).skip(1) {
            let input = json!({ "enrollmentId": id });
            let history = world.call(admin, "enrollment.history", input).await.unwrap();
            let (kind, reason) = match place == seated {
                true => ("promoted", Value::Null),
                false => ("cancelled", json!("membershipSuspended")),
            };
            assert_eq!(each(&history, "kind"), ["waitlisted", kind]);
            let last = &history["items"][1];
            assert_eq!([&last["actor"]["kind"], &last["data"]["reason"]], [&json!("system"), &reason]);
        }
    }
    proved(&world).await;
}

/// D24: notes that were written before go, later ones find another version than was read; nothing is kept of them under
/// any key, however the calls fall.
async fn anonymizing_ending_and_taking_notes(world: World) {
    const NOTES: &str = "faints at the sight of blood";
    let admin = &world.acme.admin;
    let racers = Racers::of(&world).await;
    for round in 0..3 {
        let mut people = Vec::new();
        let mut calls = Vec::new();
        for (number, (_, user)) in
            learners(&world, &format!("nameless {round}"), 8).await.into_iter().enumerate()
        {
            let course = world.course(&format!("course {round} {number}"), json!({})).await;
            let key = |of: &str| format!("{of}-{round}-{number}");
            let input = json!({
                "courseId": course, "userId": user, "notes": NOTES, "idempotencyKey": key("enroll"),
            });
            let enrolled = world.call(admin, ENROLL, input).await.unwrap();
            let set = |by: &str| {
                let notes = format!("{NOTES}, says the {by}");
                let id = &enrolled["id"];
                json!({ "enrollmentId": id, "version": 1, "notes": notes, "idempotencyKey": key(by) })
            };
            let mut four = [
                (world.acme.coordinator.clone(), SET_NOTES, set("coordinator")),
                (admin.clone(), "user.anonymize", json!({ "userId": user })),
                (admin.clone(), SET_NOTES, set("admin")),
                (admin.clone(), "member.end", json!({ "userId": user, "idempotencyKey": key("end") })),
            ];
            four.rotate_left(number % 4);
            calls.extend(four);
            people.push((user, enrolled["id"].clone()));
        }
        let paths: Vec<&str> = calls.iter().map(|(_, path, _)| *path).collect();
        for (path, answer) in paths.into_iter().zip(racers.race(calls).await) {
            let Err(error) = answer else { continue };
            assert_eq!(path, SET_NOTES, "{error:#}");
            let current = &error["data"]["reason"]["current"];
            assert!([2, 3, 4].iter().any(|version| current == version), "{error:#}");
            let reason = json!({ "type": "versionMismatch", "current": current });
            expect(&error, &refusal(SET_NOTES, "CONFLICT", reason));
        }

        for (user, enrollment) in people {
            let member = world.call(admin, "member.get", json!({ "userId": user })).await.unwrap();
            assert_eq!([&member["status"], &member["displayName"]], [&json!("ended"), &Value::Null]);
            let input = json!({ "enrollmentId": enrollment });
            let found = world.call(admin, "enrollment.get", input.clone()).await.unwrap();
            assert_eq!([&found["status"], &found["notes"]], [&json!("cancelled"), &Value::Null]);
            let history = world.call(admin, "enrollment.history", input).await.unwrap();
            let mut kinds = each(&history, "kind");
            assert_eq!(found["version"], kinds.len());
            assert_eq!(kinds.remove(0), "enrolled");
            // One of the two who wrote, if any, and the stripping.
            kinds.retain(|kind| kind != "cancelled");
            assert!((1..=2).contains(&kinds.len()), "{history:#}");
            assert!(kinds.iter().all(|kind| kind == "notesSet"), "{history:#}");
        }
        let contents = world.contents().await;
        for (table, rows) in &contents {
            assert!(!rows.iter().any(|row| row.contains(NOTES)), "{table} has notes: {rows:#?}");
        }
        let answers = &contents["idempotency_records"];
        assert!(!answers.iter().any(|row| row.contains("nameless")), "{answers:#?}");
    }
    proved(&world).await;
}
