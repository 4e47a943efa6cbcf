//! The text of a file to objects.
//!
//! This is kyaml's reader as kustomize uses it (`kyaml/kio/byteio_reader.go`, `api/resource/factory.go`): the text is cut
//! at lines that begin with `---` before any YAML is parsed; of each piece the first document counts; an object needs a
//! kind and a name; lists are taken apart.

use crate::provenance::OriginId;
use crate::yaml::{
    Dialect, Node, SyntaxError, ViewFault, check_decodable, json_reread, known, parse_document,
};

use super::metadata::metadata_text;

/// Why a text does not hold objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ReadFault {
    /// The bytes are not UTF-8; the offset of the first that is not.
    NotUtf8(usize),
    /// A separator line holds more than `---` and a comment; its offset.
    Separator(usize),
    /// A piece is not YAML; the offset of the piece.
    Syntax(SyntaxError, usize),
    /// A document is not an object: a scalar, a list, or a map without any of the fields that objects have.
    NotAnObject(OriginId),
    /// An object has no kind.
    MissingKind(OriginId),
    /// An object has no name.
    MissingName(OriginId, String),
    /// A string that a template has printed is read as something else.
    Retyped(OriginId),
    /// The annotations of an object are a list, which kustomize cannot look through.
    AnnotationsAreAList(OriginId),
    /// The `items` of a list object are not a list.
    ItemsNotAList(OriginId, String),
    /// An element of a list object has no JSON form.
    View(ViewFault),
}

/// Returns the objects that a text holds. `base` is the global position of its first byte.
pub(crate) fn read_objects(bytes: &[u8], base: u32) -> Result<Vec<Node>, ReadFault> {
    let text = std::str::from_utf8(bytes).map_err(|e| ReadFault::NotUtf8(e.valid_up_to()))?;
    let pieces = split(text)?;
    let single = pieces.len() == 1;
    let mut nodes = Vec::with_capacity(pieces.len());
    for (start, end) in pieces {
        let at = |e| ReadFault::Syntax(e, start);
        let parsed =
            parse_document(&text[start..end], base + start as u32, Dialect::V3).map_err(at)?;
        let Some(node) = parsed.filter(|n| !n.is_null()) else { continue };
        if single && is_wrapper(&node) {
            nodes.extend(unwrap_items(&node));
        } else {
            nodes.push(node);
        }
    }
    let mut kept = Vec::with_capacity(nodes.len());
    for node in nodes {
        if is_object(&node)? {
            kept.push(node);
        }
    }
    inline_lists(kept)
}

/// Returns where the documents of a text begin and end; all of it is one if a separator holds more than it may.
pub(crate) fn pieces(text: &str) -> Vec<(usize, usize)> {
    split(text).unwrap_or_else(|_| vec![(0, text.len())])
}

/// Returns the offset behind the last line at or behind `from` that separates documents.
pub(crate) fn last_separator(bytes: &[u8], from: usize) -> Option<usize> {
    let mut end = bytes.len();
    while let Some(found) = memchr::memmem::rfind(&bytes[from.min(end)..end], b"\n---") {
        let line = from + found;
        let rest = &bytes[line + 4..];
        if let Some(length) = memchr::memchr(b'\n', rest) {
            let rest = rest[..length].trim_ascii();
            if rest.is_empty() || rest.starts_with(b"#") {
                return Some(line + 4 + length + 1);
            }
        }
        end = line + 3;
    }
    None
}

/// Returns every document of a text, whatever it holds; the fault of one with the offset of its piece.
pub(crate) fn read_documents(text: &str, base: u32) -> Result<Vec<Node>, (SyntaxError, usize)> {
    read_pieces(text, base, &pieces(text))
}

/// Like [`read_documents`], for some pieces of a text.
pub(crate) fn read_pieces(
    text: &str,
    base: u32,
    pieces: &[(usize, usize)],
) -> Result<Vec<Node>, (SyntaxError, usize)> {
    let mut nodes = Vec::with_capacity(pieces.len());
    for &(start, end) in pieces {
        let parsed = parse_document(&text[start..end], base + start as u32, Dialect::V3);
        nodes.extend(parsed.map_err(|error| (error, start))?);
    }
    Ok(nodes)
}

