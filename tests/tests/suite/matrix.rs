//! Every procedure × every kind of caller × whose thing it is about, printed to `matrix.txt` and compared with it.
//!
//! The columns say whose the thing named in the input is: the caller's own, another's in acme, one of globex, or
//! nobody's. All callers but the last act in acme.

use procedures::router::Kind;
use procedures::session::Scope;
use serde_json::{Value, json};
use tests::{Actor, World, on_both, router};

on_both![the_matrix];

const UNKNOWN: &str = "019a0000-0000-7000-8000-000000000000";

/// Of providers of acme and of globex, beside those that their people sign in with.
const ISSUERS: [&str; 2] = ["https://idp.example/acme", "https://idp.example/globex"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Own,
    Anothers,
    Globex,
    Nobodys,
}

const COLUMNS: [(Whose, &str); 4] = [
    (Whose::Own, "own"),
    (Whose::Anothers, "another's"),
    (Whose::Globex, "globex's"),
    (Whose::Nobodys, "nobody's"),
];

/// What an example input names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// Nothing: there is one answer for each caller.
    Nothing,
    /// A person, in a course of acme that has room; their own is the caller, unnamed.
    PersonToEnroll,
    /// The same in the only row of many; their own is the caller's.
    RowToEnroll,
    /// A person, in a course of acme that those of acme are enrolled in; their own is the caller, unnamed.
    PersonEnrolled,
    /// A person by an id; their own is the caller's.
    Person,
    /// A course that has room, for the caller; it is nobody's own.
    OpenCourse,
    /// A course, the caller's own if they are an author of it.
    Course,
    Module,
    Enrollment,
    /// An enrollment, and the module of its course.
    ModuleOfEnrollment,
    Certificate,
    /// Cohorts are the organization's; none is anybody's own.
    Cohort,
    /// A cohort, and a course of its organization.
    CourseOfCohort,
    Organization,
    /// An identity provider, by its issuer; none is anybody's own.
    IdentityProvider,
    /// Webhooks are the organization's; none is anybody's own.
    Webhook,
    /// So are service tokens.
    ServiceToken,
}

impl Names {
    fn in_words(self) -> &'static str {
        match self {
            Names::Nothing => "",
            Names::PersonToEnroll => ", by userId, in an open course of acme",
            Names::RowToEnroll => ", by the userId of a row, in an open course of acme",
            Names::PersonEnrolled => ", by userId, in a course of acme",
            Names::Person => ", by userId",
            Names::OpenCourse => ", of the caller, by courseId",
            Names::Course => ", by courseId",
            Names::Module => ", by moduleId",
            Names::Enrollment => ", by enrollmentId",
            Names::ModuleOfEnrollment => ", by enrollmentId and moduleId",
            Names::Certificate => ", by certificateId",
            Names::Cohort => ", by cohortId",
            Names::CourseOfCohort => ", by cohortId and courseId",
            Names::Organization => ", by organizationId",
            Names::IdentityProvider => ", by issuer",
            Names::Webhook => ", by webhookId",
            Names::ServiceToken => ", by serviceTokenId",
        }
    }
}

