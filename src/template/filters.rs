//! The filters and functions of templates beyond MiniJinja's own.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use sha2::{Digest, Sha256};

use super::value::Tree;
use crate::provenance::OriginId;
use crate::yaml::{
    Dialect, JsonNumbers, Key, Node, ScalarStyle, Tag, parse_document, parse_json, tree_text,
    write_json, write_json_string,
};

/// Adds filters and functions that need nothing but their arguments.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("to_yaml", to_yaml);
    environment.add_filter("to_json", to_json);
    environment.add_filter("from_yaml", from_yaml);
    environment.add_filter("from_json", from_json);
    environment.add_filter("indent", indent);
    environment.add_filter("nindent", nindent);
    environment.add_filter("quote", quote);
    environment.add_filter("string", string);
    environment.add_filter("join", join);
    environment.add_filter("squote", squote);
    environment.add_filter("b64encode", b64encode);
    environment.add_filter("b64decode", b64decode);
    environment.add_filter("sha256", sha256);
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("semver", semver);
    environment.add_filter("dns_label", dns_label);
    environment.add_function("required", required);
    environment.add_function("fail", fail);
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Returns a value as a tree.
fn node_of(value: &Value) -> Result<Node, Error> {
    if let Some(tree) = value.downcast_object_ref::<Tree>() {
        return Ok(tree.node.clone());
    }
    let plain = |text: String, tag| Node::scalar(text, ScalarStyle::Plain, tag, OriginId::NONE);
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Node::null(OriginId::NONE),
        ValueKind::Bool => plain(shown(value), Tag::Bool),
        ValueKind::Number if value.is_integer() => plain(shown(value), Tag::Int),
        ValueKind::Number => plain(shown(value), Tag::Float),
        // What is written so in the values.
        ValueKind::String if value.is_safe() => plain(value.to_string(), Tag::Empty),
        ValueKind::String => Node::string(value.as_str().unwrap_or_default(), OriginId::NONE),
        ValueKind::Map => {
            let mut map = Node::map(Vec::new(), OriginId::NONE);
            for key in value.try_iter()? {
                let entry = node_of(&value.get_item(&key)?)?;
                map.push_entry(Key::text_key(&key.to_string()), OriginId::NONE, entry);
            }
            map
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let elements: Result<Vec<Node>, Error> =
                value.try_iter()?.map(|e| node_of(&e)).collect();
            Node::sequence(elements?, OriginId::NONE)
        }
        _ => return Err(invalid("the value has no form in YAML")),
    })
}

/// Returns a tree as a value without a place.
fn value_of(node: &Node) -> Value {
    super::value::Tracker::default().value(node, "")
}

fn to_yaml(value: &Value) -> Result<Value, Error> {
    touch_all(value);
    Ok(Value::from_safe_string(tree_text(&node_of(value)?)))
}

fn to_json(value: &Value) -> Result<Value, Error> {
    touch_all(value);
    let mut out = String::new();
    write_json(&node_of(value)?, JsonNumbers::Exact, &mut out)
        .map_err(|fault| invalid(format!("the value has no form in JSON: {:?}", fault.kind)))?;
    Ok(Value::from_safe_string(out))
}

/// Notes that all of a value is used.
fn touch_all(value: &Value) {
    if !matches!(value.kind(), ValueKind::Map | ValueKind::Seq) {
        return;
    }
    if let Ok(elements) = value.try_iter() {
        for element in elements {
            if value.kind() == ValueKind::Map {
                if let Ok(entry) = value.get_item(&element) {
                    touch_all(&entry);
                }
            } else {
                touch_all(&element);
            }
        }
    }
}

fn from_yaml(text: &str) -> Result<Value, Error> {
    let node = parse_document(text, 1, Dialect::V3)
        .map_err(|error| invalid(format!("the text is not YAML: {}", error.message)))?;
    Ok(node.map_or(Value::from(()), |node| value_of(&node)))
}

fn from_json(text: &str) -> Result<Value, Error> {
    let node = parse_json(text, 1)
        .map_err(|error| invalid(format!("the text is not JSON: {}", error.message)))?;
    Ok(value_of(&node))
}

/// Returns a value as it is printed.
fn shown(value: &Value) -> String {
    super::value::printed(value).unwrap_or_else(|| value.to_string())
}

fn like(value: &Value, text: String) -> Value {
    if value.is_safe() { Value::from_safe_string(text) } else { Value::from(text) }
}

