//! `kiln blame`: which file, line and step wrote each field of an object, and what was there before.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::args::{BlameArgs, BlameFormat};
use super::build::{Surroundings, load_project, value_args};
use super::{CommandError, Ending, write_stdout};
use crate::blame::{
    Field, Found, NodePlace, ObjectName, Place, Removal, Source, SourceKind, Tracer, Write, find,
    lookup, near,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::provenance::{Effect, LogKind, PathStep, StepKind, ValuePath};
use crate::resource::Resource;
use crate::source::display_path;
use crate::workspace::{self, Prepared, Target};
use crate::yaml::{
    Dialect, Key, Node, NodeKind, Scalar, ScalarStyle, Tag, direct, parse_document, write_document,
};
use crate::{BuildOptions, DiskReader, Lints, Project, Session};

/// The longest value on one line, in characters.
const MAX_VALUE: usize = 60;

/// The longest name of a place beside the lines of an object, in characters.
const MAX_PLACE: usize = 44;

/// The colors of the layers, as numbers of ANSI.
const COLORS: [u8; 6] = [36, 33, 35, 32, 34, 31];

pub(super) fn run(args: &BlameArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let Some(name) = ObjectName::parse(&args.object) else {
        let text = &args.object;
        let message = format!("`{text}` is no object: write KIND[.GROUP]/[NAMESPACE/]NAME");
        return Err(CommandError::Usage(message));
    };
    let path = ValuePath::parse(args.path.as_deref().unwrap_or_default())
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    let session = Session::for_one_build(&DiskReader);
    let given = value_args(&args.values, directory)?;
    let above = args.target.as_ref().map(|target| directory.join(target));
    let above = above.filter(|above| above.exists()).unwrap_or_else(|| directory.to_path_buf());
    let Some(project) = load_project(&session, around, &above) else { return Ok(Ending::No) };
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let target = chosen_target(args, &project, directory)?;
    let target = workspace::resolve_target(&session, &project, &target, directory, &lints);
    terminal.report(&target.diagnostics, session.sources());
    let Some(target) = target.value else { return Ok(Ending::No) };
    let options = BuildOptions {
        shown_from: directory.to_path_buf(),
        jobs: around.jobs,
        lints,
        keep_history: true,
        ..BuildOptions::default()
    };
    let prepared = workspace::prepare(&session, &project, &target, &given, options);
    terminal.report(&prepared.diagnostics, session.sources());
    let Some(prepared) = prepared.value else { return Ok(Ending::No) };
    let outcome = crate::build(&session, &prepared.options);
    let Some(build) = outcome.value else {
        terminal.report(&outcome.diagnostics, session.sources());
        return Ok(Ending::No);
    };
    let tracer = Tracer::with_values(&session, &build, Some(&prepared.values));
    let answer =
        Answer { args, around, tracer: &tracer, target: &target, prepared: &prepared, path: &path };
    let answered = match find(&build.resources, &name) {
        Found::One(resource) => answer.about(resource),
        Found::Removed(resource) => Ok(answer.gone(resource)),
        Found::Several(resources) => Err(ambiguous(args, &resources)),
        Found::None(near) => Err(unknown_object(args, near)),
    };
    match answered {
        Ok(text) => {
            write_stdout(text.as_bytes())?;
            Ok(Ending::Done)
        }
        Err(diagnostic) => {
            terminal.report(&[*diagnostic], session.sources());
            Ok(Ending::No)
        }
    }
}

/// Returns the target that was named; without one, the working directory, or the only environment of the project.
fn chosen_target(
    args: &BlameArgs,
    project: &Project,
    directory: &Path,
) -> Result<String, CommandError> {
    if let Some(target) = &args.target {
        return Ok(target.clone());
    }
    let is_kustomization =
        crate::project::FILE_NAMES.iter().any(|name| directory.join(name).is_file());
    match project.environments.as_slice() {
        _ if is_kustomization => Ok(".".to_owned()),
        [] => Ok(".".to_owned()),
        [only] => Ok(format!("env:{}", only.name)),
        several => {
            let names: Vec<&str> = several.iter().map(|e| e.name.as_str()).collect();
            let names = names.join("`, `");
            let message = format!("name a target with `-t`; the environments are `{names}`");
            Err(CommandError::Usage(message))
        }
    }
}

fn ambiguous(args: &BlameArgs, resources: &[&Resource]) -> Box<Diagnostic> {
    let message = format!("`{}` names {} objects", args.object, resources.len());
    let names: Vec<String> = resources.iter().map(|r| format!("`{}`", r.id())).collect();
    let d = Diagnostic::error(Code::BlameAmbiguous, message);
    Box::new(d.help(format!("write one of {}", names.join(", "))))
}

fn unknown_object(args: &BlameArgs, near: Option<String>) -> Box<Diagnostic> {
    let message = format!("there is no `{}` in the build, and there was none", args.object);
    let d = Diagnostic::error(Code::BlameNoObject, message);
    Box::new(match near {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => d.help("`kiln build` prints the objects"),
    })
}

/// What is asked, and what is known about it.
struct Answer<'a> {
    args: &'a BlameArgs,
    around: &'a Surroundings<'a>,
    tracer: &'a Tracer<'a>,
    target: &'a Target,
    prepared: &'a Prepared,
    path: &'a ValuePath,
}

