//! `kiln render`: environments into the rendered tree.
//!
//! Everything is compiled and compared before anything is written. Then all files are written beside their places, and
//! only after that they are moved there one by one; so a full disk changes nothing, and whenever the run is interrupted,
//! each file is the old one or the new one.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use similar::TextDiff;

use super::args::RenderArgs;
use super::build::{Surroundings, load_project, value_args};
use super::staged::{RenderedFiles, Unstaged};
use super::validate::checker::{Checker, Unit};
use super::validate::retain_first;
use super::write_tree::{self, Changes, Disk};
use super::{CommandError, Ending, write_stdout};
use crate::diagnostic::{Code, Diagnostic};
use crate::project::{Environment, Project, Settings};
use crate::provenance::OriginId;
use crate::session::{Context, WORKER_STACK_BYTES};
use crate::source::{display_path, join};
use crate::tree::{self, OnDisk, Tree};
use crate::values::ValueArgs;
use crate::workspace::{self, Target};
use crate::yaml::Node;
use crate::{
    Build, BuildOptions, DiskReader, IdleEntries, Level, Lints, Outcome, Session, Severity,
};

/// The width of the progress bar, in columns.
const BAR_WIDTH: usize = 24;

/// An environment that was compiled.
struct Rendered {
    tree: Tree,
    /// What `--check` says about each file that differs.
    reports: BTreeMap<String, String>,
    used: HashSet<OriginId>,
    idle: IdleEntries,
    levels: BTreeMap<Code, Level>,
    /// The values, with their paths.
    leaves: Vec<(String, OriginId)>,
}

struct Run<'r> {
    session: &'r Session<'r>,
    project: &'r Project,
    all: &'r [Environment],
    values: &'r ValueArgs,
    around: &'r Surroundings<'r>,
    root: &'r Path,
    disks: Mutex<BTreeMap<PathBuf, std::sync::Arc<OnDisk>>>,
    check: bool,
    allow_empty: bool,
    /// Checks the objects, unless that is not wanted.
    checker: Option<Checker<'r>>,
}

pub(super) fn run(args: &RenderArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let reader = DiskReader;
    let session = Session::new(&reader);
    let directory = terminal.directory.as_path();
    let values = value_args(&args.values, directory)?;
    let Some(project) = load_project(&session, around, directory) else { return Ok(Ending::No) };
    let root = project.root().map_or_else(
        || fs::canonicalize(directory).unwrap_or_else(|_| directory.to_path_buf()),
        Path::to_path_buf,
    );
    let lints = Lints { strict: around.strict, levels: project.levels.clone() };
    let names = &args.environments;
    let chosen = workspace::environments(&session, &project, &root, names, directory, &lints);
    terminal.report(&chosen.diagnostics, session.sources());
    let Some(chosen) = chosen.value else { return Ok(Ending::No) };
    let all = workspace::environments(&session, &project, &root, &[], directory, &lints);
    let all = all.value.unwrap_or_default();
    if chosen.is_empty() {
        return Err(CommandError::Usage("there is no environment to render".to_owned()));
    }
    let _lock = match lock(&session, &project, around) {
        Ok(lock) => lock,
        Err(ending) => return Ok(ending),
    };
    let run = Run {
        session: &session,
        project: &project,
        all: &all,
        values: &values,
        around,
        root: &root,
        disks: Mutex::default(),
        check: args.check,
        allow_empty: args.allow_empty,
        checker: (!args.no_validate).then(|| Checker::new(&session, &project, &values, around)),
    };
    let outcomes = run.compile(&chosen);
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut rendered = Vec::new();
    for (environment, outcome) in chosen.iter().zip(outcomes) {
        diagnostics.extend(outcome.diagnostics);
        rendered.extend(outcome.value.map(|one| (environment, one)));
    }
    let idle: Vec<&IdleEntries> = rendered.iter().map(|(_, one)| &one.idle).collect();
    for (_, one) in &rendered {
        let lints = Lints { strict: around.strict, levels: one.levels.clone() };
        diagnostics.extend(one.idle.reported(&idle, session.sources(), &lints));
    }
    if args.environments.is_empty() && rendered.len() == chosen.len() {
        diagnostics.extend(unused_values(&session, &rendered, &lints));
    }
    diagnostics.sort_by_key(|d| d.severity);
    // What several environments share is said once.
    retain_first(&mut diagnostics, session.sources());
    terminal.report(&diagnostics, session.sources());
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Ok(Ending::No);
    }
    let changes = run.changes(&rendered, args.environments.is_empty());
    if args.check {
        return report_check(&run, &changes, &rendered);
    }
    let count = changes.values().map(|c| c.write.len() + c.remove.len()).sum::<usize>();
    for (directory, changes) in &changes {
        write_tree::apply(&Disk, directory, changes)?;
    }
    run.remove_temporary();
    if args.require_staged {
        return run.require_staged(&rendered, &changes, args.environments.is_empty());
    }
    Ok(if args.exit_code && count > 0 { Ending::No } else { Ending::Done })
}

