//! Two trees, of a text as it is and as it is to be, walked together: which stretches of the text change.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::lines::{Lines, continued, indented};
use super::render::{Place, STEP, Shape, Written, key_text, offset, scalar};
use super::rewrite::{Splice, own_entries};
use super::same::{effective, same};
use crate::provenance::OriginId;
use crate::yaml::{
    Entry, Key, Node, Outline, OutlineElement, OutlineEntry, OutlineForm, ScalarStyle,
};

/// What a value belongs to.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    /// Where the key or the `-` begins.
    pub(super) start: usize,
    /// Behind the `:` or the `-`.
    pub(super) mark_end: usize,
    kind: OwnerKind,
}

/// How a value belongs to it: beside or below a key, behind a `-`, or inside brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnerKind {
    Key,
    Dash,
    Flow,
}

/// Gathers the stretches that change.
pub(super) struct Rewriter<'t> {
    pub(super) lines: Lines<'t>,
    pub(super) written: Written<'t>,
    /// Where what stands above the elements of block sequences ends, by where their values begin.
    pub(super) above: HashMap<usize, usize>,
    /// Where the nodes begin whose aliases become copies.
    pub(super) written_out: HashSet<usize>,
    pub(super) splices: Vec<Splice>,
}

/// An entry or element of a collection.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) fate: Fate,
}

impl Item {
    pub(super) fn stays(self) -> bool {
        self.fate == Fate::Stays
    }
}

/// What becomes of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    Goes,
    /// It goes, and comes back elsewhere with the comments above it.
    Moves,
}

/// New items, each as its lines, by the item that they follow; none for those in front.
pub(super) type Inserts = BTreeMap<Option<usize>, Vec<Vec<String>>>;

