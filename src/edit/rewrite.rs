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

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::lines::{Lines, continued, indented};
use super::render::{Place, STEP, Shape, Written, key_text, offset, scalar};
use super::same::{effective, same};
use crate::yaml::{
    Dialect, Entry, Key, Node, Outline, OutlineElement, OutlineEntry, OutlineForm, ScalarStyle,
    SyntaxError, outline, parse_document,
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
fn own_entries<'n>(written: &[OutlineEntry], node: &'n Node) -> Vec<Option<&'n Entry>> {
    let entries = node.entries().unwrap_or_default();
    let by_offset: HashMap<usize, &Entry> =
        entries.iter().filter_map(|e| Some((offset_of_key(e)?, e))).collect();
    written.iter().map(|entry| by_offset.get(&entry.key.start).copied()).collect()
}

/// A stretch of the text and what stands there afterwards.
struct Splice {
    start: usize,
    end: usize,
    text: String,
}

/// What a value belongs to.
#[derive(Clone, Copy)]
struct Owner {
    /// Where the key or the `-` begins.
    start: usize,
    /// Behind the `:` or the `-`.
    mark_end: usize,
    kind: OwnerKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnerKind {
    Key,
    Dash,
    Flow,
}

struct Rewriter<'t> {
    lines: Lines<'t>,
    written: Written<'t>,
    /// See [`Noted::above`].
    above: HashMap<usize, usize>,
    /// Where the nodes begin whose aliases become copies.
    written_out: HashSet<usize>,
    splices: Vec<Splice>,
}

/// An entry or element of a collection.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub(super) start: usize,
    pub(super) end: usize,
    fate: Fate,
}

impl Item {
    pub(super) fn stays(self) -> bool {
        self.fate == Fate::Stays
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Goes,
    /// It goes, and comes back elsewhere with the comments above it.
    Moves,
}

/// New items, each as its lines, by the item that they follow; none for those in front.
pub(super) type Inserts = BTreeMap<Option<usize>, Vec<Vec<String>>>;

impl Rewriter<'_> {
    fn splice(&mut self, start: usize, end: usize, text: impl Into<String>) {
        self.splices.push(Splice { start, end, text: text.into() });
    }

    fn root(&mut self, outline: Option<&Outline>, old: &Node, wanted: &Node) {
        if let Some(outline) = outline
            && let OutlineForm::Map { entries, flow } = &outline.form
            && !entries.is_empty()
        {
            self.map(outline, entries, *flow, old, wanted, None);
            return;
        }
        let entries = wanted.entries().unwrap_or_default();
        let new: Vec<String> =
            entries.iter().flat_map(|e| self.written.entry(e.key, &e.value)).collect();
        let text = indented(&new, 0, self.lines.line_break);
        match outline {
            Some(outline) if outline.form != OutlineForm::Absent => {
                self.splice(outline.start, self.lines.next(outline.end), text);
            }
            Some(outline) => self.insert_lines(self.lines.next(outline.start), text),
            None => self.insert_lines(self.lines.text.len(), text),
        }
    }

    fn replace_root(&mut self, outline: &Outline, flow: bool, new: &Node) {
        let entries = new.entries().unwrap_or_default();
        let text = if flow || entries.is_empty() {
            self.written.flow(new)
        } else {
            let lines: Vec<String> =
                entries.iter().flat_map(|e| self.written.entry(e.key, &e.value)).collect();
            let column = self.lines.column(outline.content);
            return self.splice_lines(outline.content, outline.end, lines, column);
        };
        self.splice(outline.content, outline.end, text);
    }

    /// Puts lines in the place of a value; the first goes on where the value began. A comment behind the value stays on that line.
    fn splice_lines(&mut self, start: usize, end: usize, mut new: Vec<String>, column: usize) {
        let line_end = self.lines.end(end);
        let comment = self.lines.text[end..line_end].trim();
        let is_long = new.len() > 1;
        let end = match new.first_mut() {
            Some(first) if is_long && !comment.is_empty() => {
                first.push(' ');
                first.push_str(comment);
                line_end
            }
            _ => end,
        };
        let mut text = continued(&new, column, self.lines.line_break);
        if is_long && self.lines.is_end(end) {
            // The last line of a block needs its line break.
            text.push_str(self.lines.line_break);
        }
        self.splice(start, end, text);
    }

