//! Leaving while something else happens: one of the two comes first, and the other finds what that has left.

use serde_json::{Value, json};
use tests::{World, expect, on_both, refusal};

use super::{ENROLL, Racers, UNENROLL, consistent, learners, race};
use crate::answers::each;

on_both![cancelling_and_completing, ending_a_membership_and_enrolling];

const COMPLETE: &str = "enrollment.complete";
const END: &str = "member.end";

/// A hundred times, by twenties.
async fn cancelling_and_completing(world: World) {
    world.course("course", json!({})).await;
    world.module("<course>", "module").await;
    let racers = Racers::of(&world).await;
    for round in 0..5 {
        let mut calls = Vec::new();
        for (number, (learner, _)) in
            learners(&world, &format!("learner {round}"), 20).await.into_iter().enumerate()
        {
            let input = json!({ "courseId": "<course>" });
            let enrolled = world.call(&learner, ENROLL, input.clone()).await.unwrap();
            let complete = json!({ "enrollmentId": enrolled["id"], "waiveReason": "knew it all" });
            let mut two = [(learner, UNENROLL, input), (world.acme.admin.clone(), COMPLETE, complete)];
            // Each has the earlier start now and then.
            two.rotate_left(number % 2);
            calls.extend(two);
        }
        let answers = racers.race(calls).await;
        for two in answers.chunks(2) {
            settled(&world, two).await;
        }
    }
    consistent(&world).await;
}

/// One of the two has won, and all of the enrollment is as it has left it; the other was refused for that.
async fn settled(world: &World, two: &[Result<Value, Value>]) {
    let ([Ok(won), Err(lost)] | [Err(lost), Ok(won)]) = two else { panic!("not one winner: {two:#?}") };
    let completed = won["status"] == "completed";
    let (path, from, to, kinds) = match completed {
        true => {
            (UNENROLL, "completed", "cancelled", ["enrolled", "completed", "certificateIssued"].as_slice())
        }
        false => (COMPLETE, "cancelled", "completed", ["enrolled", "cancelled"].as_slice()),
    };
    let reason = json!({ "type": "invalidTransition", "from": from, "to": to });
    expect(lost, &refusal(path, "CONFLICT", reason));

    let admin = &world.acme.admin;
    let input = json!({ "enrollmentId": won["id"] });
    let kept = world.call(admin, "enrollment.get", input.clone()).await.unwrap();
    expect(&kept, won);
    assert_eq!(kept["status"], from);
    let set = ["completedAt", "certificateId", "cancelledAt"].map(|field| !kept[field].is_null());
    assert_eq!(set, [completed, completed, !completed]);
    let history = world.call(admin, "enrollment.history", input.clone()).await.unwrap();
    assert_eq!(each(&history, "kind"), kinds);
    let modules = world.call(admin, "module.listByEnrollment", input).await.unwrap();
    assert_eq!(modules[0]["softDeleted"], !completed);
    if completed {
        let input = json!({ "certificateId": kept["certificateId"] });
        let certificate = world.call(admin, "certificate.get", input).await.unwrap();
        assert_eq!([&certificate["enrollmentId"], &certificate["voidedAt"]], [&kept["id"], &Value::Null]);
    }
}

/// D19: by whomever the member is enrolled meanwhile, in which course ever.
async fn ending_a_membership_and_enrolling(world: World) {
    for course in ["course", "other"] {
        world.course(course, json!({})).await;
    }
    let admin = &world.acme.admin;
    let members = learners(&world, "member", 20).await;
    let mut calls = Vec::new();
    for (number, (member, user)) in members.iter().enumerate() {
        let mut three = [
            (member.clone(), ENROLL, json!({ "courseId": "<course>" })),
            (admin.clone(), END, json!({ "userId": user })),
            (admin.clone(), ENROLL, json!({ "courseId": "<other>", "userId": user })),
        ];
        three.rotate_left(number % 3);
        calls.extend(three);
    }
    let paths: Vec<&str> = calls.iter().map(|(_, path, _)| *path).collect();
    let answers = race(&world, calls).await;
    for (path, answer) in paths.into_iter().zip(&answers) {
        match answer {
            Ok(member) if path == END => assert_eq!(member["status"], "ended"),
            Ok(enrolled) => assert_eq!(enrolled["status"], "enrolled"),
            Err(error) => expect(error, &refusal(ENROLL, "FORBIDDEN", json!({ "type": "notAMember" }))),
        }
    }
    for (_, user) in &members {
        let member = world.call(admin, "member.get", json!({ "userId": user })).await.unwrap();
        assert_eq!(member["status"], "ended");
        for course in ["<course>", "<other>"] {
            let input = json!({ "courseId": course, "userId": user });
            let found = world.call(admin, "enrollment.find", input).await.unwrap();
            if found.is_null() {
                continue;
            }
            assert_eq!(found["status"], "cancelled");
            let input = json!({ "enrollmentId": found["id"] });
            let history = world.call(admin, "enrollment.history", input).await.unwrap();
            assert_eq!(each(&history, "kind"), ["enrolled", "cancelled"]);
            let last = &history["items"][1];
            assert_eq!(
                (&last["data"]["reason"], &last["actor"]["kind"]),
                (&json!("membershipEnded"), &json!("system"))
            );
        }
    }
    consistent(&world).await;
}
