//! Random stories, told to Rollbook and to the model of it beside: the same answers, the same state after every turn,
//! dry runs that come true, and at the end of each every invariant proved.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use model::{Action, Ask, Caller, Change, Check, Command, Kind, Outcome, Removal, Role, Status, Told, Turn};
use procedures::session::Scope;
use procedures::values::Moment;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tests::{Actor, World, on_both};
use tokio::runtime::Handle;

on_both![random_stories];

/// How many stories are told, and of how many turns.
const STORIES: u32 = 10;
const TURNS: Range<usize> = 60..140;

const HOUR: Duration = Duration::from_secs(3600);
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

async fn random_stories(world: World) {
    let service = world.service(Scope::ALL).await;
    let (told, hours_ahead) = (AtomicU32::new(0), AtomicU32::new(0));
    // What fails is printed, made small; nothing is written beside the sources.
    let config =
        Config { cases: STORIES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let outcome = TestRunner::new(config).run(&model::turns(TURNS), |turns| {
        let number = told.fetch_add(1, Ordering::Relaxed);
        let story = async {
            let mut story = Story::begin(&world, &service, &hours_ahead, number).await;
            for turn in &turns {
                story.turn(turn).await;
            }
            story.end().await;
        };
        tokio::task::block_in_place(|| Handle::current().block_on(story));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// One story: its own courses and people in an organization that has seen other stories.
struct Story<'w> {
    world: &'w World,
    service: &'w Actor,
    /// By which the clock is ahead, of all stories together.
    hours_ahead: &'w AtomicU32,
    model: model::World,
    began: Moment,
    courses: Vec<String>,
    modules: Vec<Vec<String>>,
    people: Vec<(Actor, String, String)>,
    /// By course and person.
    enrollments: BTreeMap<(usize, usize), String>,
    /// The last event seen.
    cursor: Value,
    rosters: Vec<Value>,
}

impl<'w> Story<'w> {
    async fn begin(world: &'w World, service: &'w Actor, hours_ahead: &'w AtomicU32, number: u32) -> Self {
        let model = model::World::begin();
        let began = world.app.clock.now();
        let mut story = Story {
            world,
            service,
            hours_ahead,
            began,
            courses: Vec::new(),
            modules: Vec::new(),
            people: Vec::new(),
            enrollments: BTreeMap::new(),
            cursor: Value::Null,
            rosters: vec![json!([]); model.courses.len()],
            model,
        };
        for (place, person) in story.model.people.clone().into_iter().enumerate() {
            let name = format!("person {place} of story {number}");
            let role = match person.role {
                Role::Learner => procedures::member::Role::Learner,
                Role::Author => procedures::member::Role::Author,
                Role::Coordinator => procedures::member::Role::Coordinator,
                Role::Admin => procedures::member::Role::Admin,
            };
            let actor = world.person(&name, role).await;
            let id = world.id(&format!("<{name}>"));
            story.people.push((actor, id, name));
        }
        for (place, course) in story.model.courses.clone().into_iter().enumerate() {
            let at = |hours: Option<i64>| hours.map(|hours| story.moment(hours).to_string());
            let fields = json!({
                "title": format!("course {place} of story {number}"),
                "capacity": course.capacity, "waitlist": course.waitlist,
                "opensAt": at(course.opens), "closesAt": at(course.closes), "endsAt": at(course.ends),
                "accessDays": course.access_days, "passScore": course.pass_score,
                "certificate": course.certificate, "certificateValidDays": course.valid_days,
                "autoComplete": course.auto_complete,
            });
            let made = story.admin("course.create", fields).await;
            story.courses.push(text(&made["id"]));
            story.modules.push(Vec::new());
            for (kind, _) in course.modules {
                story.add_module(place, kind).await;
            }
            story.admin("course.publish", json!({ "courseId": story.courses[place] })).await;
        }
        story.cursor = story.head().await;
        story
    }

    fn moment(&self, hours: i64) -> Moment {
        self.began.plus(HOUR * u32::try_from(hours).expect("a moment of the story"))
    }

    async fn admin(&self, path: &str, input: Value) -> Value {
        let answer = self.world.call(&self.world.acme.admin, path, input.clone()).await;
        answer.unwrap_or_else(|error| panic!("{path} {input}: {error:#}"))
    }

    async fn add_module(&mut self, course: usize, kind: Kind) {
        let kind = match kind {
            Kind::Lesson => "lesson",
            Kind::Quiz => "quiz",
        };
        let input = json!({ "courseId": self.courses[course], "title": "a module", "kind": kind });
        let module = self.admin("course.addModule", input).await;
        self.modules[course].push(text(&module["id"]));
    }

    /// The id of the organization's last event.
    async fn head(&self) -> Value {
        let mut last = Value::Null;
        loop {
            let page = self.admin("event.since", json!({ "cursor": last, "limit": 200 })).await;
            match page["items"].as_array().expect("items").last() {
                Some(event) => last = event["id"].clone(),
                None => return last,
            }
        }
    }

    async fn turn(&mut self, turn: &Turn) {
        let told = match turn {
            Turn::Ask(ask) => self.ask(ask).await,
            Turn::Change(change) => {
                let told = self.model.change(*change);
                self.change(*change).await;
                told
            }
        };
        assert_eq!(self.events().await, told, "{turn:?}");
        self.compare(turn).await;
    }

    async fn ask(&mut self, ask: &Ask) -> Vec<Told> {
        let predicted = self.checks(ask).await;
        let before = self.rosters.clone();
        let (path, input) = self.call(ask);
        let answered = self.world.call(self.actor(ask.caller), path, input).await;
        match (answered, self.model.ask(ask)) {
            (Ok(answer), Ok(told)) => {
                let enrollment = if answer["enrollment"].is_null() { &answer } else { &answer["enrollment"] };
                let known = self.enrollments.entry((ask.course, ask.user));
                let id = known.or_insert_with(|| text(&enrollment["id"]));
                assert_eq!(*id, text(&enrollment["id"]), "the enrollment stays the same");
                if let Some(predicted) = predicted {
                    assert_eq!(predicted["outcome"], enrollment["status"], "{ask:?}");
                    assert_eq!(
                        predicted["consequences"]["waitlistPosition"], enrollment["waitlistPosition"],
                        "{ask:?}"
                    );
                }
                told
            }
            (Err(error), Err(words)) => {
                assert_eq!(word(&error), words[0], "{ask:?}: {error}");
                if let Some(predicted) = predicted {
                    assert_eq!(predicted["reasons"][0], error["data"]["reason"], "{ask:?}");
                }
                assert_eq!(self.read_rosters().await, before, "a refusal changes no row: {ask:?}");
                Vec::new()
            }
            (answered, expected) => panic!("{ask:?}: {answered:?}, but the model says {expected:?}"),
        }
    }

    /// Dry runs of all that can be asked about: each says what the model says. The one that is about to be asked for.
    async fn checks(&self, ask: &Ask) -> Option<Value> {
        let mut predicted = None;
        for action in Action::ALL {
            let input = json!({
                "action": action.word(), "courseId": self.courses[ask.course], "userId": self.people[ask.user].1,
            });
            let answer = self.world.call(self.actor(ask.caller), "enrollment.check", input).await;
            let expected = self.model.check(ask.caller, ask.course, ask.user, action);
            self.compare_check(&answer, &expected, ask);
            if ask.command == action.command() {
                predicted = answer.ok();
            }
        }
        predicted
    }

    fn compare_check(&self, answer: &Result<Value, Value>, expected: &Check, ask: &Ask) {
        let expected = match (answer, expected) {
            (Err(error), Err(expected)) => return assert_eq!(word(error), *expected, "{ask:?}"),
            (Ok(_), Ok(expected)) => expected,
            _ => panic!("{ask:?}: {answer:?}, but the model says {expected:?}"),
        };
        let answer = answer.as_ref().expect("just matched");
        let whole = match expected {
            Outcome::Refused(words) => {
                let reasons = answer["reasons"].as_array().expect("reasons");
                let said: Vec<&str> = reasons.iter().filter_map(|reason| reason["type"].as_str()).collect();
                assert_eq!(said, *words, "{ask:?}");
                json!({
                    "allowed": false, "outcome": "refused", "reasons": reasons,
                    "consequences": {
                        "reactivates": false, "waitlistPosition": null, "seatFreed": false,
                        "promotesUserId": null, "certificateVoided": false,
                    },
                })
            }
            Outcome::Becomes { status, reactivates, position, seat_freed, promotes, certificate_voided } => {
                json!({
                    "allowed": true, "outcome": status.word(), "reasons": [],
                    "consequences": {
                        "reactivates": reactivates, "waitlistPosition": position, "seatFreed": seat_freed,
                        "promotesUserId": promotes.map(|user| &self.people[user].1),
                        "certificateVoided": certificate_voided,
                    },
                })
            }
        };
        assert_eq!(*answer, whole, "{ask:?}");
    }

    fn actor(&self, caller: Caller) -> &Actor {
        match caller {
            Caller::Person(person) => &self.people[person].0,
            Caller::GlobalAdmin => &self.world.global_admin,
            Caller::Service => self.service,
        }
    }

    /// The procedure and its input.
    fn call(&self, ask: &Ask) -> (&'static str, Value) {
        let enrollment = self.enrollments.get(&(ask.course, ask.user)).map_or(UNKNOWN, String::as_str);
        let module = |number| {
            let module = self.model.module(ask.course, number);
            let id = module.map_or(UNKNOWN, |module| self.modules[ask.course][module].as_str());
            json!({ "enrollmentId": enrollment, "moduleId": id })
        };
        let place = json!({ "courseId": self.courses[ask.course], "userId": self.people[ask.user].1 });
        match ask.command {
            Command::Enroll { waitlist } => {
                let mut input = place;
                input["waitlist"] = waitlist.into();
                ("enrollment.enroll", input)
            }
            Command::Unenroll => ("enrollment.unenroll", place),
            Command::Promote => ("enrollment.promote", json!({ "enrollmentId": enrollment })),
            Command::Complete { score, waived } => {
                let waived = waived.then_some("so decided");
                let input = json!({ "enrollmentId": enrollment, "score": score, "waiveReason": waived });
                ("enrollment.complete", input)
            }
            Command::Expire => ("enrollment.expire", json!({ "enrollmentId": enrollment })),
            Command::Revoke => {
                ("enrollment.revoke", json!({ "enrollmentId": enrollment, "reason": "so decided" }))
            }
            Command::SetNotes { stale } => {
                let place = self.model.places.get(&(ask.course, ask.user));
                let version = place.map_or(1, |place| place.version) + i32::from(stale);
                let notes = json!({ "enrollmentId": enrollment, "notes": "noted", "version": version });
                ("enrollment.setNotes", notes)
            }
            Command::StartModule(number) => ("module.start", module(number)),
            Command::CompleteModule(number) => ("module.complete", module(number)),
            Command::AssignModule(number) => ("module.assign", module(number)),
            Command::UnassignModule(number) => ("module.unassign", module(number)),
        }
    }

    async fn change(&mut self, change: Change) {
        match change {
            Change::HoursPass(hours) => {
                let hours = u32::try_from(hours).expect("time passes forward");
                let before = self.hours_ahead.fetch_add(hours, Ordering::Relaxed);
                self.world.clock_ahead(HOUR * (before + hours));
            }
            Change::Publish(course) => self.publication("course.publish", course).await,
            Change::Unpublish(course) => self.publication("course.unpublish", course).await,
            Change::Capacity(course, capacity) => self.edit(course, "capacity", json!(capacity)).await,
            Change::Managed(course, managed) => {
                let mode = if managed { "managed" } else { "open" };
                self.edit(course, "enrollmentMode", json!(mode)).await;
            }
            Change::AddModule(course, kind) => self.add_module(course, kind).await,
            Change::RetireModule(course, number) => {
                if let Some(module) = self.model.module(course, number) {
                    let id = &self.modules[course][module];
                    self.admin("course.retireModule", json!({ "moduleId": id })).await;
                }
            }
            Change::Suspend(user) => self.membership("member.suspend", user).await,
            Change::Resume(user) => self.membership("member.resume", user).await,
            Change::EndMembership(user) => self.membership("member.end", user).await,
            Change::Provision(user) => {
                self.admin("member.provision", json!({ "subject": self.people[user].2 })).await;
            }
        }
    }

    async fn publication(&self, path: &str, course: usize) {
        self.admin(path, json!({ "courseId": self.courses[course] })).await;
    }

    async fn edit(&self, course: usize, field: &str, value: Value) {
        let id = &self.courses[course];
        let read = self.admin("course.get", json!({ "courseId": id })).await;
        let input = json!({ "courseId": id, "version": read["version"], field: value });
        self.admin("course.update", input).await;
    }

    /// An ended membership is neither suspended nor resumed.
    async fn membership(&self, path: &str, user: usize) {
        let input = json!({ "userId": self.people[user].1 });
        if let Err(error) = self.world.call(&self.world.acme.admin, path, input).await {
            assert_eq!(word(&error), "notAMember");
        }
    }

    /// The events since the last turn.
    async fn events(&mut self) -> Vec<(&'static str, usize, usize)> {
        let page = self.admin("event.since", json!({ "cursor": self.cursor, "limit": 200 })).await;
        let events = page["items"].as_array().expect("items");
        if let Some(last) = events.last() {
            self.cursor = last["id"].clone();
        }
        let course =
            |id: &Value| self.courses.iter().position(|course| id == course).expect("a course of the story");
        let user = |id: &Value| {
            self.people.iter().position(|person| *id == person.1).expect("a person of the story")
        };
        let told = |event: &Value| {
            let kind: &'static str = text(&event["kind"]).leak();
            (kind, course(&event["courseId"]), user(&event["userId"]))
        };
        events.iter().map(told).collect()
    }

    async fn read_rosters(&self) -> Vec<Value> {
        let mut rosters = Vec::new();
        for course in &self.courses {
            let page = self.admin("enrollment.listByCourse", json!({ "courseId": course })).await;
            rosters.push(page["items"].clone());
        }
        rosters
    }

    /// Whether the rosters say what the model says.
    async fn compare(&mut self, turn: &Turn) {
        self.rosters = self.read_rosters().await;
        let mut read = BTreeMap::new();
        for (course, roster) in self.rosters.iter().enumerate() {
            for row in roster.as_array().expect("a roster") {
                let user = self.people.iter().position(|person| row["userId"] == person.1);
                let known = read.insert((course, user.expect("a person of the story")), row);
                assert_eq!(known, None, "one enrollment a person and course: {turn:?}");
            }
        }
        assert!(read.keys().eq(self.model.places.keys()), "{turn:?}: {:?}", read.keys());
        for (key, place) in &self.model.places {
            let row = read[key];
            let position = self.model.queue(key.0).iter().position(|user| *user == key.1);
            let progress = match place.status {
                Status::Completed => 100,
                _ => (100 * place.completed).checked_div(place.total).unwrap_or(0),
            };
            let expires = row["expiresAt"].as_str().map(|at| {
                let at: Moment = at.parse().expect("a moment");
                (at.micros() - self.began.micros()) / 3_600_000_000
            });
            let found = json!([
                row["status"],
                row["attempt"],
                row["version"],
                expires,
                row["completionScore"],
                row["modulesTotal"],
                row["modulesCompleted"],
                row["progress"],
                row["waitlistPosition"],
                !row["certificateId"].is_null(),
                !row["notes"].is_null(),
                row["softDeleted"],
            ]);
            let expected = json!([
                place.status.word(),
                place.attempt,
                place.version,
                place.expires,
                place.score.map(f64::from),
                place.total,
                place.completed,
                progress,
                position.map(|place| place + 1),
                place.certificate.is_some(),
                place.noted,
                place.status == Status::Cancelled,
            ]);
            assert!(
                same(&found, &expected),
                "{turn:?} at {key:?}:\n  found    {found}\n  expected {expected}"
            );
        }
        for (place, course) in self.courses.iter().enumerate() {
            let read = self.admin("course.get", json!({ "courseId": course })).await;
            assert_eq!(read["seatsTaken"], self.model.seats_taken(place), "{turn:?}");
        }
    }

    /// What is too much to look at after every turn: modules, certificates, and the proof of every invariant.
    async fn end(&self) {
        for ((course, user), place) in &self.model.places {
            let id = &self.enrollments.get(&(*course, *user)).expect("an enrollment was answered");
            let modules = self.admin("module.listByEnrollment", json!({ "enrollmentId": id })).await;
            let found: BTreeMap<usize, (bool, bool, bool)> = modules
                .as_array()
                .expect("modules")
                .iter()
                .map(|row| {
                    let module = self.modules[*course].iter().position(|id| row["moduleId"] == *id);
                    let is = |field: &str| !matches!(row[field], Value::Null | Value::Bool(false));
                    (
                        module.expect("a module of the course"),
                        (is("startedAt"), is("completed"), is("softDeleted")),
                    )
                })
                .collect();
            let gone = |removed: Option<Removal>| removed.is_some();
            let expected: BTreeMap<_, _> = place
                .parts
                .iter()
                .map(|(number, part)| (*number, (part.started, part.completed, gone(part.removed))))
                .collect();
            assert_eq!(found, expected, "the modules of {course}, {user}");
            let row = self.admin("enrollment.get", json!({ "enrollmentId": id })).await;
            if let Some((_, voided)) = place.certificate {
                let input = json!({ "certificateId": row["certificateId"] });
                let certificate = self.admin("certificate.get", input).await;
                assert_eq!(!certificate["voidedAt"].is_null(), voided, "the certificate of {course}, {user}");
            }
        }
        let report = self.admin("admin.verify", json!({})).await;
        assert_eq!(report["ok"], true, "{report:#}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The `type` of a refusal's reason, or `notFound`.
fn word(error: &Value) -> &str {
    match error["data"]["reason"]["type"].as_str() {
        Some(word) => word,
        None => {
            assert_eq!(error["data"]["code"], "NOT_FOUND", "{error}");
            "notFound"
        }
    }
}

/// Numbers alike, whether written with a fraction or not.
fn same(found: &Value, expected: &Value) -> bool {
    let (found, expected) = (found.as_array().expect("a list"), expected.as_array().expect("a list"));
    found.iter().zip(expected).all(|(found, expected)| match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => found == expected,
        _ => found == expected,
    })
}
