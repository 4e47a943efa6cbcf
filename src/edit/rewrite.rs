//! A text and the tree that it is to have, to the text that has it with the fewest changes.
//!
//! The tree of the text and the tree that is wanted are walked together. What is the same keeps its bytes; a value that changed is
//! replaced where it stands, in the style it has; entries and elements that are gone take their lines with them, and new ones get
//! lines of their own, indented like their neighbors. A node of the wanted tree that was parsed from the text is known by its
//! origin, so that an element that moved, or is wrapped into a map, keeps how it is written and the comment above it.
//!
//! Comments on lines of their own stay when what is below them goes. The result is read again before it counts: a text whose
//! anchors, merge keys or doubled keys do not allow the change in place gets its aliases written out, and if that does not help
//! either, nothing is changed.

use std::collections::{HashMap, HashSet};

use super::lines::Lines;
use super::render::Written;
use super::same::same;
use super::walk::Rewriter;
use crate::yaml::{
    Dialect, Entry, Node, Outline, OutlineEntry, OutlineForm, SyntaxError, outline, parse_document,
};

/// Why a text cannot be given another tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RewriteError {
    #[error("{}", .0.message)]
    Syntax(SyntaxError),
    #[error("the way it is written does not allow the change in place")]
    NotInPlace,
}

impl From<SyntaxError> for RewriteError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

/// Returns the tree of a text, an empty map if it holds none. The position of a node is its offset plus one.
pub(crate) fn read(text: &str) -> Result<Node, SyntaxError> {
    let root = parse_document(text, 1, Dialect::V2)?;
    Ok(root.filter(|root| !root.is_null()).unwrap_or_default())
}

/// Returns `text` with as few changes as make its tree `wanted`.
pub(crate) fn rewrite(text: &str, wanted: &Node) -> Result<String, RewriteError> {
    let old = read(text)?;
    if same(&old, wanted) {
        return Ok(text.to_owned());
    }
    let root = outline(text)?;
    let mut touched = Vec::new();
    for way in WAYS {
        let splices = attempt(text, root.as_ref(), &old, wanted, way, &touched);
        if touched.is_empty() {
            touched = splices.iter().map(|splice| (splice.start, splice.end)).collect();
        }
        let edited = apply(text, splices);
        if read(&edited).is_ok_and(|read| same(&read, wanted)) {
            return Ok(edited);
        }
    }
    Err(RewriteError::NotInPlace)
}

/// How the text is changed.
#[derive(Clone, Copy)]
struct Way {
    /// Values that are moved keep their text.
    keeps_moved: bool,
    /// Texts of several lines are written as blocks, and comments stay where they are.
    blocks: bool,
    aliases: Aliases,
}

/// The ways to change a text, the best first.
const WAYS: [Way; 5] = [
    Way { keeps_moved: true, blocks: true, aliases: Aliases::Stay },
    // A comment that is indented far would become part of a block above it.
    Way { keeps_moved: true, blocks: false, aliases: Aliases::Stay },
    Way { keeps_moved: false, blocks: false, aliases: Aliases::Stay },
    Way { keeps_moved: true, blocks: true, aliases: Aliases::WrittenOut },
    Way { keeps_moved: false, blocks: false, aliases: Aliases::WrittenOut },
];

/// What becomes of aliases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aliases {
    Stay,
    /// Those of nodes that change become copies of what they stood for.
    WrittenOut,
}

/// Returns the stretches of a text that have to change. `touched`: those of the first way.
fn attempt(
    text: &str,
    root: Option<&Outline>,
    old: &Node,
    wanted: &Node,
    way: Way,
    touched: &[(usize, usize)],
) -> Vec<Splice> {
    let lines = Lines::new(text);
    let Way { keeps_moved, blocks, aliases } = way;
    let mut written =
        Written { lines, nodes: HashMap::new(), sequence_indent: 0, keeps_moved, blocks };
    let mut noted = Noted::default();
    if let Some(root) = root {
        noted.note(root, old, lines);
    }
    written.nodes = noted.nodes;
    written.sequence_indent = noted.indents.first().copied().unwrap_or(0);
    let above = noted.above;
    let mut written_out = HashSet::new();
    if aliases == Aliases::WrittenOut {
        let is_touched = |(start, (_, outline)): &(&usize, &(Node, &Outline))| {
            let end = lines.next(outline.end);
            touched.iter().any(|(from, to)| *from <= end && *start <= to)
        };
        written_out.extend(written.nodes.iter().filter(is_touched).map(|(start, _)| *start));
    }
    let mut rewriter = Rewriter { lines, written, above, written_out, splices: Vec::new() };
    rewriter.root(root, old, wanted);
    rewriter.splices
}

