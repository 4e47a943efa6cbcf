//! One side of a comparison: the work tree or a revision, with its own project file and environments.
//!
//! Only errors count here: warnings are what `build`, `render` and `validate` are for, and their levels do not decide whether
//! a difference can be shown.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::build::{ProjectChoice, Surroundings};
use super::{CommandError, validate};
use crate::diagnostic::render::{self, RenderOptions};
use crate::diagnostic::{Code, Diagnostic};
use crate::diff::Snapshot;
use crate::diff::format::SideName;
use crate::git::{GitError, Repository, Revision, RevisionReader};
use crate::project::{Environment, Project, has_kustomization};
use crate::session::{Context, git_error};
use crate::source::{EntryKind, SourceFile, clean, display_path, join};
use crate::validate::manifests;
use crate::values::ValueArgs as Values;
use crate::workspace::{self, Target};
use crate::{
    Build, BuildOptions, DiskReader, Lints, Outcome, ProjectLocation, Reader, Session, Severity,
};

/// Where the files of a side are.
pub(super) enum Files {
    /// In the work tree.
    Disk,
    /// In a commit.
    Revision(Box<RevisionReader>),
}

impl Files {
    pub(super) fn reader(&self) -> &dyn Reader {
        match self {
            Self::Disk => &DiskReader,
            Self::Revision(reader) => reader.as_ref(),
        }
    }

    /// Returns what was wrong with the repository.
    pub(super) fn fault(&self) -> Option<GitError> {
        match self {
            Self::Disk => None,
            Self::Revision(reader) => reader.fault(),
        }
    }
}

/// The two sides of a comparison of revisions.
pub(super) struct Revisions {
    pub(super) from: (SideName, Files),
    pub(super) to: (SideName, Files),
}

/// Whether a revision is compared from its common ancestor with `HEAD`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    MergeBase,
    Tip,
}

impl Revisions {
    /// Reads `REV`, `A..B` or `A...B`. `directory`: where the repository is looked for, absolute.
    pub(super) fn read(text: &str, from: From, directory: &Path) -> Result<Self, GitError> {
        let repository = Repository::discover(directory)?;
        let commit = |name: &str| repository.resolve(if name.is_empty() { "HEAD" } else { name });
        let named = |name: &str, revision: Revision| SideName {
            name: if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() },
            revision: Some(revision.id()),
        };
        let files = |revision| -> Result<Files, GitError> {
            Ok(Files::Revision(Box::new(repository.reader(revision)?)))
        };
        // The base of two revisions goes by the name of the one only if it is that one.
        let base_name = |name: &str, tip: Revision, base: Revision| {
            let mut side = named(name, base);
            if base != tip {
                side.name = format!("merge base with {}", side.name);
            }
            side
        };
        if let Some((a, b)) = text.split_once("...") {
            let (one, other) = (commit(a)?, commit(b)?);
            let base = repository.merge_base(one, other)?;
            return Ok(Self {
                from: (base_name(a, one, base), files(base)?),
                to: (named(b, other), files(other)?),
            });
        }
        if let Some((a, b)) = text.split_once("..") {
            let (one, other) = (commit(a)?, commit(b)?);
            return Ok(Self {
                from: (named(a, one), files(one)?),
                to: (named(b, other), files(other)?),
            });
        }
        let tip = commit(text)?;
        let head = || commit("HEAD");
        let base = match from {
            From::MergeBase => repository.merge_base(tip, head()?)?,
            From::Tip => tip,
        };
        let to = if repository.is_bare() {
            let head = head()?;
            (named("HEAD", head), files(head)?)
        } else {
            (SideName { name: "work tree".to_owned(), revision: None }, Files::Disk)
        };
        Ok(Self { from: (base_name(text, tip, base), files(base)?), to })
    }
}

/// One side, with its project.
pub(super) struct Side<'r> {
    pub(super) session: Session<'r>,
    pub(super) project: Project,
    pub(super) name: SideName,
    files: &'r Files,
    /// The directory that relative paths start from, symbolic links resolved.
    directory: PathBuf,
    /// Where environments are looked for without a project file, and where their paths start.
    root: PathBuf,
    around: &'r Surroundings<'r>,
    /// A fault of the repository was reported, where it was met.
    said_git_fault: AtomicBool,
}

/// What a side compiles.
#[derive(Clone, Debug)]
pub(super) enum Unit {
    /// An environment or a directory with a kustomization.
    Target(Box<Target>),
    /// Files or a folder of objects.
    Objects(Vec<PathBuf>, Named),
    /// Objects from stdin.
    Stdin,
}

/// How a file was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Itself,
    ByItsFolder,
}

