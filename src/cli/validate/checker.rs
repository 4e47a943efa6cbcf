//! What `kiln validate`, `kiln build --validate` and `kiln render` do with the objects of a target.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files;
use crate::cli::build::Surroundings;
use crate::diagnostic::{Code, Diagnostic, Leveled};
use crate::project::{Project, Settings};
use crate::provenance::{Origin, OriginId};
use crate::schema::{CrdTypes, Kubernetes, NEWEST_MINOR, OLDEST_MINOR};
use crate::session::{Context, Text, in_parallel};
use crate::source::{Span, display_path};
use crate::validate::{
    self, Baseline, BaselineEntry, Finding, Intake, ObjectId, Policy, Rules, Seen,
};
use crate::values::ValueArgs as Values;
use crate::workspace::{self, Target};
use crate::yaml::Node;
use crate::{Build, BuildOptions, Lints, Outcome, Provenance, Session, Severity};

/// One thread looks at the places of so many findings at once.
const FINDINGS: usize = 32;

/// What is checked together: the output of a target, or the objects of files.
pub(in crate::cli) struct Unit {
    /// The environment, or the directory from the project; empty for files.
    pub(in crate::cli) name: Arc<str>,
    pub(in crate::cli) objects: Intake,
    pub(in crate::cli) provenance: Provenance,
    pub(in crate::cli) settings: Settings,
}

impl Unit {
    /// Returns what a build has given.
    pub(in crate::cli) fn of_build(name: &str, build: &Build, settings: Settings) -> Self {
        let mut objects = Intake::default();
        for resource in &build.resources {
            objects.add(ObjectId::of(resource), resource.node().clone());
        }
        Self { name: name.into(), objects, provenance: build.provenance.clone(), settings }
    }
}

/// A finding as it is printed.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Shown {
    /// The number of the object in the report.
    pub(in crate::cli) object: usize,
    /// The field; empty for the object itself.
    pub(in crate::cli) path: String,
    pub(in crate::cli) diagnostic: Diagnostic,
}

/// An object that was checked.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Checked {
    /// The unit that it belongs to.
    pub(in crate::cli) unit: Arc<str>,
    pub(in crate::cli) id: ObjectId,
    pub(in crate::cli) verdict: Verdict,
}

/// What the check of an object has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Verdict {
    /// No error was found.
    Valid,
    Invalid,
    /// No schema is known.
    Skipped,
}

/// What was found in one unit, or in several.
#[derive(Debug, Default)]
pub(in crate::cli) struct Report {
    pub(in crate::cli) findings: Vec<Shown>,
    pub(in crate::cli) objects: Vec<Checked>,
    /// What is wrong with the comments, the project and the files that are asked for checking.
    pub(in crate::cli) faults: Vec<Diagnostic>,
    pub(in crate::cli) summary: Summary,
}

/// How much was checked.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Summary {
    pub(in crate::cli) objects: usize,
    pub(in crate::cli) invalid: usize,
    /// Findings that a comment allows.
    pub(in crate::cli) waived: usize,
    /// Findings that the baseline has.
    pub(in crate::cli) known: usize,
    /// Objects without a schema that nothing was found in.
    pub(in crate::cli) skipped: usize,
    /// The kinds without a schema.
    pub(in crate::cli) unknown_kinds: BTreeSet<String>,
    pub(in crate::cli) skipped_rules: usize,
}

impl Report {
    /// Returns whether something is wrong that is more than a warning.
    pub(in crate::cli) fn has_errors(&self) -> bool {
        let mut all = self.faults.iter().chain(self.findings.iter().map(|one| &one.diagnostic));
        all.any(|d| d.severity == Severity::Error)
    }

    /// Returns a finding as a baseline knows it.
    pub(in crate::cli) fn entry(&self, finding: &Shown) -> BaselineEntry {
        let Checked { unit, id, .. } = &self.objects[finding.object];
        let (path, code) = (finding.path.clone(), finding.diagnostic.code);
        BaselineEntry { unit: unit.to_string(), object: id.text(), path, code }
    }

    /// Returns all that is to be said.
    pub(in crate::cli) fn into_diagnostics(self) -> impl Iterator<Item = Diagnostic> {
        self.faults.into_iter().chain(self.findings.into_iter().map(|one| one.diagnostic))
    }

