//! Objects against what Kubernetes accepts, offline.
//!
//! Comes in: objects, a version of Kubernetes, the definitions of custom resources. Goes out: findings, each with the object, the
//! path of the field, and the places that wrote the value: the patch, the generator, the template and the value.

mod baseline;
mod custom;
mod formats;
pub(crate) mod manifests;
mod objects;
mod pods;
mod policy;
pub(crate) mod references;
mod report;
mod structure;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use ecow::EcoString;

use crate::diagnostic::{Code, Diagnostic};
use crate::provenance::{Origin, OriginId, Provenance};
use crate::resource::{Gvk, Resource, Scopes};
use crate::schema::{CrdTypes, Kubernetes};
use crate::session::{Context, WORKER_STACK_BYTES};
use crate::source::FileId;
use crate::yaml::Node;
use report::Found;

pub(crate) use baseline::{Baseline, Entry as BaselineEntry, written as written_baseline};
pub(crate) use policy::Policy;

/// From so many objects on, several threads check them.
const MIN_PARALLEL: usize = 64;

/// What objects are checked against.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) types: Kubernetes,
    pub(crate) crds: Arc<CrdTypes>,
    pub(crate) policy: Policy,
}

/// Something that is wrong with an object.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// The number of the object.
    pub(crate) object: usize,
    /// The field, as a path from the root of the object; empty for the object itself.
    pub(crate) path: String,
    /// What is wrong, with its places.
    pub(crate) diagnostic: Diagnostic,
}

/// What a check has found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    /// In the order of the objects.
    pub(crate) findings: Vec<Finding>,
    /// Kinds without a schema, as `KIND.GROUP/VERSION`, and how many objects have them.
    pub(crate) unknown_kinds: BTreeMap<String, usize>,
    /// CEL rules that were not evaluated.
    pub(crate) skipped_rules: usize,
}

impl Findings {
    /// Adds findings, each after those of its object that are there.
    pub(crate) fn add(&mut self, more: Vec<Finding>) {
        self.findings.extend(more);
        self.findings.sort_by_key(|finding| finding.object);
    }
}

/// What was found in one object, not yet placed.
#[derive(Debug, Default)]
struct Checked {
    found: Vec<Found>,
    unknown_kind: Option<String>,
    skipped_rules: usize,
}

/// Checks objects with up to `jobs` threads; the result does not depend on how many.
pub(crate) fn check(cx: &Context<'_>, rules: &Rules, objects: &[&Node]) -> Findings {
    let jobs = if objects.len() < MIN_PARALLEL { 1 } else { cx.options.jobs.max(1) };
    let results: Vec<OnceLock<Checked>> = objects.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(object) = objects.get(index) else { return };
            let _ = results[index].set(objects::check(rules, object));
        }
    };
    if jobs == 1 {
        work();
    } else {
        thread::scope(|scope| {
            for _ in 1..jobs {
                let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
                // Without a thread, this one does the work.
                let _ = builder.spawn_scoped(scope, work);
            }
            work();
        });
    }
    let mut findings = Findings::default();
    for (object, checked) in results.into_iter().map(OnceLock::into_inner).enumerate() {
        let Some(checked) = checked else { continue };
        findings.skipped_rules += checked.skipped_rules;
        if let Some(kind) = checked.unknown_kind {
            *findings.unknown_kinds.entry(kind).or_default() += 1;
        }
        let placed =
            |found: Found| Finding { object, diagnostic: placed(cx, &found), path: found.path };
        let mut own: Vec<Finding> = checked.found.into_iter().map(placed).collect();
        own.sort_by_key(|finding| {
            let span = finding.diagnostic.primary().map(|label| label.span);
            span.map(|span| (cx.sources().file(span.file).map(|file| file.base()), span.start))
        });
        findings.findings.extend(own);
    }
    findings.findings.extend(duplicates(cx, objects));
    findings
}

/// Finds objects that one file holds twice, whichever their API versions: the later one would overwrite the first.
fn duplicates(cx: &Context<'_>, objects: &[&Node]) -> Vec<Finding> {
    let mut first: HashMap<(FileId, EcoString, EcoString, EcoString, EcoString), &Node> =
        HashMap::new();
    let mut findings = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        let Some(file) = cx.span(object.origin()).map(|span| span.file) else { continue };
        let resource = Resource::new((*object).clone(), &Scopes::default());
        let id = resource.id();
        // Names that the server makes differ.
        if id.name.is_empty() {
            continue;
        }
        let key = (
            file,
            id.gvk.group.clone(),
            id.gvk.kind.clone(),
            id.namespace.clone(),
            id.name.clone(),
        );
        match first.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(object);
            }
            Entry::Occupied(occupied) => {
                let message = format!("{} `{}` is in this file twice", id.gvk.kind, id.name);
                let diagnostic = Diagnostic::error(Code::SchemaDuplicateObject, message)
                    .at(cx.span(object.origin()), "")
                    .at(cx.span(occupied.get().origin()), "the first one");
                findings.push(Finding { object: index, path: String::new(), diagnostic });
            }
        }
    }
    findings
}

/// Adds the places: the text of the value, what led there, and the value that a template printed.
fn placed(cx: &Context<'_>, found: &Found) -> Diagnostic {
    let mut diagnostic = found.diagnostic.clone().at(cx.span(found.at), "");
    if let Some((other, text)) = found.other {
        diagnostic = diagnostic.at(cx.span(other), text);
    }
    for (at, text) in chain(&cx.provenance, found.value.unwrap_or(found.at)) {
        let span = cx.span(at);
        let is_new = diagnostic.labels.iter().all(|label| Some(label.span) != span);
        if is_new {
            diagnostic = diagnostic.at(span, text);
        }
    }
    cx.add_value(&mut diagnostic);
    diagnostic
}

/// Returns the steps that wrote a value, newest first: where each is asked for, and its name.
fn chain(provenance: &Provenance, origin: OriginId) -> Vec<(OriginId, String)> {
    let history = provenance.history(origin);
    let mut steps = Vec::new();
    for (index, origin) in history.iter().enumerate() {
        match origin {
            Origin::Derived(derived) => {
                let name = provenance.step_of(derived.step).kind.name();
                steps.push((derived.at, format!("written by {name}")));
            }
            Origin::Written(position) if index > 0 => {
                steps.push((OriginId::written(*position), "written first".to_owned()));
            }
            Origin::Written(_) | Origin::Unknown => {}
        }
    }
    steps
}

/// Returns a kind as summaries name it.
pub(crate) fn kind_name(gvk: &Gvk) -> String {
    format!("{} ({})", gvk.kind, gvk.api_version())
}
