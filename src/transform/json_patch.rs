//! JSON patches (RFC 6902) as kustomize's library applies them (`gopkg.in/evanphx/json-patch.v4`).
//!
//! Beyond the RFC, indexes may be negative, `replace` adds a key that is missing, a value that is missing is null, and the
//! first part of a path counts even without its slash. A patch works on the tree that JSON would hold, so the whole
//! object loses its styles and its numbers become floating-point.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use ecow::EcoString;

use crate::project::scalar;
use crate::provenance::{LogEntry, LogKind, OriginId, PathStep, Recorder, ValuePath};
use crate::session::Text;
use crate::yaml::{
    JsonNumbers, Key, Node, NodeKind, Scalar, ScalarStyle, Tag, known, plain_node, write_json,
};

/// A JSON patch.
#[derive(Clone, Debug, Default)]
pub(crate) struct JsonPatch {
    pub(crate) operations: Vec<Operation>,
}

/// One operation of a patch. What is missing or has the wrong type is found when the operation is applied.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) at: OriginId,
    pub(crate) op: Text,
    pub(crate) path: Option<Text>,
    from: Option<Text>,
    value: Node,
    /// The value of a `test` in a JSON text, each of its scalars as it is written.
    raw_value: Option<RawValue>,
}

/// A value of which only the way it is written counts.
#[derive(Clone, Debug)]
struct RawValue {
    node: Node,
    /// The scalars inside the values of the patch, as they are written, by position: what an operation has put into the
    /// document is still written like this.
    tokens: Rc<HashMap<u32, EcoString>>,
}

/// Why an operation cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OperationFault {
    /// `op` is none of the six.
    UnknownOp,
    /// `path` or `from` is missing or no string.
    Field(&'static str),
    /// Nothing stands where the path leads, or what stands there has no fields.
    Missing(String),
    /// A part of the path is no index of the list it leads into.
    Index(String),
    /// The key or element to remove does not exist.
    NothingToRemove(String),
    /// The value is not the one that `test` names: its JSON text.
    TestFailed { found: String, at: OriginId },
    /// The whole object was replaced by something else than a map.
    NotAnObject,
}

/// Decodes a patch: from YAML 1.1, or from JSON where `json` is its text and the global position of its first byte. None
/// if it is not a list of maps.
pub(crate) fn decode(node: &Node, json: Option<(&str, u32)>) -> Option<JsonPatch> {
    if node.is_null() {
        return Some(JsonPatch::default());
    }
    let mut operations = Vec::with_capacity(node.len());
    let tokens = json.map(|(text, base)| {
        let mut tokens = HashMap::new();
        collect_tokens(node, text, base, &mut tokens);
        Rc::new(tokens)
    });
    for element in node.elements()? {
        if element.entries().is_none() && !element.is_null() {
            return None;
        }
        let field = |name: &str| {
            let entries = element.entries().unwrap_or_default();
            entries.iter().rev().find(|e| e.key.text() == name).map(|e| &e.value)
        };
        let text = |name| {
            let node: &Node = field(name)?;
            match scalar(node)? {
                Scalar::Str(text) => Some(Text { value: text.as_ref().into(), at: node.origin() }),
                _ => None,
            }
        };
        let op = text("op").unwrap_or_default();
        let raw_value = tokens.as_ref().filter(|_| op.as_str() == "test").and_then(|tokens| {
            let node = rebuild(field("value")?, &|value| {
                let token = tokens.get(&value.origin().position()?)?;
                Some(Node::scalar(token.clone(), ScalarStyle::Plain, Tag::Str, value.origin()))
            })?;
            Some(RawValue { node, tokens: tokens.clone() })
        });
        operations.push(Operation {
            at: element.origin(),
            op,
            path: text("path"),
            from: text("from"),
            value: match field("value") {
                Some(value) => plain(value)?,
                None => Node::null(element.origin()),
            },
            raw_value,
        });
    }
    Some(JsonPatch { operations })
}

/// Collects the scalars of a JSON text as they are written.
fn collect_tokens(node: &Node, text: &str, base: u32, tokens: &mut HashMap<u32, EcoString>) {
    if node.is_scalar()
        && let Some(position) = node.origin().position()
        && let Some(at) = position.checked_sub(base)
    {
        tokens.insert(position, raw_token(text, at as usize).into());
    }
    for entry in node.entries().into_iter().flatten() {
        collect_tokens(&entry.value, text, base, tokens);
    }
    for element in node.elements().into_iter().flatten() {
        collect_tokens(element, text, base, tokens);
    }
}

