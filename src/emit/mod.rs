//! Output: the order of the objects and their bytes.
//!
//! Comes in: the finished set. Goes out: one stream of documents, or one file per object with kustomize's names
//! (`kustomize/commands/build/writer.go`).

mod order;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ecow::EcoString;

use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::provenance::OriginId;
use crate::resource::{NOT_NAMESPACED, Resource, ResourceSet};
use crate::session::{Context, WORKER_STACK_BYTES};
use crate::yaml::{ViewFault, write_decoded_document, write_document_and_compare};

pub(crate) use order::sort;

/// A file of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// The name of the file.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Returns the objects as one stream of documents.
pub(crate) fn stream(cx: &mut Context<'_>, set: &ResourceSet) -> Fallible<Vec<u8>> {
    let resources: Vec<&Resource> = set.iter().collect();
    let is_large = cx.sources().total_bytes() >= MIN_BYTES_FOR_THREADS;
    let jobs = if is_large { cx.options.jobs.max(1) } else { 1 };
    let parts = write_parts(&resources, jobs);
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.bytes.len() + 4).sum());
    let mut result = Ok(());
    for part in parts {
        if !out.is_empty() && !part.bytes.is_empty() {
            out.extend_from_slice(SEPARATOR);
        }
        out.extend_from_slice(&part.bytes);
        for (resource, at) in part.changed {
            warn_of_text(cx, resource, at);
        }
        for (resource, fault) in part.faults {
            result = Err(unwritable(cx, resource, &fault));
        }
    }
    result.map(|()| out)
}

const SEPARATOR: &[u8] = b"---\n";

/// What was made of less input is not worth a thread.
const MIN_BYTES_FOR_THREADS: u32 = 128 << 10;

/// So many shares of the objects for each thread: one `CustomResourceDefinition` can be larger than all other objects.
const SHARES_PER_THREAD: usize = 16;

/// Some of the documents of a stream.
#[derive(Default)]
struct Part<'r> {
    bytes: Vec<u8>,
    /// The texts that are not what they were.
    changed: Vec<(&'r Resource, OriginId)>,
    faults: Vec<(&'r Resource, ViewFault)>,
}

/// Returns the documents of all objects in order, written by several threads.
fn write_parts<'r>(resources: &[&'r Resource], jobs: usize) -> Vec<Part<'r>> {
    if jobs < 2 {
        return vec![write_part(resources)];
    }
    let size = resources.len().div_ceil(jobs * SHARES_PER_THREAD).max(1);
    let shares: Vec<_> = resources.chunks(size).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(share) = shares.get(index) else { return done };
            done.push((index, write_part(share)));
        }
    };
    let mut parts = thread::scope(|scope| {
        let workers: Vec<_> = (1..jobs.min(shares.len()))
            .map_while(|_| {
                // A thread that cannot be started is no fault: the others do its work.
                let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
                builder.spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut parts = work();
        for worker in workers {
            parts.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        parts
    });
    parts.sort_by_key(|(index, _)| *index);
    parts.into_iter().map(|(_, part)| part).collect()
}

fn write_part<'r>(resources: &[&'r Resource]) -> Part<'r> {
    let mut part = Part::default();
    for &resource in resources {
        if !part.bytes.is_empty() {
            part.bytes.extend_from_slice(SEPARATOR);
        }
        match write_document_and_compare(resource.node(), &mut part.bytes) {
            Ok(changed) => part.changed.extend(changed.into_iter().map(|at| (resource, at))),
            Err(fault) => part.faults.push((resource, fault)),
        }
    }
    part
}

fn warn_of_text(cx: &mut Context<'_>, resource: &Resource, at: OriginId) {
    let message =
        format!("the folded text of `{}` has other line breaks in the output", resource.id());
    let d = Diagnostic::warning(Code::YamlTextChanged, message).at(cx.span(at), "this text");
    cx.warn(d.help("write the text as a literal block (`|`)"));
}

fn unwritable(cx: &mut Context<'_>, resource: &Resource, fault: &ViewFault) -> Reported {
    let mut diagnostic = cx.view_fault_diagnostic(fault);
    if diagnostic.labels.is_empty() {
        diagnostic = diagnostic.at(cx.span(resource.node().origin()), "in this object");
    }
    cx.fail(diagnostic)
}

/// Returns the objects as one file each. Of two objects with one file name, the later one stays.
pub(crate) fn files(cx: &mut Context<'_>, set: &ResourceSet) -> Fallible<Vec<OutputFile>> {
    let namespaces: std::collections::BTreeSet<&str> =
        set.iter().map(|r| r.id().effective_namespace()).filter(|n| *n != NOT_NAMESPACED).collect();
    let mut files = std::collections::BTreeMap::new();
    let mut result = Ok(());
    for resource in set {
        let mut bytes = Vec::new();
        if let Err(fault) = write_decoded_document(resource.node(), &mut bytes) {
            result = Err(unwritable(cx, resource, &fault));
        }
        files.insert(file_name(resource, namespaces.len() > 1), bytes);
    }
    result.map(|()| files.into_iter().map(|(name, bytes)| OutputFile { name, bytes }).collect())
}

fn file_name(resource: &Resource, several_namespaces: bool) -> String {
    let id = resource.id();
    let mut parts: Vec<&str> = Vec::with_capacity(5);
    if several_namespaces && !id.cluster_scoped {
        parts.push(id.effective_namespace());
    }
    parts.extend(
        [&id.gvk.group, &id.gvk.version, &id.gvk.kind]
            .into_iter()
            .map(EcoString::as_str)
            .filter(|p| !p.is_empty()),
    );
    parts.push(&id.name);
    format!("{}.yaml", parts.join("_").to_lowercase())
}
