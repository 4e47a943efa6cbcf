//! Paths of replacements, vars and value additions: fields, list elements by key or number.
//!
//! `spec.containers.[name=api].image` is kyaml's syntax (`kyaml/yaml/fns.go`): a part in brackets with a `=` picks the
//! element whose field has that value, a number picks by position, `-` is the last one.

use crate::diagnostic::nearest;
use crate::project::split_path;
use crate::provenance::OriginId;
use crate::yaml::{Key, Node, NodeKind, created_key};

/// Why a path could not be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookupFault {
    /// The value at hand has another kind than the part needs.
    #[error("`{part}` needs a {}, found a {}", .needed.name(), .found.name())]
    Kind { part: String, at: OriginId, found: NodeKind, needed: NodeKind },
    /// A reference to an anchor, inside a text, stands where the part needs a value.
    #[error("`{0}` needs a value, found a reference to an anchor")]
    Alias(String),
    /// A position is negative.
    #[error("the index `{0}` is negative")]
    NegativeIndex(String),
    /// A position lies behind the end of the list.
    #[error("there is no element {index}, the list has {len}")]
    IndexTooLarge { index: usize, len: usize, at: OriginId },
    /// `*` where one value is needed.
    #[error("`*` can only be used in a target")]
    Wildcard,
    /// A part in brackets has no `=`.
    #[error("`{0}` is written as [FIELD=VALUE]")]
    Element(String),
    /// The value of a part in brackets is no regular expression.
    #[error("{0}")]
    Pattern(String),
    /// A scalar on the way does not hold YAML.
    #[error("`{0}` is a scalar")]
    Scalar(String, OriginId),
    /// An element that was created is not found again.
    #[error("the element `{0}` can be neither found nor created")]
    NotCreated(String),
}

/// Splits a path at its dots. `\.` is a dot inside a name, and a part in brackets keeps its dots (kyaml's
/// `SmarterPathSplitter`).
pub(crate) fn split_dots(path: &str) -> Vec<String> {
    let pieces = split_path(path, '.');
    let mut parts = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut whole = piece;
        for next in pieces.by_ref() {
            whole.push('.');
            whole.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        let is_element = whole.contains('=');
        parts.push(if is_element { whole } else { whole.trim_matches(['[', ']']).to_owned() });
    }
    parts
}

/// Go's `strconv.Atoi`, as far as positions go.
pub(crate) fn position(part: &str) -> Option<i64> {
    let digits = part.strip_prefix(['+', '-']).unwrap_or(part);
    let all_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if all_digits { part.parse().ok() } else { None }
}

/// Returns whether a part picks an element by a field.
pub(crate) fn is_element(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Splits `[FIELD=VALUE]`.
pub(crate) fn split_element(part: &str) -> Result<(&str, &str), LookupFault> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| LookupFault::Element(part.to_owned()))
}

/// Requires a kind; a null passes for every kind.
pub(crate) fn require_kind(node: &Node, needed: NodeKind, part: &str) -> Result<(), LookupFault> {
    if node.is_null() || node.kind() == needed {
        return Ok(());
    }
    Err(LookupFault::Kind { part: part.to_owned(), at: node.origin(), found: node.kind(), needed })
}

/// The value of a field, of which a null has none.
pub(crate) fn field<'n>(node: &'n Node, name: &str) -> Result<Option<&'n Node>, LookupFault> {
    require_kind(node, NodeKind::Map, name)?;
    Ok(node.get(Key::text_key(name)))
}

/// What a part picks from a value, to be found again for a change.
#[derive(Clone, Copy)]
enum Step {
    Field(Key),
    Element(usize),
}

fn step(node: &Node, part: &str) -> Result<Option<Step>, LookupFault> {
    let elements = || -> Result<&[Node], LookupFault> {
        require_kind(node, NodeKind::Sequence, part)?;
        Ok(node.elements().unwrap_or_default())
    };
    match position(part) {
        Some(index) if index < 0 => return Err(LookupFault::NegativeIndex(part.to_owned())),
        Some(index) => {
            let found =
                usize::try_from(index).ok().filter(|i| elements().is_ok_and(|e| *i < e.len()));
            elements()?;
            return Ok(found.map(Step::Element));
        }
        None => {}
    }
    if part == "-" {
        let len = elements()?.len();
        let none = LookupFault::IndexTooLarge { index: 0, len, at: node.origin() };
        return len.checked_sub(1).map(|last| Some(Step::Element(last))).ok_or(none);
    }
    if part == "*" {
        return Err(LookupFault::Wildcard);
    }
    if !is_element(part) {
        return Ok(field(node, part)?.map(|_| Step::Field(Key::text_key(part))));
    }
    let (name, value) = split_element(part)?;
    let found = elements()?.iter().position(|element| {
        if name.is_empty() {
            return element.text() == value;
        }
        element.get(Key::text_key(name)).is_some_and(|field| field.text() == value)
    });
    Ok(found.map(Step::Element))
}

fn cleaned(parts: &[String]) -> impl Iterator<Item = &str> {
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty())
}