/// An example input: what it names, and the other fields.
fn example(path: &str) -> Option<Vec<(Names, Value)>> {
    let nothing = || json!({});
    Some(match path {
        "admin.verify" | "event.since" => vec![(Names::Nothing, nothing())],
        "certificate.get" => vec![(Names::Certificate, nothing())],
        "certificate.listByUser" => vec![(Names::Person, nothing())],
        "certificate.verify" => vec![(Names::Nothing, json!({ "number": "0000-0000-0000-0000-0000-0000" }))],
        "cohort.addMembers" | "cohort.removeMembers" => vec![(Names::Cohort, json!({ "userIds": [] }))],
        "cohort.attachCourse" | "cohort.detachCourse" => vec![(Names::CourseOfCohort, nothing())],
        "cohort.create" => vec![(Names::Nothing, json!({ "name": "a cohort" }))],
        "cohort.get" | "cohort.sync" => vec![(Names::Cohort, nothing())],
        "cohort.list" => vec![(Names::Nothing, nothing())],
        "course.addModule" => vec![(Names::Course, json!({ "title": "a module", "kind": "lesson" }))],
        "course.archive" | "course.get" | "course.publish" | "course.unpublish" => {
            vec![(Names::Course, nothing())]
        }
        "course.create" => vec![(Names::Nothing, json!({ "title": "a course" }))],
        "course.list" => vec![(Names::Nothing, nothing())],
        "course.retireModule" => vec![(Names::Module, nothing())],
        "course.update" => vec![(Names::Course, json!({ "version": 2 }))],
        "course.updateModule" => vec![(Names::Module, json!({ "title": "renamed" }))],
        "enrollment.access" | "enrollment.find" | "enrollment.unenroll" => {
            vec![(Names::PersonEnrolled, nothing()), (Names::OpenCourse, nothing())]
        }
        "enrollment.check" => vec![
            (Names::PersonToEnroll, json!({ "action": "enroll" })),
            (Names::PersonEnrolled, json!({ "action": "unenroll" })),
            (Names::PersonEnrolled, json!({ "action": "revoke" })),
        ],
        "enrollment.complete" => vec![
            (Names::Enrollment, json!({ "waiveReason": "so decided" })),
            (Names::Enrollment, json!({ "score": 80 })),
        ],
        "enrollment.count" | "enrollment.listByCourse" | "module.drift" => vec![(Names::Course, nothing())],
        "enrollment.enroll" => vec![
            (Names::PersonToEnroll, nothing()),
            (Names::PersonToEnroll, json!({ "notes": "a note" })),
            (Names::OpenCourse, nothing()),
        ],
        "enrollment.enrollMany" => {
            vec![(Names::Nothing, json!({ "items": [] })), (Names::RowToEnroll, nothing())]
        }
        "enrollment.expire" | "enrollment.promote" => vec![(Names::Enrollment, nothing())],
        "enrollment.listByOrganization" => vec![(Names::Nothing, nothing()), (Names::Course, nothing())],
        "enrollment.revoke" => vec![(Names::Enrollment, json!({ "reason": "so decided" }))],
        "enrollment.setNotes" => vec![(Names::Enrollment, json!({ "notes": "noted", "version": 1 }))],
        "enrollment.get" | "enrollment.history" | "module.listByEnrollment" => {
            vec![(Names::Enrollment, nothing())]
        }
        "enrollment.listByUser" => vec![(Names::Person, nothing())],
        "enrollment.onChange" => {
            vec![(Names::Person, nothing()), (Names::OpenCourse, nothing()), (Names::Nothing, nothing())]
        }
        "member.end" | "member.get" | "member.resume" | "member.suspend" | "user.anonymize" => {
            vec![(Names::Person, nothing())]
        }
        "member.list" => vec![(Names::Nothing, nothing())],
        "member.provision" => vec![(Names::Nothing, json!({ "subject": "newcomer" }))],
        "member.setRole" => vec![(Names::Person, json!({ "role": "learner" }))],
        "module.assign" | "module.complete" | "module.start" | "module.unassign" => {
            vec![(Names::ModuleOfEnrollment, nothing())]
        }
        "organization.update" => vec![(Names::Nothing, json!({ "name": "Acme" }))],
        "organization.create" => vec![(Names::Nothing, json!({ "name": "Initech" }))],
        "organization.get" => vec![(Names::Nothing, nothing()), (Names::Organization, nothing())],
        "organization.removeIdentityProvider" => vec![(Names::IdentityProvider, nothing())],
        "organization.setIdentityProvider" => {
            vec![(Names::Nothing, json!({ "issuer": ISSUERS[0], "audience": "rollbook" }))]
        }
        "serviceToken.create" => {
            vec![(Names::Nothing, json!({ "name": "a service", "scopes": ["events:read"] }))]
        }
        "serviceToken.list" => vec![(Names::Nothing, nothing())],
        "serviceToken.revoke" => vec![(Names::ServiceToken, nothing())],
        "session.me" => vec![(Names::Nothing, nothing())],
        "webhook.create" => vec![(Names::Nothing, json!({ "url": "https://receiver.example/" }))],
        "webhook.delete" => vec![(Names::Webhook, nothing())],
        "webhook.list" => vec![(Names::Nothing, nothing())],
        "webhook.redeliver" => vec![(Names::Webhook, json!({ "eventId": "0000000000000001" }))],
        _ => return None,
    })
}

struct Caller {
    called: &'static str,
    actor: Actor,
    /// As an active member of acme.
    user_id: Option<String>,
}

