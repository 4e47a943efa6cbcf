//! `kiln argocd`: what Argo CD starts when kiln is its config-management plugin.
//!
//! Argo CD deletes what is missing from the output of a plugin that ends with success. So anything that is not certain is an
//! error here: which environment is meant, what a parameter is for, a build without objects. The text on stderr is what its
//! users see of a failure, in one place without colors; it begins with the place and the message of the first error, and
//! paths are those of the repository.

mod announce;
mod application;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{ArgocdArgs, ArgocdCommand, ArgocdGenerateArgs, ErrorFormat};
use super::build::{ProjectChoice, Surroundings};
use super::validate::checker::{Checker, Unit};
use super::{CommandError, Ending, write_stdout};
use crate::diagnostic::render::{self, RenderOptions};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::project::{Environment, Project, Settings};
use crate::schema::{NEWEST_MINOR, OLDEST_MINOR};
use crate::session::Context;
use crate::source::{ConfinedReader, clean, display_path, join};
use crate::values::{Setting, ValueArgs};
use crate::workspace::{self, Prepared, Target};
use crate::{
    Build, BuildOptions, DiskReader, Lints, Output, ProjectLocation, Reader, Session, Severity,
    tree,
};
use application::{Application, ENVIRONMENT, KUBE_VERSION};

/// How many errors are shown; the first ones say what is wrong, and the place is small.
const MAX_ERRORS: usize = 10;
/// How many names of environments a message lists.
const MAX_NAMES: usize = 20;
/// The columns of a report that no terminal shows.
const WIDTH: usize = 120;

pub(super) fn run(args: &ArgocdArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let directory = fs::canonicalize(&around.terminal.directory)
        .map_err(CommandError::io("the working directory cannot be read"))?;
    let read = Application::read(&directory, |name| std::env::var_os(name));
    // A fault in the parameters has no place in a file, so there is nothing to look up.
    let (application, fault) = match read {
        Ok(application) => (application, None),
        Err(fault) => (Application::default(), Some(fault)),
    };
    let disk = DiskReader;
    let confined = application.root.as_ref();
    let confined = confined.map(|root| ConfinedReader::new(&disk, &root.directory));
    let reader = confined.as_ref().map_or(&disk as &dyn Reader, |reader| reader);
    let session = Session::for_one_build(reader);
    let shown_from = application.root.as_ref().map_or(&directory, |root| &root.directory).clone();
    let mut plugin = Plugin {
        session: &session,
        application: &application,
        around,
        directory: &directory,
        shown_from: &shown_from,
        diagnostics: fault.into_iter().collect(),
    };
    let output = match &args.command {
        _ if !plugin.diagnostics.is_empty() => None,
        ArgocdCommand::Generate(args) => plugin.generate(args),
        ArgocdCommand::Parameters => plugin.parameters(),
    };
    plugin.report();
    match output.filter(|_| !plugin.has_failed()) {
        Some(output) => write_stdout(&output).map(|()| Ending::Done),
        None => Ok(Ending::No),
    }
}

struct Plugin<'r> {
    session: &'r Session<'r>,
    application: &'r Application,
    around: &'r Surroundings<'r>,
    /// The path of the Application, absolute, without symbolic links.
    directory: &'r Path,
    /// Where paths in messages start.
    shown_from: &'r Path,
    diagnostics: Vec<Diagnostic>,
}