/// Returns the value at a path, if there is one.
pub(crate) fn lookup<'n>(
    root: &'n Node,
    parts: &[String],
) -> Result<Option<&'n Node>, LookupFault> {
    let mut node = root;
    for part in cleaned(parts) {
        let next = match step(node, part)? {
            Some(Step::Field(key)) => node.get(key),
            Some(Step::Element(index)) => node.elements().and_then(|e| e.get(index)),
            None => None,
        };
        match next {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// Like [`lookup`], to change the value.
pub(crate) fn lookup_mut<'n>(
    root: &'n mut Node,
    parts: &[String],
) -> Result<Option<&'n mut Node>, LookupFault> {
    let mut node = root;
    for part in cleaned(parts) {
        let Some(step) = step(node, part)? else { return Ok(None) };
        match take(node, step) {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

fn take(node: &mut Node, step: Step) -> Option<&mut Node> {
    match step {
        Step::Field(key) => node.get_mut(key),
        Step::Element(index) => node.elements_mut().and_then(|e| e.get_mut(index)),
    }
}

/// What a part that is created has to be, so that the next one finds its place in it.
pub(crate) fn kind_before(next: Option<&str>, leaf: NodeKind) -> NodeKind {
    match next {
        None | Some("") => leaf,
        Some(next) if is_element(next) || position(next).is_some_and(|i| i >= 0) => {
            NodeKind::Sequence
        }
        Some(_) => NodeKind::Map,
    }
}

/// Returns an empty value of a kind.
pub(crate) fn empty(kind: NodeKind, origin: OriginId) -> Node {
    match kind {
        // It is written over at once, and was no value before.
        NodeKind::Scalar => Node::untyped("", OriginId::NONE),
        NodeKind::Map => Node::map(Vec::new(), origin),
        NodeKind::Sequence => Node::sequence(Vec::new(), origin),
    }
}

/// Like [`lookup_mut`], creating fields and elements that are missing, but none that are named by position.
pub(crate) fn lookup_create<'n>(
    root: &'n mut Node,
    parts: &[String],
    leaf: NodeKind,
    origin: OriginId,
) -> Result<Option<&'n mut Node>, LookupFault> {
    let parts: Vec<&str> = cleaned(parts).collect();
    let mut node = root;
    for (index, part) in parts.iter().enumerate() {
        let found = match step(node, part)? {
            Some(step) => step,
            None if node.is_null() || position(part).is_some() => return Ok(None),
            None if is_element(part) => {
                let (name, value) = split_element(part)?;
                let element = new_element(name, value, origin);
                let Some(elements) = node.elements_mut() else { return Ok(None) };
                elements.push(element);
                Step::Element(elements.len() - 1)
            }
            None => {
                let value = empty(kind_before(parts.get(index + 1).copied(), leaf), origin);
                node.push_entry(created_key(part), origin, value);
                Step::Field(Key::text_key(part))
            }
        };
        match take(node, found) {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// Returns an element for `[FIELD=VALUE]`.
pub(crate) fn new_element(name: &str, value: &str, origin: OriginId) -> Node {
    let value = Node::untyped(value, origin);
    if name.is_empty() {
        return value;
    }
    let mut element = Node::map(Vec::new(), origin);
    element.push_entry(created_key(name), origin, value);
    element
}

/// Returns the field that was probably meant where a path leads nowhere. An element may be any one of its list.
pub(super) fn near_field<'n>(
    node: &'n Node,
    parts: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let mut node = node;
    for part in parts {
        if let Some(elements) = node.elements() {
            let index = position(part).and_then(|i| usize::try_from(i).ok()).unwrap_or_default();
            node = elements.get(index).or_else(|| elements.first())?;
            continue;
        }
        let entries = node.entries()?;
        match entries.iter().find(|e| e.key.text() == part) {
            Some(entry) => node = &entry.value,
            None => {
                let keys = entries.iter().map(|e| e.key.text());
                // One that begins like it is near too: `host` for `hosts`, `resources` for `resource`.
                return nearest(part, keys.clone()).or_else(|| {
                    keys.into_iter().find(|key| part.len() > 2 && key.starts_with(part))
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Dialect, parse_document};

    fn parse(text: &str) -> Node {
        parse_document(text, 1, Dialect::V3).unwrap().unwrap()
    }

    #[test]
    fn brackets_and_backslashes_keep_dots() {
        assert_eq!(split_dots("a.b"), ["a", "b"]);
        assert_eq!(split_dots(r"a.b\.c"), ["a", "b.c"]);
        assert_eq!(split_dots("a.[b.c].d"), ["a", "b.c", "d"]);
        assert_eq!(split_dots("a.[n=b.c].d"), ["a", "[n=b.c]", "d"]);
        assert_eq!(split_dots("a.[n=b]"), ["a", "[n=b]"]);
        assert_eq!(split_dots("a.[b]"), ["a", "[b]"]);
    }

    #[test]
    fn a_path_leads_to_a_value() {
        let root = parse("a: [{n: x, v: 1}, {n: y, v: 2}]\nb: {c.d: e}\nl: [p, q]\nz:\n");
        let text =
            |path: &str| lookup(&root, &split_dots(path)).map(|n| n.map(|n| n.text().to_owned()));
        assert_eq!(text("a.[n=y].v"), Ok(Some("2".to_owned())));
        assert_eq!(text("a.1.v"), Ok(Some("2".to_owned())));
        assert_eq!(text("a.-.v"), Ok(Some("2".to_owned())));
        assert_eq!(text(r"b.c\.d"), Ok(Some("e".to_owned())));
        assert_eq!(text("l.[=q]"), Ok(Some("q".to_owned())));
        assert_eq!(text("a.5.v"), Ok(None));
        assert_eq!(text("z.y"), Ok(None));
        assert!(matches!(text("l.x"), Err(LookupFault::Kind { .. })));
        assert_eq!(text("l.*"), Err(LookupFault::Wildcard));
    }

    #[test]
    fn what_is_missing_is_created() {
        let mut root = parse("a: {}\n");
        let created =
            lookup_create(&mut root, &split_dots("a.l.[n=x].v"), NodeKind::Scalar, OriginId::NONE);
        created.unwrap().unwrap().set_text("1");
        assert_eq!(format!("{root:?}"), r#"{"a": {"l": [{"n": "x":Empty, "v": "1":Empty}]}}"#);
    }
}