fn raw_token(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let end = if rest.starts_with('"') {
        let mut escaped = false;
        let closing = rest.bytes().enumerate().skip(1).find(|&(_, b)| {
            let closes = b == b'"' && !escaped;
            escaped = b == b'\\' && !escaped;
            closes
        });
        closing.map_or(rest.len(), |(i, _)| i + 1)
    } else {
        rest.find([',', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(rest.len())
    };
    &rest[..end]
}

/// Returns a value as JSON holds it: types by YAML 1.1, of equal keys the last. None if JSON cannot hold it.
fn plain(node: &Node) -> Option<Node> {
    rebuild(node, &|value| {
        // A number in JSON text is only looked at in the end, when it turns out to be none that a float can hold.
        if value.tag() == Tag::Float && value.text().parse().is_ok_and(f64::is_infinite) {
            return Some(value.clone());
        }
        match scalar(value)? {
            Scalar::Float(float) if !float.is_finite() => None,
            scalar => Some(plain_node(scalar, value.origin())),
        }
    })
}

/// Returns a tree with its scalars replaced; of equal keys the last stays.
fn rebuild(node: &Node, leaf: &dyn Fn(&Node) -> Option<Node>) -> Option<Node> {
    if let Some(entries) = node.entries() {
        let mut out: Vec<crate::yaml::Entry> = Vec::with_capacity(entries.len());
        let mut places = HashMap::with_capacity(entries.len());
        for entry in entries {
            let entry = crate::yaml::Entry {
                key: Key::text_key(entry.key.text()),
                key_origin: entry.key_origin,
                value: rebuild(&entry.value, leaf)?,
            };
            match places.get(&entry.key) {
                Some(&index) => out[index] = entry,
                None => {
                    places.insert(entry.key, out.len());
                    out.push(entry);
                }
            }
        }
        return Some(Node::map(out, node.origin()));
    }
    if let Some(elements) = node.elements() {
        let elements = elements.iter().map(|e| rebuild(e, leaf)).collect::<Option<Vec<_>>>()?;
        return Some(Node::sequence(elements, node.origin()));
    }
    leaf(node)
}

/// Returns the JSON text of a value as Go writes it.
pub(crate) fn json_text(node: &Node) -> String {
    let mut out = String::new();
    // A value of the view can be written, or the view would not exist.
    let _ = write_json(node, JsonNumbers::Exact, &mut out);
    out
}

/// A key or an index, decoded from a part of a path.
type Place<'d> = (&'d mut Node, String);

/// Splits a path into the parts to follow and the last one.
fn split(path: &str) -> Option<(Vec<String>, String)> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let last = parts.pop()?;
    if parts.is_empty() {
        return None;
    }
    let decode = |part: &str| part.replace("~1", "/").replace("~0", "~");
    Some((parts[1..].iter().map(|part| decode(part)).collect(), decode(last)))
}

/// Returns the collection that a path leads into.
fn container<'d>(document: &'d mut Node, path: &str) -> Result<Place<'d>, OperationFault> {
    let (parts, key) = split(path).ok_or_else(|| OperationFault::Missing(String::new()))?;
    let mut node = document;
    for part in parts {
        let missing = || OperationFault::Missing(part.clone());
        if node.elements().is_some() {
            let index = element_index(&part, node.len()).ok_or_else(missing)?;
            node = node.elements_mut().and_then(|e| e.get_mut(index)).ok_or_else(missing)?;
        } else {
            node = node.get_mut(Key::text_key(&part)).ok_or_else(missing)?;
        }
        if node.is_scalar() {
            return Err(missing());
        }
    }
    Ok((node, key))
}

/// Go's `strconv.Atoi`.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if all_digits { text.parse().ok() } else { None }
}

/// The index of an element that exists; negative ones count from the end.
fn element_index(text: &str, len: usize) -> Option<usize> {
    let index = integer(text)?;
    let index = if index < 0 { index.checked_add_unsigned(len as u64)? } else { index };
    usize::try_from(index).ok().filter(|i| *i < len)
}

