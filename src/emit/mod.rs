//! Output: the order of the objects and their bytes.
//!
//! Comes in: the finished set. Goes out: one stream of documents, or one file per object with kustomize's names
//! (`kustomize/commands/build/writer.go`).

mod order;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use ecow::EcoString;

use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::provenance::OriginId;
use crate::resource::{NOT_NAMESPACED, Resource, ResourceSet};
use crate::session::{Context, WORKER_STACK_BYTES};
use crate::yaml::{ViewFault, Written, write_decoded_document, write_document_and_compare};

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
    let stream = write_all(&resources, &cx.written, jobs);
    for (resource, at) in stream.changed {
        warn_of_text(cx, resource, at);
    }
    let mut result = Ok(stream.bytes);
    for (resource, fault) in stream.faults {
        result = Err(unwritable(cx, resource, &fault));
    }
    result
}

const SEPARATOR: &[u8] = b"---\n";

/// What was made of less input is not worth a thread.
const MIN_BYTES_FOR_THREADS: u32 = 128 << 10;

/// So many shares of the objects for each thread: one `CustomResourceDefinition` can be larger than all other objects.
const SHARES_PER_THREAD: usize = 16;

/// Documents of a stream.
#[derive(Default)]
struct Stream<'r> {
    bytes: Vec<u8>,
    /// The texts that are not what they were.
    changed: Vec<(&'r Resource, OriginId)>,
    faults: Vec<(&'r Resource, ViewFault)>,
}

impl<'r> Stream<'r> {
    fn write(&mut self, resources: &[&'r Resource], shared: &[Arc<Written>]) {
        for &resource in resources {
            if !self.bytes.is_empty() {
                self.bytes.extend_from_slice(SEPARATOR);
            }
            match write_document_and_compare(resource.node(), shared, &mut self.bytes) {
                Ok(changed) => self.changed.extend(changed.into_iter().map(|at| (resource, at))),
                Err(fault) => self.faults.push((resource, fault)),
            }
        }
    }

    fn append(&mut self, mut other: Self) {
        if !self.bytes.is_empty() && !other.bytes.is_empty() {
            self.bytes.extend_from_slice(SEPARATOR);
        }
        self.bytes.append(&mut other.bytes);
        self.changed.append(&mut other.changed);
        self.faults.append(&mut other.faults);
    }
}

/// Writes all objects in order, in shares that several threads take. A share is appended as soon as those before it are
/// there, so that the stream is not in memory twice.
fn write_all<'r>(resources: &[&'r Resource], shared: &[Arc<Written>], jobs: usize) -> Stream<'r> {
    let mut stream = Stream::default();
    if jobs < 2 {
        stream.write(resources, shared);
        return stream;
    }
    let size = resources.len().div_ceil(jobs * SHARES_PER_THREAD).max(1);
    let shares: Vec<_> = resources.chunks(size).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let share = shares.get(index)?;
        let mut written = Stream::default();
        written.write(share, shared);
        Some((index, written))
    };
    let (done, finished) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 1..jobs.min(shares.len()) {
            let done = done.clone();
            let work = move || {
                // Nobody waits for a share only if a thread has panicked, which ends the build.
                while take().is_some_and(|share| done.send(share).is_ok()) {}
            };
            // A thread that cannot be started is no fault: the others do its work.
            let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
            if builder.spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        drop(done);
        let (mut waiting, mut count) = (BTreeMap::new(), 0);
        loop {
            let own = take();
            let is_last = own.is_none();
            waiting.extend(own);
            waiting.extend(finished.try_iter());
            while let Some(share) = waiting.remove(&count) {
                stream.append(share);
                count += 1;
            }
            if is_last {
                break;
            }
        }
        waiting.extend(finished);
        for share in waiting.into_values() {
            stream.append(share);
        }
    });
    stream
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
    let mut files = BTreeMap::new();
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