/// Keeps two runs from working on one tree. The lock is on the project file, or on the directory of the project, and ends
/// with the process.
fn lock(
    session: &Session<'_>,
    project: &Project,
    around: &Surroundings<'_>,
) -> Result<Option<fs::File>, Ending> {
    let path = project.path.clone().unwrap_or_else(|| around.terminal.directory.clone());
    let Ok(file) = fs::File::open(path) else { return Ok(None) };
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => {
            let d = Diagnostic::error(
                Code::RenderLocked,
                "another `kiln render` is at work in this project",
            )
            .help("wait until it is done");
            around.terminal.report(&[d], session.sources());
            Err(Ending::No)
        }
        // Some file systems have no locks.
        _ => Ok(Some(file)),
    }
}

impl Run<'_> {
    /// Compiles environments with several threads, in order.
    fn compile(&self, environments: &[Environment]) -> Vec<Outcome<Rendered>> {
        let results: Vec<OnceLock<Outcome<Rendered>>> =
            environments.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let jobs = self.around.jobs.clamp(1, environments.len().max(1));
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(environment) = environments.get(index) else { return };
                // One thread for each environment is enough, if there are as many.
                let own = if jobs > 1 { 1 } else { self.around.jobs };
                let _ = results[index].set(self.compile_one(environment, own));
                self.progress(done.fetch_add(1, Ordering::Relaxed) + 1, environments.len());
            }
        };
        thread::scope(|scope| {
            for _ in 0..jobs {
                let builder = thread::Builder::new().stack_size(WORKER_STACK_BYTES);
                if builder.spawn_scoped(scope, work).is_err() {
                    work();
                }
            }
        });
        self.progress(0, 0);
        results.into_iter().filter_map(OnceLock::into_inner).collect()
    }

    /// Shows how far the run is, on a terminal. `0` of `0` clears the line.
    fn progress(&self, done: usize, total: usize) {
        if self.around.terminal.quiet || !io::stderr().is_terminal() || total == 1 {
            return;
        }
        let mut line = String::from("\r\x1b[K");
        if let Some(filled) = (BAR_WIDTH * done).checked_div(total) {
            let bar = format!("{}{}", "=".repeat(filled), " ".repeat(BAR_WIDTH - filled));
            let _ = write!(line, "[{bar}] {done}/{total} environments");
        }
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }

    fn disk(&self, directory: &Path) -> std::sync::Arc<OnDisk> {
        let mut disks = self.disks.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = self.session.reader();
        let disk = disks
            .entry(directory.to_path_buf())
            .or_insert_with(|| std::sync::Arc::new(OnDisk::read(reader, directory)));
        std::sync::Arc::clone(disk)
    }

    fn settings(&self, environment: &Environment) -> Settings {
        self.project.settings.with(&environment.settings)
    }

    fn compile_one(&self, environment: &Environment, jobs: usize) -> Outcome<Rendered> {
        let none = |diagnostics| Outcome { value: None, diagnostics };
        let terminal = self.around.terminal;
        let options = BuildOptions {
            shown_from: terminal.directory.clone(),
            jobs,
            defer_idle: true,
            lints: Lints { strict: self.around.strict, ..Lints::default() },
            ..BuildOptions::default()
        };
        let directory = join(self.root, Path::new(&environment.path));
        let mut cx = Context::new(self.session, &options);
        if workspace::environment_directory(&mut cx, self.project, environment).is_err()
            && self.project.path.is_some()
        {
            return none(cx.sink.into_sorted(self.session.sources(), &options.lints));
        }
        let target = Target { directory, environment: Some(environment.clone()) };
        let prepared =
            workspace::prepare(self.session, self.project, &target, self.values, options.clone());
        let mut diagnostics = prepared.diagnostics;
        let Some(prepared) = prepared.value else { return none(diagnostics) };
        let outcome = crate::build(self.session, &prepared.options);
        diagnostics.extend(outcome.diagnostics);
        let Some(build) = outcome.value else { return none(diagnostics) };
        let settings = &prepared.settings;
        if let Some(checker) = &self.checker {
            let unit = Unit::of_build(&environment.name, &build, settings.clone());
            diagnostics.extend(checker.check(unit, jobs).into_diagnostics());
        }
        let directory = tree::directory(self.root, settings);
        let disk = self.disk(&directory);
        let mut cx = Context::new(self.session, &prepared.options);
        let tree = tree::of(&mut cx, environment, settings, &build).and_then(|tree| {
            tree::require_own(&mut cx, &directory, &tree, &disk)?;
            self.require_objects(&mut cx, environment, &tree, &disk)?;
            Ok(tree)
        });
        diagnostics.extend(cx.sink.into_sorted(self.session.sources(), &prepared.options.lints));
        let Ok(tree) = tree else { return none(diagnostics) };
        let mut reports = BTreeMap::new();
        if self.check {
            for (path, file) in &tree {
                let old = disk.own.get(path);
                if old.map(Vec::as_slice) != Some(file.bytes.as_slice()) {
                    let objects: Vec<&Node> =
                        file.objects.iter().map(|&i| build.resources.get(i).node()).collect();
                    let report = self.report(path, &directory, old, &file.bytes, &objects, &build);
                    reports.insert(path.clone(), report);
                }
            }
        }
        let used = prepared.templates.as_ref().map(|set| set.used()).unwrap_or_default();
        let leaves = prepared.values.leaves();
        let leaves = leaves.into_iter().map(|(path, node)| (path, node.origin())).collect();
        let (idle, levels) = (build.idle.clone(), settings.levels.clone());
        let value = Some(Rendered { tree, reports, used, idle, levels, leaves });
        Outcome { value, diagnostics }
    }

    fn require_objects(
        &self,
        cx: &mut Context<'_>,
        environment: &Environment,
        tree: &Tree,
        disk: &OnDisk,
    ) -> Result<(), crate::diagnostic::Reported> {
        let had = disk.of_environment(&environment.name, self.all).count();
        if !tree.is_empty() || had == 0 || self.allow_empty {
            return Ok(());
        }
        let files = if had == 1 { "a file".to_owned() } else { format!("{had} files") };
        let name = &environment.name;
        let message =
            format!("environment `{name}` yields no object, and {files} would be removed");
        let d = Diagnostic::error(Code::RenderEmptied, message)
            .at(cx.span(environment.at), "this environment");
        Err(cx.fail(d.help("render with `--allow-empty` if that is meant")))
    }

    /// Says how a file differs: field by field with the places of the new values, and line by line.
    fn report(
        &self,
        path: &str,
        directory: &Path,
        old: Option<&Vec<u8>>,
        new: &[u8],
        objects: &[&Node],
        build: &Build,
    ) -> String {
        let shown = self.shown(directory, path);
        let mut out = String::new();
        let Some(old) = old else {
            let _ = writeln!(out, "{shown}: missing");
            return out;
        };
        let _ = writeln!(out, "{shown}: out of date");
        let old_text = String::from_utf8_lossy(old).into_owned();
        let before = crate::resource::read_documents(&old_text, 1).unwrap_or_default();
        let mut is_secret =
            before.iter().any(|node| crate::resource::Gvk::of(node).kind == "Secret");
        for (index, node) in objects.iter().enumerate() {
            let id =
                |node: &Node| crate::resource::Gvk::of(node).kind.to_string() + "/" + name_of(node);
            is_secret |= id(node).starts_with("Secret/");
            let Some(before) =
                before.iter().find(|b| id(b) == id(node)).or_else(|| before.get(index))
            else {
                let _ = writeln!(out, "  {}: new", id(node));
                continue;
            };
            let changes = tree::changes(before, node);
            if changes.is_empty() {
                continue;
            }
            let _ = writeln!(out, "  {}", id(node));
            for change in changes {
                let position = build.provenance.position(change.origin);
                let place = position.and_then(|position| {
                    tree::place_of(self.session.sources(), position + change.same_start())
                });
                let place = place.map_or_else(String::new, |(path, at)| {
                    let path = display_path(&path, &self.around.terminal.directory);
                    format!("  ({path}:{}:{})", at.line, at.column)
                });
                let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
                let (old, new) = (shown(change.old), shown(change.new));
                let _ = writeln!(out, "    {}: {old} -> {new}{place}", change.path);
            }
        }
        if is_secret && !self.around.terminal.show_secrets {
            let _ = writeln!(out, "  (the lines of Secrets are not shown)");
            return out;
        }
        let new_text = String::from_utf8_lossy(new);
        let diff = TextDiff::from_lines(old_text.as_str(), new_text.as_ref());
        let _ = write!(out, "{}", diff.unified_diff().context_radius(3).header(&shown, &shown));
        out
    }

    fn shown(&self, directory: &Path, path: &str) -> String {
        display_path(&directory.join(path), &self.around.terminal.directory)
    }

    /// Returns what is to be done, for each directory with a tree. `of_all`: every environment was rendered, and what belongs
    /// to none goes.
    fn changes(
        &self,
        rendered: &[(&Environment, Rendered)],
        of_all: bool,
    ) -> BTreeMap<PathBuf, Changes> {
        let mut out: BTreeMap<PathBuf, Changes> = BTreeMap::new();
        let mut wanted: BTreeMap<PathBuf, HashSet<&str>> = BTreeMap::new();
        for (environment, one) in rendered {
            let directory = tree::directory(self.root, &self.settings(environment));
            let disk = self.disk(&directory);
            let changes = out.entry(directory.clone()).or_default();
            for (path, file) in &one.tree {
                if disk.own.get(path).map(Vec::as_slice) != Some(file.bytes.as_slice()) {
                    changes.write.push((path.clone(), file.bytes.clone()));
                }
            }
            let own: HashSet<&str> = one.tree.keys().map(String::as_str).collect();
            if !of_all {
                for (path, _) in disk.of_environment(&environment.name, self.all) {
                    if !own.contains(path.as_str()) {
                        changes.remove.push(path.clone());
                    }
                }
            }
            wanted.entry(directory).or_default().extend(own);
        }
        if of_all {
            for (directory, changes) in &mut out {
                let disk = self.disk(directory);
                let wanted = &wanted[directory];
                changes.remove.extend(
                    disk.own.keys().filter(|path| !wanted.contains(path.as_str())).cloned(),
                );
            }
        }
        out.retain(|_, changes| !changes.is_empty());
        out
    }

    /// Asks the git index whether the next commit has the trees as they are now.
    fn require_staged(
        &self,
        rendered: &[(&Environment, Rendered)],
        changes: &BTreeMap<PathBuf, Changes>,
        of_all: bool,
    ) -> Result<Ending, CommandError> {
        let mut trees: BTreeMap<PathBuf, RenderedFiles<'_>> = BTreeMap::new();
        for (environment, one) in rendered {
            let directory = tree::directory(self.root, &self.settings(environment));
            let tree = trees.entry(directory).or_default();
            tree.files.extend(one.tree.iter().map(|(path, file)| (path.as_str(), &*file.bytes)));
            tree.folders.push(format!("{}/", environment.name));
        }
        let reader = self.session.reader();
        let mut unstaged = Unstaged::default();
        let mut asked = unstaged.add_sources(reader, self.root, self.session.sources());
        for (directory, tree) in &mut trees {
            if of_all {
                tree.folders.clear();
            }
            let changed = changes.get(directory).into_iter().flat_map(|changes| &changes.write);
            tree.changed.extend(changed.map(|(path, _)| path.as_str()));
            asked = asked.and_then(|()| unstaged.add_rendered(reader, directory, tree));
        }
        let (list, errors) = match asked {
            Ok(()) => unstaged.report(&self.around.terminal.directory, &trees),
            Err(error) => (String::new(), vec![crate::session::git_error(&error)]),
        };
        write_stdout(list.as_bytes())?;
        self.around.terminal.report(&errors, self.session.sources());
        Ok(if errors.is_empty() { Ending::Done } else { Ending::No })
    }

    /// Removes what an interrupted run has left behind.
    fn remove_temporary(&self) {
        let disks = self.disks.lock().unwrap_or_else(PoisonError::into_inner);
        for (directory, disk) in disks.iter() {
            for path in &disk.temporary {
                let _ = fs::remove_file(directory.join(path));
            }
        }
    }
}