/// Cuts a text into documents at its separator lines (`\n---.*\n`).
pub(crate) fn split(text: &str) -> Result<Vec<(usize, usize)>, ReadFault> {
    let mut pieces = Vec::with_capacity(4);
    if text.is_empty() {
        return Ok(pieces);
    }
    let mut start = 0;
    let mut from = 0;
    let separator = memchr::memmem::Finder::new("\n---");
    while let Some(found) = separator.find(&text.as_bytes()[from..]) {
        let line = from + found;
        let Some(length) = text[line + 1..].find('\n') else { break };
        let rest = text[line + 4..=line + length].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(ReadFault::Separator(line + 1));
        }
        // The break before the separator belongs to the piece, so that its last line ends.
        pieces.push((start, line + 1));
        start = line + 1 + length + 1;
        // The break that ends a separator cannot begin the next one.
        from = start;
    }
    pieces.push((start, text.len()));
    Ok(pieces)
}

/// `kind: List` or `ResourceList`, alone in its text.
fn is_wrapper(node: &Node) -> bool {
    let kind = node.get(known::KIND).filter(|k| !k.is_null_or_empty()).map_or("", Node::text);
    matches!(kind, "List" | "ResourceList")
        && (node.get(known::ITEMS).is_some() || node.get(known::FUNCTION_CONFIG).is_some())
}

fn unwrap_items(node: &Node) -> Vec<Node> {
    let Some(items) = node.get(known::ITEMS) else { return Vec::new() };
    match items.entries() {
        // kyaml takes the keys and values of a map for objects, which then are none.
        Some(entries) => {
            entries.iter().map(|e| Node::untyped(e.key.text(), e.key_origin)).collect()
        }
        None => items.elements().unwrap_or_default().to_vec(),
    }
}

/// Returns whether a node is an object; an empty one is none, and no fault.
pub(crate) fn is_object(node: &Node) -> Result<bool, ReadFault> {
    if node.is_null_or_empty() {
        return Ok(false);
    }
    let origin = node.origin();
    let text = |key| node.get(key).filter(|n| !n.is_null_or_empty()).map(Node::text);
    let kind = text(known::KIND);
    let metadata = node.get(known::METADATA).filter(|m| !m.is_null_or_empty());
    let has_metadata = metadata.is_some_and(|m| {
        let fields = [known::NAME, known::NAMESPACE, known::LABELS, known::ANNOTATIONS];
        fields.iter().any(|&f| m.get(f).is_some_and(|n| !n.is_null_or_empty()))
    });
    if kind.is_none() && text(known::API_VERSION).is_none() && !has_metadata {
        return Err(ReadFault::NotAnObject(origin));
    }
    let annotations = metadata.and_then(|m| m.get(known::ANNOTATIONS));
    if let Some(list) = annotations.filter(|a| a.elements().is_some_and(|e| !e.is_empty())) {
        return Err(ReadFault::AnnotationsAreAList(list.origin()));
    }
    let kind = kind.unwrap_or_default();
    if kind.is_empty() {
        return Err(ReadFault::MissingKind(origin));
    }
    if kind.ends_with("List") {
        return Ok(true);
    }
    if metadata_text(node, known::NAME).is_empty() {
        let at = metadata.map_or(origin, Node::origin);
        return Err(ReadFault::MissingName(at, kind.to_owned()));
    }
    Ok(true)
}

