//! What is written: the built-in templates, which have no words and so suit every language, and the files that replace
//! them.
//!
//! A template has three parts: `<topic>.subject.txt`, `<topic>.txt` and `<topic>.html`. An organization's own ones (in
//! `DIR/<slug>/`) come first, then those of all (in `DIR/`), then the built-in ones. All files are read once, and
//! checked: a mistake is told at the start, not when somebody is to be written to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use procedures::delivery::{Letter, Subject};
use procedures::values::{Moment, Slug};

use crate::limits::MAX_TEMPLATE;

/// The text of a message.
#[derive(Debug, PartialEq)]
pub struct Written {
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
}

pub struct Templates {
    /// One for each topic.
    general: Set,
    by_organization: HashMap<Slug, Set>,
}

type Set = BTreeMap<Topic, Template>;

impl Templates {
    /// The built-in ones, and those of a directory over them.
    pub fn open(directory: Option<&Path>) -> anyhow::Result<Self> {
        let mut general = Set::new();
        for topic in Topic::ALL {
            general.insert(topic, Template::parse(topic, topic.built_in())?);
        }
        let mut by_organization = HashMap::new();
        if let Some(directory) = directory {
            let Listed { files, directories } = listed(directory)?;
            general.extend(read_set(directory, files)?);
            for name in directories {
                let path = directory.join(&name);
                let slug: Slug = name
                    .parse()
                    .map_err(|_| anyhow!("{} is not named after an organization", path.display()))?;
                let Listed { files, directories } = listed(&path)?;
                if let Some(deeper) = directories.first() {
                    bail!("{} holds no templates", path.join(deeper).display());
                }
                by_organization.insert(slug, read_set(&path, files)?);
            }
        }
        Ok(Templates { general, by_organization })
    }

    /// Writes a letter about an event that happened at this moment.
    pub fn write(&self, letter: &Letter, happened: Moment) -> Written {
        let topic = Topic::of(&letter.subject);
        let own = self.by_organization.get(&letter.organization_slug).and_then(|set| set.get(&topic));
        let template = own.unwrap_or_else(|| &self.general[&topic]);
        let value = |value: Value| value_of(letter, happened, value);
        Written {
            subject: filled(&template.subject, value),
            text: filled(&template.text, value),
            html: filled(&template.html, |placeholder| escaped(&value(placeholder))),
        }
    }
}

/// What a template is about; its name is how its files' names begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    AccessEnds,
    CertificateEnds,
    Promoted,
    CertificateIssued,
}

macro_rules! built_in {
    ($name:literal) => {
        [
            include_str!(concat!("templates/", $name, ".subject.txt")),
            include_str!(concat!("templates/", $name, ".txt")),
            include_str!(concat!("templates/", $name, ".html")),
        ]
    };
}

impl Topic {
    const ALL: [Self; 4] =
        [Topic::AccessEnds, Topic::CertificateEnds, Topic::Promoted, Topic::CertificateIssued];

    fn of(subject: &Subject) -> Self {
        match subject {
            Subject::AccessEnds { .. } => Topic::AccessEnds,
            Subject::CertificateEnds { .. } => Topic::CertificateEnds,
            Subject::Promoted => Topic::Promoted,
            Subject::CertificateIssued { .. } => Topic::CertificateIssued,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Topic::AccessEnds => "access-ends",
            Topic::CertificateEnds => "certificate-ends",
            Topic::Promoted => "promoted",
            Topic::CertificateIssued => "certificate-issued",
        }
    }

    /// In the order of [`PARTS`].
    const fn built_in(self) -> [&'static str; 3] {
        match self {
            Topic::AccessEnds => built_in!("access-ends"),
            Topic::CertificateEnds => built_in!("certificate-ends"),
            Topic::Promoted => built_in!("promoted"),
            Topic::CertificateIssued => built_in!("certificate-issued"),
        }
    }

