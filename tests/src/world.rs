//! A world: an application on a fresh database, with two organizations and people of every role.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use procedures::member::Role;
use procedures::router::{Items, Kind as CallKind};
use procedures::session::Scope;
use procedures::{App, Call, Router};
use serde_json::{Value, json};

use crate::actor::{Actor, Organization};
use crate::contents::contents;
use crate::database::{Fresh, Kind, open};
use crate::labels::Labels;

/// The request id of every call, so that answers of two calls can be compared byte for byte.
pub const REQUEST_ID: &str = "a-request";

/// An application on the database at this address.
pub fn app_at(url: &str) -> Arc<App> {
    Arc::new(App::new(open(url)))
}

/// Every procedure there is.
pub fn router() -> &'static Router {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    ROUTER.get_or_init(procedures::router)
}

pub struct World {
    pub kind: Kind,
    pub app: Arc<App>,
    pub acme: Organization,
    pub globex: Organization,
    /// A global admin: a learner of globex who acts in acme.
    pub global_admin: Actor,
    labels: Mutex<Labels>,
    url: String,
}

impl World {
    /// Runs one test in a world of its own.
    pub async fn run(kind: Kind, test: impl AsyncFnOnce(World)) {
        let database = Fresh::create(kind).await;
        let url = database.url.clone();
        let app = Arc::new(App::new(open(&url)));
        let now = app.clock.now();
        let mut labels = Labels::default();
        let mut named = |name: String, id: String| labels.name(&name, id);
        let acme = Organization::create(&app.db, now, "acme", &mut named).await;
        let globex = Organization::create(&app.db, now, "globex", &mut named).await;
        let (global_admin, id) = globex.person(&app, "global admin", Role::Learner, true).await;
        named("global admin".into(), id);
        let global_admin = global_admin.choosing(&acme.id);
        test(World { kind, app, acme, globex, global_admin, labels: Mutex::new(labels), url }).await;
        database.remove().await;
    }

    /// The address of its database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Another process' application on the same database.
    pub fn another_app(&self) -> Arc<App> {
        app_at(&self.url)
    }

    /// Calls a procedure with these bytes; answers with the bytes of its answer or error.
    pub async fn call_as_sent(&self, actor: &Actor, path: &str, input: &str) -> Result<String, String> {
        call(&self.app, actor, path, input).await
    }

    /// Calls a procedure, labels resolved in its input.
    pub async fn call(&self, actor: &Actor, path: &str, input: Value) -> Result<Value, Value> {
        let input = self.resolved(&input).to_string();
        let parsed = |text: String| serde_json::from_str(&text).expect("JSON");
        self.call_as_sent(actor, path, &input).await.map(parsed).map_err(parsed)
    }

    /// Begins a subscription, labels resolved in its input.
    pub async fn subscribe(&self, app: &Arc<App>, actor: &Actor, path: &str, input: Value) -> Items {
        let input = self.resolved(&input).to_string();
        let procedure = router().find(path).unwrap_or_else(|| panic!("there is no procedure {path}"));
        let caller = actor.caller(app).await.expect("a session");
        let call = Call { app: app.clone(), caller, request_id: REQUEST_ID.into() };
        procedure.subscribe(call, actor.session(app), &input).await.expect("a subscription").items
    }

