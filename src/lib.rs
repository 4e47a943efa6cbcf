//! kiln compiles Kubernetes configuration: a base with overlays goes in, plain YAML comes out.
//!
//! The library is a function of what its [`Reader`] returns and of the [`BuildOptions`]. It reads no environment, clock or
//! network, prints nothing and starts nothing; `clippy.toml` bans the calls that would make it something else. The bytes are those of
//! kustomize 5.8.1.
//!
//! ```
//! use kiln::{BuildOptions, MemoryReader, Output, Session};
//!
//! let mut reader = MemoryReader::new();
//! reader.insert("/app/kustomization.yaml", "namePrefix: dev-\nresources: [settings.yaml]\n");
//! reader.insert("/app/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n");
//! let session = Session::new(&reader);
//! let options = BuildOptions { target: "/app".into(), ..BuildOptions::default() };
//! let build = kiln::build(&session, &options).value.expect("the project has no fault");
//! let yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: dev-settings\n";
//! assert_eq!(build.output, Output::Stream(yaml.to_vec()));
//! ```
//!
//! # A tour, along the data
//!
//! 1. `source` reads files through a [`Reader`], keeps them under a [`FileId`], and decides which files a kustomization may
//!    read. Every byte of every file has one global position.
//! 2. `yaml` turns text into [`Node`]s as kustomize's two YAML libraries do, and a tree into kustomize's bytes. Each key and
//!    each value has an [`OriginId`]: its global position, or a record of the step that wrote it (`provenance`).
//! 3. `resource` knows objects, their ids, and the set of them that a build works on, indexed by present and earlier ids.
//!    `schema` knows which lists have keys and which kinds have no namespace.
//! 4. `project` decodes a kustomization file into what its stages need, each with its place.
//! 5. `pipeline` goes down the tree of kustomizations: resources, generators (`generate`), components, transformers
//!    (`transform`, whose order is one visible list), validators; then finishes at the root: hashes, names, vars, order.
//! 6. `emit` writes the objects, as one stream or as one file each.
//! 7. `git` gives the files of a revision as a [`Reader`], so that a revision is built like a work tree; `diff` compares what
//!    two builds have written.
//!
//! Faults are [`Diagnostic`]s: a stable [`Code`], places, and what to do. They are collected, never printed; [`render`]
//! makes text of them, and [`cli`] alone knows the terminal.

mod blame;
mod build_metadata;
pub mod cli;
mod diagnostic;
mod diff;
mod edit;
mod emit;
mod finish;
mod generate;
mod git;
mod graph;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod pipeline;
mod project;
mod provenance;
mod resource;
mod schema;
mod session;
mod source;
mod template;
mod transform;
mod tree;
mod validate;
mod values;
mod workspace;
mod yaml;

pub use blame::{Field, Place, Source, SourceKind, Tracer, Write};
pub use diagnostic::{
    Code, Diagnostic, IdleEntries, Label, Level, Lints, Severity, TraceStep, render,
};
pub use emit::OutputFile;
pub use project::{Project, ProjectLocation, load_project};
pub use provenance::{
    Derived, Effect, Kept, LogEntry, LogKind, Origin, OriginId, PathError, PathStep, Provenance,
    Step, StepId, StepKind, ValuePath,
};
pub use resource::{Gvk, PreviousId, Resource, ResourceId, ResourceSet};
pub use schema::CrdTypes;
pub use session::{BuildOptions, Layout, Reorder, Session, Templates};
pub use source::{
    CountingReader, DiskReader, EntryKind, FileId, LoadRestriction, MemoryReader, Reader,
    SecretFile, Segment, Segments, SourceFile, SourceMap, Span,
};
pub use workspace::environment_options;
pub use yaml::{Entry, Key, KeyKind, Node, NodeKind, ScalarStyle, Tag};

/// What a run of the compiler gives: a value unless there were errors, and everything that is to be reported.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    /// The value; none if there were errors.
    pub value: Option<T>,
    /// Errors and warnings: errors first, then by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// The bytes of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// One stream of YAML documents.
    Stream(Vec<u8>),
    /// One file for each object.
    Files(Vec<OutputFile>),
}

/// A finished build.
#[derive(Clone, Debug)]
pub struct Build {
    /// The objects, in the order of the output.
    pub resources: ResourceSet,
    /// Where their values come from.
    pub provenance: Provenance,
    /// Their bytes.
    pub output: Output,
    /// What is known of entries that do nothing, if [`BuildOptions::defer_idle`] asks for it.
    pub idle: IdleEntries,
}

/// Builds the kustomization in [`BuildOptions::target`] and everything below it, as `kustomize build` does.
///
/// Trees are walked recursively: a thread that builds what others wrote needs a stack for 1,000 levels of nesting, which is
/// 8 MB with optimizations and several times that without.
///
/// The outcome has a value exactly if there is no error among its diagnostics. The cost is linear in the size of what is read
/// and written.
pub fn build(session: &Session<'_>, options: &BuildOptions) -> Outcome<Build> {
    let mut cx = session::Context::new(session, options);
    let built = pipeline::run(&mut cx).and_then(|resources| {
        let output = match options.layout {
            Layout::Stream => emit::stream(&mut cx, &resources).map(Output::Stream),
            Layout::FilePerObject => emit::files(&mut cx, &resources).map(Output::Files),
        };
        Ok((resources, output?))
    });
    let session::Context { mut sink, provenance, .. } = cx;
    let idle = if options.defer_idle { sink.take_idle() } else { IdleEntries::default() };
    let diagnostics = sink.into_sorted(session.sources(), &options.lints);
    // A warning that is denied is an error like any other.
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let built = built.ok().filter(|_| !failed);
    let value = built.map(|(resources, output)| Build { resources, provenance, output, idle });
    Outcome { value, diagnostics }
}