    /// Inserts whole lines where a line begins, or at the end of the text.
    fn insert_lines(&mut self, at: usize, text: String) {
        let before = &self.lines.text[..at];
        let is_open = self.lines.is_end(at)
            && !before.is_empty()
            && !before.ends_with(['\n', '\r'])
            && before != "\u{feff}";
        if !is_open {
            return self.splice(at, at, text);
        }
        self.splice(at, at, format!("{}{text}", self.lines.line_break));
        // A block at the end of the text had no line break as its last character, and must not get one.
        if let Some(start) = self.block_that_ends(at).map(|outline| outline.content + 1) {
            let header = &self.lines.text[start..self.lines.end(start)];
            match header.find(['+', '-', ' ']).filter(|&sign| !header[sign..].starts_with(' ')) {
                Some(sign) => self.splice(start + sign, start + sign + 1, "-"),
                None => self.splice(start, start, "-"),
            }
        }
    }

    /// Returns the block of text that ends at an offset.
    fn block_that_ends(&self, at: usize) -> Option<&Outline> {
        let is_it = |outline: &Outline| {
            let block = [ScalarStyle::Literal, ScalarStyle::Folded];
            outline.end == at && block.iter().any(|s| outline.form == OutlineForm::Scalar(*s))
        };
        self.written.nodes.values().map(|(_, outline)| *outline).find(|outline| is_it(outline))
    }

    fn value(&mut self, outline: &Outline, old: &Node, new: &Node, owner: Owner) {
        let looks_on = match &outline.form {
            OutlineForm::Alias(target) => self.written_out.contains(target),
            _ => !self.written_out.is_empty() && !old.is_scalar(),
        };
        if !looks_on && same(old, new) {
            return;
        }
        match &outline.form {
            OutlineForm::Map { entries, flow }
                if !entries.is_empty() && new.entries().is_some_and(|new| !new.is_empty()) =>
            {
                return self.map(outline, entries, *flow, old, new, Some(owner));
            }
            OutlineForm::Sequence { elements, flow }
                if !elements.is_empty() && !new.is_null_or_empty() =>
            {
                if let Some(new) = new.elements() {
                    return self.sequence(outline, elements, *flow, old, new, owner);
                }
            }
            OutlineForm::Scalar(style) if new.is_scalar() && is_flow_style(*style) => {
                let place = if owner.kind == OwnerKind::Flow { Place::Flow } else { Place::Block };
                let text = scalar(new, Some(*style), place);
                let space = if outline.content == outline.end { " " } else { "" };
                return self.splice(outline.content, outline.end, format!("{space}{text}"));
            }
            _ => {}
        }
        self.replace(outline, new, owner);
    }

