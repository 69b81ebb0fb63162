//! Mail, as a mail server gets it.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tests::process::{Process, command};
use tests::{expect, merged};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::site::{Client, Site};
use crate::{on_both, on_sqlite};

on_both![
    each_thing_is_written_once,
    what_was_refused_for_now_is_sent_again_as_it_was,
    who_is_gone_by_the_next_attempt_is_not_written_to,
];
on_sqlite![an_organization_s_own_templates, mistakes_end_the_start];

const FROM: &str = "Rollbook <no-reply@mail.example.com>";

/// How long a message may take: the lease of a server that was killed runs out first.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing comes once nothing is to come.
const QUIET: Duration = Duration::from_secs(4);

const DAY: i64 = 86_400;

const NAME: &str = "Mia <b>O'Neil</b>";
const NAME_IN_HTML: &str = "Mia &lt;b&gt;O&#39;Neil&lt;/b&gt;";
const TITLE: &str = "Brände & \"Löschen\"";
const TITLE_IN_HTML: &str = "Brände &amp; &quot;Löschen&quot;";
const MIA: &str = "mia@example.org";

/// D22, and what else people are told.
async fn each_thing_is_written_once(site: Site) {
    let mut sink = Sink::start(0).await;
    let site = mailing(site, &sink, &[]).await;
    let admin = site.person("ada", "admin").await;
    let mia = member(&admin, "wire-mia", NAME, Some(MIA)).await;
    let noa = member(&admin, "wire-noa", "Noa", None).await;
    let otto = member(&admin, "wire-otto", "Otto", Some("otto@example.org")).await;

    let full = course(&admin, json!({ "title": TITLE, "capacity": 1 })).await;
    for user in [&noa, &mia] {
        enroll(&admin, &full, user).await;
    }
    leave(&admin, &full, &noa).await;
    let promoted = sink.next().await;
    let today = promoted["text"].as_str().and_then(|text| text.split_once("✔ ")?.1.get(..10)).unwrap_or("");
    assert!(today.starts_with("20"), "{promoted}");
    let subject = format!("✔ {TITLE}");
    expect(&promoted, &message(&admin, &promoted, &subject, &[&format!("✔ {today}")]));

    let certified = json!({ "title": TITLE, "certificateValidDays": 60 });
    let certified = course(&admin, certified).await;
    let short = course(&admin, json!({ "title": TITLE, "accessDays": 40 })).await;
    let mut certifying = Vec::new();
    let mut access_ends = Value::Null;
    for user in [&noa, &otto, &mia] {
        certifying.push(enroll(&admin, &certified, user).await);
        access_ends = enroll(&admin, &short, user).await["expiresAt"].take();
    }
    admin.ok("user.anonymize", json!({ "userId": otto })).await;
    let mut certificate = Value::Null;
    for enrollment in certifying {
        let complete = json!({ "enrollmentId": enrollment["id"], "waiveReason": "for the test" });
        let completed = admin.ok("enrollment.complete", complete).await;
        let id = json!({ "certificateId": completed["certificateId"] });
        certificate = admin.ok("certificate.get", id).await;
    }
    let number = certificate["number"].as_str().expect("a number");
    let numbered = format!("🎓 № {number}");
    let issued = sink.next().await;
    let day = format!("✔ {}", day_of(&certificate["issuedAt"]));
    expect(&issued, &message(&admin, &issued, &format!("🎓 {TITLE}"), &[&numbered, &day]));

    // The access ends 29 days later, the certificate 49.
    site.dev("clock", &json!({ "advanceSeconds": 11 * DAY })).await;
    let reminder = sink.next().await;
    let end = day_of(&access_ends);
    let subject = format!("⏳ {TITLE} · {end}");
    expect(&reminder, &message(&admin, &reminder, &subject, &[&format!("⏳ {end}")]));

    // The access ends 9 days later, the certificate 29.
    site.dev("clock", &json!({ "advanceSeconds": 20 * DAY })).await;
    let reminder = sink.next().await;
    let end = day_of(&certificate["expiresAt"]);
    let subject = format!("⏳ 🎓 {TITLE} · {end}");
    expect(&reminder, &message(&admin, &reminder, &subject, &[&numbered, &format!("⏳ {end}")]));

    sink.stays_quiet().await;
    let log = site.server.log();
    assert!(!log.contains("example.org"), "{log}");
}

async fn what_was_refused_for_now_is_sent_again_as_it_was(site: Site) {
    let mut sink = Sink::start(2).await;
    let site = mailing(site, &sink, &[]).await;
    let admin = site.person("ada", "admin").await;
    let mia = member(&admin, "wire-mia", NAME, Some(MIA)).await;
    let noa = member(&admin, "wire-noa", "Noa", None).await;
    promote(&admin, &noa, &mia).await;
    let first = sink.next().await;
    assert_eq!(first["status"], 451, "{first}");
    assert_eq!(sink.next().await, first);
    assert_eq!(sink.next().await, merged(first, json!({ "status": 250 })));
    sink.stays_quiet().await;

    let log = site.server.log();
    assert!(log.contains("451"), "{log}");
    for told in ["example.org", "Not now", TITLE, NAME] {
        assert!(!log.contains(told), "{log}");
    }
}

