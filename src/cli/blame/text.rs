//! Histories as text: of one field, one line for each field, or beside the lines of an object.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Answer, placeholder};
use crate::blame::{Field, Place, Removal, Source, SourceKind, Write};
use crate::provenance::{Effect, LogKind, PathStep, StepKind, ValuePath};
use crate::resource::Resource;
use crate::yaml::{
    Dialect, Key, Node, NodeKind, Scalar, ScalarStyle, Tag, direct, known, parse_document,
    resolve_tag, write_document, write_json_string,
};

/// The longest value on one line, in characters: in a history, and beside other things.
const MAX_VALUE: usize = 100;
const MAX_SHORT_VALUE: usize = 60;

/// The longest name of a place beside the lines of an object, in characters.
const MAX_PLACE: usize = 48;

/// The colors of the layers, as numbers of ANSI.
const COLORS: [u8; 6] = [36, 33, 35, 32, 34, 31];

/// What stands beside a line.
struct Note {
    place: String,
    step: String,
    layer: Option<String>,
}

impl Answer<'_> {
    /// Prints the histories of fields.
    pub(super) fn histories(&self, resource: &Resource, fields: &[Field]) -> String {
        let mut out = String::new();
        for field in fields {
            let shown = one_line(&field.value, self.is_masked(field), MAX_VALUE);
            let path = named_path(resource.node(), &field.path);
            let _ = write!(out, "{}\n{path}: {shown}\n\n", resource.id());
            let mut rows = Vec::new();
            self.rows(field, &field.writes, Some(&field.value), 0, &mut rows);
            out.push_str(&table(&rows));
        }
        out
    }

    /// Adds the rows of a history: the value after each write, the text that it was made of, and what wrote it.
    fn rows(
        &self,
        field: &Field,
        writes: &[Write],
        value: Option<&Node>,
        indent: usize,
        rows: &mut Vec<Row>,
    ) {
        let masked = self.is_masked(field);
        let shown = |node: &Node| one_line(node, masked, MAX_VALUE);
        let mut value = value.cloned();
        for (index, write) in writes.iter().enumerate() {
            let is_hash = write.step == Some(StepKind::NameHash);
            let first = write.sources.iter().find(|source| source.writes.is_empty());
            let place = match first {
                _ if is_hash => hash_of(write),
                Some(first) => self.place(&first.place),
                None => write.at.as_ref().map(|at| self.place(at)).unwrap_or_default(),
            };
            let text = value.as_ref().map(shown).unwrap_or_default();
            rows.push(Row::Line { indent, value: text, place, what: self.what(write) });
            for source in write.sources.iter().filter(|_| !is_hash) {
                self.source_rows(field, write, source, first, indent + 1, rows);
            }
            if write.effect == Effect::Replaced && index + 1 < writes.len() {
                rows.push(Row::Heading { indent, text: "replaced:" });
            }
            value.clone_from(&write.before);
        }
    }

    /// Adds the rows of a text that a write has put there. `first`: the one in the row of the write.
    fn source_rows(
        &self,
        field: &Field,
        write: &Write,
        source: &Source,
        first: Option<&Source>,
        indent: usize,
        rows: &mut Vec<Row>,
    ) {
        if !source.writes.is_empty() {
            let text = match write.step {
                Some(StepKind::NameReference) => "of the object that it refers to:",
                _ => "copied:",
            };
            rows.push(Row::Heading { indent, text });
            return self.rows(field, &source.writes, None, indent, rows);
        }
        let mut push = |place: &Place, what: String| {
            let (value, place) = (String::new(), self.place(place));
            rows.push(Row::Line { indent, value, place, what });
        };
        if !first.is_some_and(|first| std::ptr::eq(first, source)) {
            let what = match source.kind {
                SourceKind::Value => "a value that is printed there",
                SourceKind::Template => "text that comes from there",
                SourceKind::Text | SourceKind::Expression => "a part of it",
            };
            push(&source.place, what.to_owned());
        }
        for (place, old) in &source.overrides {
            let shown = one_line(old, self.is_masked(field), MAX_VALUE);
            push(place, format!("overridden by it: {shown}"));
        }
    }

    /// Returns what wrote, and in which kustomization.
    fn what(&self, write: &Write) -> String {
        let source = write.sources.first();
        let mut out = step_name(write).to_owned();
        if let Some(layer) = self.layer(write.layer.as_deref()) {
            let _ = write!(out, " ({layer})");
        }
        let own = source.map(|source| &source.place.path);
        let is_elsewhere = |at: &&Place| own.is_some_and(|own| *own != at.path);
        if let Some(at) = write.at.as_ref().filter(is_elsewhere) {
            let _ = write!(out, ", asked for at {}", self.place(at));
        }
        out
    }

    /// Prints one line for each field.
    pub(super) fn short(&self, fields: &[Field]) -> String {
        let mut out = String::new();
        for field in fields {
            let masked = self.is_masked(field);
            let shown = |node: &Node| one_line(node, masked, MAX_SHORT_VALUE);
            let Note { place, step, layer } = self.note(field);
            let _ = write!(out, "{}: {}  # {place} {step}", field.path, shown(&field.value));
            if let Some(layer) = layer {
                let _ = write!(out, " ({layer})");
            }
            let mut is_replaced = false;
            for (index, write) in field.writes.iter().enumerate() {
                is_replaced |= write.effect == Effect::Replaced;
                let Some(before) = &write.before else { continue };
                let verb = if is_replaced { "was" } else { "from" };
                let _ = write!(out, ", {verb} {}", shown(before));
                if let Some((place, _)) = field.writes.get(index + 1..).and_then(primary) {
                    let _ = write!(out, " of {}", self.place(place));
                }
            }
            out.push('\n');
        }
        out
    }

    /// Returns where the newest text of a field is, and the step and the layer that put it there.
    fn note(&self, field: &Field) -> Note {
        let Some((place, write)) = primary(&field.writes) else {
            return Note { place: "?".to_owned(), step: "unknown".to_owned(), layer: None };
        };
        let newest = field.writes.first().unwrap_or(write);
        let layer = newest.layer.as_deref().or(write.layer.as_deref());
        let step = step_name(newest).to_owned();
        Note { place: self.place(place), step, layer: self.layer(layer) }
    }

    /// Prints a value as YAML, with what wrote each line beside it.
    pub(super) fn beside_lines(
        &self,
        resource: &Resource,
        path: &ValuePath,
        node: &Node,
        fields: &[Field],
    ) -> String {
        let mut bytes = Vec::new();
        // It was written before, as a part of the output.
        if write_document(&self.masked(node, path, fields), &mut bytes).is_err() {
            return self.short(fields);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = lines_of(&text, path);
        let fields: BTreeMap<String, &Field> =
            fields.iter().map(|field| (field.path.to_string(), field)).collect();
        let mut notes: Vec<Option<Note>> = Vec::new();
        for number in 0..text.lines().count() {
            let field = lines.get(&number).and_then(|path| fields.get(&path.to_string()));
            notes.push(field.map(|field| {
                let note = self.note(field);
                // The column says little beside a line.
                let is_flag = note.place.starts_with('-');
                let short = note.place.rsplit_once(':').filter(|_| !is_flag);
                let short = short.map_or(note.place.as_str(), |(place, _)| place);
                Note { place: cut_start(short), ..note }
            }));
        }
        let mut out = resource.id().to_string();
        if !path.0.is_empty() {
            let _ = write!(out, " {}", named_path(resource.node(), path));
        }
        out.push('\n');
        self.push_lines(&text, &notes, &mut out);
        if path.0.is_empty() {
            self.push_removed(resource, &mut out);
        }
        out
    }

    fn push_lines(&self, text: &str, notes: &[Option<Note>], out: &mut String) {
        let colors = self.colors(notes);
        let width = |part: fn(&Note) -> &String| {
            notes.iter().flatten().map(|note| part(note).chars().count()).max().unwrap_or_default()
        };
        let (places, steps) = (width(|note| &note.place), width(|note| &note.step));
        for (line, note) in text.lines().zip(notes) {
            let Some(Note { place, step, layer }) = note else {
                let _ = writeln!(out, "{:places$}  {:steps$} | {line}", "", "");
                continue;
            };
            let color = layer.as_ref().and_then(|layer| colors.get(layer));
            let (on, off) = match color {
                Some(color) => (format!("\u{1b}[{color}m"), "\u{1b}[0m"),
                None => (String::new(), ""),
            };
            let _ = writeln!(out, "{on}{place:places$}  {step:steps$}{off} | {line}");
        }
    }

    /// Returns a color for each layer, if there are to be colors.
    fn colors(&self, notes: &[Option<Note>]) -> BTreeMap<String, u8> {
        let mut colors = BTreeMap::new();
        if !self.around.terminal.colors_results() {
            return colors;
        }
        for layer in notes.iter().flatten().filter_map(|note| note.layer.as_ref()) {
            let next = COLORS[colors.len() % COLORS.len()];
            colors.entry(layer.clone()).or_insert(next);
        }
        colors
    }

    /// Adds the fields that steps have removed.
    fn push_removed(&self, resource: &Resource, out: &mut String) {
        let removals = self.tracer.removals(resource);
        if removals.is_empty() {
            return;
        }
        out.push_str("\nremoved:\n");
        let mut rows = Vec::new();
        for removal in removals {
            let place = removal.at.as_ref().map(|at| self.place(at)).unwrap_or_default();
            let (value, what) = (removal.path.to_string(), self.removed_by(&removal));
            rows.push(Row::Line { indent: 0, value, place, what });
        }
        out.push_str(&table(&rows));
    }

    /// Returns a value in which placeholders stand for what is secret.
    fn masked(&self, node: &Node, path: &ValuePath, fields: &[Field]) -> Node {
        let mut out = node.clone();
        for field in fields.iter().filter(|field| self.is_masked(field)) {
            if let Some(target) = step_into(&mut out, &field.path.0[path.0.len()..]) {
                let text = placeholder(&field.value);
                *target = Node::scalar(text, ScalarStyle::Plain, Tag::Str, target.origin());
            }
        }
        out
    }

    fn removed_by(&self, removal: &Removal) -> String {
        let mut out = removal.step.name().to_owned();
        if let Some(layer) = self.layer(removal.layer.as_deref()) {
            let _ = write!(out, " ({layer})");
        }
        out
    }

    /// Says what has removed a field or an object.
    pub(super) fn removal(&self, resource: &Resource, removal: &Removal) -> String {
        let mut out = resource.id().to_string();
        if !self.path.0.is_empty() {
            let _ = write!(out, " {}", self.path);
        }
        out.push_str(match removal.kind {
            LogKind::Local => " is not in the output: the object is marked as local",
            LogKind::EmptyDropped => " was dropped: it was empty, and a patch drops what is empty",
            LogKind::MapReplaced | LogKind::ListReplaced | LogKind::Rewritten => {
                " is gone: what it was in was replaced"
            }
            LogKind::Deleted | LogKind::ListReordered => " was removed",
        });
        out.push_str("\n\n");
        let place = removal.at.as_ref().map(|at| self.place(at)).unwrap_or_default();
        let _ = write!(out, "  {place}  {}", self.removed_by(removal));
        if removal.path.0.len() < self.path.0.len() {
            let whole = if removal.path.0.is_empty() {
                "the whole object".to_owned()
            } else {
                format!("all of `{}`", removal.path)
            };
            let _ = write!(out, ": {whole}");
        }
        out.push('\n');
        if !removal.fields.is_empty() {
            out.push_str("\nbefore:\n");
            for line in self.short(&removal.fields).lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
        out
    }
}

/// Returns the name of what wrote.
fn step_name(write: &Write) -> &'static str {
    match (write.step, write.sources.first().map(|source| source.kind)) {
        (Some(step), _) => step.name(),
        (None, Some(SourceKind::Template | SourceKind::Expression)) => "template",
        (None, _) => "resource",
    }
}

