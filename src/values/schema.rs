//! The JSON Schema of values: what it allows, which values it marks as secret, and which types it gives.

use std::path::Path;

use jsonschema::Validator;
use serde_json::{Map, Number, Value as Json};

use super::Values;
use super::set::Part;
use crate::diagnostic::{Code, Diagnostic, Fallible};
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
        let at = if node.origin() == OriginId::NONE {
            first_origin(&values.root)
        } else {
            node.origin()
        };
        let secret = values.secrets.contains(&node.origin());
        let message = if secret { "the value is secret".to_owned() } else { error.to_string() };
        let message = if name.is_empty() { message } else { format!("`{name}`: {message}") };
        let d = Diagnostic::error(Code::ValuesSchema, message)
            .at(cx.span(at), "not as the schema says");
        let place = error.schema_path().to_string();
        let shown = crate::source::display_path(schema.file.path(), &cx.options.shown_from);
        result = Err(cx.fail(d.help(format!("the schema says so at `{shown}#{place}`"))));
    }
    result
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

/// Follows a reference inside the schema. A chain of them ends somewhere, or is no schema.
fn resolve<'s>(schema: &'s Json, mut place: &'s Json) -> &'s Json {
    for _ in 0..32 {
        let Some(reference) = place.get("$ref").and_then(Json::as_str) else { return place };
        match reference.strip_prefix('#').and_then(|pointer| schema.pointer(pointer)) {
            Some(target) => place = target,
            None => return place,
        }
    }
    place
}

/// Returns what a schema says about a member of a value.
fn member<'s>(schema: &'s Json, place: &'s Json, part: &Part) -> Option<&'s Json> {
    let place = resolve(schema, place);
    let found = match part {
        Part::Key(name) => place
            .get("properties")
            .and_then(|properties| properties.get(name))
            .or_else(|| place.get("additionalProperties").filter(|rest| rest.is_object())),
        Part::Index(_) => place.get("items").filter(|items| items.is_object()),
    };
    found.map(|found| resolve(schema, found))
}

/// Returns the type that a schema gives to a value on the command line; none if it gives none, or several.
pub(super) fn type_at(schema: &Schema, path: &[Part]) -> Option<Tag> {
    let place =
        path.iter().try_fold(&schema.json, |place, part| member(&schema.json, place, part))?;
    match place.get("type")?.as_str()? {
        "string" => Some(Tag::Str),
        "integer" => Some(Tag::Int),
        "number" => Some(Tag::Float),
        "boolean" => Some(Tag::Bool),
        _ => None,
    }
}

fn mark_secrets(cx: &Context<'_>, schema: &Schema, values: &mut Values) {
    let mut found = Vec::new();
    find_secrets(&schema.json, &schema.json, &values.root, false, &mut found);
    for origin in found {
        values.secrets.insert(origin);
        let place = origin.position().and_then(|position| cx.sources().locate(position));
        if let (Some((file, _)), Some(span)) = (place, cx.span(origin)) {
            file.mark_secret_range(span.start as usize..span.end as usize);
        }
    }
}

fn find_secrets(schema: &Json, place: &Json, node: &Node, secret: bool, out: &mut Vec<OriginId>) {
    let place = resolve(schema, place);
    let secret = secret || place.get(SECRET).and_then(Json::as_bool) == Some(true);
    if node.is_scalar() {
        out.extend(secret.then(|| node.origin()));
    }
    for entry in node.entries().into_iter().flatten() {
        let below = member(schema, place, &Part::Key(entry.key.text().to_owned()));
        find_secrets(schema, below.unwrap_or(&Json::Null), &entry.value, secret, out);
    }
    for element in node.elements().into_iter().flatten() {
        let below = member(schema, place, &Part::Index(0));
        find_secrets(schema, below.unwrap_or(&Json::Null), element, secret, out);
    }
}