/// D24.
async fn who_is_gone_by_the_next_attempt_is_not_written_to(site: Site) {
    let mut sink = Sink::start(4).await;
    let site = mailing(site, &sink, &[]).await;
    let admin = site.person("ada", "admin").await;
    let mia = member(&admin, "wire-mia", NAME, Some(MIA)).await;
    let noa = member(&admin, "wire-noa", "Noa", None).await;
    for (number, going) in ["user.anonymize", "member.suspend"].into_iter().enumerate() {
        let address = format!("gone-{number}@example.org");
        let user = member(&admin, &format!("wire-gone-{number}"), "Gone", Some(&address)).await;
        promote(&admin, &noa, &user).await;
        while sink.next().await["to"] != address {}
        admin.ok(going, json!({ "userId": user })).await;
    }
    promote(&admin, &noa, &mia).await;
    let taken = loop {
        let message = sink.next().await;
        if message["status"] == 250 {
            break message;
        }
    };
    assert_eq!(taken["to"], MIA, "the first that is taken");
    sink.stays_quiet().await;
}

async fn an_organization_s_own_templates(site: Site) {
    let templates = tempfile::tempdir().expect("a temporary directory");
    for (place, owner) in [("", "All"), ("globex/", "Globex")] {
        let body = format!("{owner} {{{{name}}}} {{{{course}}}} {{{{organization}}}}");
        write(
            templates.path(),
            &format!("{place}promoted.subject.txt"),
            &format!("{owner}: {{{{course}}}}\n"),
        );
        write(templates.path(), &format!("{place}promoted.txt"), &body);
        write(templates.path(), &format!("{place}promoted.html"), &format!("<p>{body}"));
    }
    let mut sink = Sink::start(0).await;
    let directory = templates.path().to_str().expect("a text");
    let site = mailing(site, &sink, &["--mail-templates", directory]).await;
    for (slug, owner, organization) in
        [("acme", "All", "Acme Learning"), ("globex", "Globex", "Globex Academy")]
    {
        let admin = site.person_of(slug, "wire-admin", "admin").await;
        let mia = member(&admin, "wire-mia", NAME, Some(MIA)).await;
        let noa = member(&admin, "wire-noa", "Noa", None).await;
        promote(&admin, &noa, &mia).await;
        let written = sink.next().await;
        let text = written["text"].as_str().expect("a text").trim_end();
        let html = written["html"].as_str().expect("a text").trim_end();
        assert_eq!(written["subject"], format!("{owner}: {TITLE}"));
        assert_eq!(text, format!("{owner} {NAME} {TITLE} {organization}"));
        assert_eq!(html, format!("<p>{owner} {NAME_IN_HTML} {TITLE_IN_HTML} {organization}"));
    }
    sink.stays_quiet().await;
}

async fn mistakes_end_the_start(site: Site) {
    let templates = tempfile::tempdir().expect("a temporary directory");
    write(templates.path(), "promoted.subject.txt", "Hello");
    write(templates.path(), "promoted.txt", "Hello {{nmae}}");
    write(templates.path(), "promoted.html", "Hello");
    let directory = templates.path().to_str().expect("a text");
    let server = "smtp://127.0.0.1:25";
    let cases: [(&[&str], i32, &str); 6] = [
        (
            &["--smtp-url", server, "--mail-from", FROM, "--mail-templates", directory],
            1,
            "promoted.txt: {{nmae}} is no placeholder here",
        ),
        (
            &["--smtp-url", server, "--mail-from", FROM, "--mail-templates", "/nowhere"],
            1,
            "--mail-templates: cannot read /nowhere",
        ),
        (&["--smtp-url", server], 2, "--mail-from"),
        (&["--smtp-url", server, "--mail-from", "nobody"], 2, "--mail-from"),
        (
            &["--smtp-url", "smtp://mia:hunter2@127.0.0.1:99999", "--mail-from", FROM],
            1,
            "--smtp-url is not the address of a mail server",
        ),
        (
            &["--smtp-url", "smtp://mia:hunter2@127.0.0.1?tls=perhaps", "--mail-from", FROM],
            1,
            "--smtp-url is not the address of a mail server",
        ),
    ];
    for (more, code, told) in cases {
        let dev = ["dev", "--port", "0", "--database-url", &site.database_url];
        let arguments = [&dev[..], more].concat();
        let ended = timeout(PATIENCE, command(&arguments).output()).await.expect("it ends");
        let ended = ended.expect("it starts");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{more:?}: {errors}");
        assert!(errors.contains(told) && !errors.contains("hunter2"), "{more:?}: {errors}");
        assert!(ended.stdout.is_empty());
    }
}

