//! The JSON Schema of values: what it allows, which values it marks as secret, and which types it gives.

use std::path::Path;

use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::{Map, Number, Value as Json};

use super::Values;
use super::set::Part;
use crate::diagnostic::{Code, Diagnostic, Fallible, nearest};
use crate::provenance::OriginId;
use crate::session::{Context, Text};
use crate::source::{SourceFile, join};
use crate::yaml::{Key, Node, NodeKind, Scalar, Tag, direct};

/// What marks a value as secret in a schema.
const SECRET: &str = "x-kiln-secret";

/// A schema of values.
pub(crate) struct Schema {
    json: Json,
    validator: Validator,
    file: std::sync::Arc<SourceFile>,
}

/// Reads the schema that a project names.
pub(super) fn load(cx: &mut Context<'_>, root: &Path, path: &Text) -> Fallible<Schema> {
    let Ok(file) = cx.session.file(&join(root, Path::new(path.as_str()))) else {
        let message = format!("the schema `{}` cannot be read", path.value);
        let d = Diagnostic::error(Code::ValuesMissing, message).at(cx.span(path.at), "named here");
        return Err(cx.fail(d));
    };
    let json: Json = match serde_json::from_slice(file.bytes()) {
        Ok(json) => json,
        Err(error) => {
            let line = file.line(error.line().max(1) as u32).0;
            let offset = line as usize + error.column().saturating_sub(1);
            let d = Diagnostic::error(
                Code::ValuesSchemaInvalid,
                format!("the schema is not JSON: {error}"),
            )
            .at(file.character(offset), "here");
            return Err(cx.fail(d));
        }
    };
    match jsonschema::validator_for(&json) {
        Ok(validator) => Ok(Schema { json, validator, file }),
        Err(error) => {
            let message = format!("the schema of the values is none: {error}");
            let d = Diagnostic::error(Code::ValuesSchemaInvalid, message)
                .at(file.character(0), "this schema");
            Err(cx.fail(d))
        }
    }
}

/// Checks values, and notes which of them are secret.
pub(super) fn check(cx: &mut Context<'_>, schema: &Schema, values: &mut Values) -> Fallible<()> {
    mark_secrets(cx, schema, values);
    let instance = json_of(&values.root);
    let mut result = Ok(());
    for error in schema.validator.iter_errors(&instance) {
        let pointer = error.instance_path().to_string();
        let (node, name) = follow(&values.root, &pointer);
        let unexpected = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected.first(),
            _ => None,
        };
        // A key that is too much is at fault itself.
        let key = unexpected.and_then(|key| node.entry(Key::text_key(key)));
        let origin = key.map_or(node.origin(), |entry| entry.key_origin);
        let at = if origin == OriginId::NONE { first_origin(&values.root) } else { origin };
        let message = match (holds_secret(node, values), unexpected) {
            (_, Some(key)) => format!("the schema knows no value `{key}` here"),
            (true, None) => "the secret value is not as the schema says".to_owned(),
            (false, None) => error.to_string(),
        };
        let message = if name.is_empty() { message } else { format!("`{name}`: {message}") };
        let d = Diagnostic::error(Code::ValuesSchema, message)
            .at(cx.span(at), "not as the schema says");
        let place = error.schema_path().to_string();
        let shown = crate::source::display_path(schema.file.path(), &cx.options.shown_from);
        let known = known_keys(&schema.json, &place);
        let near = unexpected.and_then(|key| nearest(key, known.iter().map(String::as_str)));
        let says = format!("the schema says so at `{shown}#{place}`");
        result = Err(cx.fail(d.help(match near {
            Some(near) => format!("did you mean `{near}`? {says}"),
            None => says,
        })));
    }
    result
}

fn holds_secret(node: &Node, values: &Values) -> bool {
    values.secrets.contains(&node.origin())
        || node.entries().into_iter().flatten().any(|e| holds_secret(&e.value, values))
        || node.elements().into_iter().flatten().any(|e| holds_secret(e, values))
}

