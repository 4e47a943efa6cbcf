//! Items of block collections: the lines that go, and the lines that come.

use super::lines::{continued, indented};
use super::walk::{Fate, Inserts, Item, Owner, Rewriter};

impl Rewriter<'_> {
    /// Removes and adds items of a block collection. At least one item stays.
    pub(super) fn edit_blocks(&mut self, items: &[Item], inserts: Inserts, owner: Option<Owner>) {
        self.remove_lines(items, owner);
        self.insert_blocks(items, inserts, owner);
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
        let is_heading = lines.previous(above).is_none();
        let at = if owner.is_none() && !is_heading { above } else { start };
        self.splice(at, at, indented(&new, column, lines.line_break));
    }
}