/// Returns the newest text of a history, and the write that put it there. A value that a template prints says more than the
/// template, if it is the only one.
fn primary(writes: &[Write]) -> Option<(&Place, &Write)> {
    for write in writes.iter().filter(|write| write.step != Some(StepKind::NameHash)) {
        if let [printed, value] = write.sources.as_slice()
            && printed.kind == SourceKind::Expression
            && value.kind == SourceKind::Value
        {
            return Some((&value.place, write));
        }
        let place = write.sources.first().map(|source| &source.place).or(write.at.as_ref());
        if let Some(place) = place {
            return Some((place, write));
        }
    }
    None
}

fn hash_of(write: &Write) -> String {
    match write.sources.len() {
        1 => "of 1 value".to_owned(),
        count => format!("of {count} values"),
    }
}

/// A row of a history.
enum Row {
    Line { indent: usize, value: String, place: String, what: String },
    Heading { indent: usize, text: &'static str },
}

/// Prints rows in columns.
fn table(rows: &[Row]) -> String {
    let (mut values, mut places) = (0, 0);
    for row in rows {
        if let Row::Line { indent, value, place, .. } = row {
            values = values.max(2 * indent + value.chars().count());
            places = places.max(place.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        match row {
            Row::Heading { indent, text } => {
                let _ = writeln!(out, "  {}{text}", "  ".repeat(*indent));
            }
            Row::Line { indent, value, place, what } => {
                let value = format!("{}{value}", "  ".repeat(*indent));
                let line = format!("  {value:values$}  {place:places$}  {what}");
                let _ = writeln!(out, "{}", line.trim_end());
            }
        }
    }
    out
}

/// Returns a value on one line of at most so many characters.
fn one_line(node: &Node, masked: bool, width: usize) -> String {
    if masked {
        return placeholder(node);
    }
    let text = node.text();
    match node.kind() {
        NodeKind::Map if node.is_empty() => "{}".to_owned(),
        NodeKind::Sequence if node.is_empty() => "[]".to_owned(),
        NodeKind::Map => format!("{{{} fields}}", node.len()),
        NodeKind::Sequence => format!("[{} elements]", node.len()),
        NodeKind::Scalar if text.lines().count() > 1 => format!("{} lines", text.lines().count()),
        NodeKind::Scalar => {
            let is_text = matches!(direct(node), Ok(Scalar::Str(_)));
            let is_plain = !text.is_empty() && text.trim() == text && resolve_tag(text) == Tag::Str;
            if !is_text || is_plain {
                return cut_end(text, width);
            }
            let mut out = String::new();
            write_json_string(text, &mut out);
            cut_end(&out, width)
        }
    }
}

fn cut_end(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

fn cut_start(place: &str) -> String {
    let count = place.chars().count();
    if count <= MAX_PLACE {
        return place.to_owned();
    }
    std::iter::once('…').chain(place.chars().skip(count + 1 - MAX_PLACE)).collect()
}

/// Returns a path in which elements that have a name are called by it.
fn named_path(root: &Node, path: &ValuePath) -> ValuePath {
    let mut node = Some(root);
    let mut out = ValuePath::default();
    for step in &path.0 {
        let elements = node.and_then(Node::elements).unwrap_or_default();
        let next = match step {
            PathStep::Index(index) => elements.get(*index),
            PathStep::Key(key) => node.and_then(|node| node.get(Key::text_key(key))),
            PathStep::Element(_) => None,
        };
        let is_sole = |name: &&Node| {
            let has_it = |e: &&Node| e.get(known::NAME).is_some_and(|n| n.text() == name.text());
            name.is_scalar() && elements.iter().filter(has_it).count() == 1
        };
        let name = next.and_then(|next| next.get(known::NAME)).filter(is_sole);
        out.0.push(match (step, name) {
            (PathStep::Index(_), Some(name)) => {
                PathStep::Element(vec![(known::NAME.text().into(), name.shared_text())])
            }
            _ => step.clone(),
        });
        node = next;
    }
    out
}

fn step_into<'n>(node: &'n mut Node, steps: &[PathStep]) -> Option<&'n mut Node> {
    let Some((step, rest)) = steps.split_first() else { return Some(node) };
    let next = match step {
        PathStep::Key(key) => node.get_mut(Key::text_key(key)),
        PathStep::Index(index) => node.elements_mut()?.get_mut(*index),
        PathStep::Element(_) => None,
    };
    step_into(next?, rest)
}

/// Returns which field begins on which line of a document, lines from 0.
fn lines_of(text: &str, path: &ValuePath) -> BTreeMap<usize, ValuePath> {
    let mut out = BTreeMap::new();
    let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    if let Ok(Some(document)) = parse_document(text, 1, Dialect::V3) {
        find_lines(&document, &starts, path, &mut out);
    }
    out
}

fn find_lines(
    node: &Node,
    breaks: &[usize],
    path: &ValuePath,
    out: &mut BTreeMap<usize, ValuePath>,
) {
    if node.is_empty() {
        let at = node.origin().position().unwrap_or(1) as usize - 1;
        out.entry(breaks.partition_point(|end| *end < at)).or_insert_with(|| path.clone());
    }
    for entry in node.entries().into_iter().flatten() {
        let step = PathStep::Key(entry.key.text().into());
        find_lines(&entry.value, breaks, &path.join(step), out);
    }
    for (index, element) in node.elements().into_iter().flatten().enumerate() {
        find_lines(element, breaks, &path.join(PathStep::Index(index)), out);
    }
}