/// Returns the keys that the schema knows beside the keyword at a place.
fn known_keys(schema: &Json, place: &str) -> Vec<String> {
    let parent = place.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|parent| parent.get("properties"));
    let properties = properties.and_then(Json::as_object).into_iter().flatten();
    properties.map(|(key, _)| key.clone()).collect()
}

fn first_origin(node: &Node) -> OriginId {
    node.entries().and_then(|entries| entries.first()).map_or(OriginId::NONE, |e| e.key_origin)
}

/// Returns the value at a JSON pointer, as far as it leads, and its path as templates write it.
fn follow<'n>(root: &'n Node, pointer: &str) -> (&'n Node, String) {
    let (mut node, mut name) = (root, String::new());
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match node.kind() {
            NodeKind::Map => node.get(Key::text_key(&part)),
            _ => part.parse::<usize>().ok().and_then(|index| node.elements()?.get(index)),
        };
        let Some(next) = next else { break };
        match node.kind() {
            NodeKind::Map if name.is_empty() => name = part,
            NodeKind::Map => name = format!("{name}.{part}"),
            _ => name = format!("{name}[{part}]"),
        }
        node = next;
    }
    (node, name)
}

/// Returns values as JSON.
pub(crate) fn json_of(node: &Node) -> Json {
    if let Some(entries) = node.entries() {
        let pairs = entries.iter().map(|e| (e.key.text().to_owned(), json_of(&e.value)));
        return Json::Object(pairs.collect::<Map<_, _>>());
    }
    if let Some(elements) = node.elements() {
        return Json::Array(elements.iter().map(json_of).collect());
    }
    match direct(node) {
        Ok(Scalar::Null) => Json::Null,
        Ok(Scalar::Bool(value)) => Json::Bool(value),
        Ok(Scalar::Int(value)) => Json::Number(value.into()),
        Ok(Scalar::Uint(value)) => Json::Number(value.into()),
        Ok(Scalar::Float(value)) => Number::from_f64(value).map_or(Json::Null, Json::Number),
        Ok(Scalar::Str(text)) if node.tag() != Tag::Timestamp => Json::String(text.into_owned()),
        Ok(Scalar::Str(_)) | Err(_) => Json::String(node.text().to_owned()),
    }
}

/// How many places of a schema one value may have.
const MAX_PLACES: usize = 256;

/// Returns everything that a schema says at a place: what it refers to, and what it puts together or chooses between.
fn expanded<'s>(schema: &'s Json, places: Vec<&'s Json>) -> Vec<&'s Json> {
    let mut found: Vec<&Json> = Vec::new();
    let mut waiting = places;
    while let Some(place) = waiting.pop() {
        if found.len() == MAX_PLACES || found.iter().any(|known| std::ptr::eq(*known, place)) {
            continue;
        }
        found.push(place);
        let reference = place.get("$ref").and_then(Json::as_str);
        waiting.extend(reference.and_then(|text| schema.pointer(text.strip_prefix('#')?)));
        for word in ["allOf", "anyOf", "oneOf"] {
            waiting.extend(place.get(word).and_then(Json::as_array).into_iter().flatten());
        }
        waiting.extend(["then", "else"].iter().filter_map(|word| place.get(word)));
    }
    found
}