    /// Adds what was found in another unit.
    pub(in crate::cli) fn add(&mut self, other: Self) {
        let before = self.objects.len();
        let later = |finding: Shown| Shown { object: before + finding.object, ..finding };
        self.findings.extend(other.findings.into_iter().map(later));
        self.objects.extend(other.objects);
        self.faults.extend(other.faults);
        let (own, other) = (&mut self.summary, other.summary);
        own.objects += other.objects;
        own.invalid += other.invalid;
        own.waived += other.waived;
        own.known += other.known;
        own.skipped_rules += other.skipped_rules;
        own.skipped += other.skipped;
        own.unknown_kinds.extend(other.unknown_kinds);
    }
}

/// Checks units, each on its own; several threads may do so.
pub(in crate::cli) struct Checker<'c> {
    pub(in crate::cli) session: &'c Session<'c>,
    pub(in crate::cli) project: &'c Project,
    pub(in crate::cli) around: &'c Surroundings<'c>,
    /// The values of the command line.
    pub(in crate::cli) values: &'c Values,
    /// The version in place of the project's.
    pub(in crate::cli) kubernetes_version: Option<&'c str>,
    /// Definitions beside those of the project, absolute.
    pub(in crate::cli) crds: Vec<PathBuf>,
    /// The baseline in place of the project's, absolute.
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// What a baseline has is reported, too.
    pub(in crate::cli) ignores_baseline: bool,
    /// The objects of the targets that references may name as well.
    others: Mutex<BTreeMap<String, Arc<[Node]>>>,
    /// The baselines that were read.
    baselines: Mutex<BTreeMap<PathBuf, Arc<Baseline>>>,
}

impl<'c> Checker<'c> {
    pub(in crate::cli) fn new(
        session: &'c Session<'c>,
        project: &'c Project,
        values: &'c Values,
        around: &'c Surroundings<'c>,
    ) -> Self {
        Self {
            session,
            project,
            around,
            values,
            kubernetes_version: None,
            crds: Vec::new(),
            baseline: None,
            ignores_baseline: false,
            others: Mutex::default(),
            baselines: Mutex::default(),
        }
    }

    fn root(&self) -> &Path {
        self.project.root().unwrap_or(&self.around.terminal.directory)
    }

    /// Returns the environment that a target is, or its directory from the project.
    pub(in crate::cli) fn name_of(&self, target: &Target) -> String {
        match &target.environment {
            Some(environment) => environment.name.clone(),
            None => display_path(&target.directory, self.root()),
        }
    }

    fn options(&self, jobs: usize) -> BuildOptions {
        let shown_from = self.around.terminal.directory.clone();
        BuildOptions { shown_from, jobs, ..BuildOptions::default() }
    }

    fn lints(&self, settings: &Settings) -> Lints {
        Lints { strict: self.around.strict, levels: settings.levels.clone() }
    }

    /// Returns what objects can be checked against while their definitions are not known; none if the version is not.
    pub(super) fn early_rules(&self) -> Option<Rules> {
        let settings = &self.project.settings;
        let lints = self.lints(settings);
        // What is wrong with the version is said when the unit is checked.
        let minor = self.minor(settings, &lints, &mut Report::default())?;
        Some(rules(minor, settings, &lints, Arc::default()))
    }