    /// The answer of a call that is to succeed, with labels.
    #[track_caller]
    pub fn ok<'w>(
        &'w self,
        actor: &'w Actor,
        path: &'w str,
        input: Value,
    ) -> impl Future<Output = Value> + 'w {
        let called_at = std::panic::Location::caller();
        async move {
            match self.call(actor, path, input).await {
                Ok(answer) => self.labels().labelled(&answer),
                Err(error) => panic!("{called_at}: {path} was refused: {error:#}"),
            }
        }
    }

    /// The error of a call that is to be refused, with labels. The refusal has changed nothing.
    #[track_caller]
    pub fn refused<'w>(
        &'w self,
        actor: &'w Actor,
        path: &'w str,
        input: Value,
    ) -> impl Future<Output = Value> + 'w {
        let called_at = std::panic::Location::caller();
        async move {
            let before = self.contents().await;
            let error = match self.call(actor, path, input).await {
                Ok(answer) => panic!("{called_at}: {path} was not refused: {answer:#}"),
                Err(error) => self.labels().labelled(&error),
            };
            let after = self.contents().await;
            for (table, rows) in &before {
                assert_eq!(*rows, after[table], "{called_at}: a refused {path} changed {table}");
            }
            error
        }
    }

    /// Every row of every table, as text.
    pub async fn contents(&self) -> BTreeMap<&'static str, Vec<String>> {
        contents(&self.app.db).await
    }

    /// An input with the things its labels stand for.
    pub fn resolved(&self, input: &Value) -> Value {
        self.labels().resolved(input)
    }

    /// Gives an id a name, to be used as `<name>`.
    pub fn name(&self, name: &str, id: &str) {
        self.labels().name(name, id.to_owned());
    }

    /// What `<name>` stands for.
    pub fn id(&self, label: &str) -> String {
        self.labels().resolve(label)
    }

    /// A published course of acme, its fields as `course.create` takes them, called `<name>`.
    pub async fn course(&self, name: &str, fields: Value) -> String {
        self.course_in(&self.acme, name, fields).await
    }

    pub async fn course_in(&self, organization: &Organization, name: &str, fields: Value) -> String {
        let id = self.draft_in(organization, name, fields).await;
        let published = self.call(&organization.admin, "course.publish", json!({ "courseId": id })).await;
        published.expect("a published course");
        id
    }

    pub async fn draft_in(&self, organization: &Organization, name: &str, mut fields: Value) -> String {
        if fields["title"].is_null() {
            fields["title"] = name.into();
        }
        let course = self.call(&organization.admin, "course.create", fields).await.expect("a course");
        let id = course["id"].as_str().expect("an id").to_owned();
        self.name(name, &id);
        id
    }

    /// Adds a lesson called `<name>` to a course.
    pub async fn module(&self, course: &str, name: &str) -> String {
        let input = json!({ "courseId": course, "title": name, "kind": "lesson" });
        let module = self.call(&self.acme.admin, "course.addModule", input).await.expect("a module");
        let id = module["id"].as_str().expect("an id").to_owned();
        self.name(name, &id);
        id
    }

    /// One more member of acme, called `<name>`.
    pub async fn person(&self, name: &str, role: Role) -> Actor {
        let (actor, id) = self.acme.person(&self.app, name, role, false).await;
        self.name(name, &id);
        actor
    }

    /// A service of acme with these scopes.
    pub async fn service(&self, scopes: &[Scope]) -> Actor {
        self.acme.service(&self.app, scopes).await
    }

    /// Enrolls a person of acme in a course; the enrollment is called `<name>`.
    pub async fn enrolled(&self, actor: &Actor, course: &str, name: &str) -> String {
        let enrolled = self.call(actor, "enrollment.enroll", json!({ "courseId": course })).await;
        let id = enrolled.expect("an enrollment")["id"].as_str().expect("an id").to_owned();
        self.name(name, &id);
        id
    }

    /// An admin completes an enrollment of acme, its conditions waived.
    pub async fn completed(&self, enrollment: &str) {
        let input = json!({ "enrollmentId": enrollment, "waiveReason": "for the test" });
        self.call(&self.acme.admin, "enrollment.complete", input).await.expect("completed");
    }

    /// A service of acme ends an enrollment's access.
    pub async fn expired(&self, enrollment: &str) {
        let service = self.service(&[Scope::EnrollmentsWrite]).await;
        let input = json!({ "enrollmentId": enrollment });
        self.call(&service, "enrollment.expire", input).await.expect("expired");
    }

    /// An admin cancels an enrollment of acme.
    pub async fn cancelled(&self, enrollment: &str) {
        let admin = &self.acme.admin;
        let input = json!({ "enrollmentId": enrollment });
        let read = self.call(admin, "enrollment.get", input).await.expect("an enrollment");
        let input = json!({ "courseId": read["courseId"], "userId": read["userId"] });
        self.call(admin, "enrollment.unenroll", input).await.expect("cancelled");
    }

    /// An admin changes a membership of acme: `suspend`, `resume`, `end`.
    pub async fn membership(&self, change: &str, user: &str) {
        let path = format!("member.{change}");
        self.call(&self.acme.admin, &path, json!({ "userId": user })).await.expect("another standing");
    }

    /// An admin changes how many seats a course of acme has; null for no limit.
    pub async fn capacity(&self, course: &str, capacity: Value) {
        let admin = &self.acme.admin;
        let read = self.call(admin, "course.get", json!({ "courseId": course })).await.expect("a course");
        let input = json!({ "courseId": course, "version": read["version"], "capacity": capacity });
        self.call(admin, "course.update", input).await.expect("another capacity");
    }

    /// Moves the clock so far from the system's.
    pub fn clock_ahead(&self, by: Duration) {
        self.app.clock.set_offset_micros(i64::try_from(by.as_micros()).expect("a small offset"));
    }

    /// Sets the status of a member of acme behind every procedure's back: what belongs to it stays as it is.
    pub async fn set_membership(&self, user: &str, status: &str) {
        let user = self.id_literal(user);
        let changed =
            self.sql(&format!("UPDATE memberships SET status = '{status}' WHERE user_id = {user}")).await;
        assert_eq!(changed.expect("a membership"), 1);
    }

    /// Runs a statement that no procedure makes, in the words of both databases.
    pub async fn sql(&self, sql: &str) -> diesel::QueryResult<usize> {
        let mut connection = self.app.db.read().await.expect("a connection");
        connection.execute(diesel::sql_query(sql)).await
    }

    /// An id as a literal of this database.
    pub fn id_literal(&self, label: &str) -> String {
        let id = self.id(label);
        match self.kind {
            Kind::Postgres => format!("'{id}'"),
            Kind::Sqlite => format!("x'{}'", id.replace('-', "")),
        }
    }

    fn labels(&self) -> std::sync::MutexGuard<'_, Labels> {
        self.labels.lock().expect("labels are not held by a test that failed")
    }
}

/// Calls a procedure of an application; a fault's cause goes to the test's output.
pub async fn call(app: &Arc<App>, actor: &Actor, path: &str, input: &str) -> Result<String, String> {
    let procedure = router().find(path).unwrap_or_else(|| panic!("there is no procedure {path}"));
    let answer = match actor.caller(app).await {
        Ok(caller) => {
            let call = Call { app: app.clone(), caller, request_id: REQUEST_ID.into() };
            match procedure.kind {
                CallKind::Query | CallKind::Mutation => {
                    procedure.call(call, input).await.map(|json| json.get().to_owned())
                }
                // That it begins is its answer; what it goes on to tell has tests of its own.
                CallKind::Subscription => {
                    procedure.subscribe(call, actor.session(app), input).await.map(|_| "true".to_owned())
                }
            }
        }
        Err(error) => Err(error),
    };
    answer.map_err(|error| {
        if let Some(cause) = error.cause() {
            eprintln!("{path}: {error}: {cause}");
        }
        serde_json::to_string(&error.shape(Some(path), REQUEST_ID)).expect("JSON")
    })
}