/// The value at a place: nothing is no fault in a map.
fn get(container: &Node, key: &str) -> Result<Option<Node>, OperationFault> {
    match container.elements() {
        Some(elements) => {
            let index = element_index(key, elements.len())
                .ok_or_else(|| OperationFault::Index(key.to_owned()))?;
            Ok(Some(elements[index].clone()))
        }
        None => Ok(container.get(Key::text_key(key)).cloned()),
    }
}

fn add(container: &mut Node, key: &str, value: Node) -> Result<(), OperationFault> {
    let Some(elements) = container.elements_mut() else {
        put(container, key, value);
        return Ok(());
    };
    if key == "-" {
        elements.push(value);
        return Ok(());
    }
    // A new element may stand behind the last one, and negative indexes count from there.
    let index = element_index(key, elements.len() + 1)
        .ok_or_else(|| OperationFault::Index(key.to_owned()))?;
    elements.insert(index, value);
    Ok(())
}

fn put(map: &mut Node, key: &str, value: Node) {
    let key = Key::text_key(key);
    match map.get_mut(key) {
        Some(field) => *field = value,
        None => {
            let origin = value.origin();
            map.push_entry(key, origin, value);
        }
    }
}

fn remove(container: &mut Node, key: &str) -> Result<Node, OperationFault> {
    let nothing = || OperationFault::NothingToRemove(key.to_owned());
    match container.kind() {
        NodeKind::Sequence => {
            let index = element_index(key, container.len())
                .ok_or_else(|| OperationFault::Index(key.to_owned()))?;
            container.elements_mut().map(|e| e.remove(index)).ok_or_else(nothing)
        }
        _ => container.remove(Key::text_key(key)).ok_or_else(nothing),
    }
}

/// Records that a value was put where `previous` was.
fn written(recorder: &mut Recorder<'_>, value: &Node, previous: Option<&Node>) -> OriginId {
    match previous {
        Some(previous) => recorder.write(value.origin(), previous),
        None => recorder.create(value.origin()),
    }
}

fn deletion(recorder: &Recorder<'_>, path: ValuePath, removed: &Node) -> LogEntry {
    LogEntry {
        step: recorder.step(),
        at: recorder.at(),
        path,
        kind: LogKind::Deleted,
        previous: removed.origin(),
        value: recorder.kept(removed),
    }
}

/// Returns the path of what a JSON pointer leads to. An element with a name is called by it.
fn value_path(document: &Node, pointer: &str) -> ValuePath {
    let Some((mut parts, last)) = split(pointer) else { return ValuePath::default() };
    parts.push(last);
    let mut node = Some(document);
    let mut steps = Vec::with_capacity(parts.len());
    for part in parts {
        let elements = node.and_then(Node::elements);
        let index = elements.and_then(|elements| element_index(&part, elements.len()));
        let next = match (elements, index) {
            (Some(elements), Some(index)) => elements.get(index),
            _ => node.and_then(|node| node.get(Key::text_key(&part))),
        };
        let name = next.and_then(|next| next.get(known::NAME)).filter(|name| name.is_scalar());
        steps.push(match (index, name) {
            (Some(_), Some(name)) => {
                PathStep::Element(vec![(known::NAME.text().into(), name.shared_text())])
            }
            (Some(index), None) => PathStep::Index(index),
            (None, _) => PathStep::Key(part.into()),
        });
        node = next;
    }
    ValuePath(steps)
}

impl Operation {
    fn path(&self) -> Result<&str, OperationFault> {
        self.path.as_ref().map(Text::as_str).ok_or(OperationFault::Field("path"))
    }

    fn from(&self) -> Result<&str, OperationFault> {
        self.from.as_ref().map(Text::as_str).ok_or(OperationFault::Field("from"))
    }

    /// Returns whether the operation replaces a field that is not there, which adds it.
    pub(crate) fn adds_by_replacing(&self, document: &mut Node) -> bool {
        let Some(path) =
            self.path.as_ref().filter(|path| self.op.as_str() == "replace" && !path.is_empty())
        else {
            return false;
        };
        container(document, path.as_str()).is_ok_and(|(map, key)| {
            map.kind() == NodeKind::Map && map.get(Key::text_key(&key)).is_none()
        })
    }

