//! Objects against what Kubernetes accepts, offline.
//!
//! Comes in: objects, a version of Kubernetes, the definitions of custom resources. Goes out: findings, each with the object, the
//! path of the field, and the places that wrote the value: the patch, the generator, the template and the value.

mod baseline;
mod custom;
mod fields;
mod formats;
mod identity;
mod intake;
pub(crate) mod manifests;
mod objects;
mod pods;
mod policy;
pub(crate) mod references;
mod report;
mod structure;

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::HashMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::provenance::{Origin, OriginId, Provenance};
use crate::resource::Gvk;
use crate::schema::{CrdTypes, Kubernetes};
use crate::session::Context;
use crate::source::FileId;
use crate::yaml::Node;
use report::Found;

pub(crate) use baseline::{Baseline, Entry as BaselineEntry, written as written_baseline};
pub(crate) use identity::ObjectId;
pub(crate) use intake::{Intake, Seen};
pub(crate) use policy::Policy;

/// What objects are checked against.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) types: Arc<Kubernetes>,
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
    /// Adds what was found in an object by itself.
    fn add(&mut self, object: usize, alone: Alone) {
        let finding = |(path, diagnostic)| Finding { object, path, diagnostic };
        self.findings.extend(alone.findings.into_iter().map(finding));
        self.skipped_rules += alone.skipped_rules;
        if let Some(kind) = alone.unknown_kind {
            *self.unknown_kinds.entry(kind).or_default() += 1;
        }
    }

    /// Adds what was found in other objects, whose numbers begin at `first`.
    fn append(&mut self, first: usize, other: Self) {
        let later = |finding: Finding| Finding { object: first + finding.object, ..finding };
        self.findings.extend(other.findings.into_iter().map(later));
        self.skipped_rules += other.skipped_rules;
        for (kind, count) in other.unknown_kinds {
            *self.unknown_kinds.entry(kind).or_default() += count;
        }
    }
}

/// What was found in one object, not yet placed.
#[derive(Debug, Default)]
struct Checked {
    found: Vec<Found>,
    unknown_kind: Option<String>,
    skipped_rules: usize,
}

/// What was found in one object by itself.
#[derive(Debug, Default)]
struct Alone {
    /// Paths and diagnostics, in the order of their places.
    findings: Vec<(String, Diagnostic)>,
    /// The kind, if it has no schema.
    unknown_kind: Option<String>,
    skipped_rules: usize,
}

/// Checks an object by itself.
fn check_alone(cx: &Context<'_>, rules: &Rules, object: &Node) -> Alone {
    let checked = objects::check(rules, object);
    let placed = |found: Found| (placed(cx, &found), found.path);
    let found = checked.found.into_iter().map(placed).map(|(diagnostic, path)| (path, diagnostic));
    let mut findings: Vec<_> = found.collect();
    findings.sort_by_key(|(_, diagnostic)| {
        let span = diagnostic.primary().map(|label| label.span);
        span.map(|span| (cx.sources().file(span.file).map(|file| file.base()), span.start))
    });
    let Checked { unknown_kind, skipped_rules, .. } = checked;
    Alone { findings, unknown_kind, skipped_rules }
}

/// What tells the objects of one file apart: group, kind, namespace and name.
type Identity<'n> = (&'n str, &'n str, &'n str, &'n str);

/// Finds objects that one file holds twice, whichever their API versions: the later one would overwrite the first.
fn duplicates<'n>(
    cx: &Context<'_>,
    count: usize,
    object: impl Fn(usize) -> (Identity<'n>, OriginId),
) -> Vec<Finding> {
    let hasher = foldhash::fast::RandomState::default();
    let mut hashes: Vec<(u64, usize)> = (0..count)
        .filter_map(|index| {
            let (identity, at) = object(index);
            // Names that the server makes differ.
            let file = cx.file_of(at).filter(|_| !identity.3.is_empty())?;
            Some((hasher.hash_one((file, identity)), index))
        })
        .collect();
    hashes.sort_unstable();
    let mut findings = Vec::new();
    for same in hashes.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let mut first: HashMap<(Option<FileId>, Identity<'n>), OriginId> = HashMap::default();
        for (_, index) in same {
            let (identity, at) = object(*index);
            let Some(other) = first.insert((cx.file_of(at), identity), at) else { continue };
            first.insert((cx.file_of(at), identity), other);
            let (_, kind, _, name) = identity;
            let message = format!("{kind} `{name}` is in this file twice");
            let diagnostic = Diagnostic::error(Code::SchemaDuplicateObject, message)
                .at(cx.span(at), "")
                .at(cx.span(other), "the first one");
            findings.push(Finding { object: *index, path: String::new(), diagnostic });
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
