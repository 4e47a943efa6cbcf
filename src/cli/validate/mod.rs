//! `kiln validate`: what is compiled, or lies in files, against what Kubernetes accepts.

pub(super) mod checker;
pub(super) mod files;
mod formats;

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::args::{ColorChoice, ValidateArgs, ValidateFormat};
use super::build::{Surroundings, load_project, value_args};
use super::{CommandError, Ending, file, write_stdout};
use crate::diagnostic::render::{self, RenderOptions};
use crate::diagnostic::{Diagnostic, Label, place_of};
use crate::project::{Environment, Project, has_kustomization};
use crate::session::in_parallel;
use crate::source::{clean, display_path};
use crate::validate::{self, Baseline};
use crate::values::ValueArgs as Values;
use crate::workspace;
use crate::{BuildOptions, DiskReader, Lints, Provenance, Session, Severity, SourceMap};
use checker::{Built, Checker, Report, Summary, Unit};
use files::{Files, Named, Read};

struct Run<'r> {
    session: &'r Session<'r>,
    project: &'r Project,
    values: &'r Values,
    args: &'r ValidateArgs,
    around: &'r Surroundings<'r>,
    directory: &'r Path,
    /// What kept something from being checked.
    faults: Vec<Diagnostic>,
}

pub(super) fn run(args: &ValidateArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let directory = around.terminal.directory.as_path();
    let session = Session::new(&DiskReader);
    let values = value_args(&args.values, directory)?;
    let first = args.targets.iter().map(|target| directory.join(target)).find(|path| path.exists());
    let above = first.as_deref().unwrap_or(directory);
    let above = if above.is_dir() { above } else { above.parent().unwrap_or(directory) };
    let Some(project) = load_project(&session, around, above) else { return Ok(Ending::No) };
    let mut run = Run {
        session: &session,
        project: &project,
        values: &values,
        args,
        around,
        directory,
        faults: Vec::new(),
    };
    let mut checker = Checker::new(&session, &project, &values, around);
    checker.kubernetes_version = args.kubernetes_version.as_deref();
    checker.crds = args.crds.iter().map(|path| directory.join(path)).collect();
    checker.baseline =
        args.baseline.as_ref().or(args.write_baseline.as_ref()).map(|path| directory.join(path));
    let units = run.units(&checker)?;
    if let Some(path) = &args.write_baseline {
        return run.write_baseline(&directory.join(path), checker, units);
    }
    let mut report = Report { faults: std::mem::take(&mut run.faults), ..Report::default() };
    let names = units.iter().map(|unit| unit.name.to_string()).collect();
    for unit in units {
        report.add(checker.check(unit, around.jobs));
    }
    report.faults.extend(checker.stale(&names));
    sort_faults(&mut report.faults, session.sources());
    around.terminal.report(&report.faults, session.sources());
    if around.terminal.quiet {
        report.findings.retain(|one| one.diagnostic.severity == Severity::Error);
    }
    let ending = if report.has_errors() { Ending::No } else { Ending::Done };
    write_stdout(run.printed(report).as_bytes())?;
    Ok(ending)
}

/// Brings what several units say to one order, and says it once.
fn sort_faults(faults: &mut Vec<Diagnostic>, sources: &SourceMap) {
    faults.sort_by_key(|d| d.severity);
    retain_first(faults, sources);
}

/// Keeps the first of those that say the same of the same places.
pub(super) fn retain_first(diagnostics: &mut Vec<Diagnostic>, sources: &SourceMap) {
    let place = |label: &Label| {
        let place = place_of(sources, label.span);
        place.map(|(file, offset)| (file.path().to_path_buf(), offset))
    };
    let mut seen = HashSet::new();
    diagnostics.retain(|d| {
        let places: Vec<_> = d.labels.iter().map(place).collect();
        seen.insert((d.code, places, d.message.clone()))
    });
}

