//! What builds share, and what one build carries along.
//!
//! A [`Session`] holds the [`Reader`], every file that was read and every document that was parsed, so that overlays of one
//! base read it once. A [`Context`] is one build: its options, its diagnostics, its provenance, the schemas that hold in
//! it, and the route of kustomizations to where it stands. Faults of the rooms below become diagnostics here.

mod faults;
mod options;
mod threads;

use std::any::Any;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::diagnostic::{Code, Diagnostic, Fallible, Label, Reported, Sink, TraceStep};
use crate::provenance::{OriginId, Provenance, ProvenanceSpace, Recorder, StepKind};
use crate::resource::{ReadFault, Scopes, read_objects};
use crate::schema::{CrdTypes, Schemas};
use crate::source::{
    FileId, LoadError, LoadRestriction, Loader, Print, Reader, Segment, Segments, SourceFile,
    SourceMap, Span,
};
use crate::yaml::{
    Dialect, Node, ScalarStyle, SyntaxError, Tag, Written, is_yaml_1_1_non_string, parse_document,
    scalar_segments, token_end,
};

pub(crate) use faults::{git_error, json_error, pattern_error, syntax_error};
pub use options::{BuildOptions, Layout, Reorder, Templates};
pub(crate) use threads::{in_order, in_parallel};

/// A string of a kustomization and its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) value: ecow::EcoString,
    pub(crate) at: OriginId,
}

impl Text {
    pub(crate) fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.value
    }
}

/// Fewer files, or files that hold less together, are not worth a thread.
const MIN_FILES_AHEAD: usize = 4;
const MIN_READS_AHEAD: usize = 64;
const MIN_BYTES_AHEAD: usize = 64 << 10;

/// The stack of a thread that parses, in bytes: enough for the deepest text where nothing is optimized.
pub(crate) const WORKER_STACK_BYTES: usize = 512 << 20;

/// What of a build decides about a kustomization that another one names: its directory, and what of the options counts there.
pub(crate) type BaseKey = (PathBuf, LoadRestriction, PathBuf, Option<Vec<PathBuf>>);

/// What the pipeline keeps of such a kustomization.
pub(crate) type Base = Arc<dyn Any + Send + Sync>;

/// A rendered template, or why there is none.
type RenderedFile = Result<Arc<SourceFile>, Box<Diagnostic>>;

/// The objects of a file, once somebody has asked for them.
type Objects = Arc<OnceLock<Arc<Result<Vec<Node>, ReadFault>>>>;
type Document = Arc<Result<Option<Node>, DocumentFault>>;

/// Why a text does not hold a YAML document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DocumentFault {
    NotUtf8(usize),
    Syntax(SyntaxError),
}

/// Files and documents that builds share. Thread-safe.
pub struct Session<'r> {
    reader: &'r dyn Reader,
    sources: SourceMap,
    files: Mutex<HashMap<PathBuf, Arc<SourceFile>>>,
    objects: Mutex<HashMap<FileId, Objects>>,
    documents: Mutex<HashMap<FileId, Document>>,
    /// What is kept of the kustomizations that others name, by [`BaseKey`]. Their shape is the pipeline's.
    bases: Mutex<HashMap<BaseKey, Base>>,
    /// Definitions of custom resources, by the files and folders that were named.
    custom_resources: Mutex<HashMap<Vec<PathBuf>, Arc<CrdTypes>>>,
    provenance: Arc<ProvenanceSpace>,
    /// The files whose objects were handed over without being kept; none if all objects are kept.
    handed_over: Option<Mutex<HashSet<FileId>>>,
}

impl<'r> Session<'r> {
    /// Returns a session that reads through `reader`.
    pub fn new(reader: &'r dyn Reader) -> Self {
        Self {
            reader,
            sources: SourceMap::default(),
            files: Mutex::default(),
            objects: Mutex::default(),
            documents: Mutex::default(),
            bases: Mutex::default(),
            custom_resources: Mutex::default(),
            provenance: Arc::default(),
            handed_over: None,
        }
    }

    /// Returns a session for one build. It does not keep objects that are asked for once, which most are, so that they
    /// can be changed in place; those that come a second time are parsed again and kept then.
    pub fn for_one_build(reader: &'r dyn Reader) -> Self {
        Self { handed_over: Some(Mutex::default()), ..Self::new(reader) }
    }