    /// What its templates may have filled in.
    const fn values(self) -> &'static [Value] {
        match self {
            Topic::AccessEnds | Topic::Promoted => {
                &[Value::Name, Value::Course, Value::Organization, Value::Date]
            }
            Topic::CertificateEnds | Topic::CertificateIssued => {
                &[Value::Name, Value::Course, Value::Organization, Value::Date, Value::Number]
            }
        }
    }

    fn file(self, part: &str) -> String {
        format!("{}{part}", self.name())
    }
}

/// How the names of a template's files end.
const PARTS: [&str; 3] = [".subject.txt", ".txt", ".html"];

/// What is filled in for a placeholder.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    /// The person's name, or the address where there is none.
    Name,
    Course,
    Organization,
    /// Of a reminder, the day of the end; of anything else, the day on which it happened.
    Date,
    /// The certificate's.
    Number,
}

impl Value {
    const fn placeholder(self) -> &'static str {
        match self {
            Value::Name => "{{name}}",
            Value::Course => "{{course}}",
            Value::Organization => "{{organization}}",
            Value::Date => "{{date}}",
            Value::Number => "{{number}}",
        }
    }

    fn is_named(self, name: &str) -> bool {
        self.placeholder().trim_matches(['{', '}']) == name
    }
}

/// A value on one line, whatever was typed.
fn value_of(letter: &Letter, happened: Moment, value: Value) -> String {
    match value {
        Value::Name => match &letter.name {
            Some(name) => one_line(name.as_str()),
            None => letter.to.to_string(),
        },
        Value::Course => one_line(letter.course.as_str()),
        Value::Organization => one_line(letter.organization.as_str()),
        Value::Date => match &letter.subject {
            Subject::AccessEnds { at } | Subject::CertificateEnds { at, .. } => day(*at),
            Subject::Promoted | Subject::CertificateIssued { .. } => day(happened),
        },
        Value::Number => match &letter.subject {
            Subject::CertificateEnds { number, .. } | Subject::CertificateIssued { number } => {
                number.to_string()
            }
            Subject::AccessEnds { .. } | Subject::Promoted => String::new(),
        },
    }
}

/// A full-date of RFC 3339, in UTC.
fn day(moment: Moment) -> String {
    moment.to_string().split('T').next().unwrap_or_default().to_owned()
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[derive(Debug)]
struct Template {
    subject: Vec<Piece>,
    text: Vec<Piece>,
    html: Vec<Piece>,
}

#[derive(Debug, PartialEq)]
enum Piece {
    Verbatim(String),
    Filled(Value),
}

impl Template {
    /// Reads a template's parts, in the order of [`PARTS`].
    fn parse(topic: Topic, sources: [&str; 3]) -> anyhow::Result<Self> {
        let [subject, text, html] = sources;
        let [subject_name, text_name, html_name] = PARTS.map(|part| topic.file(part));
        let subject = subject.trim();
        if subject.contains(['\r', '\n']) {
            bail!("{subject_name}: a subject is one line");
        }
        Ok(Template {
            subject: pieces(topic, subject).context(subject_name)?,
            text: pieces(topic, text).context(text_name)?,
            html: pieces(topic, html).context(html_name)?,
        })
    }
}

fn pieces(topic: Topic, source: &str) -> anyhow::Result<Vec<Piece>> {
    if source.trim().is_empty() {
        bail!("there is nothing in it");
    }
    let (mut pieces, mut rest) = (Vec::new(), source);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a {{ has no }}")?;
        let Some(value) = topic.values().iter().find(|value| value.is_named(name.trim())) else {
            let known: Vec<&str> = topic.values().iter().map(|value| value.placeholder()).collect();
            bail!("{{{{{name}}}}} is no placeholder here; there are {}", known.join(", "));
        };
        pieces.push(Piece::Verbatim(before.to_owned()));
        pieces.push(Piece::Filled(*value));
        rest = after;
    }
    pieces.push(Piece::Verbatim(rest.to_owned()));
    Ok(pieces)
}

fn filled(pieces: &[Piece], value: impl Fn(Value) -> String) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Verbatim(verbatim) => text.push_str(verbatim),
            Piece::Filled(placeholder) => text.push_str(&value(*placeholder)),
        }
    }
    text
}