impl Run<'_> {
    fn options(&self) -> BuildOptions {
        BuildOptions {
            shown_from: self.directory.to_path_buf(),
            jobs: self.around.jobs,
            lints: Lints { strict: self.around.strict, ..Lints::default() },
            ..BuildOptions::default()
        }
    }

    /// Compiles and reads what the targets name.
    fn units(&mut self, checker: &Checker<'_>) -> Result<Vec<Unit>, CommandError> {
        let mut units = Vec::new();
        let mut read = Read::default();
        let rules = checker.early_rules();
        let files = rules.as_ref().map(|rules| Files {
            session: self.session,
            rules,
            directory: self.directory,
            jobs: self.around.jobs,
        });
        let mut given = self.args.targets.clone();
        if given.is_empty() && self.project.path.is_some() {
            given = self.project.environments.iter().map(|e| format!("env:{}", e.name)).collect();
        }
        if given.is_empty() {
            given.push(".".to_owned());
        }
        let mut has_files = false;
        for target in &given {
            let path = self.directory.join(target);
            let is_folder = path.is_dir()
                && !has_kustomization(self.session.reader(), &path)
                && !self.is_environment(&path);
            let is_read = target == "-" || path.is_file() || is_folder;
            if !is_read {
                units.extend(self.compile(target));
                continue;
            }
            has_files = true;
            let Some(files) = &files else { continue };
            if target == "-" {
                self.read_stdin(files, &mut read)?;
                continue;
            }
            files.read(&path, &mut read);
            if is_folder {
                // What a kustomization has is checked as it is built.
                for root in self.roots(&path) {
                    units.extend(self.compile(&root));
                }
            }
        }
        // Without a version, nothing was read; why there is none is said where the unit is checked.
        if has_files && (files.is_none() || !read.objects.is_empty()) {
            units.push(Unit {
                name: "".into(),
                objects: read.objects,
                provenance: Provenance::default(),
                settings: self.project.settings.clone(),
            });
        }
        self.faults.extend(read.faults);
        Ok(units)
    }

    fn is_environment(&self, path: &Path) -> bool {
        let Some(root) = self.project.root() else { return false };
        let path = clean(path);
        self.project.environments.iter().any(|e| clean(&root.join(&e.path)) == path)
    }

    /// Returns the directories below one that are built on their own: those with a kustomization that no other one includes.
    fn roots(&self, path: &Path) -> Vec<String> {
        let root = clean(path);
        let lints = Lints::default();
        let project = Project::default();
        let (session, shown_from) = (self.session, self.directory);
        let found = workspace::environments(session, &project, &root, &[], shown_from, &lints);
        let directory = |one: Environment| root.join(one.path).to_string_lossy().into_owned();
        found.value.unwrap_or_default().into_iter().map(directory).collect()
    }

    fn read_stdin(&mut self, files: &Files<'_>, read: &mut Read) -> Result<(), CommandError> {
        let mut bytes = Vec::new();
        let input = io::stdin().lock().read_to_end(&mut bytes);
        input.map_err(CommandError::io("stdin cannot be read"))?;
        match self.session.sources().add(PathBuf::from("<stdin>"), bytes.into()) {
            Ok(file) => files.text(&file, file.bytes(), Named::Itself, read),
            Err(_) => self.faults.push(files::too_much()),
        }
        Ok(())
    }

    fn compile(&mut self, target: &str) -> Option<Unit> {
        let place = (self.directory, self.options());
        let built = checker::build(self.session, self.project, self.values, target, place);
        self.faults.extend(built.diagnostics);
        let Built { target, build, settings } = built.value?;
        let checker = Checker::new(self.session, self.project, self.values, self.around);
        Some(Unit::of_build(&checker.name_of(&target), &build, settings))
    }

    /// Writes down what is found, and keeps what the baseline has about other units.
    fn write_baseline(
        mut self,
        path: &Path,
        mut checker: Checker<'_>,
        units: Vec<Unit>,
    ) -> Result<Ending, CommandError> {
        let old = path.exists().then(|| std::mem::take(&mut checker.baseline)).flatten();
        checker.ignores_baseline = true;
        let mut report = Report { faults: std::mem::take(&mut self.faults), ..Report::default() };
        let names: BTreeSet<String> = units.iter().map(|unit| unit.name.to_string()).collect();
        for unit in units {
            report.add(checker.check(unit, self.around.jobs));
        }
        let old = old.and_then(|path| match checker.read_baseline(&path) {
            Ok(baseline) => Some(baseline),
            Err(fault) => {
                report.faults.push(*fault);
                None
            }
        });
        sort_faults(&mut report.faults, self.session.sources());
        self.around.terminal.report(&report.faults, self.session.sources());
        if report.faults.iter().any(|fault| fault.severity == Severity::Error) {
            return Ok(Ending::No);
        }
        let others: Vec<_> = old.iter().flat_map(|old: &Baseline| old.of_others(&names)).collect();
        let found = report.findings.iter().map(|finding| report.entry(finding));
        let text = validate::written_baseline(found.chain(others));
        file::replace(path, text.as_bytes())?;
        if !self.around.terminal.quiet {
            let count = report.findings.len();
            let findings = if count == 1 { "finding" } else { "findings" };
            let shown = display_path(path, self.directory);
            write_stdout(format!("{count} {findings} written to {shown}\n").as_bytes())?;
        }
        Ok(Ending::Done)
    }

    fn printed(&self, mut report: Report) -> String {
        let terminal = self.around.terminal;
        let sources = self.session.sources();
        let options = RenderOptions {
            from: self.directory,
            color: terminal.color == ColorChoice::Always,
            width: 100,
            show_secrets: terminal.show_secrets,
        };
        let render = match self.args.format {
            ValidateFormat::Full => render::full,
            ValidateFormat::Short => render::short,
            ValidateFormat::Github => render::github,
            ValidateFormat::Json => return formats::json_document(&report, sources, &options),
            ValidateFormat::Junit => return formats::junit(&report, sources, &options),
            ValidateFormat::Sarif => return formats::sarif(&report, sources, &options),
            ValidateFormat::Tap => return formats::tap(&report, sources, &options),
        };
        let is_pointless = report.objects.is_empty() && report.has_errors();
        let findings = std::mem::take(&mut report.findings).into_iter();
        let mut all: Vec<Diagnostic> = findings.map(|one| one.diagnostic).collect();
        // What several environments share is said once.
        retain_first(&mut all, sources);
        if self.args.format == ValidateFormat::Github {
            all.splice(0..0, std::mem::take(&mut report.faults));
        }
        // Lines stand for themselves, so that each thread can write some.
        let jobs =
            if self.args.format == ValidateFormat::Short { self.around.jobs.max(1) } else { 1 };
        let batches: Vec<&[Diagnostic]> = all.chunks(all.len().div_ceil(jobs).max(1)).collect();
        let written =
            in_parallel(batches.len(), jobs, |batch| render(batches[batch], sources, &options));
        let mut out = written.concat();
        if !terminal.quiet && !is_pointless {
            out.push_str(&report.summary.text());
        }
        out
    }
}

impl Summary {
    fn text(&self) -> String {
        let mut out = String::new();
        let valid = self.objects.saturating_sub(self.invalid + self.skipped);
        let objects = if self.objects == 1 { "object" } else { "objects" };
        let _ = write!(out, "{} {objects}: {valid} valid, {} invalid", self.objects, self.invalid);
        if self.skipped > 0 {
            let kinds: Vec<&str> = self.unknown_kinds.iter().map(String::as_str).collect();
            let _ = write!(out, ", {} without a schema: {}", self.skipped, kinds.join(", "));
        }
        let count = |count: usize, what: &str| {
            let findings = if count == 1 { "finding" } else { "findings" };
            format!("; {count} {findings} {what}")
        };
        if self.waived > 0 {
            out.push_str(&count(self.waived, "allowed by comments"));
        }
        if self.known > 0 {
            out.push_str(&count(self.known, "in the baseline"));
        }
        if self.skipped_rules > 0 {
            let rules = if self.skipped_rules == 1 { "rule was" } else { "rules were" };
            let _ = write!(out, "; {} CEL {rules} not evaluated", self.skipped_rules);
        }
        out.push('\n');
        out
    }
}