/// Returns what a schema says about a member of a value.
fn members<'s>(schema: &'s Json, places: &[&'s Json], part: &Part) -> Vec<&'s Json> {
    let mut found = Vec::new();
    for place in places {
        match part {
            Part::Key(name) => {
                let own = place.get("properties").and_then(|properties| properties.get(name));
                found.extend(own);
                let patterns = place.get("patternProperties").and_then(Json::as_object);
                for (pattern, rest) in patterns.into_iter().flatten() {
                    // A pattern that cannot be read may fit.
                    if regex_lite::Regex::new(pattern).map_or(true, |regex| regex.is_match(name)) {
                        found.push(rest);
                    }
                }
                if own.is_none() {
                    found.extend(place.get("additionalProperties").filter(|rest| rest.is_object()));
                }
            }
            Part::Index(index) => {
                let first = place.get("prefixItems").and_then(Json::as_array);
                match first.and_then(|items| items.get(*index)) {
                    Some(item) => found.push(item),
                    None => found.extend(place.get("items").filter(|items| items.is_object())),
                }
            }
        }
    }
    expanded(schema, found)
}

/// Returns the type that a schema gives to a value on the command line; none if it gives none, or several.
pub(super) fn type_at(schema: &Schema, path: &[Part]) -> Option<Tag> {
    let mut places = expanded(&schema.json, vec![&schema.json]);
    for part in path {
        places = members(&schema.json, &places, part);
    }
    let mut types = places.iter().filter_map(|place| place.get("type")?.as_str());
    let first = types.next()?;
    if types.any(|other| other != first) {
        return None;
    }
    match first {
        "string" => Some(Tag::Str),
        "integer" => Some(Tag::Int),
        "number" => Some(Tag::Float),
        "boolean" => Some(Tag::Bool),
        _ => None,
    }
}

/// A value that a schema declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// As `a.b`.
    pub(crate) path: String,
    pub(crate) description: Option<String>,
    /// A scalar, as text.
    pub(crate) default: Option<String>,
    pub(crate) is_secret: bool,
}

/// How deep the properties of a schema are followed.
const MAX_DEPTH: usize = 16;

