//! kiln
mod build_metadata;
pub mod cli;
mod diagnostic;
mod emit;
mod finish;
mod generate;
mod pipeline;
mod project;
mod provenance;
mod resource;
mod schema;
mod session;
mod source;
mod transform;
mod yaml;

pub use diagnostic::{Code, Diagnostic, Label, Severity, TraceStep, render};
pub use emit::OutputFile;
pub use provenance::{
    Derived, LogEntry, LogKind, Origin, OriginId, Provenance, Step, StepId, StepKind,
};
pub use resource::{Gvk, PreviousId, Resource, ResourceId, ResourceSet};
pub use session::{BuildOptions, Layout, Reorder, Session};
pub use source::{
    CountingReader, DiskReader, EntryKind, FileId, LoadRestriction, MemoryReader, Reader,
    SourceFile, SourceMap, Span,
};
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
}

/// Builds a kustomization.
pub fn build(session: &Session<'_>, options: &BuildOptions) -> Outcome<Build> {
    let mut cx = session::Context::new(session, options);
    let built = pipeline::run(&mut cx).and_then(|resources| {
        let output = match options.layout {
            Layout::Stream => emit::stream(&mut cx, &resources).map(Output::Stream),
            Layout::FilePerObject => emit::files(&mut cx, &resources).map(Output::Files),
        };
        Ok((resources, output?))
    });
    let session::Context { sink, provenance, .. } = cx;
    let value = built.ok().map(|(resources, output)| Build { resources, provenance, output });
    Outcome { value, diagnostics: sink.into_sorted(session.sources()) }
}
