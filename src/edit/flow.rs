//! Items of flow collections: `[a, b]` and `{a: b}`, on one line or on several.

use super::lines::Lines;
use super::walk::{Inserts, Item};
use crate::yaml::Outline;

/// Removes and adds items. At least one item stays. `splice` takes a stretch of the text and what replaces it.
pub(super) fn edit(
    lines: Lines<'_>,
    outline: &Outline,
    items: &[Item],
    inserts: Inserts,
    splice: &mut dyn FnMut(usize, usize, String),
) {
    let flow = Flow { lines, items };
    let mut index = 0;
    while index < items.len() {
        if items[index].stays() {
            index += 1;
            continue;
        }
        let first = index;
        while index < items.len() && !items[index].stays() {
            index += 1;
        }
        let (start, end) = flow.removed(first, index);
        splice(start, end, String::new());
    }
    for (after, new) in inserts {
        let new: Vec<String> = new.into_iter().flatten().collect();
        match after {
            Some(index) => flow.insert_behind(index, &new, outline.end, splice),
            None => flow.insert_in_front(&new, splice),
        }
    }
}

struct Flow<'t> {
    lines: Lines<'t>,
    items: &'t [Item],
}

impl Flow<'_> {
    /// Returns the stretch that goes with the items from `first` up to `end`.
    fn removed(&self, first: usize, end: usize) -> (usize, usize) {
        let (lines, items) = (self.lines, self.items);
        let last = items[end - 1].end;
        let behind = lines.text[last..lines.end(last)].trim_start();
        let behind = behind.strip_prefix(',').unwrap_or(behind).trim_start();
        let has_own_lines =
            lines.is_first(items[first].start) && (behind.is_empty() || behind.starts_with('#'));
        if has_own_lines {
            return (lines.start(items[first].start), lines.next(last));
        }
        match items.get(end) {
            Some(next) => (items[first].start, next.start),
            None => (items[first - 1].end, last),
        }
    }

    /// Adds items behind another, on lines of their own if that one has one. `close`: where the collection ends.
    fn insert_behind(
        &self,
        index: usize,
        new: &[String],
        close: usize,
        splice: &mut dyn FnMut(usize, usize, String),
    ) {
        let (lines, item) = (self.lines, self.items[index]);
        if !lines.is_first(item.start) {
            return splice(item.end, item.end, format!(", {}", new.join(", ")));
        }
        let column = lines.column(item.start);
        let separator = format!(",{}{:column$}", lines.line_break, "");
        let line_end = lines.end(item.end);
        let behind = lines.text[item.end..line_end].trim_start();
        let rest = behind.strip_prefix(',').unwrap_or(behind).trim_start();
        let has_own_line = line_end < close && (rest.is_empty() || rest.starts_with('#'));
        let next = self.items.get(index + 1);
        let goes_on = next.is_none_or(|next| next.stays() && behind.starts_with(','));
        if !has_own_line || !goes_on {
            // Something else follows on the line, or what follows goes.
            return splice(item.end, item.end, format!("{separator}{}", new.join(&separator)));
        }
        let had_comma = behind.starts_with(',');
        if !had_comma {
            splice(item.end, item.end, ",".to_owned());
        }
        let comma = if had_comma { "," } else { "" };
        let text = format!("{}{:column$}{}{comma}", lines.line_break, "", new.join(&separator));
        splice(line_end, line_end, text);
    }

    fn insert_in_front(&self, new: &[String], splice: &mut dyn FnMut(usize, usize, String)) {
        let Some(first) = self.items.iter().find(|item| item.stays()) else { return };
        let lines = self.lines;
        let separator = if lines.is_first(first.start) {
            format!(",{}{:2$}", lines.line_break, "", lines.column(first.start))
        } else {
            ", ".to_owned()
        };
        splice(first.start, first.start, format!("{}{separator}", new.join(&separator)));
    }
}