/// `first` indents the first line too, `blank` empty ones.
#[expect(clippy::needless_pass_by_value, reason = "arguments are passed so")]
fn indent(value: &Value, width: usize, options: Kwargs) -> Result<Value, Error> {
    let first: Option<bool> = options.get("first")?;
    let blank: Option<bool> = options.get("blank")?;
    options.assert_all_used()?;
    let text = printed(value)?;
    Ok(like(value, indented(&text, width, first.unwrap_or(false), blank.unwrap_or(false))?))
}

fn nindent(value: &Value, width: usize) -> Result<Value, Error> {
    let text = printed(value)?;
    Ok(like(value, format!("\n{}", indented(&text, width, true, false)?)))
}

fn printed(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        Err(Error::from(ErrorKind::UndefinedError))
    } else {
        Ok(shown(value))
    }
}

/// A text is not indented further than any document is nested.
const MAX_INDENT: usize = 4096;

fn indented(text: &str, width: usize, first: bool, blank: bool) -> Result<String, Error> {
    if width > MAX_INDENT {
        return Err(invalid(format!("a text is indented by at most {MAX_INDENT} spaces")));
    }
    let pad = " ".repeat(width);
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let wanted = (number > 0 || first) && (blank || !line.is_empty());
        out.push_str(if wanted { &pad } else { "" });
        out.push_str(line);
    }
    Ok(out)
}

fn string(value: &Value) -> Result<String, Error> {
    printed(value)
}

fn join(value: &Value, separator: Option<&str>) -> Result<String, Error> {
    let parts: Result<Vec<String>, Error> = value.try_iter()?.map(|part| printed(&part)).collect();
    Ok(parts?.join(separator.unwrap_or_default()))
}

fn quote(value: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    write_json_string(&printed(value)?, &mut out);
    Ok(Value::from_safe_string(out))
}

fn squote(value: &Value) -> Result<Value, Error> {
    Ok(Value::from_safe_string(format!("'{}'", printed(value)?.replace('\'', "''"))))
}

/// Returns a text in base64.
pub(super) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn b64encode(value: &Value) -> Result<String, Error> {
    Ok(base64(&printed(value)?))
}

fn b64decode(text: &str) -> Result<String, Error> {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| invalid("the text is not base64"))?;
    String::from_utf8(bytes).map_err(|_| invalid("the decoded bytes are no UTF-8 text"))
}

fn sha256(value: &Value) -> Result<String, Error> {
    let digest = Sha256::digest(printed(value)?);
    Ok(hex(&digest))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Encodes all but the unreserved characters of RFC 3986.
fn urlencode(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    for byte in printed(value)?.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(out)
}

/// Takes a semantic version apart: `major`, `minor`, `patch`, `prerelease`, `build`. A `v` before it is passed over.
fn semver(text: &str) -> Result<Value, Error> {
    let bad = || invalid(format!("`{text}` is no semantic version"));
    let rest = text.strip_prefix('v').unwrap_or(text);
    let (rest, build) = rest.split_once('+').unwrap_or((rest, ""));
    let (core, prerelease) = rest.split_once('-').unwrap_or((rest, ""));
    let numbers: Vec<u64> = core
        .split('.')
        .map(|part| part.parse().ok().filter(|_| part == "0" || !part.starts_with('0')))
        .collect::<Option<_>>()
        .ok_or_else(bad)?;
    let [major, minor, patch] = numbers[..] else { return Err(bad()) };
    let number = |number: u64| Value::from(number);
    let pairs = [
        ("major", number(major)),
        ("minor", number(minor)),
        ("patch", number(patch)),
        ("prerelease", Value::from(prerelease)),
        ("build", Value::from(build)),
    ];
    Ok(Value::from(BTreeMap::from(pairs)))
}

/// Makes a DNS label (RFC 1123) of a text: lower case, `-` for anything else, at most 63 characters.
fn dns_label(value: &Value) -> Result<String, Error> {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = printed(value)?.chars().map(fit).take(63).collect();
    let label = text.trim_matches('-');
    if label.is_empty() {
        Err(invalid("nothing of the text can be in a DNS label"))
    } else {
        Ok(label.to_owned())
    }
}

fn required(value: Value, message: &str) -> Result<Value, Error> {
    let is_empty = value.is_undefined() || value.is_none() || value.as_str() == Some("");
    if is_empty { Err(invalid(message)) } else { Ok(value) }
}

fn fail(message: &str) -> Result<Value, Error> {
    Err(invalid(message))
}
