//! What `kiln validate`, `kiln build --validate` and `kiln render` do with the objects of a target.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files;
use crate::cli::build::Surroundings;
use crate::diagnostic::{Code, Diagnostic, Leveled};
use crate::project::{Project, Settings};
use crate::provenance::Origin;
use crate::resource::{Gvk, Resource, Scopes};
use crate::schema::{CrdTypes, Kubernetes, NEWEST_MINOR, OLDEST_MINOR};
use crate::session::{Context, Text};
use crate::source::{Span, display_path};
use crate::tree;
use crate::validate::references::{self, Inventory};
use crate::validate::{self, Baseline, BaselineEntry, Finding, Policy, Rules};
use crate::values::ValueArgs as Values;
use crate::workspace::{self, Target};
use crate::yaml::Node;
use crate::{Build, BuildOptions, Lints, Outcome, Provenance, Session, Severity};

/// What is checked together: the output of a target, or the objects of files.
pub(in crate::cli) struct Unit {
    /// The environment, or the directory from the project; empty for files.
    pub(in crate::cli) name: String,
    pub(in crate::cli) objects: Vec<Object>,
    pub(in crate::cli) provenance: Provenance,
    pub(in crate::cli) settings: Settings,
}

/// An object that is checked.
pub(in crate::cli) struct Object {
    pub(in crate::cli) id: ObjectId,
    pub(in crate::cli) node: Node,
}

/// What an object is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::cli) struct ObjectId {
    pub(in crate::cli) gvk: Gvk,
    pub(in crate::cli) namespace: String,
    /// Without content hash.
    pub(in crate::cli) name: String,
}

impl ObjectId {
    fn of(resource: &Resource) -> Self {
        let id = resource.id();
        let name = tree::plain_name(resource).to_owned();
        Self { gvk: id.gvk.clone(), namespace: id.namespace.to_string(), name }
    }

    /// Returns it as `KIND.GROUP/NAMESPACE/NAME`, without what is not there.
    pub(in crate::cli) fn text(&self) -> String {
        let Self { gvk, namespace, name } = self;
        let kind = match gvk.group.as_str() {
            "" => gvk.kind.to_string(),
            group => format!("{}.{group}", gvk.kind),
        };
        if namespace.is_empty() {
            format!("{kind}/{name}")
        } else {
            format!("{kind}/{namespace}/{name}")
        }
    }
}

impl Object {
    /// Returns an object that was not compiled.
    pub(in crate::cli) fn plain(node: Node) -> Self {
        let resource = Resource::new(node.clone(), &Scopes::default());
        Self { id: ObjectId::of(&resource), node }
    }
}