/// The mail server, `mail/sink.py`.
pub struct Sink {
    port: u64,
    lines: Lines<BufReader<ChildStdout>>,
    /// Killed when this is dropped.
    _server: Child,
}

impl Sink {
    /// It answers the first so many messages with 451.
    pub async fn start(refused: usize) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/mail/sink.py");
        // Debian's own, which has Debian's packages.
        let mut server = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(refused.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 is installed");
        let lines = BufReader::new(server.stdout.take().expect("piped")).lines();
        let mut sink = Sink { port: 0, lines, _server: server };
        sink.port = sink.next().await["port"].as_u64().expect("a port");
        sink
    }

    /// Reads on by itself from now on; what it has been sent so far.
    pub fn collected(self) -> Arc<Mutex<Vec<Value>>> {
        let messages = Arc::new(Mutex::new(Vec::new()));
        let collected = messages.clone();
        tokio::spawn(async move {
            // All of it, so that the server lives as long as it is read.
            let mut sink = self;
            while let Ok(Some(line)) = sink.lines.next_line().await {
                let message = serde_json::from_str(&line).expect("an object a line");
                collected.lock().expect("no test has failed").push(message);
            }
        });
        messages
    }

    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What it says next.
    async fn next(&mut self) -> Value {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("a message");
        let line = line.expect("a text").expect("aiosmtpd is installed; ./tests/run does it");
        serde_json::from_str(&line).expect("an object a line")
    }

    async fn stays_quiet(&mut self) {
        if let Ok(line) = timeout(QUIET, self.lines.next_line()).await {
            panic!("it was sent more: {line:?}");
        }
    }
}

/// The site with a server that sends mail instead of the one that does not.
pub async fn mailing(site: Site, sink: &Sink, more: &[&str]) -> Site {
    let Site { kind, database_url, server } = site;
    server.kill().await;
    let server = sending(&database_url, sink, more).await;
    Site { kind, database_url, server }
}

/// One more server, which sends mail.
pub async fn sending(database_url: &str, sink: &Sink, more: &[&str]) -> Process {
    let url = sink.url();
    let mail = ["--smtp-url", &url, "--mail-from", FROM];
    Process::start_with(database_url, &[&mail[..], more].concat()).await
}

/// The built-in message to Mia, with these lines of its own, and the id that the one given has.
fn message(admin: &Client, given: &Value, subject: &str, lines: &[&str]) -> Value {
    let id = given["messageId"].as_str().expect("an id");
    let number = id.strip_prefix(&format!("<{}-", admin.organization_id));
    let number = number.and_then(|rest| rest.strip_suffix("@mail.example.com>")).unwrap_or("");
    assert!(number.len() == 16 && number.bytes().all(|digit| digit.is_ascii_digit()), "{id}");
    json!({
        "status": 250,
        "envelope": { "from": "no-reply@mail.example.com", "to": [MIA] },
        "from": FROM,
        "to": MIA,
        "subject": subject,
        "messageId": id,
        "autoSubmitted": "auto-generated",
        "dated": true,
        "type": "multipart/alternative",
        "text": format!("{NAME}\n\n{TITLE}\n{}\n\nAcme Learning\n", lines.join("\n")),
        "html": format!(
            "<!doctype html>\n<html>\n<head><meta charset=\"utf-8\"><title>{TITLE_IN_HTML}</title></head>\n<body>\n\
             <p>{NAME_IN_HTML}</p>\n<p><strong>{TITLE_IN_HTML}</strong><br>{}</p>\n<p>Acme Learning</p>\n\
             </body>\n</html>\n",
            lines.join("<br>")
        ),
    })
}

/// The day of a moment in an answer.
fn day_of(moment: &Value) -> &str {
    moment.as_str().and_then(|moment| moment.get(..10)).expect("a moment")
}

async fn member(admin: &Client, subject: &str, name: &str, address: Option<&str>) -> String {
    let input = json!({ "subject": subject, "displayName": name, "email": address });
    admin.ok("member.provision", input).await["userId"].as_str().expect("an id").to_owned()
}

async fn course(admin: &Client, input: Value) -> String {
    let id = admin.ok("course.create", input).await["id"].as_str().expect("an id").to_owned();
    admin.ok("course.publish", json!({ "courseId": id })).await;
    id
}

async fn enroll(admin: &Client, course: &str, user: &str) -> Value {
    admin.ok("enrollment.enroll", json!({ "courseId": course, "userId": user })).await
}

async fn leave(admin: &Client, course: &str, user: &str) {
    admin.ok("enrollment.unenroll", json!({ "courseId": course, "userId": user })).await;
}

/// Somebody gives the only seat of a course to another who waits for it.
async fn promote(admin: &Client, from: &str, to: &str) {
    let full = course(admin, json!({ "title": TITLE, "capacity": 1 })).await;
    for user in [from, to] {
        enroll(admin, &full, user).await;
    }
    leave(admin, &full, from).await;
}

fn write(directory: &Path, name: &str, content: &str) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    std::fs::write(path, content).expect("a file");
}