impl Plugin<'_> {
    fn has_failed(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    /// Takes the diagnostics out of an outcome.
    fn take<T>(&mut self, outcome: crate::Outcome<T>) -> Option<T> {
        self.diagnostics.extend(outcome.diagnostics);
        outcome.value
    }

    fn options(&self) -> BuildOptions {
        BuildOptions {
            shown_from: self.shown_from.to_path_buf(),
            jobs: self.around.jobs,
            lints: Lints { strict: self.around.strict, ..Lints::default() },
            ..BuildOptions::default()
        }
    }

    /// Prints what was found: the first errors, or else the warnings, which only the log of Argo CD's sidecar shows.
    fn report(&mut self) {
        let terminal = self.around.terminal;
        self.diagnostics.sort_by_key(|d| d.severity);
        if terminal.format != ErrorFormat::Full {
            return terminal.report(&self.diagnostics, self.session.sources());
        }
        let failed = self.has_failed();
        let shown = if failed { Severity::Error } else { Severity::Warning };
        let mut shown: Vec<Diagnostic> =
            self.diagnostics.iter().filter(|d| d.severity == shown).cloned().collect();
        if !failed && terminal.quiet {
            return;
        }
        let left_out = if failed { shown.len().saturating_sub(MAX_ERRORS) } else { 0 };
        shown.truncate(shown.len() - left_out);
        let options = RenderOptions {
            from: self.shown_from,
            color: false,
            width: WIDTH,
            show_secrets: terminal.show_secrets,
        };
        let mut text = render::brief(&shown, self.session.sources(), &options);
        match left_out {
            0 => {}
            1 => text.push_str("1 more error\n"),
            more => drop(writeln!(text, "{more} more errors")),
        }
        // There is no place left to report that stderr cannot be written.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Reads the project file; none above the root of the Application counts.
    fn project(&mut self) -> Option<Project> {
        let location = match &self.around.project {
            ProjectChoice::Without => return Some(Project::default()),
            ProjectChoice::Nearest => ProjectLocation::Above(self.directory),
            ProjectChoice::File(file) => ProjectLocation::File(file),
        };
        let strict = self.around.strict;
        let loaded = crate::load_project(self.session, location, self.shown_from, strict);
        let project = self.take(loaded)?;
        let is_part = self.application.root.as_ref().is_some_and(|root| !root.is_whole);
        if project.path.is_none() && is_part {
            let message =
                "Argo CD has handed over a part of the repository, and kiln.yaml is not in it";
            let d = Diagnostic::error(Code::ArgocdIncomplete, message);
            return self.fail(d.help(
                "name its directory in the annotation `argocd.argoproj.io/manifest-generate-paths`, or run \
                 `kiln argocd generate --no-project` if there is none",
            ));
        }
        Some(project)
    }

    /// Returns the directory that environments are relative to.
    fn project_root(&self, project: &Project) -> PathBuf {
        let root = self.application.root.as_ref();
        let root = root.map_or(self.directory, |root| root.directory.as_path());
        project.root().unwrap_or(root).to_path_buf()
    }

    /// Returns the environment that the Application means.
    fn target(&mut self, project: &Project) -> Option<Target> {
        let environment = match &self.application.parameters.environment {
            Some(name) => self.named(project, name)?,
            None => self.at_the_path(project)?,
        };
        let directory = if project.path.is_some() {
            let options = self.options();
            let mut cx = Context::new(self.session, &options);
            let directory = workspace::environment_directory(&mut cx, project, &environment);
            self.diagnostics.extend(cx.sink.into_sorted(self.session.sources(), &options.lints));
            directory.ok()?
        } else {
            join(&self.project_root(project), Path::new(&environment.path))
        };
        Some(Target { directory, environment: Some(environment) })
    }

    fn environments(&mut self, project: &Project) -> Vec<Environment> {
        let root = self.project_root(project);
        let lints = Lints { strict: self.around.strict, levels: project.levels.clone() };
        let found =
            workspace::environments(self.session, project, &root, &[], self.shown_from, &lints);
        self.take(found).unwrap_or_default()
    }

    fn named(&mut self, project: &Project, name: &str) -> Option<Environment> {
        let all = self.environments(project);
        if let Some(found) = all.iter().find(|environment| environment.name == name) {
            return Some(found.clone());
        }
        let names: Vec<&str> = all.iter().map(|environment| environment.name.as_str()).collect();
        let message =
            format!("the parameter `{ENVIRONMENT}` names `{name}`, which is no environment");
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => the_names(&names),
        };
        self.fail(Diagnostic::error(Code::EnvironmentUnknown, message).help(help))
    }

    /// Returns the environment whose path is that of the Application. Without a project file, that is the kustomization
    /// there.
    fn at_the_path(&mut self, project: &Project) -> Option<Environment> {
        let root = self.project_root(project);
        let shown = display_path(self.directory, self.shown_from);
        let shown = if shown.is_empty() { ".".to_owned() } else { shown };
        if project.path.is_none() {
            return Some(Environment {
                name: shown.clone(),
                path: shown,
                ..Environment::default()
            });
        }
        let reader = self.session.reader();
        let is_own = |environment: &&Environment| {
            let path = join(&root, Path::new(&environment.path));
            reader.canonicalize(&path).unwrap_or_else(|_| clean(&path)) == self.directory
        };
        let owners: Vec<&Environment> = project.environments.iter().filter(is_own).collect();
        let d = match owners.as_slice() {
            [environment] => return Some((*environment).clone()),
            [] => {
                let names: Vec<&str> =
                    project.environments.iter().map(|e| e.name.as_str()).collect();
                let message = format!("no environment has the Application's path, `{shown}`");
                let d = Diagnostic::error(Code::ArgocdEnvironment, message);
                d.help(format!("set the parameter `{ENVIRONMENT}`; {}", the_names(&names)))
            }
            several => {
                let names: Vec<&str> = several.iter().map(|e| e.name.as_str()).collect();
                let message =
                    format!("several environments have the Application's path, `{shown}`");
                let d = Diagnostic::error(Code::ArgocdEnvironment, message);
                d.help(format!(
                    "set the parameter `{ENVIRONMENT}` to one of `{}`",
                    names.join("`, `")
                ))
            }
        };
        self.fail(d)
    }

    /// Returns what the Application sets.
    fn values(&self) -> ValueArgs {
        let parameters = &self.application.parameters;
        let path = |file: &String| match file.strip_prefix('/') {
            Some(below) => join(self.shown_from, Path::new(below)),
            None => join(self.directory, Path::new(file)),
        };
        let setting =
            |(path, value): (&String, &String)| Setting::Parameter(format!("{path}={value}"));
        ValueArgs {
            files: parameters.values.iter().map(path).collect(),
            settings: parameters.set.iter().map(setting).collect(),
        }
    }

    fn prepare(
        &mut self,
        project: &Project,
        target: &Target,
        values: &ValueArgs,
    ) -> Option<Prepared> {
        let prepared = workspace::prepare(self.session, project, target, values, self.options());
        self.take(prepared)
    }

    /// Compiles the environment; returns the stream.
    fn generate(&mut self, args: &ArgocdGenerateArgs) -> Option<Vec<u8>> {
        let project = self.project()?;
        let target = self.target(&project)?;
        let prepared = self.prepare(&project, &target, &self.values())?;
        let built = crate::build(self.session, &prepared.options);
        let build = self.take(built)?;
        if build.resources.is_empty() && !args.allow_empty {
            return self.refuse_empty(&target);
        }
        self.require_usable_secrets(&prepared, &build)?;
        if !args.no_validate {
            self.validate(&project, &target, &prepared, &build);
        }
        match build.output {
            Output::Stream(stream) => Some(stream),
            Output::Files(_) => None,
        }
    }

    fn refuse_empty(&mut self, target: &Target) -> Option<Vec<u8>> {
        let name = target.environment.as_ref().map_or("", |environment| environment.name.as_str());
        let message = format!(
            "environment `{name}` yields no object: Argo CD would delete all that it has applied"
        );
        let d = Diagnostic::error(Code::ArgocdEmpty, message);
        self.fail(d.help("if that is meant, run `kiln argocd generate --allow-empty`"))
    }

    fn require_usable_secrets(&mut self, prepared: &Prepared, build: &Build) -> Option<()> {
        let mut cx = Context::new(self.session, &prepared.options);
        cx.provenance = build.provenance.clone();
        let allowed = tree::require_readable_secrets(&mut cx, &prepared.settings, build);
        let lints = &prepared.options.lints;
        self.diagnostics.extend(cx.sink.into_sorted(self.session.sources(), lints));
        allowed.ok()
    }

    /// Checks the objects against the schemas of the version that the project names, or else of that of the cluster.
    fn validate(&mut self, project: &Project, target: &Target, prepared: &Prepared, build: &Build) {
        let version = match &prepared.settings.kubernetes_version {
            Some(_) => None,
            None => self.kube_version(&prepared.settings),
        };
        let values = self.values();
        let mut checker = Checker::new(self.session, project, &values, self.around);
        checker.kubernetes_version = version.as_deref();
        let name = checker.name_of(target);
        let unit = Unit::of_build(&name, build, prepared.settings.clone());
        self.diagnostics.extend(checker.check(unit, self.around.jobs).into_diagnostics());
    }

    /// Returns the version of the cluster, or the nearest one whose types are known: an upgrade of the cluster is no reason to
    /// deploy nothing.
    fn kube_version(&mut self, settings: &Settings) -> Option<String> {
        let text = self.application.kube_version.as_deref()?;
        let mut parts = text.trim_start_matches('v').split('.');
        let minor = match (parts.next(), parts.next().map(str::parse::<u8>)) {
            (Some("1"), Some(Ok(minor))) => Some(minor),
            _ => None,
        };
        let nearest = minor.unwrap_or(NEWEST_MINOR).clamp(OLDEST_MINOR, NEWEST_MINOR);
        if minor != Some(nearest) {
            let message = format!(
                "the types of Kubernetes `{text}` (`{KUBE_VERSION}`) are not known: those of 1.{nearest} are taken"
            );
            let lints = Lints { strict: self.around.strict, levels: settings.levels.clone() };
            let d = Diagnostic::warning(Code::SchemaNoVersion, message);
            self.diagnostics.extend(lints.apply(vec![d], self.session.sources()));
        }
        Some(format!("1.{nearest}"))
    }

    /// Returns what Argo CD's user interface is to show of the parameters.
    fn parameters(&mut self) -> Option<Vec<u8>> {
        let project = self.project()?;
        let environments = self.environments(&project);
        if self.has_failed() {
            return None;
        }
        // Which environment is meant may be what the user is about to choose.
        let target = self.target(&project).filter(|_| !self.has_failed());
        if target.is_none() {
            self.diagnostics.retain(|d| d.severity != Severity::Error);
        }
        let chosen = target.as_ref().and_then(|target| target.environment.clone());
        let none = Target { directory: self.directory.to_path_buf(), environment: None };
        let target = target.as_ref().unwrap_or(&none);
        let values = self.prepare(&project, target, &ValueArgs::default())?.values;
        let options = self.options();
        let mut cx = Context::new(self.session, &options);
        let declared = crate::values::declared(&mut cx, &project);
        self.diagnostics.extend(cx.sink.into_sorted(self.session.sources(), &options.lints));
        let names: Vec<&str> = environments.iter().map(|e| e.name.as_str()).collect();
        let text = announce::json(&names, chosen.as_ref(), &declared.ok()?, &values);
        Some(text.into_bytes())
    }
}

fn the_names(names: &[&str]) -> String {
    match names {
        [] => "the project has no environments".to_owned(),
        [one] => format!("the environment is `{one}`"),
        _ if names.len() > MAX_NAMES => {
            let more = names.len() - MAX_NAMES;
            format!("the environments are `{}` and {more} more", names[..MAX_NAMES].join("`, `"))
        }
        _ => format!("the environments are `{}`", names.join("`, `")),
    }
}