    /// Writes a value anew.
    fn replace(&mut self, outline: &Outline, new: &Node, owner: Owner) {
        let lines = self.lines;
        let (start, end) = (outline.content, outline.end);
        let is_absent = outline.form == OutlineForm::Absent;
        let is_block = matches!(
            outline.form,
            OutlineForm::Map { flow: false, .. } | OutlineForm::Sequence { flow: false, .. }
        );
        // A value that was not there needs a space before it.
        let space = if is_absent { " " } else { "" };
        if owner.kind == OwnerKind::Flow || is_same_in_flow(outline, new) {
            let text = format!("{space}{}", self.written.flow(new));
            return self.splice(start, end, text);
        }
        let owner_column = lines.column(owner.start);
        let (new, indent) = match self.written.shape(new) {
            Shape::Beside(mut new) => {
                if is_block && lines.is_first(start) {
                    new[0].insert(0, ' ');
                    return self.splice_lines(owner.mark_end, end, new, owner_column + STEP);
                }
                new[0].insert_str(0, space);
                return self.splice_lines(start, end, new, owner_column + STEP);
            }
            Shape::Map(mut new) | Shape::Sequence(mut new) if owner.kind == OwnerKind::Dash => {
                new[0].insert_str(0, space);
                return self.splice_lines(start, end, new, owner_column + STEP);
            }
            Shape::Map(new) => (new, STEP),
            Shape::Sequence(new) => (new, self.written.sequence_indent),
        };
        if is_block && lines.is_first(start) {
            let is_sequence = matches!(outline.form, OutlineForm::Sequence { .. });
            let is_same = is_sequence == new[0].starts_with('-');
            let column = if is_same { lines.column(start) } else { owner_column + indent };
            let mut new = new;
            new[0] = format!("{:column$}{}", "", new[0]);
            return self.splice_lines(lines.start(start), end, new, column);
        }
        // The lines of a block stand below the key, and the comment beside it.
        let before = lines.text[..start].trim_end_matches(' ').len().max(owner.mark_end);
        self.splice(before.min(start), end, "");
        let text = indented(&new, owner_column + indent, lines.line_break);
        self.insert_lines(lines.next(end), text);
    }

    fn map(
        &mut self,
        outline: &Outline,
        entries: &[OutlineEntry],
        flow: bool,
        old: &Node,
        new: &Node,
        owner: Option<Owner>,
    ) {
        let new_entries = new.entries().unwrap_or_default();
        let counted = effective(new_entries);
        let find = |key: Key| {
            let found = counted.binary_search_by(|entry| entry.key.text().cmp(key.text()));
            found.ok().map(|index| counted[index])
        };
        let old_entries = effective(old.entries().unwrap_or_default());
        let own = own_entries(entries, old);
        // New entries by the place of their value, for those that only got another key.
        let renamed: HashMap<usize, &Entry> = new_entries
            .iter()
            .filter(|e| !old_entries.iter().any(|old| old.key.same_text(e.key)))
            .filter_map(|e| Some((offset(&e.value)?, e)))
            .collect();
        let mut items = Vec::with_capacity(entries.len());
        // The item that each key of the new map is written by.
        let mut written_by: HashMap<&str, usize> = HashMap::new();
        for (index, (written, own)) in entries.iter().zip(&own).enumerate() {
            let mut fate = Fate::Stays;
            match own {
                None => self.write_out(&written.value),
                Some(entry) => match find(entry.key) {
                    Some(new) => {
                        written_by.insert(new.key.text(), index);
                        let counts = old_entries.iter().any(|old| std::ptr::eq(*old, *entry));
                        if counts {
                            let owner = entry_owner(written, flow);
                            self.value(&written.value, &entry.value, &new.value, owner);
                        }
                    }
                    None => match offset(&entry.value).and_then(|at| renamed.get(&at)) {
                        Some(new) if !written_by.contains_key(new.key.text()) => {
                            written_by.insert(new.key.text(), index);
                            let (start, end) = (written.key.start, written.key.end);
                            self.splice(start, end, key_text(new.key));
                            let owner = entry_owner(written, flow);
                            self.value(&written.value, &entry.value, &new.value, owner);
                        }
                        _ => fate = Fate::Goes,
                    },
                },
            }
            items.push(Item { start: written.start, end: written.end(), fate });
        }
        let mut inserts = Inserts::new();
        let mut after = None;
        for entry in new_entries {
            if let Some(&index) = written_by.get(entry.key.text()) {
                after = Some(index);
                continue;
            }
            // What a merge key fills in is there already.
            let is_merged = old_entries
                .iter()
                .any(|old| old.key.same_text(entry.key) && same(&old.value, &entry.value));
            if is_merged {
                continue;
            }
            let lines = if flow {
                vec![format!("{}: {}", key_text(entry.key), self.written.flow(&entry.value))]
            } else {
                self.written.entry(entry.key, &entry.value)
            };
            inserts.entry(after).or_default().push(lines);
        }
        if items.iter().all(|item| item.fate != Fate::Stays) {
            return match owner {
                Some(owner) => self.replace(outline, new, owner),
                None => self.replace_root(outline, flow, new),
            };
        }
        self.collection(outline, flow, &items, inserts, owner);
    }