/// What is in a directory, by name.
struct Listed {
    files: BTreeSet<String>,
    directories: BTreeSet<String>,
}

/// Hidden names are passed over: a mounted volume may have its own.
fn listed(directory: &Path) -> anyhow::Result<Listed> {
    let cannot = || format!("cannot read {}", directory.display());
    let mut listed = Listed { files: BTreeSet::new(), directories: BTreeSet::new() };
    for entry in fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{} is no template", path.display()))?;
        if name.starts_with('.') {
            continue;
        }
        let names = if path.is_dir() { &mut listed.directories } else { &mut listed.files };
        names.insert(name.to_owned());
    }
    Ok(listed)
}

/// The templates that these files of a directory are.
fn read_set(directory: &Path, mut files: BTreeSet<String>) -> anyhow::Result<Set> {
    let mut set = Set::new();
    for topic in Topic::ALL {
        let names = PARTS.map(|part| topic.file(part));
        let missing: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| !files.remove(*name)).collect();
        if missing.len() == names.len() {
            continue;
        }
        if !missing.is_empty() {
            let of = directory.display();
            bail!("{of}: a template is replaced as a whole, and {} is missing", missing.join(", "));
        }
        let sources: Vec<String> =
            names.iter().map(|name| read(&directory.join(name))).collect::<anyhow::Result<_>>()?;
        let [subject, text, html] = sources.as_slice() else { bail!("a template has three parts") };
        let template = Template::parse(topic, [subject, text, html]);
        set.insert(topic, template.with_context(|| directory.display().to_string())?);
    }
    match files.first() {
        Some(other) => {
            let known = Topic::ALL.map(Topic::name).join(", ");
            let path = directory.join(other);
            bail!("{} is no template; there are {known}, each with {}", path.display(), PARTS.join(", "))
        }
        None => Ok(set),
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    if fs::metadata(path).with_context(cannot)?.len() > MAX_TEMPLATE {
        bail!("{} is larger than {MAX_TEMPLATE} bytes", path.display());
    }
    fs::read_to_string(path).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const NUMBER: &str = "0123-4567-89AB-CDEF-GHJK-MNPQ";

    fn moment() -> Moment {
        "2031-05-04T23:59:59Z".parse().unwrap()
    }

    fn letter(subject: Subject) -> Letter {
        Letter {
            to: "mia@example.org".parse().unwrap(),
            name: Some("Mia <b>O'Neil</b>".parse().unwrap()),
            organization_id: procedures::values::OrganizationId::NIL,
            organization_slug: "acme".parse().unwrap(),
            organization: "Acme \"&\" Co".parse().unwrap(),
            course: "Fire\r\nBcc: all@example.org".parse().unwrap(),
            subject,
        }
    }

    fn number() -> procedures::certificate::CertificateNumber {
        NUMBER.parse().unwrap()
    }

    /// A directory with these files.
    fn directory(files: &[(&str, &str)]) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        directory
    }

    fn promoted(text: &str) -> [(&str, &str); 3] {
        [("promoted.subject.txt", "Hello"), ("promoted.txt", text), ("promoted.html", "<p>Hello")]
    }

    #[test]
    fn the_built_in_ones_tell_all_there_is() {
        let templates = Templates::open(None).unwrap();
        let at = moment();
        for (subject, symbols) in [
            (Subject::AccessEnds { at }, "⏳ 2031-05-04\n".to_owned()),
            (Subject::CertificateEnds { at, number: number() }, format!("🎓 № {NUMBER}\n⏳ 2031-05-04\n")),
            (Subject::Promoted, "✔ 1970-01-01\n".to_owned()),
            (Subject::CertificateIssued { number: number() }, format!("🎓 № {NUMBER}\n✔ 1970-01-01\n")),
        ] {
            let written = templates.write(&letter(subject), Moment::EPOCH);
            let course = "Fire Bcc: all@example.org";
            assert_eq!(written.text, format!("Mia <b>O'Neil</b>\n\n{course}\n{symbols}\nAcme \"&\" Co\n"));
            assert!(written.subject.contains(course) && !written.subject.contains(['\r', '\n']));
            let html = ["Mia &lt;b&gt;O&#39;Neil&lt;/b&gt;", "Acme &quot;&amp;&quot; Co", course];
            let lines = symbols.trim_end().replace('\n', "<br>");
            assert!(html.iter().all(|value| written.html.contains(value)), "{}", written.html);
            assert!(written.html.contains(&lines), "{}", written.html);
        }
    }

    #[test]
    fn who_has_no_name_is_called_by_the_address() {
        let templates = Templates::open(None).unwrap();
        let written = templates.write(&Letter { name: None, ..letter(Subject::Promoted) }, moment());
        assert!(written.text.starts_with("mia@example.org\n"));
    }

    #[test]
    fn an_organization_s_own_come_first_then_those_of_all() {
        let directory = directory(&[
            ("promoted.subject.txt", "All: {{ course }}\n"),
            ("promoted.txt", "All"),
            ("promoted.html", "<style>p{a:b}}</style>"),
            ("acme/promoted.subject.txt", "{{date}} {{organization}}"),
            ("acme/promoted.txt", "Own"),
            ("acme/promoted.html", "{{organization}}"),
            (".hidden", "of somebody else"),
        ]);
        let templates = Templates::open(Some(directory.path())).unwrap();
        let acme = letter(Subject::Promoted);
        let other = Letter { organization_slug: "globex".parse().unwrap(), ..acme.clone() };
        let own = Written {
            subject: "2031-05-04 Acme \"&\" Co".into(),
            text: "Own".into(),
            html: "Acme &quot;&amp;&quot; Co".into(),
        };
        let of_all = Written {
            subject: "All: Fire Bcc: all@example.org".into(),
            text: "All".into(),
            html: "<style>p{a:b}}</style>".into(),
        };
        assert_eq!(templates.write(&acme, moment()), own);
        assert_eq!(templates.write(&other, moment()), of_all);
        let reminder = letter(Subject::AccessEnds { at: moment() });
        assert!(templates.write(&reminder, moment()).text.contains('⏳'), "what is not replaced is built in");
    }

    #[test]
    fn mistakes_are_told() {
        let too_large = "x".repeat(usize::try_from(MAX_TEMPLATE).unwrap() + 1);
        let mistakes = [
            (
                promoted("{{nmae}}").to_vec(),
                "promoted.txt: {{nmae}} is no placeholder here; there are {{name}},",
            ),
            (promoted("{{number}}").to_vec(), "promoted.txt: {{number}} is no placeholder here"),
            (promoted("{{name").to_vec(), "promoted.txt: a {{ has no }}"),
            (promoted(" \n").to_vec(), "promoted.txt: there is nothing in it"),
            (promoted(&too_large).to_vec(), "promoted.txt is larger than 65536 bytes"),
            (promoted("Hello")[..2].to_vec(), "promoted.html is missing"),
            (vec![("promoted.text", "Hello")], "promoted.text is no template"),
            (vec![("Acme!/promoted.txt", "Hello")], "Acme! is not named after an organization"),
            (vec![("acme/promoted.txt", "Hello")], "promoted.subject.txt, promoted.html is missing"),
            (vec![("acme/more/promoted.txt", "Hello")], "more holds no templates"),
        ];
        for (files, told) in mistakes {
            let directory = directory(&files);
            let error = Templates::open(Some(directory.path())).err().expect(told);
            let error = format!("{error:#}");
            assert!(error.contains(told), "{error} does not say {told}");
        }
        let two_lines =
            [("promoted.subject.txt", "a\nb"), ("promoted.txt", "Hello"), ("promoted.html", "Hello")];
        let directory = directory(&two_lines);
        let error = Templates::open(Some(directory.path())).err().expect("two lines");
        assert!(format!("{error:#}").ends_with("promoted.subject.txt: a subject is one line"), "{error:#}");
        assert!(Templates::open(Some(Path::new("/nowhere"))).is_err());
    }
}