    /// Applies the operation to a tree that is a JSON view. What is removed is noted in `log`.
    pub(crate) fn apply(
        &self,
        document: &mut Node,
        recorder: &mut Recorder<'_>,
        log: &mut Vec<LogEntry>,
    ) -> Result<(), OperationFault> {
        recorder.set_at(self.at);
        match self.op.as_str() {
            "add" => {
                let (container, key) = container(document, self.path()?)?;
                let value = self.written_value(recorder, container.get(Key::text_key(&key)));
                add(container, &key, value)
            }
            "remove" => {
                let path = value_path(document, self.path()?);
                let (container, key) = container(document, self.path()?)?;
                let removed = remove(container, &key)?;
                log.push(deletion(recorder, path, &removed));
                Ok(())
            }
            "replace" => self.replace(document, recorder),
            "move" => {
                let path = value_path(document, self.from()?);
                let (source, key) = container(document, self.from()?)?;
                get(source, &key)?;
                let mut value = remove(source, &key)?;
                log.push(deletion(recorder, path, &value));
                let (target, key) = container(document, self.path()?)?;
                value.set_origin(written(recorder, &value, target.get(Key::text_key(&key))));
                add(target, &key, value)
            }
            "copy" => {
                let (source, key) = container(document, self.from()?)?;
                let value = get(source, &key)?;
                let mut value = value.unwrap_or_else(|| Node::null(self.at));
                let (target, key) = container(document, self.path()?)?;
                value.set_origin(written(recorder, &value, target.get(Key::text_key(&key))));
                add(target, &key, value)
            }
            "test" => self.test(document),
            _ => Err(OperationFault::UnknownOp),
        }
    }

    fn written_value(&self, recorder: &mut Recorder<'_>, previous: Option<&Node>) -> Node {
        let mut value = self.value.clone();
        value.set_origin(written(recorder, &value, previous));
        value
    }

    fn replace(
        &self,
        document: &mut Node,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), OperationFault> {
        let path = self.path()?;
        if path.is_empty() {
            if self.value.kind() != NodeKind::Map {
                return Err(OperationFault::NotAnObject);
            }
            *document = self.written_value(recorder, Some(document));
            return Ok(());
        }
        let (container, key) = container(document, path)?;
        let previous = get(container, &key)?;
        let value = self.written_value(recorder, previous.as_ref());
        match element_index(&key, container.len()) {
            Some(index) if container.kind() == NodeKind::Sequence => {
                if let Some(elements) = container.elements_mut() {
                    elements[index] = value;
                }
            }
            _ => put(container, &key, value),
        }
        Ok(())
    }

    fn test(&self, document: &mut Node) -> Result<(), OperationFault> {
        let path = self.path()?;
        let found = if path.is_empty() {
            Some(document.clone())
        } else {
            let (container, key) = container(document, path)?;
            get(container, &key)?
        };
        let equal = match &found {
            Some(found) => self.equals(found),
            None => self.value.is_null(),
        };
        if equal {
            return Ok(());
        }
        let at = found.as_ref().map_or(OriginId::NONE, Node::origin);
        let found = found.map_or_else(|| "nothing".to_owned(), |n| json_text(&n));
        Err(OperationFault::TestFailed { found, at })
    }

    /// Scalars are compared as they are written: `1.0` is not `1`, nor is `"\u0041"` the same as `"A"`.
    fn equals(&self, found: &Node) -> bool {
        let Some(raw) = &self.raw_value else {
            return equal(found, &self.value, &|own, value| json_text(own) == json_text(value));
        };
        equal(found, &raw.node, &|own, token| {
            let written = own.origin().position().and_then(|at| raw.tokens.get(&at));
            match written {
                Some(written) => written == token.text(),
                None => json_text(own) == token.text(),
            }
        })
    }
}

/// Returns whether a value of the document is one of the patch. `same` compares their scalars.
fn equal(a: &Node, b: &Node, same: &dyn Fn(&Node, &Node) -> bool) -> bool {
    match (a.entries(), b.entries(), a.elements(), b.elements()) {
        (Some(a), Some(b), ..) => {
            a.len() == b.len()
                && a.iter().all(|own| {
                    let other = b.iter().find(|e| e.key.same_text(own.key));
                    other.is_some_and(|other| equal(&own.value, &other.value, same))
                })
        }
        (_, _, Some(a), Some(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, same))
        }
        (None, None, None, None) => same(a, b),
        _ => false,
    }
}