impl<'r> Side<'r> {
    /// Reads the project of a side; none if it has faults, which are reported. `above`: where the project file is looked for, if
    /// not from the working directory.
    pub(super) fn open(
        name: SideName,
        files: &'r Files,
        above: Option<&Path>,
        around: &'r Surroundings<'r>,
    ) -> Option<Self> {
        let session = Session::new(files.reader());
        // The directory exists on the disk, which is where kiln was started.
        let given = around.terminal.directory.as_path();
        let directory = DiskReader.canonicalize(given).unwrap_or_else(|_| clean(given));
        let start = above.map_or_else(|| directory.clone(), |above| directory.join(above));
        // A revision may lack the directory, but not those above it.
        let start = start.ancestors().find(|path| files.reader().canonicalize(path).is_ok());
        let start = start.unwrap_or(Path::new("/")).to_path_buf();
        let location = match &around.project {
            ProjectChoice::Without => None,
            ProjectChoice::Nearest => Some(ProjectLocation::Above(&start)),
            ProjectChoice::File(file) => Some(ProjectLocation::File(file)),
        };
        let loaded = location.map(|at| crate::load_project(&session, at, given, false));
        let loaded =
            loaded.unwrap_or(Outcome { value: Some(Project::default()), diagnostics: Vec::new() });
        let project = loaded.value.unwrap_or_default();
        let root = project.root().unwrap_or(&directory).to_path_buf();
        let side = Self {
            session,
            project,
            name,
            files,
            directory,
            root,
            around,
            said_git_fault: AtomicBool::new(false),
        };
        let failed = loaded.diagnostics.iter().any(|d| d.severity == Severity::Error);
        side.report(loaded.diagnostics);
        (!failed).then_some(side)
    }

    /// Prints the errors among diagnostics, which say at which revision they are.
    pub(super) fn report(&self, diagnostics: Vec<Diagnostic>) {
        let errors: Vec<Diagnostic> = diagnostics
            .into_iter()
            .filter(|d| d.severity == Severity::Error)
            .map(|mut d| {
                if self.name.revision.is_some() {
                    let _ = write!(d.message, ", at {}", self.name.text());
                }
                d
            })
            .collect();
        self.excuse(&errors);
        self.around.terminal.report(&errors, self.session.sources());
    }

    /// Returns the first error on one line, without secrets.
    pub(super) fn first_error(&self, diagnostics: &[Diagnostic]) -> (String, String) {
        let Some(first) = diagnostics.iter().find(|d| d.severity == Severity::Error) else {
            return (String::new(), "it does not compile".to_owned());
        };
        let look = RenderOptions::plain(&self.around.terminal.directory);
        let text = render::short(std::slice::from_ref(first), self.session.sources(), &look);
        let line = text.lines().next().unwrap_or_default();
        let code = first.code.name();
        let label = format!("error[{code}] ");
        (code.to_owned(), line.replacen(&label, "", 1))
    }

    fn options(&self, jobs: usize) -> BuildOptions {
        BuildOptions {
            shown_from: self.around.terminal.directory.clone(),
            jobs,
            ..BuildOptions::default()
        }
    }

    /// Returns all environments.
    pub(super) fn environments(&self) -> Outcome<Vec<Environment>> {
        let shown_from = &self.around.terminal.directory;
        let lints = Lints::default();
        workspace::environments(&self.session, &self.project, &self.root, &[], shown_from, &lints)
    }

    /// Returns the directory of an environment, if it is there.
    pub(super) fn target_of(&self, environment: &Environment) -> Target {
        Target {
            directory: join(&self.root, Path::new(&environment.path)),
            environment: Some(environment.clone()),
        }
    }

    /// Finds out what a target of the command line means on this side; none if there is no such thing here.
    pub(super) fn target(&self, target: &str) -> Outcome<Target> {
        let lints = Lints::default();
        let found = workspace::resolve_target(
            &self.session,
            &self.project,
            target,
            &self.directory,
            &lints,
        );
        let is_there = |found: &Target| {
            self.session.reader().canonicalize(&found.directory).is_ok_and(|path| {
                matches!(self.session.reader().kind(&path), Ok(EntryKind::Directory))
            })
        };
        Outcome { value: found.value.filter(is_there), diagnostics: found.diagnostics }
    }

    /// Finds out what `--from` or `--to` names.
    pub(super) fn unit(&self, target: &str) -> Result<Unit, Vec<Diagnostic>> {
        let path = self.directory.join(target);
        if target == "-" {
            return Ok(Unit::Stdin);
        }
        if path.is_file() {
            return Ok(Unit::Objects(vec![path], Named::Itself));
        }
        let is_environment =
            |environment: &Environment| clean(&self.root.join(&environment.path)) == clean(&path);
        let is_folder = path.is_dir()
            && !has_kustomization(&DiskReader, &path)
            && !self.project.environments.iter().any(is_environment);
        if is_folder {
            return Ok(Unit::Objects(validate::files::manifests(&path), Named::ByItsFolder));
        }
        let found = self.target(target);
        match found.value {
            Some(target) => Ok(Unit::Target(Box::new(target))),
            None if found.diagnostics.is_empty() => {
                let message = format!("`{target}` does not exist");
                Err(vec![Diagnostic::error(Code::FileMissing, message)])
            }
            None => Err(found.diagnostics),
        }
    }

