//! Names for what differs from run to run: ids and moments.
//!
//! In a test `<course>` is the id that this name was given to, in inputs and answers alike. An id without a name gets
//! a number at its first appearance in an answer, `<1>`, `<2>`, …, and so does a moment: `<t1>`, `<t2>`, …, or
//! `<t1+30d>` if it is whole days after one that has its name already. A moment without a fraction of a second was
//! chosen by the test and stands as it is.

use std::collections::HashMap;

use procedures::values::Moment;
use serde_json::{Map, Value};
use uuid::Uuid;

const MICROS_A_DAY: i64 = 86_400_000_000;

#[derive(Debug, Default)]
pub struct Labels {
    by_text: HashMap<String, String>,
    by_label: HashMap<String, String>,
    moments: Vec<Moment>,
    ids: usize,
}

impl Labels {
    pub fn name(&mut self, name: &str, text: String) {
        let label = format!("<{name}>");
        let before = self.by_label.insert(label.clone(), text.clone());
        assert!(before.is_none_or(|before| before == text), "two things are called {label}");
        self.by_text.insert(text, label);
    }

    /// What a label stands for.
    pub fn resolve(&self, label: &str) -> String {
        self.by_label.get(label).cloned().unwrap_or_else(|| panic!("nothing is called {label}"))
    }

    /// An input with the things its labels stand for; text that is no label stays.
    pub fn resolved(&self, input: &Value) -> Value {
        map_strings(input, &mut |text| self.by_label.get(text).cloned().unwrap_or_else(|| text.to_owned()))
    }

    /// An answer with labels for its ids and moments.
    pub fn labelled(&mut self, answer: &Value) -> Value {
        map_strings(answer, &mut |text| self.label(text).unwrap_or_else(|| text.to_owned()))
    }

    fn label(&mut self, text: &str) -> Option<String> {
        if let Some(label) = self.by_text.get(text) {
            return Some(label.clone());
        }
        if text.len() == 36 && Uuid::try_parse(text).is_ok() {
            self.ids += 1;
            let number = self.ids.to_string();
            self.name(&number, text.to_owned());
            return Some(format!("<{number}>"));
        }
        let moment = text.parse::<Moment>().ok().filter(|moment| moment.micros() % 1_000_000 != 0)?;
        let days_after = |at: &Moment| {
            let micros = moment.micros() - at.micros();
            (micros > 0 && micros % MICROS_A_DAY == 0).then_some(micros / MICROS_A_DAY)
        };
        let later = self
            .moments
            .iter()
            .zip(1..)
            .find_map(|(at, number)| days_after(at).map(|days| format!("t{number}+{days}d")));
        let name = later.unwrap_or_else(|| {
            self.moments.push(moment);
            format!("t{}", self.moments.len())
        });
        self.name(&name, text.to_owned());
        Some(format!("<{name}>"))
    }
}

fn map_strings(value: &Value, map: &mut impl FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(map(text)),
        Value::Array(items) => items.iter().map(|item| map_strings(item, map)).collect(),
        Value::Object(fields) => {
            let mapped = fields.iter().map(|(name, value)| (name.clone(), map_strings(value, map)));
            Value::Object(mapped.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
