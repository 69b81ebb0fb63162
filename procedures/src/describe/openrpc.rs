//! The OpenRPC document (<https://spec.open-rpc.org>, version 1.3.2) of the JSON-RPC wire.

use schemars::generate::{Contract, SchemaSettings};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::docs;
use crate::error::Code;
use crate::router::{Kind, Procedure, Router, Type};

/// Every procedure as a method whose parameters are the fields of its input, by name.
///
/// Schemas are JSON Schema draft 7, as OpenRPC wants them, under `components.schemas`; those of answers say which
/// fields are always there, those of inputs which must be.
pub fn openrpc(router: &Router, version: &str) -> Value {
    let mut inputs = generator(Contract::Deserialize);
    let mut outputs = generator(Contract::Serialize);
    let error = schema(Type::of_errors(), &mut outputs);
    let codes = codes(&outputs);
    let methods: Vec<Value> =
        router.iter().map(|procedure| method(procedure, &codes, &mut inputs, &mut outputs)).collect();
    let mut document = json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "Rollbook",
            "version": version,
            "description": "Enrollment of an organization's members in its courses.",
            "license": { "name": "MIT" },
        },
        "methods": methods,
        "components": { "errors": codes.iter().map(|code| (key(*code), error_object(*code))).collect::<Map<_, _>>() },
        "x-error": error,
    });
    document["components"]["schemas"] = referenced(&document, merged(inputs, outputs)).into();
    document
}

fn generator(contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        settings.contract = contract;
    });
    settings.into_generator()
}

/// The schema of a type, in draft 7's terms.
fn schema(ty: Type, generator: &mut SchemaGenerator) -> Value {
    let mut schema = (ty.schema)(generator);
    transform(&mut schema, generator);
    schema.to_value()
}

fn transform(schema: &mut Schema, generator: &mut SchemaGenerator) {
    for transform in generator.transforms_mut() {
        transform.transform(schema);
    }
}

fn method(
    procedure: &Procedure,
    codes: &[Code],
    inputs: &mut SchemaGenerator,
    outputs: &mut SchemaGenerator,
) -> Value {
    let description = paragraphs(&docs(procedure));
    let errors = codes.iter().filter(|code| answers(**code, procedure));
    let output = schema(procedure.output, outputs);
    let mut method = json!({
        "name": procedure.path,
        "summary": first_sentence(&description),
        "description": description,
        "paramStructure": "by-name",
        "params": params(procedure, inputs),
        "result": { "name": "result", "required": true, "schema": output },
        "errors": errors
            .map(|code| json!({ "$ref": format!("#/components/errors/{}", key(*code)) }))
            .collect::<Vec<_>>(),
        "x-kind": match procedure.kind {
            Kind::Query => "query",
            Kind::Mutation => "mutation",
            Kind::Subscription => "subscription",
        },
        "x-caller": procedure.caller,
    });
    if procedure.kind == Kind::Subscription {
        // Over a WebSocket: answered with an id, which notifications name and which stops it.
        method["result"] =
            json!({ "name": "subscription", "required": true, "schema": { "type": "integer" } });
        method["x-item"] = output;
        method["x-unsubscribe"] = format!("{}.stop", procedure.path).into();
    }
    method
}

/// The fields of an input, required ones first.
fn params(procedure: &Procedure, generator: &mut SchemaGenerator) -> Vec<Value> {
    let input = object((procedure.input.schema)(generator), generator);
    let required: Vec<&str> =
        input["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut params = Vec::new();
    for (name, field) in input["properties"].as_object().into_iter().flatten() {
        let mut field = Schema::try_from(field.clone()).unwrap_or_default();
        let description = field.remove("description");
        transform(&mut field, generator);
        let mut param = json!({ "name": name, "required": required.contains(&&**name), "schema": field });
        if let Some(description) = description {
            param["description"] = description;
        }
        params.push(param);
    }
    params.sort_by_key(|param| param["required"] == false);
    params
}

/// The schema itself, where there is a reference to it.
fn object(schema: Schema, generator: &SchemaGenerator) -> Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(referenced_name);
    match name.and_then(|name| generator.definitions().get(name)) {
        Some(definition) => definition.clone(),
        None => schema.to_value(),
    }
}

