//! `replacements`: a value of one object, copied into fields of others.
//!
//! The source is one object, found by its exact id among present and earlier ones; targets are found by patterns. The
//! rules are those of `api/filters/replacement/replacement.go`. A scalar at the target keeps its type and style and takes
//! the text; anything else is replaced as a whole.

use std::cell::RefCell;
use std::path::Path;

use super::embedded;
use super::match_path::Matcher;
use super::path::{LookupFault, lookup, near_field, split_dots};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::project::{
    FieldOptions, Replacement, ReplacementSource, ReplacementTarget, Target, decode_replacements,
};
use crate::provenance::{OriginId, Recorder, StepId, StepKind};
use crate::resource::{
    AliasWrites, DEFAULT_NAMESPACE, Resource, ResourceId, ResourceSet, Selector, SelectorError,
};
use crate::session::{Context, Text};
use crate::yaml::{Node, NodeKind};

const DEFAULT_PATH: &str = "metadata.name";

/// A replacement, checked, with its selectors ready.
#[derive(Debug)]
pub(crate) struct LoadedReplacement {
    at: OriginId,
    source: Source,
    targets: Vec<LoadedTarget>,
}

#[derive(Debug)]
enum Source {
    Value(Text),
    Field(ReplacementSource),
}

#[derive(Debug)]
struct LoadedTarget {
    at: OriginId,
    select: Selector,
    select_at: OriginId,
    reject: Vec<Reject>,
    paths: Vec<Text>,
    options: FieldOptions,
}

/// A selector of objects to leave out: by id, and separately by labels and annotations.
#[derive(Debug)]
struct Reject {
    selector: Selector,
    by_id: bool,
    by_metadata: bool,
}

/// Reads `replacements` and the files that it names.
pub(crate) fn load(
    cx: &mut Context<'_>,
    root: &Path,
    replacements: &[Replacement],
) -> Fallible<Vec<LoadedReplacement>> {
    let mut loaded = Vec::with_capacity(replacements.len());
    let mut result = Ok(());
    for replacement in replacements {
        let one = if replacement.path.is_empty() {
            check(cx, replacement).map(|one| vec![one])
        } else {
            load_file(cx, root, replacement)
        };
        match one {
            Ok(mut one) => loaded.append(&mut one),
            Err(reported) => result = Err(reported),
        }
    }
    result.map(|()| loaded)
}

fn load_file(
    cx: &mut Context<'_>,
    root: &Path,
    replacement: &Replacement,
) -> Fallible<Vec<LoadedReplacement>> {
    let has_targets = replacement.targets.as_ref().is_some_and(|targets| !targets.is_empty());
    if replacement.source.is_some() || has_targets {
        let message = "a replacement has a `path` or `source` and `targets`, not both";
        let d = Diagnostic::error(Code::InvalidEntry, message)
            .at(cx.span(replacement.path.at), "`path`");
        return Err(cx.fail(d));
    }
    let file = cx.file(root, &replacement.path)?;
    let document = cx.document(&file)?;
    let Some(found) = decode_replacements(cx, document.as_ref())? else {
        let message =
            format!("`{}` holds no replacement and no list of them", replacement.path.value);
        let d = Diagnostic::error(Code::InvalidEntry, message)
            .at(cx.span(replacement.path.at), "named here");
        return Err(cx.fail(d));
    };
    found.iter().map(|one| check(cx, one)).collect()
}

fn check(cx: &mut Context<'_>, replacement: &Replacement) -> Fallible<LoadedReplacement> {
    let source = match (&replacement.source_value, &replacement.source) {
        (Some(_), Some(source)) => {
            let d = Diagnostic::error(
                Code::InvalidEntry,
                "a replacement has `source` or `sourceValue`, not both",
            );
            return Err(cx.fail(d.at(cx.span(source.at), "`source`")));
        }
        (Some(value), None) => Some(Source::Value(value.clone())),
        (None, Some(source)) => Some(Source::Field(source.clone())),
        (None, None) => None,
    };
    let (Some(source), Some(targets)) = (source, &replacement.targets) else {
        let d = Diagnostic::error(Code::InvalidEntry, "a replacement needs a source and `targets`");
        return Err(cx.fail(d.at(cx.span(replacement.at), "this replacement")));
    };
    let targets: Vec<Fallible<LoadedTarget>> =
        targets.iter().map(|t| check_target(cx, t)).collect();
    let targets = targets.into_iter().collect::<Fallible<Vec<_>>>()?;
    Ok(LoadedReplacement { at: replacement.at, source, targets })
}

