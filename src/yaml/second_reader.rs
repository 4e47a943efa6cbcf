//! The same text read by kiln's parser and by another one, and how the two trees differ.
//!
//! The other one is libyaml-safer, a port of the C library that go-yaml was ported from as well. What go-yaml decides
//! otherwise than libyaml is listed in [`known_refusal`] and [`known_acceptance`], each entry as narrow as the place in the
//! text allows. A text is not compared at all where the two do not mean to give the same:
//!
//! - a map has the key `<<`, which kiln resolves while it reads;
//! - a tag has one of `,[]{}` in it, which YAML 1.1 allows, or a plain scalar in a flow collection a `?`, which ends it in
//!   YAML 1.1;
//! - a byte order mark stands behind the start of the text; libyaml skips one at the start of every line;
//! - the text holds a control character, for which go-yaml looks ahead in pieces of 512 bytes;
//! - it is larger than kiln's limits on nesting and on aliases, or libyaml-safer is wrong about it: it panics, or takes the text for UTF-16.

use std::collections::HashMap;
use std::rc::Rc;

use libyaml_safer::{Event, EventData, MappingStyle, Parser, SequenceStyle};

use super::parse::tag_of;
use super::scan::first_control_character;
use super::{Dialect, MAX_DEPTH, Node, ScalarStyle, SyntaxError, Tag, parse_document};

/// The number of nodes, aliases resolved, above which trees are not compared.
const MAX_NODES: usize = 100_000;

/// A tree as events describe it; aliases are resolved.
struct Tree {
    content: Content,
    flow: bool,
    /// The tag that was written out.
    tag: Option<Tag>,
    nodes: usize,
    height: usize,
}

enum Content {
    Scalar(String, ScalarStyle),
    Sequence(Vec<Rc<Tree>>),
    Map(Vec<(Rc<Tree>, Rc<Tree>)>),
}