    /// Compiles a target.
    pub(super) fn build(&self, target: &Target, values: &Values, jobs: usize) -> Outcome<Build> {
        build_in(&self.session, &self.project, target, values, self.options(jobs))
    }

    /// Compiles or reads what a side compares.
    pub(super) fn snapshot(&self, unit: &Unit, values: &Values, jobs: usize) -> Outcome<Snapshot> {
        match unit {
            Unit::Target(target) => {
                let built = self.build(target, values, jobs);
                let value = built.value.as_ref().map(Snapshot::of_build);
                Outcome { value, diagnostics: built.diagnostics }
            }
            Unit::Objects(paths, named) => {
                let mut faults = Vec::new();
                let read = |path: &PathBuf| {
                    self.session.file(path).map_err(|error| {
                        let shown = display_path(path, &self.directory);
                        let message = format!("`{shown}` cannot be read: {error}");
                        Diagnostic::error(Code::FileUnreadable, message)
                    })
                };
                let mut files = Vec::new();
                for path in paths {
                    match read(path) {
                        Ok(file) => files.push(file),
                        Err(fault) => faults.push(fault),
                    }
                }
                self.objects(&files, *named, faults)
            }
            Unit::Stdin => {
                let mut bytes = Vec::new();
                let read = io::stdin().lock().read_to_end(&mut bytes);
                let added = read.map_err(|error| error.to_string()).and_then(|_| {
                    let added = self.session.sources().add(PathBuf::from("<stdin>"), bytes.into());
                    added.map_err(|_| "more than 2 GiB of input in one run".to_owned())
                });
                match added {
                    Ok(file) => self.objects(&[file], Named::Itself, Vec::new()),
                    Err(error) => {
                        let message = format!("stdin cannot be read: {error}");
                        let fault = Diagnostic::error(Code::FileUnreadable, message);
                        Outcome { value: None, diagnostics: vec![fault] }
                    }
                }
            }
        }
    }

    fn objects(
        &self,
        files: &[Arc<SourceFile>],
        named: Named,
        mut faults: Vec<Diagnostic>,
    ) -> Outcome<Snapshot> {
        let options = self.options(1);
        let cx = Context::new(&self.session, &options);
        let mut objects = Vec::new();
        for file in files {
            match manifests::read(&cx, file) {
                Ok(found) => {
                    // In a folder lie other files, too.
                    let other = found.not_an_object.filter(|_| named == Named::Itself);
                    faults.extend(other.map(|node| manifests::not_an_object(&cx, &node)));
                    objects.extend(found.objects);
                }
                Err(fault) => faults.push(*fault),
            }
        }
        let value = faults.is_empty().then(|| Snapshot::of_objects(objects));
        Outcome { value, diagnostics: faults }
    }

    /// Returns whether the repository is at fault, and reports it if that was not done where it was met. Files that a revision
    /// does not hold are a fault only of what needs them, if that has said so.
    pub(super) fn has_git_fault(&self) -> bool {
        let is_said = self.said_git_fault.load(Ordering::Relaxed);
        let fault = self.files.fault().filter(|fault| !(is_said && fault.is_of_files()));
        if let Some(fault) = fault.as_ref().filter(|_| !is_said) {
            self.around.terminal.report(&[git_error(fault)], self.session.sources());
        }
        fault.is_some()
    }

    /// Like [`Side::has_git_fault`], whatever files a revision does not hold.
    pub(super) fn has_broken_repository(&self) -> bool {
        self.files.fault().is_some_and(|fault| !fault.is_of_files()) && self.has_git_fault()
    }

    /// Notes faults that are not reported, since nothing depends on them.
    pub(super) fn excuse(&self, faults: &[Diagnostic]) {
        if faults.iter().any(|d| d.code.name().starts_with("git::")) {
            self.said_git_fault.store(true, Ordering::Relaxed);
        }
    }
}

/// Compiles a target. Levels of warnings do not count.
pub(super) fn build_in(
    session: &Session<'_>,
    project: &Project,
    target: &Target,
    values: &Values,
    options: BuildOptions,
) -> Outcome<Build> {
    let prepared = workspace::prepare(session, project, target, values, options);
    let mut diagnostics = prepared.diagnostics;
    let Some(mut prepared) = prepared.value else { return Outcome { value: None, diagnostics } };
    prepared.options.lints = Lints::default();
    prepared.options.defer_idle = true;
    let outcome = crate::build(session, &prepared.options);
    diagnostics.extend(outcome.diagnostics);
    Outcome { value: outcome.value, diagnostics }
}

/// Prints a fault of the repository.
pub(super) fn report_git(error: &GitError, around: &Surroundings<'_>) {
    let session = Session::new(&DiskReader);
    around.terminal.report(&[git_error(error)], session.sources());
}

/// The error of a command line that reads stdin twice.
pub(super) fn stdin_twice() -> CommandError {
    CommandError::Usage("only one of `--from` and `--to` can be stdin".to_owned())
}