    /// Checks a unit with up to `jobs` threads.
    pub(in crate::cli) fn check(&self, unit: Unit, jobs: usize) -> Report {
        let Unit { name, mut objects, provenance, settings } = unit;
        let mut report = Report::default();
        let lints = self.lints(&settings);
        let Some(minor) = self.minor(&settings, &lints, &mut report) else { return report };
        let crds = self.definitions(&objects, &settings, &mut report);
        let rules = rules(minor, &settings, &lints, crds);
        for target in settings.with.iter().flatten() {
            self.objects_of(target, &mut report).iter().for_each(|object| objects.look_at(object));
        }
        let options = self.options(jobs);
        let context = || {
            let mut cx = Context::new(self.session, &options);
            cx.provenance = provenance.clone();
            cx
        };
        let external = settings.external.clone().unwrap_or_default();
        let found = objects.finish(&rules, external, jobs, context);
        let baseline = self.baseline(&settings, &mut report);
        let objects = objects.into_objects();
        let mut places = Vec::with_capacity(objects.len());
        report.objects.reserve_exact(objects.len());
        for Seen { id, at } in objects {
            let is_unknown = !found.unknown_kinds.is_empty()
                && found.unknown_kinds.contains_key(&validate::kind_name(&id.gvk));
            let verdict = if is_unknown { Verdict::Skipped } else { Verdict::Valid };
            report.objects.push(Checked { unit: Arc::clone(&name), id, verdict });
            places.push(at);
        }
        let batches: Vec<&[Finding]> = found.findings.chunks(FINDINGS).collect();
        let leveled = in_parallel(batches.len(), jobs, |batch| {
            let cx = context();
            let level = |finding: &Finding| {
                let heads = heads(&cx, places[finding.object]);
                lints.level_finding(&finding.diagnostic, &heads, self.session.sources())
            };
            batches[batch].iter().map(level).collect::<Vec<_>>()
        });
        let leveled: Vec<Leveled> = leveled.into_iter().flatten().collect();
        for (finding, leveled) in found.findings.into_iter().zip(leveled) {
            let Finding { object: index, path, mut diagnostic } = finding;
            match leveled {
                Leveled::Reported(severity, more) => {
                    diagnostic.severity = severity;
                    report.faults.extend(more);
                }
                Leveled::Dropped => continue,
                Leveled::Waived(more) => {
                    report.summary.waived += 1;
                    report.faults.extend(more);
                    continue;
                }
            }
            let shown = Shown { object: index, path, diagnostic };
            if baseline.as_ref().is_some_and(|baseline| baseline.has(&report.entry(&shown))) {
                report.summary.known += 1;
                continue;
            }
            if shown.diagnostic.severity == Severity::Error {
                report.objects[index].verdict = Verdict::Invalid;
            }
            report.findings.push(shown);
        }
        let count = |verdict| report.objects.iter().filter(|one| one.verdict == verdict).count();
        let (invalid, skipped) = (count(Verdict::Invalid), count(Verdict::Skipped));
        report.summary.objects = report.objects.len();
        report.summary.invalid = invalid;
        report.summary.skipped = skipped;
        report.summary.skipped_rules = found.skipped_rules;
        report.summary.unknown_kinds = found.unknown_kinds.into_keys().collect();
        report
    }

    /// Warns of entries of baselines about nothing that was found in these units.
    pub(in crate::cli) fn stale(&self, units: &BTreeSet<String>) -> Vec<Diagnostic> {
        let options = self.options(1);
        let cx = Context::new(self.session, &options);
        let baselines = self.baselines.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = baselines.values().flat_map(|baseline| baseline.stale(&cx, units)).collect();
        let lints = self.lints(&self.project.settings);
        lints.apply(stale, self.session.sources())
    }

    /// Returns the minor version to check against.
    fn minor(&self, settings: &Settings, lints: &Lints, report: &mut Report) -> Option<u8> {
        let from_project = settings.kubernetes_version.as_ref();
        let text = self.kubernetes_version.or(from_project.map(Text::as_str));
        let Some(text) = text else {
            let message = format!(
                "no version of Kubernetes is chosen: 1.{NEWEST_MINOR} is taken, the newest known"
            );
            let help = "write `kubernetes: {version: \"1.34\"}` into kiln.yaml, or use `--kubernetes-version`";
            let d = Diagnostic::warning(Code::SchemaNoVersion, message).help(help);
            report.faults.extend(lints.apply(vec![d], self.session.sources()));
            return Some(NEWEST_MINOR);
        };
        let minor = text.trim_start_matches('v').strip_prefix("1.").and_then(|rest| {
            let digits = rest.split('.').next().unwrap_or_default();
            digits.parse::<u8>().ok()
        });
        let minor = minor.filter(|minor| (OLDEST_MINOR..=NEWEST_MINOR).contains(minor));
        if minor.is_none() {
            let options = self.options(1);
            let cx = Context::new(self.session, &options);
            let message = format!("the types of Kubernetes `{text}` are not known");
            let mut d = Diagnostic::error(Code::SchemaUnknownVersion, message);
            if self.kubernetes_version.is_none() {
                let at = from_project.and_then(|version| cx.span(version.at));
                d = d.at(at, "this version");
            }
            let help = format!("versions from 1.{OLDEST_MINOR} to 1.{NEWEST_MINOR} are known");
            report.faults.push(d.help(help));
        }
        minor
    }

