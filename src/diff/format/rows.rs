//! A changed object as rows, which the formats for people print each in their way.

use super::value::{self, Line};
use super::{Look, is_text_change, listed};
use crate::diff::{Change, Edit, Fate, Object, ResourceChange};

/// A value of a row.
#[derive(Debug)]
pub(super) enum Shown {
    /// On the line of its path.
    Inline(String),
    /// As YAML on lines of its own.
    Block(String),
}

/// A row of a report.
pub(super) enum Row {
    /// A field that is new.
    Added(String, Shown),
    /// A field that is gone.
    Removed(String, Shown),
    /// A field with another value.
    Replaced(String, Shown, Shown),
    /// An element that moved, from a place to another, counted from 0.
    Moved(String, usize, usize),
    /// A text of several lines.
    Text(String, Vec<Line>),
    /// The whole object, which is new or gone.
    Object(char, String),
}

/// Returns the rows of an object. `whole`: an object that comes or goes is shown in full.
pub(super) fn rows(change: &ResourceChange, look: &Look, whole: bool) -> Vec<Row> {
    match &change.fate {
        Fate::Created(object) if whole || look.raw => {
            vec![Row::Object('+', value::yaml_of_object(object, None, look.show_secrets))]
        }
        Fate::Deleted(object) if look.raw => {
            vec![Row::Object('-', value::yaml_of_object(object, None, look.show_secrets))]
        }
        Fate::Created(_) | Fate::Deleted(_) => Vec::new(),
        Fate::Changed(changed) => {
            let row = |edit| row(edit, &changed.old, &changed.new, look);
            listed(changed, look).iter().map(row).collect()
        }
    }
}

fn row(edit: &Edit, old_object: &Object, new_object: &Object, look: &Look) -> Row {
    let path = edit.path.to_string();
    let show = |object: &Object, node| value::shown(object, &edit.path, node, look.show_secrets);
    let shown = |node| match value::inline(&node) {
        Some(text) => Shown::Inline(text),
        None => Shown::Block(value::yaml(&node)),
    };
    match &edit.change {
        Change::Add { new, .. } => Row::Added(path, shown(show(new_object, new))),
        Change::Remove { old, .. } => Row::Removed(path, shown(show(old_object, old))),
        Change::Move { from, to } => Row::Moved(path, *from, *to),
        Change::Replace { old, new } => {
            let is_masked = value::is_masked(old_object, &edit.path, old)
                || value::is_masked(new_object, &edit.path, new);
            if is_text_change(&edit.change) && (look.show_secrets || !is_masked) {
                return Row::Text(path, value::lines(old.text(), new.text()));
            }
            Row::Replaced(path, shown(show(old_object, old)), shown(show(new_object, new)))
        }
    }
}