impl Unit {
    /// Returns what a build has given.
    pub(in crate::cli) fn of_build(name: String, build: &Build, settings: Settings) -> Self {
        let object = |resource: &Resource| Object {
            id: ObjectId::of(resource),
            node: resource.node().clone(),
        };
        Self {
            name,
            objects: build.resources.iter().map(object).collect(),
            provenance: build.provenance.clone(),
            settings,
        }
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
    pub(in crate::cli) unit: String,
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
        BaselineEntry { unit: unit.clone(), object: id.text(), path, code }
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

    /// Checks a unit with up to `jobs` threads.
    pub(in crate::cli) fn check(&self, unit: &Unit, jobs: usize) -> Report {
        let mut report = Report::default();
        let lints = Lints { strict: self.around.strict, levels: unit.settings.levels.clone() };
        let Some(minor) = self.minor(&unit.settings, &lints, &mut report) else { return report };
        let rules = Rules {
            types: Kubernetes::new(minor),
            crds: self.definitions(unit, &mut report),
            policy: Policy::new(unit.settings.pod_security.unwrap_or_default(), minor, &lints),
        };
        let options = self.options(jobs);
        let mut cx = Context::new(self.session, &options);
        cx.provenance = unit.provenance.clone();
        let objects: Vec<&Node> = unit.objects.iter().map(|object| &object.node).collect();
        let mut found = validate::check(&cx, &rules, &objects);
        found.findings.extend(unknown_kinds(&cx, &rules, &objects, &found.unknown_kinds));
        let mut inventory = Inventory::default();
        objects.iter().for_each(|object| inventory.add(object));
        self.add_outside(&unit.settings, &mut inventory, &mut report);
        found.add(references::check(&cx, &inventory, objects.iter().copied().enumerate()));
        let baseline = self.baseline(&unit.settings, &mut report);
        report.objects = unit
            .objects
            .iter()
            .map(|object| {
                let is_unknown =
                    found.unknown_kinds.contains_key(&validate::kind_name(&object.id.gvk));
                let verdict = if is_unknown { Verdict::Skipped } else { Verdict::Valid };
                Checked { unit: unit.name.clone(), id: object.id.clone(), verdict }
            })
            .collect();
        for Finding { object: index, path, diagnostic } in found.findings {
            let object = &unit.objects[index];
            let heads = heads(&cx, &object.node);
            let mut reported = match lints.level_finding(diagnostic, &heads, self.session.sources())
            {
                Leveled::Reported(reported) => reported.into_iter(),
                Leveled::Dropped => continue,
                Leveled::Waived(more) => {
                    report.summary.waived += 1;
                    report.faults.extend(more);
                    continue;
                }
            };
            let Some(diagnostic) = reported.next() else { continue };
            report.faults.extend(reported);
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
        report.summary.objects = objects.len();
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
        let lints = Lints { strict: self.around.strict, levels: self.project.levels.clone() };
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

    /// Returns the definitions of the unit itself, of the project and of the command line.
    fn definitions(&self, unit: &Unit, report: &mut Report) -> Arc<CrdTypes> {
        let options = self.options(1);
        let (session, settings) = (self.session, &unit.settings);
        let read = workspace::definitions(session, self.project, settings, &self.crds, &options);
        report.faults.extend(read.diagnostics);
        let named = read.value.unwrap_or_default();
        let is_definition = |object: &&Object| object.id.gvk.kind == "CustomResourceDefinition";
        let own: Vec<&Object> = unit.objects.iter().filter(is_definition).collect();
        if own.is_empty() {
            return named;
        }
        let mut types = CrdTypes::above(named);
        for object in own {
            types.add(&object.node);
        }
        Arc::new(types)
    }

    /// Adds what references may name besides the objects that are checked.
    fn add_outside(&self, settings: &Settings, inventory: &mut Inventory, report: &mut Report) {
        for target in settings.with.iter().flatten() {
            self.objects_of(target, report).iter().for_each(|object| inventory.add(object));
        }
        inventory.finish(settings.external.clone().unwrap_or_default());
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

/// Returns where comments stand that are about an object as a whole.
fn heads(cx: &Context<'_>, object: &Node) -> Vec<Span> {
    let mut heads = Vec::new();
    for origin in cx.provenance.history(object.origin()) {
        let at = match origin {
            Origin::Derived(derived) => cx.span(derived.at),
            Origin::Written(position) => cx.span_at(position),
            Origin::Unknown => None,
        };
        heads.extend(at.filter(|at| !heads.contains(at)));
    }
    heads
}

/// Says once for each kind that no schema is known.
fn unknown_kinds(
    cx: &Context<'_>,
    rules: &Rules,
    objects: &[&Node],
    counts: &BTreeMap<String, usize>,
) -> Vec<Finding> {
    let mut kinds: Vec<Gvk> = Vec::new();
    let mut findings = Vec::new();
    if counts.is_empty() {
        return findings;
    }
    for (index, object) in objects.iter().enumerate() {
        let gvk = Gvk::of(object);
        let name = validate::kind_name(&gvk);
        let Some(count) = counts.get(&name).filter(|_| !kinds.contains(&gvk)) else { continue };
        let are =
            if *count == 1 { "1 object is".to_owned() } else { format!("{count} objects are") };
        let message = format!("no schema is known for {name}: {are} not checked");
        let known = rules.crds.versions_of(&gvk.group, &gvk.kind).join("`, `");
        let own = "name its CustomResourceDefinition under `kubernetes.crds` or with `--crds`";
        let help = match rules.crds.release_of(&gvk.group, &gvk.kind) {
            Some(release) => format!("{release} has the versions `{known}`; {own}"),
            None if known.is_empty() => own.to_owned(),
            None => format!("its definition has the versions `{known}`"),
        };
        let diagnostic = Diagnostic::warning(Code::SchemaUnknownKind, message)
            .at(cx.span(object.origin()), "the first one")
            .help(help);
        findings.push(Finding { object: index, path: String::new(), diagnostic });
        kinds.push(gvk);
    }
    findings
}