fn check_target(cx: &mut Context<'_>, target: &ReplacementTarget) -> Fallible<LoadedTarget> {
    let Some(select) = &target.select else {
        let d = Diagnostic::error(Code::InvalidEntry, "a target needs `select`");
        return Err(cx.fail(d.at(cx.span(target.at), "this target")));
    };
    let mut reject = Vec::with_capacity(target.reject.len());
    for rejected in &target.reject {
        let parts = &rejected.parts;
        reject.push(Reject {
            selector: compile(cx, rejected)?,
            by_id: !parts.has_no_id(),
            by_metadata: !parts.label_selector.is_empty() || !parts.annotation_selector.is_empty(),
        });
    }
    let mut paths = target.field_paths.clone();
    if paths.is_empty() {
        paths.push(Text { value: DEFAULT_PATH.into(), at: target.at });
    }
    let select_at = select.at;
    let select = compile(cx, select)?;
    Ok(LoadedTarget {
        at: target.at,
        select,
        select_at,
        reject,
        paths,
        options: target.options.clone(),
    })
}

fn compile(cx: &mut Context<'_>, target: &Target) -> Fallible<Selector> {
    Selector::new(&target.parts).map_err(|error| {
        let diagnostic = cx.selector_error(&error, target.at);
        cx.fail(diagnostic)
    })
}

/// Applies replacements, in order, to the objects of a set.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    replacements: &[LoadedReplacement],
) -> Fallible<()> {
    let mut result = Ok(());
    for replacement in replacements {
        let step = cx.provenance.step(StepKind::Replacements, replacement.at);
        match source_value(cx, set, replacement) {
            Ok(value) => {
                for target in &replacement.targets {
                    if let Err(reported) = apply_to(cx, set, target, &value, step) {
                        result = Err(reported);
                    }
                }
            }
            Err(reported) => result = Err(reported),
        }
    }
    result
}

/// The ids of an object, as replacements compare them: the kind's scope does not matter.
fn ids(resource: &Resource) -> impl Iterator<Item = ResourceId> {
    let current = ResourceId { cluster_scoped: false, ..resource.id().clone() };
    let gvk = &resource.id().gvk;
    std::iter::once(current).chain(resource.previous().iter().map(move |p| p.with_version_of(gvk)))
}

fn source_value(
    cx: &mut Context<'_>,
    set: &ResourceSet,
    replacement: &LoadedReplacement,
) -> Fallible<Node> {
    let source = match &replacement.source {
        Source::Value(text) => return Ok(Node::untyped(text.value.clone(), text.at)),
        Source::Field(source) => source,
    };
    let resource = set.get(find_source(cx, set, source)?);
    let path = if source.field_path.is_empty() { DEFAULT_PATH } else { source.field_path.as_str() };
    let at = if source.field_path.is_empty() { source.at } else { source.field_path.at };
    let fail = |cx: &mut Context<'_>, what: String| {
        let message = format!("`{}` has no `{path}` to copy{what}", resource.id());
        let d = Diagnostic::error(Code::ReplacementSource, message)
            .at(cx.span(at), "not found")
            .at(cx.span(resource.node().origin()), "in this object");
        Err(cx.fail(d))
    };
    let value = match lookup(resource.node(), &split_dots(path)) {
        Ok(Some(value)) if !value.is_null_or_empty() => value,
        Ok(_) => return fail(cx, String::new()),
        Err(fault) => return fail(cx, format!(": {fault}")),
    };
    let options = &source.options;
    if options.delimiter.is_empty() {
        return Ok(value.clone());
    }
    if !value.is_scalar() {
        let message = format!(
            "`{path}` of `{}` is a {}, which no delimiter cuts",
            resource.id(),
            value.kind().name()
        );
        let d = Diagnostic::error(Code::ReplacementSource, message).at(cx.span(at), "this path");
        return Err(cx.fail(d));
    }
    let pieces: Vec<&str> = split_text(value.text(), &options.delimiter);
    match usize::try_from(options.index).ok().and_then(|i| pieces.get(i)) {
        Some(piece) => {
            let mut part = value.clone();
            part.set_text(*piece);
            Ok(part)
        }
        None => {
            let message =
                format!("`{path}` has no part {}: it has {}", options.index, pieces.len());
            let d =
                Diagnostic::error(Code::ReplacementSource, message).at(cx.span(at), "this path");
            Err(cx.fail(d))
        }
    }
}

/// Go's `strings.Split`.
fn split_text<'t>(text: &'t str, delimiter: &str) -> Vec<&'t str> {
    text.split(delimiter).collect()
}