fn name_of(node: &Node) -> &str {
    use crate::yaml::known;
    node.at(&[known::METADATA, known::NAME]).map_or("", Node::text)
}

/// Warns of values that no template of any environment has asked for.
fn unused_values(
    session: &Session<'_>,
    rendered: &[(&Environment, Rendered)],
    lints: &Lints,
) -> Vec<Diagnostic> {
    // A default that only other environments use is used, although it is overridden there.
    let is_used = |(path, origin): &'_ (String, OriginId), one: &Rendered| {
        one.used.contains(origin).then(|| path.clone())
    };
    let used: HashSet<String> = rendered
        .iter()
        .flat_map(|(_, one)| one.leaves.iter().filter_map(|leaf| is_used(leaf, one)))
        .collect();
    let options = BuildOptions::default();
    let mut cx = Context::new(session, &options);
    let mut seen = HashSet::new();
    for (path, origin) in rendered.iter().flat_map(|(_, one)| &one.leaves) {
        if used.contains(path) || !seen.insert(*origin) {
            continue;
        }
        let d =
            Diagnostic::warning(Code::ValuesUnused, format!("no template uses `values.{path}`"))
                .at(cx.span(*origin), "without effect");
        cx.warn(d.help("remove the value, or correct the name that a template uses"));
    }
    cx.sink.into_sorted(session.sources(), lints)
}

fn report_check(
    run: &Run<'_>,
    changes: &BTreeMap<PathBuf, Changes>,
    rendered: &[(&Environment, Rendered)],
) -> Result<Ending, CommandError> {
    if changes.is_empty() {
        return Ok(Ending::Done);
    }
    let mut out = String::new();
    let mut count = 0;
    for (_, one) in rendered {
        for report in one.reports.values() {
            out.push_str(report);
            count += 1;
        }
    }
    for (directory, changes) in changes {
        for path in &changes.remove {
            let _ = writeln!(out, "{}: no longer rendered", run.shown(directory, path));
            count += 1;
        }
    }
    let _ = match count {
        1 => writeln!(out, "1 file is out of date; `kiln render` writes it"),
        _ => writeln!(out, "{count} files are out of date; `kiln render` writes them"),
    };
    write_stdout(out.as_bytes())?;
    Ok(Ending::No)
}