/// Returns a text with stretches replaced.
fn apply(text: &str, mut splices: Vec<Splice>) -> String {
    // Stable: what is inserted comes before what is removed at the same place.
    splices.sort_by_key(|splice| (splice.start, splice.end));
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for splice in splices {
        if splice.start < at && splice.end <= at {
            // It is about something that goes.
            continue;
        }
        // Two that overlap otherwise make a text that means something else, and is refused.
        let start = splice.start.max(at);
        out.push_str(&text[at..start]);
        out.push_str(&splice.text);
        at = splice.end.max(start);
    }
    out.push_str(&text[at..]);
    out
}

/// What is known of a text before it is changed.
#[derive(Default)]
struct Noted<'t> {
    /// The nodes, by where they begin.
    nodes: HashMap<usize, (Node, &'t Outline)>,
    /// Where what stands above the elements of block sequences ends, by where their values begin.
    above: HashMap<usize, usize>,
    /// How far sequences are indented below their keys.
    indents: Vec<usize>,
}

impl<'t> Noted<'t> {
    fn note(&mut self, outline: &'t Outline, node: &Node, lines: Lines<'_>) {
        if !matches!(outline.form, OutlineForm::Absent | OutlineForm::Alias(_)) {
            self.nodes.insert(outline.start, (node.clone(), outline));
        }
        match &outline.form {
            OutlineForm::Map { entries, .. } => {
                for (own, written) in own_entries(entries, node).into_iter().zip(entries) {
                    let Some(entry) = own else { continue };
                    let value = &written.value;
                    if let OutlineForm::Sequence { flow: false, .. } = value.form {
                        let key = lines.column(written.start);
                        self.indents.push(lines.column(value.content).saturating_sub(key));
                    }
                    self.note(value, &entry.value, lines);
                }
            }
            OutlineForm::Sequence { elements, flow } => {
                let mut above = outline.content;
                for (element, node) in elements.iter().zip(node.elements().unwrap_or_default()) {
                    if !flow {
                        self.above.insert(element.value.start, above);
                    }
                    self.note(&element.value, node, lines);
                    above = element.end();
                }
            }
            _ => {}
        }
    }
}

fn offset_of_key(entry: &Entry) -> Option<usize> {
    entry.key_origin.position().map(|position| position as usize - 1)
}

/// Returns the entry of the tree for each entry that is written; none for a merge key.
pub(super) fn own_entries<'n>(written: &[OutlineEntry], node: &'n Node) -> Vec<Option<&'n Entry>> {
    let entries = node.entries().unwrap_or_default();
    let by_offset: HashMap<usize, &Entry> =
        entries.iter().filter_map(|e| Some((offset_of_key(e)?, e))).collect();
    written.iter().map(|entry| by_offset.get(&entry.key.start).copied()).collect()
}

/// A stretch of the text and what stands there afterwards.
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

#[cfg(test)]
mod tests {
    use super::super::tree::{elements_mut, list, map_of, remove, set, set_text, string};
    use super::*;
    use crate::yaml::{Key, Node};

    fn changed(text: &str, change: impl FnOnce(&mut Node)) -> String {
        let mut root = read(text).unwrap();
        change(&mut root);
        rewrite(text, &root).unwrap()
    }

    #[test]
    fn a_value_keeps_the_style_of_the_one_before() {
        let cases = [
            ("a: x # c\n", "v", "a: v # c\n"),
            ("a: 'x'\n", "1", "a: '1'\n"),
            ("a: \"x\"\n", "it's", "a: \"it's\"\n"),
            ("a: x\n", "1.0", "a: \"1.0\"\n"),
            ("a: x\n", "yes", "a: \"yes\"\n"),
            ("a: x\n", "a: b", "a: 'a: b'\n"),
            ("a:   # c\n", "x", "a: x   # c\n"),
            ("a: ~\n", "x", "a: x\n"),
            ("a: |\n  x\n  y\nb: c\n", "z", "a: z\nb: c\n"),
            ("a: &n x\n", "v", "a: &n v\n"),
            ("{a: x, b: [c]}\n", "y, z", "{a: 'y, z', b: [c]}\n"),
        ];
        for (text, value, want) in cases {
            assert_eq!(changed(text, |root| set_text(root, "a", value)), want, "{text:?}");
        }
    }