    /// Returns the definitions among the objects, of the project and of the command line.
    fn definitions(
        &self,
        objects: &Intake,
        settings: &Settings,
        report: &mut Report,
    ) -> Arc<CrdTypes> {
        let options = self.options(1);
        let session = self.session;
        let read = workspace::definitions(session, self.project, settings, &self.crds, &options);
        report.faults.extend(read.diagnostics);
        let named = read.value.unwrap_or_default();
        let mut own = objects.definitions().peekable();
        if own.peek().is_none() {
            return named;
        }
        let mut types = CrdTypes::above(named);
        for definition in own {
            types.add(definition);
        }
        Arc::new(types)
    }

    /// Compiles another target of the project. What is there to say about it is said where it is a target itself.
    fn objects_of(&self, target: &Text, report: &mut Report) -> Arc<[Node]> {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(target.as_str()) {
            return Arc::clone(known);
        }
        let options = BuildOptions {
            lints: Lints { strict: self.around.strict, ..Lints::default() },
            ..self.options(1)
        };
        let built =
            build(self.session, self.project, self.values, target.as_str(), (self.root(), options));
        let options = self.options(1);
        let at = Context::new(self.session, &options).span(target.at);
        let errors = built.diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
        report.faults.extend(errors.map(|d| d.at(at, "named here")));
        let nodes = built.value.map(|built| {
            built.build.resources.iter().map(|resource| resource.node().clone()).collect()
        });
        let objects: Arc<[Node]> = nodes.unwrap_or_default();
        others.insert(target.as_str().to_owned(), Arc::clone(&objects));
        objects
    }

    fn baseline(&self, settings: &Settings, report: &mut Report) -> Option<Arc<Baseline>> {
        if self.ignores_baseline {
            return None;
        }
        let from_project = settings.baseline.as_ref().map(|path| self.root().join(path.as_str()));
        let path = self.baseline.clone().or(from_project)?;
        let mut baselines = self.baselines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = baselines.get(&path) {
            return Some(Arc::clone(known));
        }
        let baseline = Arc::new(self.read_baseline(&path).unwrap_or_else(|fault| {
            report.faults.push(*fault);
            Baseline::default()
        }));
        baselines.insert(path, Arc::clone(&baseline));
        Some(baseline)
    }

    /// Reads a baseline.
    pub(in crate::cli) fn read_baseline(&self, path: &Path) -> Result<Baseline, Box<Diagnostic>> {
        let options = self.options(1);
        let cx = Context::new(self.session, &options);
        let file = files::read_file(self.session, path, &self.around.terminal.directory)?;
        Baseline::read(&cx, &file)
    }
}

/// A target that was built.
pub(super) struct Built {
    pub(super) target: Target,
    pub(super) build: Build,
    pub(super) settings: Settings,
}

/// Builds a target. `from`: where relative paths start.
pub(super) fn build(
    session: &Session<'_>,
    project: &Project,
    values: &Values,
    target: &str,
    (from, options): (&Path, BuildOptions),
) -> Outcome<Built> {
    let none = |diagnostics| Outcome { value: None, diagnostics };
    let found = workspace::resolve_target(session, project, target, from, &options.lints);
    let mut diagnostics = found.diagnostics;
    let Some(target) = found.value else { return none(diagnostics) };
    let prepared = workspace::prepare(session, project, &target, values, options);
    diagnostics.extend(prepared.diagnostics);
    let Some(prepared) = prepared.value else { return none(diagnostics) };
    let outcome = crate::build(session, &prepared.options);
    diagnostics.extend(outcome.diagnostics);
    let settings = prepared.settings;
    Outcome { value: outcome.value.map(|build| Built { target, build, settings }), diagnostics }
}

fn rules(minor: u8, settings: &Settings, lints: &Lints, crds: Arc<CrdTypes>) -> Rules {
    let policy = Policy::new(settings.pod_security.unwrap_or_default(), minor, lints);
    Rules { types: Kubernetes::shared(minor), crds, policy }
}

/// Returns where comments stand that are about an object as a whole, which begins at `at`.
fn heads(cx: &Context<'_>, at: OriginId) -> Vec<Span> {
    let mut heads = Vec::new();
    for origin in cx.provenance.history(at) {
        let at = match origin {
            Origin::Derived(derived) => cx.span(derived.at),
            Origin::Written(position) => cx.span_at(position),
            Origin::Unknown => None,
        };
        heads.extend(at.filter(|at| !heads.contains(at)));
    }
    heads
}
