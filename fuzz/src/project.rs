//! A project in one text, and what must hold for every build.
//!
//! A line `=== path` begins a file, `=== path -> target` is a symbolic link, and what stands before the first such line is
//! `kustomization.yaml`. A line `>>> build DIR ...` among these gives the arguments, as in a fixture's `case.toml`.

use std::path::{Component, Path, PathBuf};

use kiln::{
    BuildOptions, Diagnostic, Layout, LoadRestriction, MemoryReader, Output, Reader, Reorder,
    Session, Severity, SourceMap, Span,
    render::{self, RenderOptions},
};

const ROOT: &str = "/p";

/// Files, and how to build them.
pub struct Project {
    /// Paths and contents, and links with their targets.
    files: Vec<(String, Option<String>, Vec<u8>)>,
    reader: MemoryReader,
    options: BuildOptions,
}

/// What a build gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Built {
    /// The bytes; none if there were errors.
    pub output: Option<Output>,
    /// The rendered diagnostics.
    pub diagnostics: String,
}

impl Default for Project {
    fn default() -> Self {
        let options = BuildOptions {
            target: ROOT.into(),
            shown_from: ROOT.into(),
            ..BuildOptions::default()
        };
        Self { files: Vec::new(), reader: MemoryReader::new(), options }
    }
}

impl Project {
    /// Returns the project that a text describes.
    pub fn parse(data: &[u8]) -> Self {
        let mut project = Self::default();
        let mut path = "kustomization.yaml".to_owned();
        let mut content = Vec::new();
        for line in data.split_inclusive(|&b| b == b'\n') {
            if let Some(name) = line.strip_prefix(b"=== ") {
                project.insert(&path, std::mem::take(&mut content));
                path = String::from_utf8_lossy(name).trim().to_owned();
            } else if let Some(args) = line.strip_prefix(b">>> build ") {
                project.read_arguments(&String::from_utf8_lossy(args));
            } else {
                content.extend_from_slice(line);
            }
        }
        project.insert(&path, content);
        project
    }

    /// Adds a file, or a link for a path as `from -> to`. A path that leaves the project adds nothing.
    pub fn insert(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        let (path, target) = path.split_once(" -> ").map_or((path, None), |(p, t)| (p, Some(t)));
        let Some(at) = inside(path) else { return };
        let content = content.into();
        self.files.push((path.to_owned(), target.map(str::to_owned), content.clone()));
        match target {
            Some(target) => self.reader.link(at, target),
            None => self.reader.insert(at, content),
        }
    }

    fn read_arguments(&mut self, args: &str) {
        let mut args = args.split_whitespace();
        while let Some(arg) = args.next() {
            match arg {
                "-o" => {
                    args.next();
                    self.options.layout = Layout::FilePerObject;
                }
                "--load-restrictor" if args.next() == Some("LoadRestrictionsNone") => {
                    self.options.load_restriction = LoadRestriction::None;
                }
                "--reorder" => {
                    let none = args.next() == Some("none");
                    self.options.reorder = if none { Reorder::None } else { Reorder::Legacy };
                }
                "--enable-managedby-label" => self.options.managed_by_label = true,
                path => {
                    if let Some(path) = inside(path) {
                        self.options.target = path;
                    }
                }
            }
        }
    }

    /// Builds twice, and asserts what holds for every build: the same result, and diagnostics with places that exist.
    pub fn build(&self) -> Built {
        let built = build(&self.reader, &self.options);
        assert_eq!(built, build(&self.reader, &self.options), "a second build differs");
        built
    }