    #[test]
    fn new_elements_stand_like_their_neighbors() {
        let cases = [
            ("l:\n- a\n", "l:\n- a\n- new\n"),
            (
                "l:\n    - a   # one\n    # two\n\n# three\n",
                "l:\n    - a   # one\n    # two\n    - new\n\n# three\n",
            ),
            ("l:\n-   a\n", "l:\n-   a\n-   new\n"),
            ("l:\n- a\n# of m\nm: b\n", "l:\n- a\n- new\n# of m\nm: b\n"),
            ("l: []   # none\n", "l:   # none\n- new\n"),
            ("l:\nm: b\n", "l:\n- new\nm: b\n"),
            ("l: [a]\n", "l: [a, new]\n"),
            ("l: [a,]\n", "l: [a, new,]\n"),
            ("l: [\n  a, # one\n]\n", "l: [\n  a, # one\n  new,\n]\n"),
            ("l: [\n  a # one\n]\n", "l: [\n  a, # one\n  new\n]\n"),
            ("l: [\n  a]\n", "l: [\n  a,\n  new]\n"),
            ("m: b", "m: b\nl:\n- new\n"),
            ("m:\n  - b\n\no: p\n", "m:\n  - b\n\no: p\n\nl:\n  - new\n"),
            ("\u{feff}m: b\r\n", "\u{feff}m: b\r\nl:\r\n- new\r\n"),
            ("# only this", "# only this\nl:\n- new\n"),
            ("---\n", "---\nl:\n- new\n"),
            ("a: &x [b]\nl: *x\n", "a: &x [b]\nl:\n- b\n- new\n"),
            ("l: &x [b]\na: *x\n", "l: &x [b, new]\na: [b]\n"),
        ];
        for (text, want) in cases {
            let new = changed(text, |root| elements_mut(root, "l").push(string("new")));
            assert_eq!(new, want, "{text:?}");
        }
    }

    #[test]
    fn what_goes_leaves_the_comments_above_it() {
        let cases = [
            ("l:\n# one\n- a # gone\n# two\n- b\n", "l:\n# one\n# two\n- b\n"),
            ("l: [a, b]\n", "l: [b]\n"),
            ("l: [\n  a, # gone\n  b\n]\n", "l: [\n  b\n]\n"),
            ("l:\n- a:\n    c\n- b\n", "l:\n- b\n"),
        ];
        for (text, want) in cases {
            let new = changed(text, |root| drop(elements_mut(root, "l").remove(0)));
            assert_eq!(new, want, "{text:?}");
        }
        let cases = [
            ("a: 1\n\n# of l\nl:\n- x\n\nb: 2\n", "a: 1\n\n# of l\n\nb: 2\n"),
            ("a: 1\n\nl: x\n\nb: 2\n", "a: 1\n\nb: 2\n"),
            ("a: 1\n\nl: x\n", "a: 1\n"),
            ("a: 1\nl: x", "a: 1\n"),
            ("{l: x, a: 1}\n", "{a: 1}\n"),
            ("l: 1\nl: 2\na: 1\n", "a: 1\n"),
        ];
        for (text, want) in cases {
            assert_eq!(changed(text, |root| remove(root, "l")), want, "{text:?}");
        }
        let text = "- name: a # gone\n  # of tag\n  tag: b\n";
        let text = format!("l:\n{text}");
        let new = changed(&text, |root| remove(&mut elements_mut(root, "l")[0], "name"));
        assert_eq!(new, "l:\n- # of tag\n  tag: b\n");
    }

    #[test]
    fn what_moves_takes_its_text_along() {
        let text = "l:\n# of b\n- 'b' # one\n# of a\n- a\n";
        let sorted = |root: &mut Node| elements_mut(root, "l").reverse();
        assert_eq!(changed(text, sorted), "l:\n# of a\n- a\n# of b\n- 'b' # one\n");
        let wrapped = |root: &mut Node| {
            for element in elements_mut(root, "l") {
                let mut map = Node::map(Vec::new(), element.origin());
                map.push_entry(Key::text_key("path"), element.origin(), element.clone());
                *element = map;
            }
        };
        let text = "l:\n- 'b' # one\n- |-\n  x\n  y\n";
        let want = "l:\n- path: 'b' # one\n- path: |-\n    x\n    y\n";
        assert_eq!(changed(text, wrapped), want);
    }

    #[test]
    fn a_map_that_changes_into_a_list_stands_where_it_stood() {
        let text = "a:\n  # one\n  b: c # two\nd: e\n";
        let new = changed(text, |root| {
            let map = root.entries().unwrap()[0].value.clone();
            let mut entry = map_of(&[("x", "y")]);
            entry.push_entry(Key::text_key("pairs"), map.origin(), map);
            set(root, "a", list(vec![entry]));
        });
        let want = "a:\n- x: \"y\"\n  pairs:\n    # one\n    b: c # two\nd: e\n";
        assert_eq!(new, want);
    }

    #[test]
    fn what_a_merge_key_fills_in_cannot_be_taken_away() {
        let text = "a: &x {b: c}\nd:\n  <<: *x\n  e: f\n";
        let mut root = read(text).unwrap();
        remove(&mut root.entries_mut().unwrap()[1].value, "b");
        assert_eq!(rewrite(text, &root), Err(RewriteError::NotInPlace));
    }
}