/// Why there is no tree.
enum NoTree {
    /// The text is not YAML; why, and the byte offset where that was noticed.
    Refused(&'static str, usize),
    /// The text is none that both parsers mean to read alike.
    NotCompared,
}

impl From<libyaml_safer::Error> for NoTree {
    fn from(error: libyaml_safer::Error) -> Self {
        match error.problem() {
            // Any text whose first byte is that of a byte order mark.
            "invalid byte order marker" => Self::NotCompared,
            problem => {
                Self::Refused(problem, error.problem_mark().map_or(0, |mark| mark.index as usize))
            }
        }
    }
}

/// Returns in a few words how kiln's tree of a text differs from libyaml-safer's; none if they agree or are not compared.
pub(crate) fn difference_to_second_reader(text: &str) -> Option<String> {
    let has_old_tag = text.split_whitespace().any(|word| {
        word.split_once('!').is_some_and(|(_, tag)| tag.contains([',', '[', ']', '{', '}']))
    });
    let has_late_mark = text.char_indices().any(|(at, c)| at > 0 && c == '\u{feff}');
    if has_old_tag || has_late_mark || first_control_character(text).is_some() {
        return None;
    }
    // libyaml-safer panics where a text ends too early.
    let second = std::panic::catch_unwind(|| read(text)).unwrap_or(Err(NoTree::NotCompared));
    let own = parse_document(text, 1, Dialect::V3);
    match (own, second) {
        (_, Err(NoTree::NotCompared)) | (Err(_), Err(_)) | (Ok(None), Ok((None, _))) => None,
        (Ok(Some(own)), Ok((Some(second), _))) => difference(&own, &second),
        (Ok(own), Ok(_)) => Some(format!("a document for one reader only: {own:?}")),
        (Err(error), Ok((_, end))) if known_refusal(text, &error, end) => None,
        (Err(error), Ok(_)) => {
            Some(format!("only kiln refuses: {} at {}", error.message, error.at))
        }
        (Ok(_), Err(NoTree::Refused(problem, at))) if known_acceptance(text, problem, at) => None,
        (Ok(own), Err(NoTree::Refused(problem, _))) => {
            Some(format!("only libyaml refuses: {problem}, kiln reads {own:?}"))
        }
    }
}

/// Returns whether go-yaml, and so kiln, refuses what libyaml accepts. `end` is where the document ends.
fn known_refusal(text: &str, error: &SyntaxError, end: usize) -> bool {
    let at = text.get(error.at..).unwrap_or_default();
    // go-yaml knows the escapes of YAML 1.1, which has no `\/`.
    at.starts_with("\\/")
        // go-yaml looks for the comments of a document two tokens behind it.
        || error.at >= end
        // kiln's own limits.
        || error.message.starts_with("aliases stand for more than")
        || error.message == "the document is nested too deeply"
}

/// Returns whether go-yaml, and so kiln, accepts what libyaml refuses.
fn known_acceptance(text: &str, problem: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    // An address as `[001:db8::]`.
    problem == "found unexpected ':'"
        // go-yaml knows one escape more.
        || problem == "found unknown escape character" && rest.starts_with("\\'")
        // go-yaml passes over tabs and line breaks to the next comment.
        || problem == "found character that cannot start any token" && rest.trim_start().starts_with('#')
}

fn difference(own: &Node, second: &Tree) -> Option<String> {
    let tag = own.is_tagged().then(|| own.tag());
    if tag != second.tag {
        return Some(format!("kiln reads {own:?} with the tag {tag:?}, not {:?}", second.tag));
    }
    match &second.content {
        Content::Scalar(text, style) => {
            let same = own.is_scalar() && own.text() == text && own.style() == *style;
            (!same).then(|| {
                format!("kiln reads {own:?} ({:?}), not {text:?} ({style:?})", own.style())
            })
        }
        Content::Sequence(elements) => {
            let own_elements = own.elements().filter(|e| e.len() == elements.len());
            let Some(own_elements) = own_elements.filter(|_| own.is_flow() == second.flow) else {
                return Some(format!("kiln reads {own:?}, not a list of {}", elements.len()));
            };
            own_elements.iter().zip(elements).find_map(|(own, second)| difference(own, second))
        }
        Content::Map(entries) => {
            let own_entries = own.entries().filter(|e| e.len() == entries.len());
            let Some(own_entries) = own_entries.filter(|_| own.is_flow() == second.flow) else {
                return Some(format!("kiln reads {own:?}, not a map of {}", entries.len()));
            };
            own_entries.iter().zip(entries).find_map(|(own, (key, value))| {
                let key = if let Content::Scalar(text, _) = &key.content { text } else { "" };
                if own.key.text() != key {
                    return Some(format!("kiln reads the key {:?}, not {key:?}", own.key));
                }
                difference(&own.value, value)
            })
        }
    }
}

/// A collection that is being read.
struct Open {
    tree: Tree,
    anchor: Option<String>,
    key: Option<Rc<Tree>>,
}

/// Returns the first document of a text, and the byte offset of what follows it.
fn read(text: &str) -> Result<(Option<Rc<Tree>>, usize), NoTree> {
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut anchors: HashMap<String, Option<Rc<Tree>>> = HashMap::new();
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    loop {
        let Event { data, start_mark, .. } = parser.parse()?;
        let leaf = |content, tag| Tree { content, flow: false, tag, nodes: 1, height: 0 };
        let (tree, anchor) = match data {
            EventData::StreamEnd | EventData::DocumentEnd { .. } => {
                return Ok((root, start_mark.index as usize));
            }
            EventData::StreamStart { .. } => continue,
            EventData::DocumentStart { version_directive, .. } => {
                // go-yaml reads YAML 1.1 only.
                if version_directive.is_some_and(|v| (v.major, v.minor) != (1, 1)) {
                    return Err(NoTree::Refused("a version that go-yaml refuses", 0));
                }
                continue;
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                let flow = style == SequenceStyle::Flow;
                begin(&mut anchors, &mut open, Content::Sequence(Vec::new()), flow, anchor, tag)?;
                continue;
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                let flow = style == MappingStyle::Flow;
                begin(&mut anchors, &mut open, Content::Map(Vec::new()), flow, anchor, tag)?;
                continue;
            }
            EventData::SequenceEnd | EventData::MappingEnd => {
                let closed = open.pop().expect("a collection ends after it began");
                // An anchor that was defined anew inside keeps that meaning, as in go-yaml.
                let anchor =
                    closed.anchor.filter(|anchor| matches!(anchors.get(anchor), Some(None)));
                (Rc::new(closed.tree), anchor)
            }
            EventData::Alias { anchor } => match anchors.get(&anchor) {
                Some(Some(tree)) => (Rc::clone(tree), None),
                Some(None) => return Err(NoTree::Refused("an anchor that contains itself", 0)),
                None => return Err(NoTree::Refused("an unknown anchor", 0)),
            },
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let style = style_of(style);
                let in_flow = open.last().is_some_and(|collection| collection.tree.flow);
                if in_flow && style == ScalarStyle::Plain && value.contains('?') {
                    return Err(NoTree::NotCompared);
                }
                let content = Content::Scalar(value, style);
                (Rc::new(leaf(content, tag_written(tag))), anchor)
            }
        };
        if let Some(anchor) = anchor {
            anchors.insert(anchor, Some(Rc::clone(&tree)));
        }
        match open.last_mut() {
            Some(collection) => collection.add(tree)?,
            None => root = Some(tree),
        }
    }
}