fn find_source(
    cx: &mut Context<'_>,
    set: &ResourceSet,
    source: &ReplacementSource,
) -> Fallible<usize> {
    let namespace_of = |namespace: &str| -> String {
        if namespace.is_empty() { DEFAULT_NAMESPACE.to_owned() } else { namespace.to_owned() }
    };
    let fits = |id: &ResourceId| {
        (source.name.is_empty() || source.name == id.name)
            && (source.namespace.is_empty() || *source.namespace == namespace_of(&id.namespace))
            && id.gvk.is_selected_by(&source.gvk)
    };
    let candidates: Vec<usize> =
        if source.name.is_empty() { (0..set.len()).collect() } else { set.named(&source.name) };
    let found: Vec<usize> =
        candidates.into_iter().filter(|&i| ids(set.get(i)).any(|id| fits(&id))).collect();
    match found[..] {
        [index] => Ok(index),
        [] => {
            let wanted = ResourceId {
                gvk: source.gvk.clone(),
                name: source.name.clone(),
                namespace: source.namespace.clone(),
                cluster_scoped: false,
            };
            let mut d = Diagnostic::error(
                Code::ReplacementSource,
                format!("there is no `{wanted}` to copy from"),
            )
            .at(cx.span(source.at), "not found");
            let of_kind = set
                .iter()
                .filter(|r| source.gvk.kind.is_empty() || r.id().gvk.kind == source.gvk.kind);
            let near =
                crate::diagnostic::nearest(&source.name, of_kind.map(|r| r.id().name.as_str()));
            if let Some(near) = near {
                d = d.help(format!("write `name: {near}`"));
            }
            Err(cx.fail(d))
        }
        _ => {
            let message =
                format!("the source of a replacement is one object, this fits {}", found.len());
            let mut d = Diagnostic::error(Code::ReplacementSource, message)
                .at(cx.span(source.at), "not unique");
            for index in found {
                d = d.at(
                    cx.span(set.get(index).node().origin()),
                    format!("`{}`", set.get(index).id()),
                );
            }
            Err(cx.fail(d.help("add `kind`, `name` or `namespace`")))
        }
    }
}

fn apply_to(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    target: &LoadedTarget,
    value: &Node,
    step: StepId,
) -> Fallible<()> {
    let selected = match select(set, target) {
        Ok(selected) => selected,
        Err(error) => {
            let diagnostic = cx.selector_error(&error, target.at);
            return Err(cx.fail(diagnostic));
        }
    };
    if selected.is_empty() {
        let message = format!("the value is copied nowhere: no object fits {}", target.select);
        let d = Diagnostic::warning(Code::ReplacementNoMatch, message)
            .at(cx.span(target.select_at), "fits nothing");
        let d = match target.select.near_miss(set) {
            Some((index, help)) => {
                d.at(cx.span(set.get(index).node().origin()), "did you mean this one?").help(help)
            }
            None => d,
        };
        cx.warn_idle(target.at, d);
    } else {
        cx.sink.effective(Code::ReplacementNoMatch, target.at);
    }
    let mut result = Ok(());
    for index in selected {
        for path in &target.paths {
            let mut notes = CopyNotes::default();
            let mut recorder = Recorder::new(&mut cx.provenance, step);
            recorder.set_at(path.at);
            let fault = set.update(index, |resource| {
                let mut writes = AliasWrites::default();
                let root = resource.node_mut();
                let result = copy(
                    root,
                    path.as_str(),
                    value,
                    &target.options,
                    &mut recorder,
                    &mut writes,
                    &mut notes,
                );
                writes.apply(root);
                result
            });
            if let Err(fault) = fault {
                result = Err(target_fault(cx, set.get(index), path, target, &fault));
            }
            warn(cx, set.get(index), path, value, notes);
        }
    }
    result
}

/// What is noticed while a value is copied.
#[derive(Debug, Default)]
struct CopyNotes {
    /// A plain text of the path, and what it matched as a pattern.
    loose: RefCell<Option<(String, String)>>,
    /// A list or map was copied onto a text, which leaves it empty.
    value_lost: bool,
}

fn warn(cx: &mut Context<'_>, resource: &Resource, path: &Text, value: &Node, notes: CopyNotes) {
    let id = resource.id();
    if let Some((text, found)) = notes.loose.into_inner() {
        let message =
            format!("`{text}` is read as a regular expression and fits `{found}` of `{id}` too");
        let d = Diagnostic::warning(Code::ReplacementMatchedAsPattern, message)
            .at(cx.span(path.at), "a pattern");
        cx.warn(d.help(format!("write `^{}$`", regex_lite::escape(&text))));
    }
    if notes.value_lost {
        let message = format!(
            "a {} is copied onto the text at `{}` of `{id}`, which becomes empty",
            value.kind().name(),
            path.value
        );
        let d = Diagnostic::warning(Code::ReplacementValueLost, message)
            .at(cx.span(path.at), "becomes empty")
            .at(cx.span(value.origin()), format!("a {}", value.kind().name()));
        cx.warn(d.help("copy a scalar, or remove the field so that it is created"));
    }
}