    /// Returns the files that were read.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    pub(crate) fn reader(&self) -> &'r dyn Reader {
        self.reader
    }

    fn known_files(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<SourceFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn file(&self, path: &Path) -> Result<Arc<SourceFile>, LoadError> {
        let mut files = self.known_files();
        if let Some(file) = files.get(path) {
            return Ok(Arc::clone(file));
        }
        let failed = |error| LoadError::Io { path: path.to_path_buf(), error };
        let bytes = self.reader.read(path).map_err(failed)?;
        self.add_file(&mut files, path, bytes)
    }

    fn add_file(
        &self,
        files: &mut HashMap<PathBuf, Arc<SourceFile>>,
        path: &Path,
        bytes: Vec<u8>,
    ) -> Result<Arc<SourceFile>, LoadError> {
        let added = self.sources.add(path.to_path_buf(), bytes.into());
        let file = added.map_err(|_| LoadError::TooMuchInput(path.to_path_buf()))?;
        files.insert(path.to_path_buf(), Arc::clone(&file));
        Ok(file)
    }

    /// Reads files with several threads. They get their positions in the order of the paths, whatever the threads do. None
    /// for what cannot be read: who asks for it alone learns why.
    fn read_ahead(&self, paths: &[Option<PathBuf>], jobs: usize) -> Vec<Option<Arc<SourceFile>>> {
        let read = in_parallel(paths.len(), jobs, |index| {
            let path = paths[index].as_ref()?;
            if self.known_files().contains_key(path) { None } else { self.reader.read(path).ok() }
        });
        let mut files = self.known_files();
        let added = paths.iter().zip(read).map(|(path, bytes)| {
            let path = path.as_ref()?;
            match (files.get(path), bytes) {
                (Some(known), _) => Some(Arc::clone(known)),
                (None, Some(bytes)) => self.add_file(&mut files, path, bytes).ok(),
                (None, None) => None,
            }
        });
        added.collect()
    }

    /// Returns the text behind a flag of the command line as a file of its own.
    pub(crate) fn text_of_flag(
        &self,
        flag: &str,
        text: &str,
    ) -> Result<Arc<SourceFile>, LoadError> {
        let path = PathBuf::from(flag);
        let added = self.sources.add(path.clone(), text.as_bytes().into());
        added.map_err(|_| LoadError::TooMuchInput(path))
    }

    fn known_objects(&self) -> MutexGuard<'_, HashMap<FileId, Objects>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn objects(&self, file: &SourceFile) -> Arc<Result<Vec<Node>, ReadFault>> {
        let objects = Arc::clone(self.known_objects().entry(file.id()).or_default());
        // Not under the lock of the table: other threads parse other files.
        Arc::clone(objects.get_or_init(|| {
            let objects = read_objects(file.bytes(), file.base());
            Arc::new(objects.and_then(|objects| match retyped(&objects, file) {
                Some(at) => Err(ReadFault::Retyped(at)),
                None => Ok(objects),
            }))
        }))
    }

    /// Like [`Session::objects`], for objects that will be changed.
    fn own_objects(&self, file: &SourceFile) -> Result<Vec<Node>, ReadFault> {
        let objects = self.objects(file);
        if let Some(handed_over) = &self.handed_over {
            let mut files = handed_over.lock().unwrap_or_else(PoisonError::into_inner);
            if files.insert(file.id()) {
                self.known_objects().remove(&file.id());
            }
        }
        Arc::try_unwrap(objects).unwrap_or_else(|shared| shared.as_ref().clone())
    }

    /// Returns what is kept of a kustomization that others name, if the session keeps any.
    pub(crate) fn base(&self, key: &BaseKey) -> Option<Base> {
        self.known_bases().get(key).cloned()
    }

    /// Keeps what was made of a kustomization that others name. The first of two that did the same work counts.
    pub(crate) fn keep_base(&self, key: BaseKey, base: Base) -> Base {
        Arc::clone(self.known_bases().entry(key).or_insert(base))
    }

    fn known_bases(&self) -> MutexGuard<'_, HashMap<BaseKey, Base>> {
        self.bases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_custom_resources(&self) -> MutexGuard<'_, HashMap<Vec<PathBuf>, Arc<CrdTypes>>> {
        self.custom_resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the definitions of custom resources that were read from these paths.
    pub(crate) fn custom_resources(&self, paths: &[PathBuf]) -> Option<Arc<CrdTypes>> {
        self.known_custom_resources().get(paths).cloned()
    }

    /// Keeps the definitions that these paths hold.
    pub(crate) fn keep_custom_resources(&self, paths: Vec<PathBuf>, types: &Arc<CrdTypes>) {
        self.known_custom_resources().insert(paths, Arc::clone(types));
    }

    /// Returns whether the session is for more than one build.
    pub(crate) fn keeps_bases(&self) -> bool {
        self.handed_over.is_none()
    }

    fn document(&self, file: &SourceFile) -> Document {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = documents.get(&file.id()) {
            return Arc::clone(known);
        }
        let read = Arc::new(read_document(file.bytes(), file.base()));
        documents.insert(file.id(), Arc::clone(&read));
        read
    }
}