fn begin(
    anchors: &mut HashMap<String, Option<Rc<Tree>>>,
    open: &mut Vec<Open>,
    content: Content,
    flow: bool,
    anchor: Option<String>,
    tag: Option<String>,
) -> Result<(), NoTree> {
    if let Some(anchor) = &anchor {
        anchors.insert(anchor.clone(), None);
    }
    let tree = Tree { content, flow, tag: tag_written(tag), nodes: 1, height: 0 };
    open.push(Open { tree, anchor, key: None });
    if open.len() > MAX_DEPTH { Err(NoTree::NotCompared) } else { Ok(()) }
}

impl Open {
    fn add(&mut self, child: Rc<Tree>) -> Result<(), NoTree> {
        self.tree.nodes += child.nodes;
        self.tree.height = self.tree.height.max(child.height + 1);
        let is_merge = matches!(&child.content, Content::Scalar(text, _) if text == "<<");
        match (&mut self.tree.content, self.key.take()) {
            (Content::Scalar(..), _) => unreachable!("a scalar holds nothing"),
            (Content::Sequence(elements), _) => elements.push(child),
            (Content::Map(_), None) if is_merge => return Err(NoTree::NotCompared),
            (Content::Map(_), None) => self.key = Some(child),
            (Content::Map(entries), Some(key)) => entries.push((key, child)),
        }
        let too_large = self.tree.nodes > MAX_NODES || self.tree.height > MAX_DEPTH;
        if too_large { Err(NoTree::NotCompared) } else { Ok(()) }
    }
}

/// Returns the tag that was written; a lone `!` asks for nothing.
fn tag_written(tag: Option<String>) -> Option<Tag> {
    tag.filter(|t| t != "!").map(|t| tag_of(&t))
}

fn style_of(style: libyaml_safer::ScalarStyle) -> ScalarStyle {
    match style {
        libyaml_safer::ScalarStyle::SingleQuoted => ScalarStyle::SingleQuoted,
        libyaml_safer::ScalarStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
        libyaml_safer::ScalarStyle::Literal => ScalarStyle::Literal,
        libyaml_safer::ScalarStyle::Folded => ScalarStyle::Folded,
        _ => ScalarStyle::Plain,
    }
}