fn select(set: &ResourceSet, target: &LoadedTarget) -> Result<Vec<usize>, SelectorError> {
    let mut selected = Vec::new();
    for index in target.select.candidates(set) {
        let resource = set.get(index);
        if !ids(resource).any(|id| target.select.matches_id(&id)) {
            continue;
        }
        if !target.select.matches_metadata(resource.node())? {
            continue;
        }
        let mut rejected = false;
        for reject in &target.reject {
            rejected |= reject.by_metadata && reject.selector.matches_metadata(resource.node())?;
            rejected |= reject.by_id && ids(resource).any(|id| reject.selector.matches_id(&id));
        }
        if !rejected {
            selected.push(index);
        }
    }
    Ok(selected)
}

/// Why a value could not be copied into an object.
#[derive(Debug)]
enum TargetFault {
    /// Nothing stands where the path leads.
    Missing,
    Lookup(LookupFault),
}

fn target_fault(
    cx: &mut Context<'_>,
    resource: &Resource,
    path: &Text,
    target: &LoadedTarget,
    fault: &TargetFault,
) -> Reported {
    let verb = if target.options.create { "be found or created" } else { "be found" };
    let id = resource.id();
    let message = match fault {
        TargetFault::Missing => format!("`{}` cannot {verb} in `{id}`", path.value),
        TargetFault::Lookup(fault) => format!("`{}` cannot {verb} in `{id}`: {fault}", path.value),
    };
    let d = Diagnostic::error(Code::ReplacementTarget, message)
        .at(cx.span(path.at), "this path")
        .at(cx.span(resource.node().origin()), "in this object");
    let d = match fault {
        TargetFault::Missing if !target.options.create => {
            let parts = split_dots(path.as_str());
            match near_field(resource.node(), parts.iter().map(String::as_str)) {
                Some(near) => d.help(format!(
                    "did you mean `{near}`? `options.create: true` would create the field"
                )),
                None => {
                    d.help("set `options.create: true` to create the field, or correct the path")
                }
            }
        }
        _ => d,
    };
    cx.fail(d)
}

fn copy(
    root: &mut Node,
    path: &str,
    value: &Node,
    options: &FieldOptions,
    recorder: &mut Recorder<'_>,
    writes: &mut AliasWrites,
    notes: &mut CopyNotes,
) -> Result<(), TargetFault> {
    let parts = split_dots(path);
    let create = options.create.then(|| value.kind());
    let inside = embedded::set_inside(root, &parts, value, create, recorder, writes, &notes.loose);
    if inside.map_err(TargetFault::Lookup)? {
        return Ok(());
    }
    let needed = (!options.delimiter.is_empty()).then_some(NodeKind::Scalar);
    let CopyNotes { loose, value_lost } = notes;
    let matcher = Matcher { create, origin: recorder.at(), needed, loose };
    let count = matcher
        .visit(root, &parts, &mut |node: &mut Node| {
            *value_lost |= node.is_scalar() && !value.is_scalar() && !node.is_null_or_empty();
            set_value(node, value, options, recorder, writes);
            Ok(())
        })
        .map_err(TargetFault::Lookup)?;
    if count == 0 { Err(TargetFault::Missing) } else { Ok(()) }
}

fn set_value(
    node: &mut Node,
    value: &Node,
    options: &FieldOptions,
    recorder: &mut Recorder<'_>,
    writes: &mut AliasWrites,
) {
    let mut text = value.shared_text();
    let is_part = !options.delimiter.is_empty();
    if is_part {
        let own = node.shared_text();
        let mut pieces = split_text(&own, &options.delimiter);
        let part = if value.is_null() { "" } else { value.text() };
        match usize::try_from(options.index) {
            Err(_) => pieces.insert(0, part),
            Ok(index) if index >= pieces.len() => pieces.push(part),
            Ok(index) => pieces[index] = part,
        }
        text = pieces.join(&options.delimiter).into();
    }
    let origin = if is_part {
        recorder.extend(value.origin(), node)
    } else {
        recorder.write(value.origin(), node)
    };
    if node.is_scalar() {
        node.set_text(text);
        node.set_origin(origin);
        writes.changed(node);
    } else {
        let mut new = value.clone();
        if new.is_scalar() {
            new.set_text(text);
        }
        new.set_origin(origin);
        writes.replace(node, new);
    }
}
