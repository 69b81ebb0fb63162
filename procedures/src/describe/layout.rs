//! Lays TypeScript declarations out for reading: ts-rs writes each on one line, with its comments in between.

use std::collections::BTreeMap;

/// How wide a line gets.
const WIDTH: usize = 110;

/// A declaration as ts-rs writes it (`export type A = …;`, its docs before it), a field a line.
///
/// `variants` has the docs of the members of a union by their tags, which ts-rs leaves out.
pub(super) fn declaration(text: &str, variants: &BTreeMap<String, String>) -> String {
    let text = harmless(text);
    let (docs, rest) = leading_comment(&text);
    let (head, body) = rest.split_once(" = ").unwrap_or((rest, ""));
    let body = body.trim().trim_end_matches(';');
    format!("{}{head} ={};\n", comment(&docs, 0), declared(head, body, variants))
}

/// A JSDoc comment at an indent; nothing for nothing to say.
pub(super) fn comment(lines: &[String], indent: usize) -> String {
    let pad = " ".repeat(indent);
    match lines {
        [] => String::new(),
        [line] if indent + line.len() + 7 <= WIDTH => format!("{pad}/** {line} */\n"),
        lines => {
            let lines: String =
                lines.iter().map(|line| format!("{pad} * {line}").trim_end().to_owned() + "\n").collect();
            format!("{pad}/**\n{lines}{pad} */\n")
        }
    }
}

/// The lines of a JSDoc comment, none of which can end it.
pub(super) fn comment_lines(comment: &str) -> Vec<String> {
    let harmless = harmless(comment);
    let text = harmless.trim().trim_start_matches("/**").trim_end_matches("*/");
    let lines = text.trim().lines().map(|line| {
        let line = line.trim();
        line.strip_prefix('*').unwrap_or(line).trim().to_owned()
    });
    lines.collect()
}

