//! Items of block collections: the lines that go, and the lines that come.

use super::lines::{continued, indented};
use super::walk::{Fate, Inserts, Item, Owner, Rewriter};

impl Rewriter<'_> {
    /// Removes and adds items of a block collection. At least one item stays.
    pub(super) fn edit_blocks(&mut self, items: &[Item], inserts: Inserts, owner: Option<Owner>) {
        let lines = self.lines;
        let first_kept = items.iter().position(|item| item.stays()).unwrap_or(0);
        let is_compact = !lines.is_first(items[0].start);
        for (index, item) in items.iter().enumerate() {
            if item.stays() {
                continue;
            }
            if !is_compact || index > first_kept {
                let begins = index == 0 && inserts.contains_key(&None);
                let (start, end) = self.lines_that_go(items, index, owner, begins);
                self.splice(start, end, "");
            } else if index == 0 {
                self.move_up(items[0].start, &items[first_kept - 1], &items[first_kept]);
            }
        }
        self.insert_blocks(items, inserts, owner);
    }

    /// Removes items that begin on the line of what they belong to, the last of which is `last`: what stays moves up there, with the
    /// comment above it.
    fn move_up(&mut self, start: usize, last: &Item, kept: &Item) {
        let lines = self.lines;
        let mut comment = lines.next(last.end);
        while comment < kept.start && !lines.is_comment(comment) {
            comment = lines.next(comment);
        }
        let comment = comment.min(kept.start);
        let indent = lines.text[comment..].find(|c| c != ' ').unwrap_or(0);
        self.splice(start, (comment + indent).min(kept.start), "");
    }

    /// Returns the stretch of the lines that go with an item. `begins`: others come in front of it, and need the empty lines there.
    fn lines_that_go(
        &mut self,
        items: &[Item],
        index: usize,
        owner: Option<Owner>,
        begins: bool,
    ) -> (usize, usize) {
        let lines = self.lines;
        let item = &items[index];
        let before = index.checked_sub(1).map(|before| items[before].end);
        let first = owner.map_or(0, |owner| lines.next(owner.mark_end));
        let limit = before.map_or(first, |before| lines.next(before));
        let mut start = lines.start(item.start);
        if item.fate == Fate::Moves {
            let column = lines.column(item.start);
            let limit = before.map_or(first, |before| self.behind(before, column, false, None));
            start = lines.comments_above(start, limit);
        }
        let mut end = lines.next(item.end);
        // Empty lines below would be kept by a block that keeps those it has.
        let keeps = |end: usize| {
            lines.is_blank(lines.start(end))
                || !self.written.blocks && self.block_that_ends(end).is_some()
        };
        if before.is_some_and(keeps) {
            while !lines.is_end(end) && lines.is_blank(end) {
                end = lines.next(end);
            }
        }
        if !self.written.blocks {
            self.indent_comments(end, lines.column(item.start));
        }
        if !begins && (lines.is_end(end) || lines.is_blank(end)) {
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
        (start, end)
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
    pub(super) fn behind(
        &self,
        end: usize,
        column: usize,
        is_last: bool,
        owner: Option<Owner>,
    ) -> usize {
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
        // If the first goes, what stands above it stands above the next one.
        let start = lines.start(items[0].start);
        let limit = owner.map_or(0, |owner| lines.next(owner.mark_end));
        let above = lines.comments_above(start, limit);
        // A comment that begins the file is about the file.
        let is_heading = owner.is_none() && lines.previous(above).is_none();
        let at = if is_heading { start } else { above };
        self.splice(at, at, indented(&new, column, lines.line_break));
    }
}
