//! The waitlist: nobody jumps the queue, and nobody waits while there is a seat (D10, D11).

use std::collections::BTreeMap;

use procedures::member::Role;
use serde_json::{Value, json};
use tests::{World, on_both};

use super::{ENROLL, UNENROLL, consistent, enroll_all, learners, proved, race};
use crate::answers::each;

on_both![
    the_last_of_thirty_seats,
    two_seats_are_freed_while_a_newcomer_enrolls,
    publishing_and_leaving,
    a_capacity_raised_while_people_enroll,
];

/// How many courses are raced in at once.
const COURSES: usize = 20;

const ROSTER: &str = "enrollment.listByCourse";

async fn the_last_of_thirty_seats(world: World) {
    world.course("course", json!({ "capacity": 30 })).await;
    let early = learners(&world, "early", 29).await;
    let early: Vec<&str> = early.iter().map(|(_, user)| user.as_str()).collect();
    enroll_all(&world, "<course>", &early).await;
    let late = learners(&world, "late", 100).await;
    let enroll = |(learner, _)| (learner, ENROLL, json!({ "courseId": "<course>" }));
    let answers = race(&world, late.into_iter().map(enroll)).await;

    let mut enrolled = 0;
    let mut places = BTreeMap::new();
    for answer in &answers {
        let answer = answer.as_ref().expect("nobody is refused");
        match &answer["waitlistPosition"] {
            Value::Null => {
                assert_eq!(answer["status"], "enrolled");
                enrolled += 1;
            }
            place => {
                assert_eq!(answer["status"], "waitlisted");
                let taken = places.insert(place.as_u64().expect("a place"), answer["id"].to_string());
                assert_eq!(taken, None, "{place} is given twice");
            }
        }
    }
    assert_eq!(enrolled, 1);
    assert_eq!(places.keys().copied().collect::<Vec<_>>(), (1..=99).collect::<Vec<u64>>());
    // The place that was answered is the place that one has.
    let input = json!({ "courseId": "<course>", "statuses": ["waitlisted"], "limit": 200 });
    let waiting = world.call(&world.acme.admin, ROSTER, input).await.unwrap();
    let has = each(&waiting, "waitlistPosition").into_iter().map(|place| place.as_u64().expect("a place"));
    let ids = each(&waiting, "id").into_iter().map(|id| id.to_string());
    assert_eq!(has.zip(ids).collect::<BTreeMap<_, _>>(), places);
    consistent(&world).await;
}

/// The first two who wait are promoted; a newcomer queues behind whoever still waits, or has no seat left.
async fn two_seats_are_freed_while_a_newcomer_enrolls(world: World) {
    for waiting in ["first", "second"] {
        world.person(waiting, Role::Learner).await;
    }
    let newcomer = world.person("newcomer", Role::Learner).await;
    let mut calls = Vec::new();
    for number in 0..COURSES {
        let course = format!("<course {number}>");
        world.course(&format!("course {number}"), json!({ "capacity": 2 })).await;
        enroll_all(&world, &course, &["<learner>", "<peer>", "<first>", "<second>"]).await;
        let input = json!({ "courseId": course });
        let mut three = [
            (world.acme.learner.clone(), UNENROLL, input.clone()),
            (newcomer.clone(), ENROLL, input.clone()),
            (world.acme.peer.clone(), UNENROLL, input),
        ];
        // Each has the earliest start now and then.
        three.rotate_left(number % 3);
        calls.extend(three);
    }
    for answer in race(&world, calls).await {
        answer.expect("no reason to refuse");
    }
    for number in 0..COURSES {
        let input = json!({ "courseId": format!("<course {number}>") });
        let roster = world.ok(&world.acme.admin, ROSTER, input).await;
        assert_eq!(each(&roster, "userId"), ["<learner>", "<peer>", "<first>", "<second>", "<newcomer>"]);
        let statuses = ["cancelled", "cancelled", "enrolled", "enrolled", "waitlisted"];
        assert_eq!(each(&roster, "status"), statuses);
        assert_eq!(each(&roster, "waitlistPosition")[4], 1);
        for (place, kinds) in [(3, ["waitlisted", "promoted"].as_slice()), (4, ["waitlisted"].as_slice())] {
            let input = json!({ "enrollmentId": each(&roster, "id")[place] });
            let history = world.ok(&world.acme.admin, "enrollment.history", input).await;
            assert_eq!(each(&history, "kind"), kinds);
        }
    }
    proved(&world).await;
}

/// Whichever comes first: a seat that is freed in a draft is given away when the course is published.
async fn publishing_and_leaving(world: World) {
    let mut calls = Vec::new();
    for number in 0..COURSES {
        let course = format!("<course {number}>");
        world.course(&format!("course {number}"), json!({ "capacity": 1 })).await;
        enroll_all(&world, &course, &["<learner>", "<peer>"]).await;
        let input = json!({ "courseId": course });
        world.ok(&world.acme.admin, "course.unpublish", input.clone()).await;
        let mut two = [
            (world.acme.admin.clone(), "course.publish", input.clone()),
            (world.acme.learner.clone(), UNENROLL, input),
        ];
        two.rotate_left(number % 2);
        calls.extend(two);
    }
    for answer in race(&world, calls).await {
        answer.expect("no reason to refuse");
    }
    for number in 0..COURSES {
        let input = json!({ "courseId": format!("<course {number}>") });
        let roster = world.ok(&world.acme.admin, ROSTER, input).await;
        assert_eq!(each(&roster, "userId"), ["<learner>", "<peer>"]);
        assert_eq!(each(&roster, "status"), ["cancelled", "enrolled"]);
    }
    proved(&world).await;
}

/// Nobody who looks meanwhile sees an invariant violated either.
async fn a_capacity_raised_while_people_enroll(world: World) {
    world.course("course", json!({ "capacity": 5 })).await;
    let mut calls = Vec::new();
    for (number, (learner, _)) in learners(&world, "learner", 40).await.into_iter().enumerate() {
        calls.push((learner, ENROLL, json!({ "courseId": "<course>" })));
        if number == 20 {
            let raise = json!({ "courseId": "<course>", "version": 2, "capacity": 10 });
            calls.push((world.acme.admin.clone(), "course.update", raise));
        }
        if number % 8 == 0 {
            calls.push((world.acme.admin.clone(), "admin.verify", json!({})));
        }
    }
    let mut proofs = 0;
    for answer in race(&world, calls).await {
        let answer = answer.expect("no reason to refuse");
        if let Some(ok) = answer.get("ok") {
            assert_eq!(ok, true, "{answer:#}");
            proofs += 1;
        }
    }
    assert_eq!(proofs, 5);
    let count = world.ok(&world.acme.admin, "enrollment.count", json!({ "courseId": "<course>" })).await;
    let seats = [&count["enrolled"], &count["waitlisted"], &count["seatsTaken"], &count["overBy"]];
    assert_eq!(seats, [10, 30, 10, 0]);
    consistent(&world).await;
}