    /// Writes out the aliases of a merge key, where aliases are written out.
    fn write_out(&mut self, value: &Outline) {
        match &value.form {
            OutlineForm::Alias(target) if self.written_out.contains(target) => {
                if let Some((node, _)) = self.written.nodes.get(target) {
                    let text = self.written.flow(node);
                    self.splice(value.start, value.end, text);
                }
            }
            OutlineForm::Sequence { elements, .. } => {
                for element in elements {
                    self.write_out(&element.value);
                }
            }
            _ => {}
        }
    }

    fn sequence(
        &mut self,
        outline: &Outline,
        elements: &[OutlineElement],
        flow: bool,
        old: &Node,
        new: &[Node],
        owner: Owner,
    ) {
        let old = old.elements().unwrap_or_default();
        let matches = matched(old, new);
        let stays = longest_increasing(&matches);
        let mut items: Vec<Item> = elements
            .iter()
            .map(|e| Item { start: e.start, end: e.end(), fate: Fate::Goes })
            .collect();
        for &index in matches.iter().flatten() {
            items[index].fate = Fate::Moves;
        }
        // As wide as the first one is.
        let width = match elements.first() {
            Some(first) if !flow && !self.lines.is_first(first.value.content) => {
                self.lines.column(first.value.content) - self.lines.column(first.start)
            }
            _ => STEP,
        };
        let mut inserts = Inserts::new();
        let mut after = None;
        for ((node, matched), stays) in new.iter().zip(&matches).zip(stays) {
            if let (Some(index), true) = (*matched, stays) {
                let element = &elements[index];
                let mark_end = element.start + usize::from(!flow);
                let kind = if flow { OwnerKind::Flow } else { OwnerKind::Dash };
                let owner = Owner { start: element.start, mark_end, kind };
                self.value(&element.value, &old[index], node, owner);
                items[index].fate = Fate::Stays;
                after = Some(index);
                continue;
            }
            let lines =
                if flow { vec![self.written.flow(node)] } else { self.element(node, width) };
            inserts.entry(after).or_default().push(lines);
        }
        if items.iter().all(|item| item.fate != Fate::Stays) {
            let new = Node::sequence(new.to_vec(), crate::provenance::OriginId::NONE);
            return self.replace(outline, &new, owner);
        }
        self.collection(outline, flow, &items, inserts, Some(owner));
    }

    /// Returns a new element of a block sequence, with the comments above and beside what it was. `width`: that of the `-` and the
    /// space behind it.
    fn element(&self, node: &Node, width: usize) -> Vec<String> {
        let mut out = self.written.element(node, width);
        let Some(at) = offset(node).filter(|_| self.written.keeps_moved) else { return out };
        let Some((_, outline)) = self.written.nodes.get(&at) else { return out };
        let lines = self.lines;
        let rest = lines.text[outline.end..lines.end(outline.end)].trim_end();
        if out.len() == 1 && rest.trim_start().starts_with('#') {
            out[0].push_str(rest);
        }
        let Some(&above) = self.above.get(&at) else { return out };
        let start = lines.start(at);
        // The first element has what stands between it and the key.
        let column = lines.text[start..at].find('-').unwrap_or(0);
        let limit = if above < start { self.behind(above, column, false, None) } else { 0 };
        let above = &lines.text[lines.comments_above(start, limit)..start];
        let mut comments: Vec<String> = above.lines().map(|line| line.trim().to_owned()).collect();
        comments.append(&mut out);
        comments
    }

    fn collection(
        &mut self,
        outline: &Outline,
        flow: bool,
        items: &[Item],
        inserts: Inserts,
        owner: Option<Owner>,
    ) {
        if flow {
            super::flow::edit(self.lines, outline, items, inserts, &mut |start, end, text| {
                self.splices.push(Splice { start, end, text });
            });
        } else {
            self.remove_lines(items, owner);
            self.insert_blocks(items, inserts, owner);
        }
    }