impl Rewriter<'_> {
    pub(super) fn splice(&mut self, start: usize, end: usize, text: impl Into<String>) {
        self.splices.push(Splice { start, end, text: text.into() });
    }

    /// Changes a document to another.
    pub(super) fn root(&mut self, outline: Option<&Outline>, old: &Node, wanted: &Node) {
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

    /// Writes the whole document anew.
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
    pub(super) fn insert_lines(&mut self, at: usize, text: String) {
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
    pub(super) fn block_that_ends(&self, at: usize) -> Option<&Outline> {
        let is_it = |outline: &Outline| {
            let block = [ScalarStyle::Literal, ScalarStyle::Folded];
            outline.end == at && block.iter().any(|s| outline.form == OutlineForm::Scalar(*s))
        };
        self.written.nodes.values().map(|(_, outline)| *outline).find(|outline| is_it(outline))
    }

    /// Changes a value to another.
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
        let (lines_of_new, indent) = match self.written.shape(new) {
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
            Shape::Map(lines) => (lines, STEP),
            Shape::Sequence(lines) => (lines, self.written.sequence_indent),
        };
        if is_block && lines.is_first(start) {
            let is_sequence = matches!(outline.form, OutlineForm::Sequence { .. });
            let is_same = is_sequence == lines_of_new[0].starts_with('-');
            let column = if is_same { lines.column(start) } else { owner_column + indent };
            let mut lines_of_new = lines_of_new;
            lines_of_new[0] = format!("{:column$}{}", "", lines_of_new[0]);
            if self.written.keeps_moved && contains(new, outline.start) {
                // What is wrapped takes the comments above and beside it along.
                let first = lines.comments_above(lines.start(start), lines.next(owner.mark_end));
                let text = continued(&lines_of_new, column, lines.line_break);
                return self.splice(first, lines.end(end), text);
            }
            return self.splice_lines(lines.start(start), end, lines_of_new, column);
        }
        // The lines of a block stand below the key, and the comment beside it.
        let before = lines.text[..start].trim_end_matches(' ').len().max(owner.mark_end);
        self.splice(before.min(start), end, "");
        let text = indented(&lines_of_new, owner_column + indent, lines.line_break);
        self.insert_lines(lines.next(end), text);
    }

    /// Changes a map that is not empty to another.
    fn map(
        &mut self,
        outline: &Outline,
        entries: &[OutlineEntry],
        flow: bool,
        old: &Node,
        new: &Node,
        owner: Option<Owner>,
    ) {
        let (items, written_by) = self.kept_entries(entries, flow, old, new);
        let inserts = self.new_entries(flow, old, new, &written_by);
        if items.iter().all(|item| item.fate != Fate::Stays) {
            return match owner {
                Some(owner) => self.replace(outline, new, owner),
                None => self.replace_root(outline, flow, new),
            };
        }
        self.collection(outline, flow, &items, inserts, owner);
    }

    /// Changes the entries of a map that stay. Returns what becomes of each, and by which of them the keys of the new map are
    /// written.
    fn kept_entries<'n>(
        &mut self,
        entries: &[OutlineEntry],
        flow: bool,
        old: &Node,
        new: &'n Node,
    ) -> (Vec<Item>, HashMap<&'n str, usize>) {
        let new_entries = new.entries().unwrap_or_default();
        let counted = effective(new_entries);
        let old_entries = effective(old.entries().unwrap_or_default());
        // New entries by the place of their value, for those that only got another key.
        let renamed: HashMap<usize, &Entry> = new_entries
            .iter()
            .filter(|e| find(&old_entries, e.key).is_none())
            .filter_map(|e| Some((offset(&e.value)?, e)))
            .collect();
        let mut items = Vec::with_capacity(entries.len());
        let mut written_by: HashMap<&str, usize> = HashMap::new();
        for (index, (written, own)) in entries.iter().zip(own_entries(entries, old)).enumerate() {
            let mut fate = Fate::Stays;
            let Some(entry) = own else {
                self.write_out(&written.value);
                items.push(Item { start: written.start, end: written.end(), fate });
                continue;
            };
            let same_key = find(&counted, entry.key);
            let by_value = || {
                let new = renamed.get(&offset(&entry.value)?)?;
                (!written_by.contains_key(new.key.text())).then_some(*new)
            };
            match same_key.or_else(by_value) {
                Some(new) => {
                    if same_key.is_none() {
                        self.splice(written.key.start, written.key.end, key_text(new.key));
                    }
                    written_by.insert(new.key.text(), index);
                    // Of several with one key, only the last is changed.
                    let counts = find(&old_entries, entry.key);
                    if counts.is_some_and(|counts| std::ptr::eq(counts, entry)) {
                        let owner = entry_owner(written, flow);
                        self.value(&written.value, &entry.value, &new.value, owner);
                    }
                }
                None => fate = Fate::Goes,
            }
            items.push(Item { start: written.start, end: written.end(), fate });
        }
        (items, written_by)
    }

    /// Returns the entries of a map that are not written yet.
    fn new_entries(
        &self,
        flow: bool,
        old: &Node,
        new: &Node,
        written_by: &HashMap<&str, usize>,
    ) -> Inserts {
        let old_entries = effective(old.entries().unwrap_or_default());
        let mut inserts = Inserts::new();
        let mut after = None;
        for entry in new.entries().unwrap_or_default() {
            if let Some(&index) = written_by.get(entry.key.text()) {
                after = Some(index);
                continue;
            }
            // What a merge key fills in is there already.
            let is_merged =
                find(&old_entries, entry.key).is_some_and(|old| same(&old.value, &entry.value));
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
        inserts
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

    /// Changes a sequence that is not empty to another.
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
            let new = Node::sequence(new.to_vec(), OriginId::NONE);
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

    /// Removes and adds items, of which at least one stays.
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
            self.edit_blocks(items, inserts, owner);
        }
    }
}

/// Finds a key among entries that are sorted by key.
fn find<'n>(sorted: &[&'n Entry], key: Key) -> Option<&'n Entry> {
    let found = sorted.binary_search_by(|entry| entry.key.text().cmp(key.text()));
    found.ok().map(|index| sorted[index])
}

/// Returns whether the node that begins at an offset is part of a tree.
fn contains(tree: &Node, at: usize) -> bool {
    tree.entries()
        .into_iter()
        .flatten()
        .any(|e| offset(&e.value) == Some(at) || contains(&e.value, at))
        || tree.elements().into_iter().flatten().any(|element| contains(element, at))
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