/// How much of a file is looked at to find the end of a token, in bytes.
const LONGEST_TOKEN: usize = 16 << 10;

/// Returns where a string that a template has printed is read as something else than a string.
fn retyped(nodes: &[Node], file: &SourceFile) -> Option<OriginId> {
    if !file.prints().iter().any(|print| print.is_string) {
        return None;
    }
    nodes.iter().find_map(|node| retyped_below(node, file))
}

fn retyped_below(node: &Node, file: &SourceFile) -> Option<OriginId> {
    if node.is_scalar() {
        let offset = node.origin().position()?.checked_sub(file.base())?;
        if node.text().is_empty() && node.is_null() {
            // Nothing but the place where a string without text was printed.
            let is_blank = |end: u32| {
                let between = file.bytes().get(offset as usize..end as usize);
                between.is_some_and(|bytes| bytes.iter().all(|b| *b == b' '))
            };
            let empty = |print: &&Print| print.is_string && print.start == print.end;
            let mut prints = file.prints().iter().filter(empty);
            let found = prints.find(|print| print.start >= offset && is_blank(print.start));
            return found.map(|print| OriginId::written(file.base() + print.start));
        }
        let print = file.print_at(offset)?;
        let is_whole =
            print.start == offset && (print.end - print.start) as usize == node.text().len();
        let is_other = node.style() == ScalarStyle::Plain
            && (node.resolved_tag() != Tag::Str || is_yaml_1_1_non_string(node.text()));
        return (print.is_string && is_whole && is_other).then(|| node.origin());
    }
    let mut entries = node.entries().into_iter().flatten();
    entries
        .find_map(|entry| retyped_below(&entry.value, file))
        .or_else(|| node.elements().into_iter().flatten().find_map(|e| retyped_below(e, file)))
}

fn read_document(bytes: &[u8], base: u32) -> Result<Option<Node>, DocumentFault> {
    let text = std::str::from_utf8(bytes).map_err(|e| DocumentFault::NotUtf8(e.valid_up_to()))?;
    parse_document(text, base, Dialect::V2).map_err(DocumentFault::Syntax)
}

/// One build.
pub(crate) struct Context<'s> {
    pub(crate) session: &'s Session<'s>,
    pub(crate) options: &'s BuildOptions,
    pub(crate) loader: Loader<'s>,
    pub(crate) sink: Sink,
    pub(crate) provenance: Provenance,
    pub(crate) schemas: Schemas,
    pub(crate) scopes: Arc<Scopes>,
    /// The schema that was chosen: a path, or the version of a built-in one.
    pub(crate) schema_choice: Option<String>,
    route: Vec<TraceStep>,
    /// How the bases are written that other builds of the session have, too.
    pub(crate) written: Vec<Arc<Written>>,
    /// The templates that were rendered in this build; the diagnostic of one that could not be.
    rendered: RefCell<HashMap<PathBuf, RenderedFile>>,
    /// The directories of the kustomizations that were entered.
    pub(crate) entered: Vec<PathBuf>,
}

impl<'s> Context<'s> {
    pub(crate) fn new(session: &'s Session<'s>, options: &'s BuildOptions) -> Self {
        let custom_resources = options.custom_resources.as_ref();
        let mut scopes = Scopes::default();
        if let Some(types) = custom_resources {
            types.add_scopes(&mut scopes);
        }
        let mut provenance = Provenance::within(&session.provenance);
        if options.keep_history {
            provenance.keep_values();
        }
        Self {
            session,
            options,
            loader: Loader::new(session.reader(), options.load_restriction, &options.remotes),
            sink: Sink::default(),
            provenance,
            schemas: Schemas::new(custom_resources),
            scopes: Arc::new(scopes),
            schema_choice: None,
            route: Vec::new(),
            written: Vec::new(),
            rendered: RefCell::default(),
            entered: Vec::new(),
        }
    }