async fn callers(world: &World) -> Vec<Caller> {
    let member = |called, actor: &Actor| Caller {
        called,
        actor: actor.clone(),
        user_id: Some(world.id(&format!("<{called}>"))),
    };
    let other = |called, actor: &Actor| Caller { called, actor: actor.clone(), user_id: None };
    vec![
        other("anonymous", &Actor::Anonymous),
        member("learner", &world.acme.learner),
        member("author", &world.acme.author),
        member("coordinator", &world.acme.coordinator),
        member("admin", &world.acme.admin),
        other("global admin, no member", &world.global_admin),
        other("service, every scope", &world.service(Scope::ALL).await),
        other("service, no scope", &world.service(&[]).await),
        other("admin of globex", &world.globex.admin),
    ]
}

/// A course with a module and an enrollment.
struct Furnished {
    course: String,
    module: String,
    enrollment: Option<String>,
}

/// What the inputs name, until a call has changed some of it.
struct Scene {
    kept: Kept,
    open: String,
    /// The caller is its author and enrolled in it, if a member.
    own: Furnished,
    /// The peer is enrolled in it.
    anothers: Furnished,
    globex: Furnished,
}

/// What no call changes so that another one would notice.
#[derive(Clone)]
struct Kept {
    own_certificate: Option<String>,
    anothers_certificate: String,
    globex_certificate: String,
    group: Group,
    globex_group: Group,
    /// Made again once it is deleted.
    webhook: String,
    globex_webhook: String,
    service_token: String,
    globex_service_token: String,
}

/// A cohort with nobody in it, and a course for it.
#[derive(Clone)]
struct Group {
    cohort: String,
    course: String,
}

impl Group {
    async fn set(world: &World, admin: &Actor) -> Self {
        Group {
            cohort: made(world, admin, "cohort.create", json!({ "name": "a cohort" })).await,
            course: furnish(world, admin, json!([]), None).await.course,
        }
    }
}

impl Kept {
    async fn set(world: &World, caller: &Caller) -> Self {
        let (acme, globex) = (&world.acme.admin, &world.globex.admin);
        let own = async |user: &String| certificate(world, acme, json!([user]), user).await;
        register(world).await;
        Kept {
            own_certificate: match &caller.user_id {
                Some(user) => Some(own(user).await),
                None => None,
            },
            anothers_certificate: certificate(world, acme, json!([]), &world.id("<peer>")).await,
            globex_certificate: certificate(world, globex, json!([]), &world.id("<globex peer>")).await,
            group: Group::set(world, acme).await,
            globex_group: Group::set(world, globex).await,
            webhook: webhook(world, acme).await,
            globex_webhook: webhook(world, globex).await,
            service_token: service_token(world, acme).await,
            globex_service_token: service_token(world, globex).await,
        }
    }
}

/// Of a course that this person has completed.
async fn certificate(world: &World, admin: &Actor, authors: Value, user: &str) -> String {
    let furnished = furnish(world, admin, authors, Some(user)).await;
    let input = json!({ "enrollmentId": furnished.enrollment, "waiveReason": "so decided" });
    let completed = world.call(admin, "enrollment.complete", input).await.expect("an admin may complete");
    completed["certificateId"].as_str().expect("a certificate").to_owned()
}

async fn webhook(world: &World, admin: &Actor) -> String {
    let input = json!({ "url": "https://receiver.example/" });
    let made = world.call(admin, "webhook.create", input).await.expect("an admin may furnish");
    made["webhook"]["id"].as_str().expect("an id").to_owned()
}

async fn service_token(world: &World, admin: &Actor) -> String {
    let input = json!({ "name": "a service", "scopes": ["events:read"] });
    let made = world.call(admin, "serviceToken.create", input).await.expect("an admin may furnish");
    made["serviceToken"]["id"].as_str().expect("an id").to_owned()
}

/// Has both issuers registered, also if they were removed.
async fn register(world: &World) {
    for (organization, issuer) in [&world.acme.id, &world.globex.id].into_iter().zip(ISSUERS) {
        let admin = world.global_admin.choosing(organization);
        let input = json!({ "issuer": issuer, "audience": "rollbook" });
        let set = world.call(&admin, "organization.setIdentityProvider", input).await;
        set.expect("a global admin may furnish");
    }
}