    /// Removes the lines of items of a block collection.
    fn remove_lines(&mut self, items: &[Item], owner: Option<Owner>) {
        let lines = self.lines;
        let first_kept = items.iter().position(|item| item.fate == Fate::Stays).unwrap_or(0);
        for (index, item) in items.iter().enumerate() {
            if item.fate == Fate::Stays {
                continue;
            }
            if !lines.is_first(item.start) {
                // It begins on the line of what it belongs to, and what stays moves up there.
                let (start, end) = (item.start, items[first_kept].start);
                let mut comment = lines.next(items[first_kept - 1].end);
                while comment < end && !lines.is_comment(comment) {
                    comment = lines.next(comment);
                }
                let indent = lines.text[comment.min(end)..].find(|c| c != ' ').unwrap_or(0);
                self.splice(start, (comment + indent).min(end), "");
                continue;
            }
            if index < first_kept && !lines.is_first(items[0].start) {
                // Gone with the first.
                continue;
            }
            let limit = match index.checked_sub(1) {
                Some(before) => lines.next(items[before].end),
                None => owner.map_or(0, |owner| lines.next(owner.mark_end)),
            };
            let mut start = lines.start(item.start);
            if item.fate == Fate::Moves {
                let limit = match index.checked_sub(1) {
                    Some(before) => {
                        self.behind(items[before].end, lines.column(item.start), false, None)
                    }
                    None => limit,
                };
                start = lines.comments_above(start, limit);
            }
            let mut end = lines.next(item.end);
            // Empty lines below would be kept by a block that keeps those it has.
            let keeps = |before: usize| {
                let end = items[before].end;
                lines.is_blank(lines.start(end))
                    || !self.written.blocks && self.block_that_ends(end).is_some()
            };
            if index.checked_sub(1).is_some_and(keeps) {
                while !lines.is_end(end) && lines.is_blank(end) {
                    end = lines.next(end);
                }
            }
            if !self.written.blocks {
                self.indent_comments(end, lines.column(item.start));
            }
            if lines.is_end(end) || lines.is_blank(end) {
                // No second empty line, and none at the end.
                while let Some(line) = lines.previous(start)
                    && line >= limit
                    && lines.is_blank(line)
                {
                    start = line;
                    if !lines.is_end(end) {
                        break;
                    }
                }
            }
            self.splice(start, end, "");
        }
    }

    /// Gives comments below a line an indentation that no block of text above them has.
    fn indent_comments(&mut self, mut at: usize, column: usize) {
        let lines = self.lines;
        while !lines.is_end(at) && (lines.is_comment(at) || lines.is_blank(at)) {
            let line = lines.line(at);
            let indent = line.len() - line.trim_start_matches(' ').len();
            if indent > column {
                self.splice(at + column, at + indent, "");
            }
            at = lines.next(at);
        }
    }

    /// Inserts the lines of new items into a block collection.
    fn insert_blocks(&mut self, items: &[Item], inserts: Inserts, owner: Option<Owner>) {
        let lines = self.lines;
        let column = lines.column(items[0].start);
        for (after, new) in inserts {
            let Some(index) = after else {
                self.insert_in_front(items, new, column, owner);
                continue;
            };
            let is_last = index + 1 == items.len();
            let at = self.behind(items[index].end, column, is_last, owner);
            let mut text = String::new();
            if owner.is_none() && is_last && self.has_empty_line_above(items, index) {
                text.push_str(lines.line_break);
            }
            for item in &new {
                text.push_str(&indented(item, column, lines.line_break));
            }
            self.insert_lines(at, text);
        }
    }

    /// Returns whether the last of several entries is set off by an empty line.
    fn has_empty_line_above(&self, items: &[Item], index: usize) -> bool {
        let lines = self.lines;
        let start = lines.start(items[index].start);
        let Some(before) = index.checked_sub(1) else { return false };
        let limit = lines.next(items[before].end);
        let above = lines.previous(lines.comments_above(start, limit));
        above.is_some_and(|line| line >= limit && lines.is_blank(line))
    }