fn referenced_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

/// The definitions of both; what inputs and answers share, both must see alike.
fn merged(mut inputs: SchemaGenerator, mut outputs: SchemaGenerator) -> Map<String, Value> {
    let mut definitions = inputs.take_definitions(true);
    for (name, definition) in outputs.take_definitions(true) {
        if let Some(known) = definitions.get(&name) {
            assert_eq!(*known, definition, "{name} differs between inputs and answers");
        }
        definitions.insert(name, definition);
    }
    definitions
}

/// The definitions that the document refers to, and those that they refer to.
fn referenced(document: &Value, mut definitions: Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::new();
    let mut open = references(document);
    while let Some(reference) = open.pop() {
        let definition = referenced_name(&reference).and_then(|name| definitions.remove_entry(name));
        if let Some((name, definition)) = definition {
            open.extend(references(&definition));
            kept.insert(name, definition);
        }
    }
    kept
}

/// Every `$ref` in a document.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Docs as running text: a line break in the source is a space, an empty line ends a paragraph.
fn paragraphs(lines: &[String]) -> String {
    let paragraphs = lines.split(|line| line.is_empty()).map(|paragraph| paragraph.join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn first_sentence(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or(text);
    paragraph.find(". ").map_or(paragraph, |end| &paragraph[..=end])
}

/// Every code there is, as the schema of errors lists them.
fn codes(generator: &SchemaGenerator) -> Vec<Code> {
    let listed = generator.definitions().get("Code").and_then(|code| code["enum"].as_array());
    let codes = listed.into_iter().flatten().map(|code| serde_json::from_value(code.clone()));
    codes.collect::<Result<_, _>>().unwrap_or_default()
}

/// The name of a code on the wire.
fn key(code: Code) -> String {
    json!(code).as_str().unwrap_or_default().to_owned()
}

fn error_object(code: Code) -> Value {
    json!({
        "code": code.number(),
        "message": meaning(code),
        "data": { "code": code, "httpStatus": code.http_status() },
    })
}

const fn meaning(code: Code) -> &'static str {
    match code {
        Code::ParseError => "Not JSON.",
        Code::BadRequest => {
            "The request or its input is not of the declared shape; the reason names the field."
        }
        Code::Unauthorized => "No session, or not a valid one.",
        Code::Forbidden => "The caller is known here, but not allowed to do this.",
        Code::NotFound => "No such thing, or not for this caller to know.",
        Code::MethodNotSupported => "A query sent as a POST, or a mutation as a GET.",
        Code::Timeout => "The deadline of the call has passed.",
        Code::Conflict => "What is there already does not allow it; the reason says what.",
        Code::PreconditionFailed => {
            "A condition of the course or the enrollment is not met; the reason says which."
        }
        Code::PayloadTooLarge => "The body is over the limit.",
        Code::UnsupportedMediaType => "Not JSON by its content type.",
        Code::UnprocessableContent => "The idempotency key was used before with another input.",
        Code::TooManyRequests => "Over the limit of requests, or of those in flight.",
        Code::InternalServerError => "A defect; its cause is logged under the request's id.",
        Code::ServiceUnavailable => "The database, or a set of keys, is out of reach.",
    }
}

/// Whether a call of the procedure can be answered with this code. Those that none is answered with are raised
/// before a procedure is found.
fn answers(code: Code, procedure: &Procedure) -> bool {
    match code {
        Code::ParseError | Code::MethodNotSupported | Code::PayloadTooLarge | Code::UnsupportedMediaType => {
            false
        }
        Code::UnprocessableContent => procedure.kind == Kind::Mutation,
        Code::BadRequest
        | Code::Unauthorized
        | Code::Forbidden
        | Code::NotFound
        | Code::Timeout
        | Code::Conflict
        | Code::PreconditionFailed
        | Code::TooManyRequests
        | Code::InternalServerError
        | Code::ServiceUnavailable => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::{first_sentence, openrpc, paragraphs, references};

    fn document() -> Value {
        openrpc(&crate::router(), "1.2.3")
    }

    fn method<'a>(document: &'a Value, name: &str) -> &'a Value {
        document["methods"].as_array().unwrap().iter().find(|method| method["name"] == name).unwrap()
    }

    #[test]
    fn every_procedure_is_a_method_once() {
        let (document, router) = (document(), crate::router());
        let methods = document["methods"].as_array().unwrap();
        let names: BTreeSet<&str> = methods.iter().map(|method| method["name"].as_str().unwrap()).collect();
        assert_eq!(names, router.iter().map(|procedure| procedure.path).collect());
        assert_eq!(names.len(), methods.len());
        for method in methods {
            assert!(!method["summary"].as_str().unwrap().is_empty(), "{method}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
        let document = document();
        let references = references(&document);
        for reference in &references {
            assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(references.contains(&format!("#/components/schemas/{name}")), "{name}");
        }
    }

    #[test]
    fn parameters_are_the_fields_of_the_input() {
        let document = document();
        let enroll = method(&document, "enrollment.enroll");
        let params = enroll["params"].as_array().unwrap().iter();
        let params: Vec<_> =
            params.map(|param| (param["name"].as_str().unwrap(), &param["required"])).collect();
        let (yes, no) = (&json!(true), &json!(false));
        let expected =
            [("courseId", yes), ("idempotencyKey", no), ("notes", no), ("userId", no), ("waitlist", no)];
        assert_eq!(params, expected);
        assert_eq!(enroll["params"][0]["schema"], json!({ "$ref": "#/components/schemas/CourseId" }));
        assert_eq!(enroll["params"][3]["description"], "The caller, unless told.");
        assert_eq!(enroll["result"]["schema"], json!({ "$ref": "#/components/schemas/Enrollment" }));
        assert_eq!(enroll["x-kind"], "mutation");
        assert_eq!(enroll["x-caller"], "a session in an organization");
        assert_eq!(method(&document, "session.me")["params"], json!([]));
    }

    #[test]
    fn answers_say_which_fields_are_always_there() {
        let document = document();
        let enrollment = &document["components"]["schemas"]["Enrollment"];
        let fields = enrollment["properties"].as_object().unwrap().len();
        assert_eq!(enrollment["required"].as_array().unwrap().len(), fields);
        let page = &method(&document, "enrollment.listByUser")["result"]["schema"];
        assert!(page["$ref"].as_str().unwrap().contains("Page"), "{page}");
    }

    #[test]
    fn errors_are_listed_once_and_referred_to() {
        let document = document();
        let errors = document["components"]["errors"].as_object().unwrap();
        assert_eq!(errors.len(), 15);
        assert_eq!(errors["CONFLICT"]["code"], -32009);
        assert_eq!(errors["CONFLICT"]["data"], json!({ "code": "CONFLICT", "httpStatus": 409 }));
        let of = |name| method(&document, name)["errors"].as_array().unwrap().len();
        assert_eq!(of("enrollment.enroll"), of("enrollment.get") + 1);
        assert_eq!(document["x-error"], json!({ "$ref": "#/components/schemas/ErrorShape" }));
    }

    #[test]
    fn docs_are_running_text() {
        let lines = ["One", "line. Two.", "", "Three."].map(str::to_owned);
        let text = paragraphs(&lines);
        assert_eq!(text, "One line. Two.\n\nThree.");
        assert_eq!(first_sentence(&text), "One line.");
        assert_eq!(first_sentence("Alone (D1)."), "Alone (D1).");
    }
}