/// This webhook, or another one if it is deleted.
async fn webhook_again(world: &World, admin: &Actor, id: &str) -> String {
    let page = world.call(admin, "webhook.list", json!({})).await.expect("an admin may list");
    match page["items"].as_array().expect("a page").iter().any(|webhook| webhook["id"] == id) {
        true => id.to_owned(),
        false => webhook(world, admin).await,
    }
}

/// The id of what a call has made.
async fn made(world: &World, admin: &Actor, path: &str, input: Value) -> String {
    let made = world.call(admin, path, input).await.expect("an admin may furnish");
    made["id"].as_str().expect("an id").to_owned()
}

impl Scene {
    async fn set(world: &World, caller: &Caller) -> Self {
        Scene::with(world, caller, Kept::set(world, caller).await).await
    }

    /// Set anew after a call that has changed something; nobody is out of the organization for good.
    async fn renewed(&self, world: &World, caller: &Caller) -> Self {
        let own = caller.user_id.clone().map(|user| (&world.global_admin, caller.called, user));
        let others = [
            (&world.global_admin, "peer", world.id("<peer>")),
            (&world.globex.admin, "peer", world.id("<globex peer>")),
        ];
        for (admin, subject, user) in others.into_iter().chain(own) {
            world.call(admin, "member.provision", json!({ "subject": subject })).await.expect("known again");
            world.call(admin, "member.resume", json!({ "userId": user })).await.expect("active again");
        }
        register(world).await;
        let kept = Kept {
            webhook: webhook_again(world, &world.acme.admin, &self.kept.webhook).await,
            globex_webhook: webhook_again(world, &world.globex.admin, &self.kept.globex_webhook).await,
            ..self.kept.clone()
        };
        Scene::with(world, caller, kept).await
    }

    async fn with(world: &World, caller: &Caller, kept: Kept) -> Self {
        let admin = &world.acme.admin;
        let user = caller.user_id.as_deref();
        Scene {
            kept,
            open: furnish(world, admin, json!([]), None).await.course,
            own: furnish(world, admin, user.into_iter().collect(), user).await,
            anothers: furnish(world, admin, json!([]), Some(&world.id("<peer>"))).await,
            globex: furnish(world, &world.globex.admin, json!([]), Some(&world.id("<globex peer>"))).await,
        }
    }
}

async fn furnish(world: &World, admin: &Actor, authors: Value, enrolled: Option<&str>) -> Furnished {
    let id = async |path: &str, input: Value| made(world, admin, path, input).await;
    let course = id("course.create", json!({ "title": "a course", "authorIds": authors })).await;
    id("course.publish", json!({ "courseId": course })).await;
    let module =
        id("course.addModule", json!({ "courseId": course, "title": "a module", "kind": "lesson" })).await;
    let enrollment = match enrolled {
        Some(user) => Some(id("enrollment.enroll", json!({ "courseId": course, "userId": user })).await),
        None => None,
    };
    Furnished { course, module, enrollment }
}