    /// Returns where a line begins that comes behind an item.
    fn behind(&self, end: usize, column: usize, is_last: bool, owner: Option<Owner>) -> usize {
        let lines = self.lines;
        let mut at = lines.next(end);
        let parent = owner.map(|owner| lines.column(owner.start));
        // Comments that are indented like the items belong to them, and those that are indented more to the last.
        let is_inside = is_last && parent.is_none_or(|parent| column > parent);
        let least = if is_inside { column } else { column + 1 };
        while !lines.is_end(at) && lines.is_comment(at) {
            let line = lines.line(at);
            if line.len() - line.trim_start_matches(' ').len() < least {
                break;
            }
            at = lines.next(at);
        }
        at
    }

    fn insert_in_front(
        &mut self,
        items: &[Item],
        new: Vec<Vec<String>>,
        column: usize,
        owner: Option<Owner>,
    ) {
        let lines = self.lines;
        let Some(index) = items.iter().position(|item| item.stays()) else { return };
        let first = items[index];
        let new: Vec<String> = new.into_iter().flatten().collect();
        if !lines.is_first(first.start) || !lines.is_first(items[0].start) {
            let text = continued(&new, column, lines.line_break);
            let text = format!("{text}{}{:column$}", lines.line_break, "");
            return self.splice(first.start, first.start, text);
        }
        let start = lines.start(first.start);
        let limit = index.checked_sub(1).map_or(0, |before| lines.next(items[before].end));
        let above = lines.comments_above(start, limit);
        // A comment that begins the file is about the file.
        let is_heading = lines.previous(above).is_none();
        let at = if owner.is_none() && !is_heading { above } else { start };
        self.splice(at, at, indented(&new, column, lines.line_break));
    }
}

/// Returns whether a value that is written in flow style, and not empty, becomes another of its kind.
fn is_same_in_flow(outline: &Outline, new: &Node) -> bool {
    match &outline.form {
        OutlineForm::Map { entries, flow: true } => !entries.is_empty() && new.entries().is_some(),
        OutlineForm::Sequence { elements, flow: true } => {
            !elements.is_empty() && new.elements().is_some()
        }
        _ => false,
    }
}

fn entry_owner(entry: &OutlineEntry, flow: bool) -> Owner {
    let kind = if flow { OwnerKind::Flow } else { OwnerKind::Key };
    Owner { start: entry.start, mark_end: entry.colon.unwrap_or(entry.key.end), kind }
}

fn is_flow_style(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted)
}

/// Returns for each new element the old one that it was, by where it was parsed.
fn matched(old: &[Node], new: &[Node]) -> Vec<Option<usize>> {
    let mut by_origin: HashMap<usize, VecDeque<usize>> = HashMap::new();
    for (index, node) in old.iter().enumerate() {
        if let Some(at) = offset(node) {
            by_origin.entry(at).or_default().push_back(index);
        }
    }
    new.iter().map(|node| by_origin.get_mut(&offset(node)?)?.pop_front()).collect()
}

/// Returns which of the numbers belong to a longest increasing subsequence.
fn longest_increasing(numbers: &[Option<usize>]) -> Vec<bool> {
    // `tails[n]`: the place of the smallest number that ends an increasing subsequence of `n + 1` numbers.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; numbers.len()];
    for (at, number) in numbers.iter().enumerate() {
        let Some(number) = number else { continue };
        let length = tails.partition_point(|&tail| numbers[tail] < Some(*number));
        before[at] = length.checked_sub(1).map(|shorter| tails[shorter]);
        if length == tails.len() {
            tails.push(at);
        } else {
            tails[length] = at;
        }
    }
    let mut out = vec![false; numbers.len()];
    let mut at = tails.last().copied();
    while let Some(found) = at {
        out[found] = true;
        at = before[found];
    }
    out
}