/// What a fault says; the operation is named by who reports it.
impl OperationFault {
    pub(crate) fn message(&self) -> Cow<'static, str> {
        match self {
            Self::UnknownOp => {
                "`op` must be `add`, `remove`, `replace`, `move`, `copy` or `test`".into()
            }
            Self::Field(name) => format!("`{name}` is missing or not a string").into(),
            Self::Missing(part) if part.is_empty() => "the path leads nowhere".into(),
            Self::Missing(part) => format!("there is no map or list `{part}`").into(),
            Self::Index(part) => format!("`{part}` is not an index of the list").into(),
            Self::NothingToRemove(part) => format!("there is no `{part}` to remove").into(),
            Self::TestFailed { found, .. } => format!("the value is {found}").into(),
            Self::NotAnObject => "the whole object can only be replaced by a map".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::{Provenance, StepKind};
    use crate::yaml::{Dialect, parse_document, parse_json};

    fn apply(document: &str, patch: &str) -> Result<String, OperationFault> {
        let mut document = parse_document(document, 1, Dialect::V3).unwrap().unwrap();
        let patch = if patch.starts_with('[') {
            decode(&parse_json(patch, 1).unwrap(), Some((patch, 1))).unwrap()
        } else {
            decode(&parse_document(patch, 1, Dialect::V2).unwrap().unwrap(), None).unwrap()
        };
        let mut provenance = Provenance::default();
        let step = provenance.step(StepKind::JsonPatch, OriginId::NONE);
        for operation in &patch.operations {
            let mut recorder = Recorder::new(&mut provenance, step);
            operation.apply(&mut document, &mut recorder, &mut Vec::new())?;
        }
        Ok(json_text(&document))
    }

    #[test]
    fn operations_change_maps_and_lists() {
        let cases = [
            ("a: 1", "- {op: add, path: /b, value: yes}", r#"{"a":1,"b":true}"#),
            ("a: [1, 2]", "- {op: add, path: /a/1, value: x}", r#"{"a":[1,"x",2]}"#),
            ("a: [1, 2]", "- {op: add, path: /a/-, value: 3}", r#"{"a":[1,2,3]}"#),
            ("a: [1, 2]", "- {op: add, path: /a/-1, value: 3}", r#"{"a":[1,2,3]}"#),
            ("a: [1, 2]", "- {op: replace, path: /a/-1, value: 3}", r#"{"a":[1,3]}"#),
            ("a: [1, 2]", "- {op: remove, path: /a/0}", r#"{"a":[2]}"#),
            ("a: 1", "- {op: replace, path: /b, value: 2}", r#"{"a":1,"b":2}"#),
            ("a: 1", "- {op: add, path: x/b}", r#"{"a":1,"b":null}"#),
            ("a/b: 1", "- {op: replace, path: /a~1b, value: 2}", r#"{"a/b":2}"#),
            ("a: {b: 1}", "- {op: move, from: /a/b, path: /c}", r#"{"a":{},"c":1}"#),
            ("a: {b: 1}", "- {op: copy, from: /a/x, path: /c}", r#"{"a":{"b":1},"c":null}"#),
            ("a: 1", r#"[{"op": "test", "path": "/a", "value": 1}]"#, r#"{"a":1}"#),
            ("a: {b: [x]}", "- {op: test, path: /a, value: {b: [x]}}", r#"{"a":{"b":["x"]}}"#),
        ];
        for (document, patch, want) in cases {
            assert_eq!(apply(document, patch).as_deref(), Ok(want), "{document} {patch}");
        }
    }

    #[test]
    fn faults_say_what_is_missing() {
        let fault = |document, patch| apply(document, patch).unwrap_err();
        assert_eq!(
            fault("a: 1", "- {op: add, path: /b/c, value: 1}"),
            OperationFault::Missing("b".to_owned())
        );
        assert_eq!(
            fault("a: 1", "- {op: remove, path: /b}"),
            OperationFault::NothingToRemove("b".to_owned())
        );
        assert_eq!(
            fault("a: [1]", "- {op: add, path: /a/3, value: 1}"),
            OperationFault::Index("3".to_owned())
        );
        assert_eq!(
            fault("a: [1]", "- {op: replace, path: /a/-, value: 1}"),
            OperationFault::Index("-".to_owned())
        );
        assert_eq!(fault("a: 1", "- {op: nope, path: /a}"), OperationFault::UnknownOp);
        assert_eq!(fault("a: 1", "- {op: add}"), OperationFault::Field("path"));
        let written = fault("a: 1", r#"[{"op": "test", "path": "/a", "value": 1.0}]"#);
        assert!(matches!(written, OperationFault::TestFailed { .. }));
    }
}