    /// Like [`Project::build`], and asserts that the output can be read, and that building it once more gives the output. A
    /// step may refuse it, as kustomize's does: a list of volumes with an empty string has no names of ConfigMaps.
    pub fn build_stable(&self) -> Built {
        let built = self.build();
        if let Some(Output::Stream(bytes)) = &built.output {
            let mut again = Self::default();
            again.insert("kustomization.yaml", "resources: [out.yaml]\n");
            again.insert("out.yaml", bytes.clone());
            again.options.reorder = Reorder::None;
            let again = again.build();
            let unread = again.diagnostics.contains("[yaml::");
            assert!(!unread, "the output is not read: {}\n{}", again.diagnostics, text(bytes));
            if let Some(Output::Stream(second)) = again.output {
                assert_eq!(text(&second), text(bytes), "the output is not stable");
            }
        }
        built
    }

    /// Writes the files into a directory; what the file system refuses is left out.
    pub fn unpack(&self, directory: &Path) {
        for (path, target, content) in &self.files {
            let path = directory.join(path);
            let _ = std::fs::create_dir_all(path.parent().unwrap_or(directory));
            if target.is_none() {
                let _ = std::fs::write(path, content);
            }
        }
    }

    /// Returns the objects of the build.
    pub fn resources(&self) -> Option<kiln::ResourceSet> {
        let session = Session::new(&self.reader);
        kiln::build(&session, &self.options).value.map(|build| build.resources)
    }
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn inside(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let plain = |c| matches!(c, Component::Normal(_) | Component::CurDir);
    path.components().all(plain).then(|| Path::new(ROOT).join(path))
}

fn build(reader: &dyn Reader, options: &BuildOptions) -> Built {
    let session = Session::new(reader);
    let outcome = kiln::build(&session, options);
    let is_error = |d: &Diagnostic| d.severity == Severity::Error;
    let errors = outcome.diagnostics.iter().filter(|d| is_error(d)).count();
    assert_eq!(outcome.value.is_none(), errors > 0, "a value exactly if there is no error");
    for diagnostic in &outcome.diagnostics {
        check(diagnostic, session.sources());
    }
    let diagnostics = rendered(&outcome.diagnostics, session.sources(), &options.shown_from);
    Built { output: outcome.value.map(|build| build.output), diagnostics }
}

/// Renders diagnostics in every format, and returns the short one.
fn rendered(diagnostics: &[Diagnostic], sources: &SourceMap, from: &Path) -> String {
    let mut options = RenderOptions::plain(from);
    let short = render::short(diagnostics, sources, &options);
    assert_eq!(short.matches('\n').count(), diagnostics.len(), "one line each");
    let github = render::github(diagnostics, sources, &options);
    assert_eq!(github.matches('\n').count(), diagnostics.len(), "one line each");
    let json = render::json(diagnostics, sources, &options);
    assert_eq!(json.trim_end().lines().count(), 1, "one line for all");
    render::full(diagnostics, sources, &options);
    (options.color, options.width, options.show_secrets) = (true, 20, true);
    render::full(diagnostics, sources, &options);
    short
}

fn check(diagnostic: &Diagnostic, sources: &SourceMap) {
    assert!(!diagnostic.message.is_empty(), "{diagnostic:?} says something");
    let primary = diagnostic.labels.iter().filter(|l| l.primary).count();
    assert_eq!(primary, diagnostic.labels.len().min(1), "{diagnostic:?} has one place at fault");
    for span in diagnostic.labels.iter().map(|l| l.span) {
        check_place(span, diagnostic, sources);
    }
    for step in &diagnostic.trace {
        check_place(step.span, diagnostic, sources);
    }
}

fn check_place(span: Span, diagnostic: &Diagnostic, sources: &SourceMap) {
    let file = sources.file(span.file).expect("a place is in a file of the run");
    let length = file.bytes().len() as u32;
    assert!(span.start <= span.end && span.end <= length, "{diagnostic:?} is not in its file");
    let (outer, offset) = sources
        .locate_on_disk(file.base() + span.start)
        .expect("a place leads back to a file that was read");
    assert!(offset as usize <= outer.bytes().len(), "{diagnostic:?} is not in its outer file");
    let at = outer.line_column(offset);
    assert!(at.line >= 1 && at.column >= 1, "lines and columns count from one");
}