/// The input for a column; none where the caller has nothing of their own of the kind.
fn input(
    world: &World,
    caller: &Caller,
    scene: &Scene,
    names: Names,
    fields: &Value,
    whose: Whose,
) -> Option<Value> {
    let furnished = match whose {
        Whose::Own => caller.user_id.as_ref().map(|_| &scene.own),
        Whose::Anothers => Some(&scene.anothers),
        Whose::Globex => Some(&scene.globex),
        Whose::Nobodys => None,
    };
    let of_furnished = |pick: fn(&Furnished) -> &str| match (furnished, whose) {
        (Some(furnished), _) => Some(json!(pick(furnished))),
        (None, Whose::Nobodys) => Some(json!(UNKNOWN)),
        (None, Whose::Own | Whose::Anothers | Whose::Globex) => None,
    };
    let person = || match whose {
        Whose::Own => Value::Null,
        Whose::Anothers => json!(world.id("<peer>")),
        Whose::Globex => json!(world.id("<globex peer>")),
        Whose::Nobodys => json!(UNKNOWN),
    };
    let person_by_id = || match whose {
        Whose::Own => caller.user_id.as_ref().map(|user| json!(user)),
        Whose::Anothers | Whose::Globex | Whose::Nobodys => Some(person()),
    };
    let mut input = fields.clone();
    match names {
        Names::Nothing if whose == Whose::Own => {}
        Names::Nothing => return None,
        Names::PersonToEnroll => {
            input["courseId"] = json!(scene.open);
            input["userId"] = person();
        }
        Names::RowToEnroll => {
            input["items"] = json!([{ "courseId": scene.open, "userId": person_by_id()? }]);
        }
        Names::PersonEnrolled => {
            let course = if whose == Whose::Own { &scene.own.course } else { &scene.anothers.course };
            input["courseId"] = json!(course);
            input["userId"] = person();
        }
        Names::Person => input["userId"] = person_by_id()?,
        Names::OpenCourse => {
            input["courseId"] = match whose {
                Whose::Own => return None,
                Whose::Anothers => json!(scene.open),
                Whose::Globex => json!(scene.globex.course),
                Whose::Nobodys => json!(UNKNOWN),
            }
        }
        Names::Course => input["courseId"] = of_furnished(|furnished| &furnished.course)?,
        Names::Module => input["moduleId"] = of_furnished(|furnished| &furnished.module)?,
        Names::Enrollment => {
            let enrollment = of_furnished(|furnished| furnished.enrollment.as_deref().unwrap_or(UNKNOWN))?;
            input["enrollmentId"] = enrollment;
        }
        Names::ModuleOfEnrollment => {
            let enrollment = of_furnished(|furnished| furnished.enrollment.as_deref().unwrap_or(UNKNOWN))?;
            input["enrollmentId"] = enrollment;
            input["moduleId"] = of_furnished(|furnished| &furnished.module)?;
        }
        Names::Certificate => {
            input["certificateId"] = match whose {
                Whose::Own => json!(scene.kept.own_certificate.as_ref()?),
                Whose::Anothers => json!(scene.kept.anothers_certificate),
                Whose::Globex => json!(scene.kept.globex_certificate),
                Whose::Nobodys => json!(UNKNOWN),
            }
        }
        Names::Cohort | Names::CourseOfCohort => {
            let group = match whose {
                Whose::Own => return None,
                Whose::Anothers => Some(&scene.kept.group),
                Whose::Globex => Some(&scene.kept.globex_group),
                Whose::Nobodys => None,
            };
            input["cohortId"] = json!(group.map_or(UNKNOWN, |group| group.cohort.as_str()));
            if names == Names::CourseOfCohort {
                input["courseId"] = json!(group.map_or(UNKNOWN, |group| group.course.as_str()));
            }
        }
        Names::Webhook => {
            input["webhookId"] = match whose {
                Whose::Own => return None,
                Whose::Anothers => json!(scene.kept.webhook),
                Whose::Globex => json!(scene.kept.globex_webhook),
                Whose::Nobodys => json!(UNKNOWN),
            }
        }
        Names::IdentityProvider => {
            input["issuer"] = match whose {
                Whose::Own => return None,
                Whose::Anothers => json!(ISSUERS[0]),
                Whose::Globex => json!(ISSUERS[1]),
                Whose::Nobodys => json!(UNKNOWN),
            }
        }
        Names::ServiceToken => {
            input["serviceTokenId"] = match whose {
                Whose::Own => return None,
                Whose::Anothers => json!(scene.kept.service_token),
                Whose::Globex => json!(scene.kept.globex_service_token),
                Whose::Nobodys => json!(UNKNOWN),
            }
        }
        Names::Organization => {
            input["organizationId"] = match whose {
                Whose::Own => json!(world.acme.id),
                Whose::Anothers => return None,
                Whose::Globex => json!(world.globex.id),
                Whose::Nobodys => json!(UNKNOWN),
            }
        }
    }
    Some(input)
}

/// An answer in a word or two.
fn cell(answer: &Result<Value, Value>) -> String {
    match answer {
        Ok(Value::Null) => "null".into(),
        Ok(answer) if answer["items"] == json!([]) => "empty".into(),
        Ok(answer) if answer["allowed"] == json!(false) => {
            let reasons = answer["reasons"].as_array().expect("reasons").iter();
            let words: Vec<_> = reasons.filter_map(|reason| reason["type"].as_str()).collect();
            format!("not allowed, {}", words.join(" "))
        }
        Ok(answer) if answer["granted"] == json!(false) => {
            format!("not granted, {}", answer["reason"].as_str().unwrap_or("?"))
        }
        Ok(answer) => match answer["results"].as_array().map(Vec::as_slice) {
            Some([row]) => match row.get("error") {
                Some(error) => format!("row: {}", refused(error)),
                None => "row: ok".into(),
            },
            Some(_) | None => "ok".into(),
        },
        Err(error) => refused(error),
    }
}