/// Returns the properties of a schema that hold one value, in the order of their paths. Lists are left out: a list has no
/// path that a value could be set at without knowing its length.
pub(super) fn declared(schema: &Schema) -> Vec<Declared> {
    let mut found = Vec::new();
    let places = expanded(&schema.json, vec![&schema.json]);
    declared_below(&schema.json, &places, "", false, MAX_DEPTH, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn declared_below(
    schema: &Json,
    places: &[&Json],
    path: &str,
    secret: bool,
    depth: usize,
    found: &mut Vec<Declared>,
) {
    let secret = secret || places.iter().any(|place| is_marked(place));
    let mut names: Vec<&String> = places
        .iter()
        .filter_map(|place| place.get("properties")?.as_object())
        .flat_map(Map::keys)
        .collect();
    names.sort_unstable();
    names.dedup();
    let is_type =
        |name: &str| places.iter().any(|place| place.get("type").is_some_and(|t| t == name));
    if names.is_empty() && !path.is_empty() && !is_type("object") && !is_type("array") {
        let first = |word: &str| places.iter().find_map(|place| place.get(word));
        let default = first("default").and_then(|default| match default {
            Json::String(text) => Some(text.clone()),
            Json::Number(_) | Json::Bool(_) => Some(default.to_string()),
            _ => None,
        });
        let description = first("description").and_then(Json::as_str).map(str::to_owned);
        let path = path.to_owned();
        found.push(Declared { path, description, default, is_secret: secret });
    }
    for name in names.into_iter().filter(|_| depth > 0) {
        let below = members(schema, places, &Part::Key(name.clone()));
        // A dot in a name is no step of the path.
        let name = name.replace('\\', "\\\\").replace('.', "\\.");
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        declared_below(schema, &below, &path, secret, depth - 1, found);
    }
}

fn mark_secrets(cx: &Context<'_>, schema: &Schema, values: &mut Values) {
    let mut found = Vec::new();
    let places = expanded(&schema.json, vec![&schema.json]);
    find_secrets(&schema.json, &places, &values.root, false, &mut found);
    for origin in found {
        values.secrets.insert(origin);
        let place = origin.position().and_then(|position| cx.sources().locate(position));
        if let (Some((file, _)), Some(span)) = (place, cx.span(origin)) {
            file.mark_secret_range(span.start as usize..span.end as usize);
        }
    }
}

fn find_secrets(
    schema: &Json,
    places: &[&Json],
    node: &Node,
    secret: bool,
    out: &mut Vec<OriginId>,
) {
    let secret = secret || places.iter().any(|place| is_marked(place));
    if node.is_scalar() {
        out.extend(secret.then(|| node.origin()));
    }
    for entry in node.entries().into_iter().flatten() {
        let below = members(schema, places, &Part::Key(entry.key.text().to_owned()));
        find_secrets(schema, &below, &entry.value, secret, out);
    }
    for (index, element) in node.elements().into_iter().flatten().enumerate() {
        let below = members(schema, places, &Part::Index(index));
        find_secrets(schema, &below, element, secret, out);
    }
}

fn is_marked(place: &Json) -> bool {
    place.get(SECRET).and_then(Json::as_bool) == Some(true)
}

/// Marks what may be secret in a file of values before it is read, so that no report of a fault in it shows it: the rest of
/// each line with a key that the schema marks somewhere.
pub(super) fn mark_lines(schema: &Schema, file: &SourceFile) {
    let mut keys = Vec::new();
    marked_keys(&schema.json, &mut keys);
    let text = String::from_utf8_lossy(file.bytes());
    if keys.is_empty() || text.len() != file.bytes().len() {
        return;
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for key in &keys {
            for (at, _) in line.match_indices(key.as_str()) {
                let behind = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
                if let Some(value) = behind.strip_prefix(':') {
                    let from = line.len() - value.trim_start().len();
                    let to = line.trim_end().len();
                    if from < to {
                        file.mark_secret_range(start + from..start + to);
                    }
                }
            }
        }
        start += line.len();
    }
}

/// Finds the names of properties that are marked, or whose definition is, anywhere in a schema.
fn marked_keys(place: &Json, keys: &mut Vec<String>) {
    if let Some(properties) = place.get("properties").and_then(Json::as_object) {
        let marked =
            properties.iter().filter(|(_, rest)| holds_mark(rest) || rest.get("$ref").is_some());
        keys.extend(marked.map(|(key, _)| key.clone()));
    }
    match place {
        Json::Object(members) => members.values().for_each(|below| marked_keys(below, keys)),
        Json::Array(elements) => elements.iter().for_each(|below| marked_keys(below, keys)),
        _ => {}
    }
}

fn holds_mark(place: &Json) -> bool {
    is_marked(place)
        || ["allOf", "anyOf", "oneOf"].iter().any(|word| {
            place.get(word).and_then(Json::as_array).into_iter().flatten().any(holds_mark)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_declares_the_values_that_can_be_set() {
        let json = serde_json::json!({
            "properties": {
                "image": { "$ref": "#/$defs/image" },
                "replicas": { "type": "integer", "default": 2, "description": "How many" },
                "password": { "type": "string", "x-kiln-secret": true },
                "hosts": { "type": "array", "items": { "type": "string" } },
                "labels": { "type": "object" },
                "a.b": { "type": "string" },
                "self": { "$ref": "#" },
            },
            "$defs": { "image": { "properties": { "tag": { "type": "string", "default": "1.0" } } } },
        });
        let places = expanded(&json, vec![&json]);
        let mut found = Vec::new();
        declared_below(&json, &places, "", false, 2, &mut found);
        let path = |one: &Declared| one.path.clone();
        let own: Vec<String> =
            found.iter().map(path).filter(|path| !path.starts_with("self")).collect();
        assert_eq!(own, ["a\\.b", "image.tag", "password", "replicas"]);
        let one = |path: &str| found.iter().find(|one| one.path == path).expect("it is declared");
        assert_eq!(one("replicas").default.as_deref(), Some("2"));
        assert_eq!(one("replicas").description.as_deref(), Some("How many"));
        assert!(one("password").is_secret && !one("image.tag").is_secret);
    }
}