/// Takes objects whose kind ends in `List` apart. Their elements come after all other objects.
fn inline_lists(nodes: Vec<Node>) -> Result<Vec<Node>, ReadFault> {
    if nodes.iter().all(|n| !kind_of(n).ends_with("List")) {
        return Ok(nodes);
    }
    let mut out = Vec::new();
    let mut queue = std::collections::VecDeque::from(nodes);
    while let Some(node) = queue.pop_front() {
        let kind = kind_of(&node);
        let items = node.get(known::ITEMS);
        let (true, Some(items)) = (kind.ends_with("List"), items) else {
            if kind.ends_with("List") {
                // kustomize decodes the object to look for `items`, which finds its faults.
                check_decodable(&node).map_err(ReadFault::View)?;
            }
            out.push(node);
            continue;
        };
        check_decodable(&node).map_err(ReadFault::View)?;
        if items.is_null() {
            continue;
        }
        let Some(elements) = items.elements() else {
            return Err(ReadFault::ItemsNotAList(items.origin(), kind.to_owned()));
        };
        for element in elements {
            let element = json_reread(element).map_err(ReadFault::View)?;
            if is_object(&element)? {
                queue.push_back(element);
            }
        }
    }
    Ok(out)
}

fn kind_of(node: &Node) -> &str {
    node.get(known::KIND).map_or("", Node::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>, ReadFault> {
        let nodes = read_objects(text.as_bytes(), 1)?;
        Ok(nodes.iter().map(|n| metadata_text(n, known::NAME).to_string()).collect())
    }

    const A: &str = "kind: A\nmetadata: {name: a}\n";
    const B: &str = "kind: B\nmetadata: {name: b}\n";

    #[test]
    fn a_text_is_cut_before_it_is_parsed() {
        assert_eq!(names(&format!("---\n{A}---\n{B}")).unwrap(), ["a", "b"]);
        assert_eq!(names(&format!("{A}--- # comment\n\n---\n{B}---")).unwrap(), ["a", "b"]);
        assert_eq!(names(&format!("{A}...\ngarbage: [\n")).unwrap(), ["a"]);
        assert!(matches!(names(&format!("{A}--- x\n{B}")), Err(ReadFault::Separator(_))));
        assert!(matches!(names(&format!("{A}----\n{B}")), Err(ReadFault::Separator(_))));
        assert_eq!(names("# nothing\n---\n").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_text_can_be_cut_behind_its_last_separator() {
        let end = |text: &str, from| last_separator(text.as_bytes(), from);
        assert_eq!(end("a\n---\nb\n--- # c\nd\n", 0), Some(16));
        assert_eq!(end("a\n---\nb\n--- c\n---", 0), Some(6));
        assert_eq!(end("a\n---\nb\n", 2), None);
        assert_eq!(end("---\n", 0), None);
        assert_eq!(end("", 4), None);
    }

    #[test]
    fn objects_need_a_kind_and_a_name() {
        assert!(matches!(names("a: b\n"), Err(ReadFault::NotAnObject(_))));
        assert!(matches!(names("metadata: {name: a}\n"), Err(ReadFault::MissingKind(_))));
        assert!(matches!(names("kind: A\n"), Err(ReadFault::MissingName(..))));
        assert!(matches!(names("- a\n"), Err(ReadFault::NotAnObject(_))));
        assert_eq!(names("{}\n").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn lists_are_taken_apart_behind_the_other_objects() {
        let list = "kind: AList\nitems:\n- {kind: A, metadata: {name: x}}\n";
        assert_eq!(names(&format!("{list}---\n{A}")).unwrap(), ["a", "x"]);
        let alone = "kind: List\nitems:\n- {kind: A, metadata: {name: x}}\n-\n";
        assert_eq!(names(alone).unwrap(), ["x"]);
        assert_eq!(names("kind: AList\nmetadata: {name: l}\n").unwrap(), ["l"]);
        assert!(matches!(names("kind: AList\nitems: {a: b}\n"), Err(ReadFault::ItemsNotAList(..))));
        // Only what is taken out of the list is read back from JSON, which refuses this character.
        let control = "{kind: A, metadata: {name: x, annotations: {a: \"\\x99\"}}}";
        assert_eq!(names(&format!("kind: AList\nitems: []\nc: {control}\n")).unwrap(), [""; 0]);
        assert!(matches!(
            names(&format!("kind: AList\nitems: [{control}]\n")),
            Err(ReadFault::View(_))
        ));
    }
}