impl Answer<'_> {
    fn about(&self, resource: &Resource) -> Result<String, Box<Diagnostic>> {
        let Some(places) = lookup(resource.node(), &self.path.0) else {
            return match self.tracer.removal(resource, self.path) {
                Some(removal) => Ok(self.removed(resource, &removal)),
                None => Err(self.unknown_field(resource)),
            };
        };
        let mut path = ValuePath::default();
        let mut nodes = vec![resource.node()];
        for NodePlace { step, node } in places {
            path.0.push(step);
            nodes.push(node);
        }
        let fields = self.tracer.fields_below(resource, &path, &nodes);
        let node = nodes.last().copied().unwrap_or(resource.node());
        let single = node.is_scalar() || node.is_empty();
        Ok(match self.args.format {
            BlameFormat::Json => self.json(resource, &fields, None),
            BlameFormat::Short => self.short(&fields),
            BlameFormat::Full if single => self.chain(resource, &fields),
            BlameFormat::Full => self.gutter(resource, &path, node, &fields),
        })
    }

    /// Answers about an object that is not there any more.
    fn gone(&self, resource: &Resource) -> String {
        let Some(removal) = self.tracer.removal_of_object(resource) else { return String::new() };
        self.removed(resource, &removal)
    }

    fn unknown_field(&self, resource: &Resource) -> Box<Diagnostic> {
        let (depth, near) = near(resource.node(), &self.path.0);
        let message = format!("`{}` has no `{}`, and had none", resource.id(), self.path);
        let d = Diagnostic::error(Code::BlameNoField, message);
        let known = ValuePath(self.path.0[..depth].to_vec());
        Box::new(match near {
            Some(near) if near.starts_with('[') || known.0.is_empty() => {
                d.help(format!("did you mean `{known}{near}`?"))
            }
            Some(near) => d.help(format!("did you mean `{known}.{near}`?")),
            None if known.0.is_empty() => {
                d.help(format!("`kiln blame {}` shows its fields", self.args.object))
            }
            None => {
                d.help(format!("`kiln blame {} {known}` shows what is there", self.args.object))
            }
        })
    }

    fn directory(&self) -> &Path {
        &self.around.terminal.directory
    }

    fn is_masked(&self, field: &Field) -> bool {
        field.is_secret && !self.around.terminal.show_secrets
    }

    /// Returns a place as `FILE:LINE:COLUMN`, or as the flag that it is in.
    fn place(&self, place: &Place) -> String {
        if place.path.is_absolute() {
            format!(
                "{}:{}:{}",
                display_path(&place.path, self.directory()),
                place.line,
                place.column
            )
        } else {
            place.path.to_string_lossy().into_owned()
        }
    }

    fn layer(&self, layer: Option<&Path>) -> Option<String> {
        layer.map(|layer| display_path(layer, self.directory()))
    }

    // ---- text --------------------------------------------------------------------------------------------------------

    /// Prints the history of one field.
    fn chain(&self, resource: &Resource, fields: &[Field]) -> String {
        let mut out = String::new();
        for field in fields {
            let shown = one_line(&field.value, self.is_masked(field));
            out.push_str(&format!(
                "{}\n{}: {shown}\n\n",
                resource.id(),
                named_path(resource.node(), &field.path)
            ));
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
        let mut value = value.cloned();
        let mut is_replaced = false;
        for write in writes {
            let shown = value.as_ref().map(|value| one_line(value, masked)).unwrap_or_default();
            let mut row = Row { indent, is_replaced, value: shown, ..Row::default() };
            row.what = self.what(write, write.sources.first());
            let nested = |source: &&Source| !source.writes.is_empty();
            let direct = write.sources.iter().find(|source| !nested(source));
            row.place = match (direct, write.step) {
                (_, Some(StepKind::NameHash)) => hash_of(write),
                (Some(direct), _) => self.place(&direct.place),
                (None, _) => write.at.as_ref().map(|at| self.place(at)).unwrap_or_default(),
            };
            rows.push(row);
            if write.step != Some(StepKind::NameHash) {
                for source in &write.sources {
                    self.more_rows(field, write, source, direct, indent, is_replaced, rows);
                }
            }
            is_replaced |= write.effect == Effect::Replaced;
            value.clone_from(&write.before);
        }
    }

    /// Adds the rows of a source of a write.
    #[expect(clippy::too_many_arguments, reason = "a row is made of all that leads to it")]
    fn more_rows(
        &self,
        field: &Field,
        write: &Write,
        source: &Source,
        first: Option<&Source>,
        indent: usize,
        is_replaced: bool,
        rows: &mut Vec<Row>,
    ) {
        let indent = indent + 1;
        let row = |value: String, place: String, what: String| Row {
            indent,
            is_replaced,
            value,
            place,
            what,
        };
        if !source.writes.is_empty() {
            let what = match write.step {
                Some(StepKind::NameReference) => "the name of the object that it refers to",
                _ => "copied from there",
            };
            rows.push(row(String::new(), String::new(), format!("{what}:")));
            return self.rows(field, &source.writes, None, indent, rows);
        }
        let is_first =
            first.is_some_and(|first| first.place == source.place && first.kind == source.kind);
        let what = match source.kind {
            SourceKind::Value => "a value that is printed there",
            SourceKind::Text | SourceKind::Template | SourceKind::Expression => {
                "a part of the text"
            }
        };
        if !is_first {
            rows.push(row(String::new(), self.place(&source.place), what.to_owned()));
        }
        for (place, old) in &source.overrides {
            let shown = one_line(old, self.is_masked(field));
            let what = format!("overridden by it, was {shown}");
            rows.push(row(String::new(), self.place(place), what));
        }
    }

    /// Returns what wrote, and in which kustomization.
    fn what(&self, write: &Write, source: Option<&Source>) -> String {
        let step = match (write.step, source.map(|source| source.kind)) {
            (Some(step), _) => step.name(),
            (None, Some(SourceKind::Template | SourceKind::Expression)) => "template",
            (None, _) => "resource",
        };
        let mut out = step.to_owned();
        if let Some(layer) = self.layer(write.layer.as_deref()) {
            out.push_str(&format!(" ({layer})"));
        }
        let own = source.map(|source| &source.place.path);
        if let Some(at) = write.at.as_ref().filter(|at| own.is_some_and(|own| *own != at.path)) {
            out.push_str(&format!(", asked for at {}", self.place(at)));
        }
        out
    }

    /// Prints one line for each field.
    fn short(&self, fields: &[Field]) -> String {
        let mut out = String::new();
        for field in fields {
            let masked = self.is_masked(field);
            out.push_str(&format!("{}: {}", field.path, one_line(&field.value, masked)));
            let (place, step, layer) = self.headline(field);
            out.push_str(&format!("  # {place} {step}"));
            if let Some(layer) = layer {
                out.push_str(&format!(" ({layer})"));
            }
            let mut is_part = false;
            for (index, write) in field.writes.iter().enumerate() {
                let Some(before) = &write.before else { continue };
                let verb =
                    if write.effect == Effect::Extended && !is_part { "from" } else { "was" };
                is_part |= write.effect == Effect::Replaced;
                out.push_str(&format!(", {verb} {}", one_line(before, masked)));
                let older = field.writes.get(index + 1..).and_then(primary);
                if let Some((place, _)) = older {
                    out.push_str(&format!(" of {}", self.place(place)));
                }
            }
            out.push('\n');
        }
        out
    }

    /// Returns where the newest text of a field is, and the step and the layer that put it there.
    fn headline(&self, field: &Field) -> (String, String, Option<String>) {
        let Some((place, write)) = primary(&field.writes) else {
            return ("?".to_owned(), "unknown".to_owned(), None);
        };
        let newest = field.writes.first().unwrap_or(write);
        let step = match newest.step {
            Some(step) => step.name(),
            None if write.sources.iter().any(|s| s.kind != SourceKind::Text) => "template",
            None => "resource",
        };
        let layer = newest.layer.as_deref().or(write.layer.as_deref());
        (self.place(place), step.to_owned(), self.layer(layer))
    }

    /// Prints a value as YAML, with what wrote each line beside it.
    fn gutter(
        &self,
        resource: &Resource,
        path: &ValuePath,
        node: &Node,
        fields: &[Field],
    ) -> String {
        let masked = self.masked(node, path, fields);
        let mut bytes = Vec::new();
        // It was written before, as a part of the output.
        if write_document(&masked, &mut bytes).is_err() {
            return self.short(fields);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = lines_of(&text, path);
        let mut notes: Vec<Option<(String, String, Option<String>)>> = Vec::new();
        for number in 0..text.lines().count() {
            let field = lines.get(&number).and_then(|path| fields.iter().find(|f| f.path == *path));
            notes.push(field.map(|field| {
                let (place, step, layer) = self.headline(field);
                // The column says little beside a line.
                let short = place.rsplit_once(':').map_or(place.as_str(), |(place, _)| place);
                let place = if place.starts_with('-') { place.as_str() } else { short };
                (cut_start(place, MAX_PLACE), step, layer)
            }));
        }
        let widths = notes.iter().flatten().fold((0, 0), |(a, b), (place, step, _)| {
            (a.max(place.chars().count()), b.max(step.chars().count()))
        });
        let colors = self.colors(&notes);
        let mut out = format!("{}", resource.id());
        if !path.0.is_empty() {
            out.push_str(&format!(" {}", named_path(resource.node(), path)));
        }
        out.push('\n');
        let mut number = 0;
        for (line, note) in text.lines().zip(&notes) {
            number += 1;
            let _ = number;
            let empty = (String::new(), String::new(), None);
            let (place, step, layer) = note.as_ref().unwrap_or(&empty);
            let beside = format!("{place:0$}  {step:1$}", widths.0, widths.1);
            match layer.as_ref().and_then(|layer| colors.get(layer)) {
                Some(color) => out.push_str(&format!("\u{1b}[{color}m{beside}\u{1b}[0m | {line}")),
                None => out.push_str(&format!("{beside} | {line}")),
            }
            while out.ends_with(' ') {
                out.pop();
            }
            out.push('\n');
        }
        out
    }

    /// Returns a color for each layer, if there are to be colors.
    fn colors(&self, notes: &[Option<(String, String, Option<String>)>]) -> BTreeMap<String, u8> {
        let mut colors = BTreeMap::new();
        if !self.around.terminal.colors_results() {
            return colors;
        }
        for (_, _, layer) in notes.iter().flatten() {
            if let Some(layer) = layer {
                let next = COLORS[colors.len() % COLORS.len()];
                colors.entry(layer.clone()).or_insert(next);
            }
        }
        colors
    }

    /// Returns a value in which placeholders stand for what is secret.
    fn masked(&self, node: &Node, path: &ValuePath, fields: &[Field]) -> Node {
        let mut out = node.clone();
        for field in fields.iter().filter(|field| self.is_masked(field)) {
            let steps = &field.path.0[path.0.len()..];
            if let Some(target) = step_into(&mut out, steps) {
                let text = placeholder(&field.value);
                *target = Node::scalar(text, ScalarStyle::Plain, Tag::Str, target.origin());
            }
        }
        out
    }

    fn removed(&self, resource: &Resource, removal: &Removal) -> String {
        match self.args.format {
            BlameFormat::Json => return self.json(resource, &removal.fields, Some(removal)),
            BlameFormat::Full | BlameFormat::Short => {}
        }
        let what = match (removal.path.0.is_empty(), self.path.0.is_empty()) {
            (true, true) => format!("{}", resource.id()),
            _ => format!("{} {}", resource.id(), self.path),
        };
        let how = match removal.kind {
            LogKind::Local => "is not in the output: the object is marked as local",
            LogKind::EmptyDropped => "was dropped: a patch drops what is empty",
            LogKind::MapReplaced | LogKind::ListReplaced | LogKind::Rewritten => "was replaced",
            LogKind::Deleted | LogKind::ListReordered => "was removed",
        };
        let mut out = format!("{what} {how}\n");
        let place = removal.at.as_ref().map(|at| self.place(at)).unwrap_or_default();
        let mut by = removal.step.name().to_owned();
        if let Some(layer) = self.layer(removal.layer.as_deref()) {
            by.push_str(&format!(" ({layer})"));
        }
        out.push_str(&format!("  {place}  {by}\n"));
        if removal.path.0.len() < self.path.0.len() {
            let whole = if removal.path.0.is_empty() {
                "the object".to_owned()
            } else {
                format!("`{}`", removal.path)
            };
            out.push_str(&format!("  with {whole}\n"));
        }
        if !removal.fields.is_empty() {
            out.push_str("\nbefore:\n");
            for line in self.short(&removal.fields).lines() {
                out.push_str(&format!("  {line}\n"));
            }
        }
        out
    }

    // ---- JSON --------------------------------------------------------------------------------------------------------

    fn json(&self, resource: &Resource, fields: &[Field], removal: Option<&Removal>) -> String {
        let id = resource.id();
        let fields: Vec<Json> = fields.iter().map(|field| self.json_field(field)).collect();
        let mut document = json!({
            "schema": "kiln/blame/v1",
            "target": display_path(&self.prepared.options.target, self.directory()),
            "environment": self.target.environment.as_ref().map(|e| e.name.as_str()),
            "object": {
                "apiVersion": id.gvk.api_version().as_str(),
                "kind": id.gvk.kind.as_str(),
                "namespace": id.namespace.as_str(),
                "name": id.name.as_str(),
            },
            "path": self.path.to_string(),
        });
        match removal {
            None => document["fields"] = fields.into(),
            Some(removal) => {
                let how = match removal.kind {
                    LogKind::Local => "local",
                    LogKind::EmptyDropped => "empty",
                    LogKind::Deleted | LogKind::ListReordered => "deleted",
                    LogKind::MapReplaced | LogKind::ListReplaced | LogKind::Rewritten => "replaced",
                };
                document["fields"] = json!([]);
                document["removed"] = json!({
                    "path": removal.path.to_string(),
                    "how": how,
                    "step": removal.step.name(),
                    "layer": self.layer(removal.layer.as_deref()),
                    "at": removal.at.as_ref().map(|at| self.json_place(at)),
                    "fields": fields,
                });
            }
        }
        format!("{document:#}\n")
    }

    fn json_place(&self, place: &Place) -> Json {
        if place.path.is_absolute() {
            let file = display_path(&place.path, self.directory());
            json!({ "file": file, "line": place.line, "column": place.column })
        } else {
            json!({ "flag": place.path.to_string_lossy() })
        }
    }

    fn json_field(&self, field: &Field) -> Json {
        let masked = self.is_masked(field);
        json!({
            "path": field.path.to_string(),
            "value": json_value(&field.value, masked),
            "secret": field.is_secret,
            "history": self.json_writes(&field.writes, masked),
        })
    }

    fn json_writes(&self, writes: &[Write], masked: bool) -> Json {
        let write = |write: &Write| {
            let mut out = json!({
                "step": write.step.map_or("resource", StepKind::name),
                "layer": self.layer(write.layer.as_deref()),
                "at": write.at.as_ref().map(|at| self.json_place(at)),
                "effect": match write.effect {
                    Effect::Replaced => "replaced",
                    Effect::Extended => "extended",
                },
                "sources": write.sources.iter().map(|s| self.json_source(s, masked)).collect::<Vec<_>>(),
            });
            if let Some(before) = &write.before {
                out["before"] = json_value(before, masked);
            }
            out
        };
        writes.iter().map(write).collect()
    }

    fn json_source(&self, source: &Source, masked: bool) -> Json {
        let mut out = self.json_place(&source.place);
        out["kind"] = match source.kind {
            SourceKind::Text => "text",
            SourceKind::Template => "template",
            SourceKind::Expression => "expression",
            SourceKind::Value => "value",
        }
        .into();
        if !source.writes.is_empty() {
            out["history"] = self.json_writes(&source.writes, masked);
        }
        if !source.overrides.is_empty() {
            let overrides = source.overrides.iter().map(|(place, old)| {
                let mut out = self.json_place(place);
                out["value"] = json_value(old, masked);
                out
            });
            out["overrides"] = overrides.collect();
        }
        out
    }
}

/// Returns the newest text of a history, and the write that put it there. The values that a template prints say more than
/// the template, if there is but one.
fn primary(writes: &[Write]) -> Option<(&Place, &Write)> {
    for write in writes {
        if write.step == Some(StepKind::NameHash) {
            continue;
        }
        let values: Vec<&Source> =
            write.sources.iter().filter(|s| s.kind == SourceKind::Value).collect();
        let is_printed = write.sources.first().is_some_and(|s| s.kind == SourceKind::Expression);
        if let (true, [value]) = (is_printed, values.as_slice()) {
            return Some((&value.place, write));
        }
        if let Some(source) = write.sources.first() {
            return Some((&source.place, write));
        }
        if let Some(at) = &write.at {
            return Some((at, write));
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

/// A line of a history.
#[derive(Default)]
struct Row {
    indent: usize,
    is_replaced: bool,
    value: String,
    place: String,
    what: String,
}

/// Prints rows in columns. What was replaced stands below a line that says so.
fn table(rows: &[Row]) -> String {
    let width = |text: &str| text.chars().count();
    let value_width =
        rows.iter().map(|row| 2 * row.indent + width(&row.value)).max().unwrap_or_default();
    let place_width = rows.iter().map(|row| width(&row.place)).max().unwrap_or_default();
    let mut out = String::new();
    let mut was_replaced = [false; 64];
    for row in rows {
        let level = row.indent.min(63);
        if row.is_replaced && !was_replaced[level] {
            out.push_str(&format!("{}  replaced:\n", "  ".repeat(row.indent)));
        }
        was_replaced[level] = row.is_replaced;
        was_replaced[level + 1..].fill(false);
        let value = format!("{}{}", "  ".repeat(row.indent), row.value);
        let line = format!("  {value:value_width$}  {:place_width$}  {}", row.place, row.what);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Returns what stands for a value that is secret.
fn placeholder(node: &Node) -> String {
    format!("<secret, {} bytes>", node.text().len())
}

/// Returns a value on one line.
fn one_line(node: &Node, masked: bool) -> String {
    if masked {
        return placeholder(node);
    }
    match node.kind() {
        NodeKind::Map if node.is_empty() => "{}".to_owned(),
        NodeKind::Sequence if node.is_empty() => "[]".to_owned(),
        NodeKind::Map => format!("{{{} fields}}", node.len()),
        NodeKind::Sequence => format!("[{} elements]", node.len()),
        NodeKind::Scalar => {
            let text = node.text();
            let is_text = matches!(direct(node), Ok(Scalar::Str(_)));
            let lines = text.lines().count();
            if lines > 1 {
                return format!("{lines} lines");
            }
            let plain = !text.is_empty() && !text.starts_with(' ') && !text.ends_with([' ', '\n']);
            if is_text && (!plain || crate::yaml::resolve_tag(text) != Tag::Str) {
                let mut out = String::new();
                crate::yaml::write_json_string(text, &mut out);
                return cut_end(&out);
            }
            cut_end(text)
        }
    }
}

fn cut_end(text: &str) -> String {
    if text.chars().count() <= MAX_VALUE {
        return text.to_owned();
    }
    text.chars().take(MAX_VALUE - 1).chain(['…']).collect()
}

fn cut_start(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(count + 1 - width)).collect()
}

/// Returns a path in which elements that have a name are called by it.
fn named_path(root: &Node, path: &ValuePath) -> ValuePath {
    let mut node = Some(root);
    let mut out = ValuePath::default();
    for step in &path.0 {
        let next = node.and_then(|node| match step {
            PathStep::Index(index) => node.elements()?.get(*index),
            PathStep::Key(key) => node.get(Key::text_key(key)),
            PathStep::Element(_) => None,
        });
        let name = next.and_then(|next| next.get(Key::text_key("name")));
        let elements = node.and_then(Node::elements).unwrap_or_default();
        let is_sole = |name: &&Node| {
            let same =
                |e: &&Node| e.get(Key::text_key("name")).is_some_and(|n| n.text() == name.text());
            name.is_scalar() && elements.iter().filter(same).count() == 1
        };
        out.0.push(match (step, name.filter(is_sole)) {
            (PathStep::Index(_), Some(name)) => {
                PathStep::Element(vec![("name".into(), name.shared_text())])
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
    fn walk(node: &Node, text: &str, path: &ValuePath, out: &mut BTreeMap<usize, ValuePath>) {
        if node.is_empty() {
            let at = node.origin().position().unwrap_or(1) as usize - 1;
            let line = text.get(..at).unwrap_or_default().matches('\n').count();
            out.entry(line).or_insert_with(|| path.clone());
        }
        for entry in node.entries().into_iter().flatten() {
            walk(&entry.value, text, &path.join(PathStep::Key(entry.key.text().into())), out);
        }
        for (index, element) in node.elements().into_iter().flatten().enumerate() {
            walk(element, text, &path.join(PathStep::Index(index)), out);
        }
    }
    let mut out = BTreeMap::new();
    if let Ok(Some(document)) = parse_document(text, 1, Dialect::V3) {
        walk(&document, text, path, &mut out);
    }
    out
}

/// Returns a value as JSON holds it.
fn json_value(node: &Node, masked: bool) -> Json {
    if masked {
        return placeholder(node).into();
    }
    if let Some(entries) = node.entries() {
        let pairs = entries.iter().map(|e| (e.key.text().to_owned(), json_value(&e.value, false)));
        return Json::Object(pairs.collect());
    }
    if let Some(elements) = node.elements() {
        return elements.iter().map(|element| json_value(element, false)).collect();
    }
    match direct(node) {
        Ok(Scalar::Null) => Json::Null,
        Ok(Scalar::Bool(value)) => value.into(),
        Ok(Scalar::Int(value)) => value.into(),
        Ok(Scalar::Uint(value)) => value.into(),
        Ok(Scalar::Float(value)) if value.is_finite() => value.into(),
        _ => node.text().into(),
    }
}