fn refused(error: &Value) -> String {
    let code = error["data"]["code"].as_str().expect("a code");
    let reason = error["data"]["reason"]["type"].as_str().unwrap_or_default();
    format!("{code} {reason}").trim_end().to_owned()
}

/// The other fields of an example; an action stands for a procedure of its own.
fn in_words(fields: &Value) -> String {
    let field = |(name, value): (&String, &Value)| match value.as_str() {
        Some(value) if name == "action" => format!(", {name} {value}"),
        Some(_) | None => format!(", {name}"),
    };
    fields.as_object().expect("fields").iter().map(field).collect()
}

async fn the_matrix(world: World) {
    let mut table = String::from(
        "Every procedure as every kind of caller. The columns say whose the thing is that the input names.\n\
         Renewed by ROLLBOOK_RENEW=1 ./tests/run; compared by every other run.\n",
    );
    let callers = callers(&world).await;
    let mut scenes = Vec::new();
    for caller in &callers {
        scenes.push(Scene::set(&world, caller).await);
    }
    for procedure in router().iter() {
        let path = &procedure.path;
        let examples = example(path).unwrap_or_else(|| panic!("the matrix needs an example input of {path}"));
        for (names, fields) in examples {
            let kind = match procedure.kind {
                Kind::Query => "query",
                Kind::Mutation => "mutation",
                Kind::Subscription => "subscription",
            };
            table.push_str(&format!("\n{path}, {kind}{}{}\n", names.in_words(), in_words(&fields)));
            let columns: Vec<_> = COLUMNS
                .into_iter()
                .filter(|(whose, _)| names != Names::Nothing || *whose == Whose::Own)
                .collect();
            if names != Names::Nothing {
                table.push_str(&line("", columns.iter().map(|(_, name)| *name)));
            }
            for (caller, scene) in callers.iter().zip(&mut scenes) {
                let mut cells = Vec::new();
                let mut answers = Vec::new();
                for (whose, _) in &columns {
                    let Some(mut input) = input(&world, caller, scene, names, &fields, *whose) else {
                        cells.push("–".to_owned());
                        continue;
                    };
                    match (*path, whose) {
                        ("organization.create", _) => {
                            input["slug"] = json!(format!("initech-{}", table.len()));
                        }
                        ("member.setRole", Whose::Own) => input["role"] = json!(caller.called),
                        _ => {}
                    }
                    let answer = world.call(&caller.actor, path, input).await;
                    if answer.is_ok() && procedure.kind == Kind::Mutation {
                        *scene = scene.renewed(&world, caller).await;
                    }
                    cells.push(cell(&answer));
                    answers.push((*whose, answer));
                }
                let of = |wanted: Whose| {
                    answers.iter().find(|(whose, _)| *whose == wanted).map(|(_, answer)| answer)
                };
                if caller.called != "admin of globex" {
                    assert_eq!(of(Whose::Globex), of(Whose::Nobodys), "D17: {path} as {}", caller.called);
                }
                table.push_str(&line(caller.called, cells.iter().map(String::as_str)));
            }
        }
    }
    compare(&table);
}

fn line<'a>(head: &str, cells: impl Iterator<Item = &'a str>) -> String {
    let cells = cells.map(|cell| format!("{cell:26} ")).collect::<String>();
    format!("  {head:25}{cells}").trim_end().to_owned() + "\n"
}

fn compare(table: &str) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/matrix.txt");
    if std::env::var_os("ROLLBOOK_RENEW").is_some_and(|renew| renew == "1") {
        std::fs::write(file, table).expect("a file that can be written");
        return;
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let differences: Vec<_> = table
        .lines()
        .zip(kept.lines().chain(std::iter::repeat("")))
        .zip(1..)
        .filter(|((now, kept), _)| now != kept)
        .take(20)
        .map(|((now, kept), line)| format!("line {line}\n  kept: {kept}\n  now:  {now}\n"))
        .collect();
    assert!(
        table == kept,
        "the authorization matrix differs from {file}:\n{}\nif that is meant, ROLLBOOK_RENEW=1 ./tests/run renews it",
        differences.concat()
    );
}