    pub(crate) fn sources(&self) -> &'s SourceMap {
        &self.session.sources
    }

    /// Returns the place of the text that an origin leads to.
    pub(crate) fn span(&self, origin: OriginId) -> Option<Span> {
        self.span_at(self.provenance.position(origin)?)
    }

    /// Returns the file that something stands in.
    pub(crate) fn file_of(&self, origin: OriginId) -> Option<FileId> {
        self.sources().file_at(self.provenance.position(origin)?)
    }

    /// Returns the place of the token at a global position.
    pub(crate) fn span_at(&self, position: u32) -> Option<Span> {
        let (file, start) = self.sources().locate(position)?;
        // A label ends with its line: what is far behind the token need not be read.
        let rest = file.bytes().get(start as usize..).unwrap_or_default();
        let mut near = &rest[..rest.len().min(LONGEST_TOKEN)];
        // Only what is quoted goes on in the next line.
        if !near.starts_with(b"\"") && !near.starts_with(b"'") {
            near = &near[..memchr::memchr(b'\n', near).map_or(near.len(), |at| at + 1)];
        }
        let text = match std::str::from_utf8(near) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&near[..error.valid_up_to()]).unwrap_or_default(),
        };
        let end = start + token_end(text, 0) as u32;
        Some(Span { file: file.id(), start, end })
    }

    /// Reports an error, with the route to the present kustomization.
    pub(crate) fn fail(&mut self, mut diagnostic: Diagnostic) -> Reported {
        diagnostic.trace.clone_from(&self.route);
        self.add_value(&mut diagnostic);
        self.sink.report(diagnostic)
    }

    /// Adds the line of the value that a template has printed where a fault is.
    pub(crate) fn add_value(&self, diagnostic: &mut Diagnostic) {
        let Some(span) = diagnostic.primary().map(|label| label.span) else { return };
        let Some(file) = self.sources().file(span.file) else { return };
        // A value in quotes begins with the quote, which the template has.
        let is_quoted = matches!(file.bytes().get(span.start as usize), Some(b'"' | b'\''));
        let inside = || file.print_at(span.start + 1).filter(|_| is_quoted);
        let value = file.print_at(span.start).or_else(inside).and_then(Print::value);
        if let Some(value) = value.and_then(|value| self.span_at(value)) {
            let text = "the value".to_owned();
            diagnostic.labels.push(Label { span: value, text, primary: false });
        }
    }

    /// Reports a warning.
    pub(crate) fn warn(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.trace.clone_from(&self.route);
        self.add_value(&mut diagnostic);
        self.sink.push(diagnostic);
    }

    /// Reports a warning about an entry that does nothing, unless it does something elsewhere in this build.
    pub(crate) fn warn_idle(&mut self, entry: OriginId, mut diagnostic: Diagnostic) {
        diagnostic.trace.clone_from(&self.route);
        self.sink.idle(entry, diagnostic);
    }

    /// Takes over what was found below the present kustomization.
    pub(crate) fn adopt_findings(&mut self, below: &Sink) {
        self.sink.adopt(below, &self.route);
    }

    /// Goes on to what an entry of the present kustomization names.
    pub(crate) fn enter(&mut self, at: OriginId, what: String) {
        match self.span(at) {
            Some(span) => self.route.push(TraceStep { span, what }),
            None => self.route.extend(self.route.last().cloned()),
        }
    }

    /// Comes back from it.
    pub(crate) fn leave(&mut self) {
        self.route.pop();
    }

    /// Begins a step of the build and returns what records its writes.
    pub(crate) fn step(&mut self, kind: StepKind, at: OriginId) -> Recorder<'_> {
        let step = self.provenance.step(kind, at);
        Recorder::new(&mut self.provenance, step)
    }

    /// Reads the file that an entry of the kustomization in `root` names.
    pub(crate) fn file(&mut self, root: &Path, entry: &Text) -> Fallible<Arc<SourceFile>> {
        match self.try_file(root, entry.as_str()) {
            Ok(file) => Ok(file),
            Err(error) => Err(self.load_error(&error, root, entry)),
        }
    }

    /// Like [`Context::file`], for entries that may be something else than a file.
    pub(crate) fn try_file(&self, root: &Path, entry: &str) -> Result<Arc<SourceFile>, LoadError> {
        let path = self.loader.file(root, entry)?;
        match &self.options.templates {
            Some(templates) if templates.is_template(&path) => {
                let file = self.session.file(&path)?;
                let mut rendered = self.rendered.borrow_mut();
                let known = rendered.entry(path.clone());
                let known = known.or_insert_with(|| templates.render(self.session, &file));
                known.clone().map_err(|_| LoadError::Template(path))
            }
            _ => self.session.file(&path),
        }
    }

    /// Returns whether a template was rendered in this build.
    pub(crate) fn has_rendered(&self) -> bool {
        !self.rendered.borrow().is_empty()
    }

    /// Returns why a template could not be rendered.
    pub(crate) fn template_fault(&self, path: &Path) -> Option<Diagnostic> {
        let rendered = self.rendered.borrow();
        rendered.get(path)?.as_ref().err().map(|diagnostic| Diagnostic::clone(diagnostic))
    }

    /// Returns the objects of a file, parsed once in a session.
    pub(crate) fn objects(&mut self, file: &SourceFile) -> Fallible<Vec<Node>> {
        self.session.own_objects(file).map_err(|fault| self.read_fault(&fault, file))
    }

    /// Reads the files among the entries of the kustomization in `root` and parses them with several threads, if that
    /// pays. None for an entry that has to be looked at alone.
    pub(crate) fn read_ahead(&self, root: &Path, entries: &[Text]) -> Vec<Option<Arc<SourceFile>>> {
        let jobs = self.options.jobs;
        if jobs < 2 || entries.len() < MIN_FILES_AHEAD {
            return Vec::new();
        }
        let readers = if entries.len() < MIN_READS_AHEAD { 1 } else { jobs };
        let loader = &self.loader;
        let templates = self.options.templates.as_deref();
        let paths = in_parallel(entries.len(), readers, |index| {
            let path = loader.file(root, entries[index].as_str()).ok()?;
            // A template is rendered where it is named.
            (!templates.is_some_and(|templates| templates.is_template(&path))).then_some(path)
        });
        let files = self.session.read_ahead(&paths, readers);
        let bytes: usize = files.iter().flatten().map(|file| file.bytes().len()).sum();
        if bytes >= MIN_BYTES_AHEAD {
            let session = self.session;
            in_parallel(files.len(), jobs, |index| {
                // Who asks for the objects afterwards finds them.
                files[index].as_ref().map(|file| session.objects(file)).is_some()
            });
        }
        files
    }

    /// Like [`Context::objects`], for texts that may be something else than objects.
    pub(crate) fn try_objects(&self, file: &SourceFile) -> Result<Vec<Node>, ReadFault> {
        self.session.objects(file).as_ref().clone()
    }

    /// Returns the first document of a file by the rules of kustomization files, parsed once in a session.
    pub(crate) fn document(&mut self, file: &SourceFile) -> Fallible<Option<Node>> {
        match self.session.document(file).as_ref() {
            Ok(node) => Ok(node.clone()),
            Err(fault) => Err(self.document_fault(fault, file)),
        }
    }

    /// Returns a text that is written inside a kustomization as a file of its own, whose places lead back there.
    pub(crate) fn inline_file(&mut self, text: &Text) -> Fallible<Arc<SourceFile>> {
        let place = text.at.position().and_then(|p| self.sources().locate(p));
        let Some((file, offset)) = place else {
            let added = self.sources().add(PathBuf::from("-"), text.value.as_bytes().into());
            return added.map_err(|_| self.too_much_input());
        };
        let outer = std::str::from_utf8(file.bytes()).unwrap_or_default();
        let segments = scalar_segments(outer, offset as usize, text.as_str());
        let segment = |(from, outer)| Segment { from, at: outer + file.base(), fixed: false };
        let segments = segments.into_iter().map(segment).collect();
        let bytes = text.value.as_bytes().into();
        let added = self.sources().add_inside(file.path().to_path_buf(), bytes, Segments(segments));
        added.map_err(|_| self.too_much_input())
    }

    /// Returns the objects that a text written inside a kustomization holds.
    pub(crate) fn inline_objects(file: &SourceFile) -> Result<Vec<Node>, ReadFault> {
        read_objects(file.bytes(), file.base())
    }

    fn too_much_input(&mut self) -> Reported {
        self.fail(Diagnostic::error(Code::FileTooLarge, "more than 2 GiB of input in one run"))
    }
}