/// Breaks up each `*/` inside a comment. The comments of ts-rs begin with a line `/**` and end with a line ` */`; what
/// lies between is the text of doc comments, which may say anything.
fn harmless(text: &str) -> String {
    let mut inside = false;
    let lines = text.split('\n').map(|line| {
        let begins = !inside && line == "/**";
        let ends = inside && line == " */";
        let text = inside && !ends;
        inside = begins || text;
        if text { line.replace("*/", "*\\/") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The comment that a text begins with, and what follows it.
fn leading_comment(text: &str) -> (Vec<String>, &str) {
    let text = text.trim_start();
    match text.strip_prefix("/**").and_then(|rest| rest.split_once("*/")) {
        Some((comment, rest)) => (comment_lines(comment), rest.trim_start()),
        None => (Vec::new(), text),
    }
}

/// What stands after a declaration's `=`: a union of words on the line of its head if it fits, else a member a line.
fn declared(head: &str, body: &str, variants: &BTreeMap<String, String>) -> String {
    let members = split(body, '|');
    let flat = ty(body, 0);
    let documented = members.iter().any(|member| variants.contains_key(tag(member)));
    if members.len() == 1
        || (!documented && !flat.contains(['{', '\n']) && head.len() + flat.len() + 4 <= WIDTH)
    {
        return format!(" {flat}");
    }
    let members = members.iter().map(|member| {
        let docs = variants.get(tag(member)).map(|docs| comment_lines(docs)).unwrap_or_default();
        format!("\n{}  | {}", comment(&docs, 2), ty(member, 4))
    });
    members.collect()
}

/// The string that tells a member of a union from the others: itself, or the value of its first field.
fn tag(member: &str) -> &str {
    let first = member
        .strip_prefix('{')
        .and_then(|fields| fields.split_once(": "))
        .map_or(member, |(_, value)| value);
    first.trim().strip_prefix('"').and_then(|text| text.split('"').next()).unwrap_or_default()
}

/// A type, the lines after its first at an indent.
fn ty(text: &str, indent: usize) -> String {
    let text = text.trim();
    for (separator, joint) in [('|', " | "), ('&', " & ")] {
        let parts = split(text, separator);
        if parts.len() > 1 {
            return parts.iter().map(|part| ty(part, indent)).collect::<Vec<_>>().join(joint);
        }
    }
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(fields) => object(fields, indent),
        None => text.to_owned(),
    }
}

/// An object's fields: on one line if they are short and say nothing more, else one a line.
fn object(fields: &str, indent: usize) -> String {
    let fields: Vec<(Vec<String>, String)> = split(fields, ',')
        .into_iter()
        .map(|field| {
            let (docs, field) = leading_comment(field);
            let (name, value) = field.split_once(": ").unwrap_or((field, "unknown"));
            (docs, format!("{}: {}", plain_key(name), ty(value, indent + 2)))
        })
        .collect();
    let flat = fields.iter().map(|(_, field)| field.as_str()).collect::<Vec<_>>().join("; ");
    let quiet = fields.iter().all(|(docs, _)| docs.is_empty());
    if quiet && fields.len() <= 3 && !flat.contains('\n') && indent + flat.len() <= WIDTH - 30 {
        return format!("{{ {flat} }}");
    }
    let pad = " ".repeat(indent);
    let lines = fields.iter().map(|(docs, field)| format!("{}{pad}  {field};\n", comment(docs, indent + 2)));
    format!("{{\n{}{pad}}}", lines.collect::<String>())
}

/// A key without the quotes it does not need.
fn plain_key(key: &str) -> &str {
    match key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
        Some(plain) if plain.bytes().all(|b| b.is_ascii_alphabetic()) => plain,
        Some(_) | None => key,
    }
}

/// The parts between separators that stand outside of every bracket, string and comment.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut in_string, mut start, mut at) = (0_usize, false, 0, 0);
    while let Some(c) = text[at..].chars().next() {
        if !in_string && text[at..].starts_with("/*") {
            at += text[at..].find("*/").map_or(text.len() - at, |end| end + 2);
            continue;
        }
        match c {
            '"' => in_string = !in_string,
            _ if in_string => {}
            '{' | '(' | '[' | '<' => depth += 1,
            '}' | ')' | ']' | '>' => depth = depth.saturating_sub(1),
            c if c == separator && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ts_rs::{Config, TS};

    use super::{comment_lines, declaration};

    fn laid_out(text: &str) -> String {
        declaration(text, &BTreeMap::new())
    }

    #[test]
    fn short_types_stay_on_a_line() {
        assert_eq!(
            laid_out("export type A = { id: string, n?: B | null, };"),
            "export type A = { id: string; n?: B | null };\n"
        );
        assert_eq!(
            laid_out("export type P<T> = { items: Array<T>, };"),
            "export type P<T> = { items: Array<T> };\n"
        );
        assert_eq!(
            laid_out("export type S = \"a\" | \"b, c | d\";"),
            "export type S = \"a\" | \"b, c | d\";\n"
        );
    }

    #[test]
    fn documented_fields_have_lines_of_their_own() {
        let text = "/**\n * An A.\n */\nexport type A = { a: string, \n/**\n * One, {two} | \"three\".\n * More.\n */\nb: Array<{ c: number, }>, };";
        let expected = "/** An A. */\nexport type A = {\n  a: string;\n  /**\n   * One, {two} | \"three\".\n   * More.\n   */\n  b: Array<{ c: number, }>;\n};\n";
        assert_eq!(laid_out(text), expected);
    }

    #[test]
    fn members_of_a_union_get_their_docs() {
        let docs = BTreeMap::from([("full".to_owned(), "No seat.".to_owned())]);
        let text = "export type R = { \"type\": \"full\", seats: number, } | { \"type\": \"shut\" };";
        let expected = "export type R =\n  /** No seat. */\n  | { type: \"full\"; seats: number }\n  | { type: \"shut\" };\n";
        assert_eq!(declaration(text, &docs), expected);
    }

    #[test]
    fn docs_cannot_end_their_comment() {
        /// Ends */ here; export type Evil = 1; /*
        #[derive(TS)]
        #[expect(dead_code, reason = "only its declaration is used")]
        struct Sly {
            /// And */ here.
            field: String,
        }
        let config = Config::new();
        let text = format!("{}export {}", Sly::docs().unwrap(), Sly::decl(&config));
        let expected = "/** Ends *\\/ here; export type Evil = 1; /* */\nexport type Sly = {\n  /** And *\\/ here. */\n  field: string;\n};\n";
        assert_eq!(laid_out(&text), expected);
        assert_eq!(comment_lines("/**\n * a */ b\n */\n"), ["a *\\/ b"]);
    }
}
