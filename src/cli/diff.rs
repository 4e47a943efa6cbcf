//! `kiln diff`: two sides, compiled and compared.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write as _};
use std::path::Path;

use super::args::{DiffArgs, DiffFormat};
use super::build::{Surroundings, value_args};
use super::inputs::Inputs;
use super::side::{self, Files, From, Revisions, Side, Unit};
use super::{CommandError, Ending, write_stdout};
use crate::diagnostic::Diagnostic;
use crate::diff::format::{self, EnvironmentReport, Look, Outcome, Report, SideName};
use crate::diff::{self, Comparison, Snapshot};
use crate::project::Environment;
use crate::session::in_parallel;
use crate::values::ValueArgs as Values;
use crate::workspace::Target;

/// What is compared with what.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) was: Option<String>,
    pub(super) from: Option<Unit>,
    pub(super) to: Option<Unit>,
}

pub(super) fn run(args: &DiffArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let values = value_args(&args.values, &around.terminal.directory)?;
    let report = match (&args.from, &args.to) {
        (Some(from), Some(to)) => of_targets(from, to, &values, around)?,
        _ => of_revisions(args, &values, around),
    };
    let report = match report {
        Ok(report) => report,
        Err(ending) => return Ok(ending),
    };
    let look = Look {
        color: around.terminal.colors_results(),
        show_secrets: around.terminal.show_secrets,
        raw: args.raw,
    };
    let text = match args.format {
        DiffFormat::Human => format::human(&report, &look),
        DiffFormat::Unified => format::unified(&report, &look),
        DiffFormat::Json => format::json(&report, &look),
        DiffFormat::Markdown => format::markdown(&report, &look),
        DiffFormat::Html => format::html(&report, &look),
    };
    write_stdout(text.as_bytes())?;
    let failed = |one: &EnvironmentReport| matches!(one.outcome, Outcome::Failed { .. });
    let is_no = report.environments.iter().any(failed) || args.exit_code && !report.is_same();
    Ok(if is_no { Ending::No } else { Ending::Done })
}

fn of_revisions(
    args: &DiffArgs,
    values: &Values,
    around: &Surroundings<'_>,
) -> Result<Report, Ending> {
    let text = args.revision.as_deref().unwrap_or("HEAD");
    let from = if args.no_merge_base { From::Tip } else { From::MergeBase };
    let revisions = Revisions::read(text, from, &around.terminal.directory);
    let revisions = revisions.map_err(|error| {
        side::report_git(&error, around);
        Ending::Unable
    })?;
    let (from, to) = (open(&revisions.from, around)?, open(&revisions.to, around)?);
    let pairs = pairs(&from, &to, &args.targets)?;
    let inputs = Inputs::new(&from, &to, values, &around.terminal.directory);
    // What the user names has to compile.
    let inputs = args.targets.is_empty().then_some(&inputs);
    let environments = compared((&from, &to), &pairs, values, inputs, around);
    if from.has_git_fault() || to.has_git_fault() {
        return Err(Ending::Unable);
    }
    Ok(Report { from: from.name.clone(), to: to.name.clone(), environments })
}

pub(super) fn open<'r>(
    (name, files): &'r (SideName, Files),
    around: &'r Surroundings<'r>,
) -> Result<Side<'r>, Ending> {
    Side::open(name.clone(), files, None, around).ok_or_else(|| {
        if let Some(fault) = files.fault() {
            side::report_git(&fault, around);
            return Ending::Unable;
        }
        Ending::No
    })
}

fn of_targets(
    from: &str,
    to: &str,
    values: &Values,
    around: &Surroundings<'_>,
) -> Result<Result<Report, Ending>, CommandError> {
    if from == "-" && to == "-" {
        return Err(side::stdin_twice());
    }
    let files = Files::Disk;
    let opened = |target: &str| {
        let path = around.terminal.directory.join(target);
        let above = path.exists().then(|| Path::new(target));
        let name = SideName { name: target.to_owned(), revision: None };
        let side = Side::open(name, &files, above, around).ok_or(Ending::No)?;
        let unit = side.unit(target).map_err(|faults| {
            side.report(faults);
            Ending::No
        })?;
        Ok((side, unit))
    };
    let both = opened(from).and_then(|from| Ok((from, opened(to)?)));
    let ((from, from_unit), (to, to_unit)) = match both {
        Ok(both) => both,
        Err(ending) => return Ok(Err(ending)),
    };
    let pair = Pair {
        name: to.name.name.clone(),
        path: String::new(),
        was: None,
        from: Some(from_unit),
        to: Some(to_unit),
    };
    let environments = compared((&from, &to), &[pair], values, None, around);
    Ok(Ok(Report { from: from.name.clone(), to: to.name.clone(), environments }))
}

/// Finds out which environments of two sides are one, by their names, then by their paths.
pub(super) fn paired(
    old: &[Environment],
    new: &[Environment],
) -> Vec<(Option<usize>, Option<usize>)> {
    let by_name: BTreeMap<&str, usize> =
        old.iter().enumerate().map(|(index, e)| (e.name.as_str(), index)).collect();
    let mut pairs: Vec<(Option<usize>, Option<usize>)> = new
        .iter()
        .enumerate()
        .map(|(index, e)| (by_name.get(e.name.as_str()).copied(), Some(index)))
        .collect();
    let mut taken: HashSet<usize> = pairs.iter().filter_map(|(old, _)| *old).collect();
    for (before, after) in &mut pairs {
        if before.is_none()
            && let Some(after) = after.map(|index| &new[index])
        {
            let free =
                |(index, e): &(usize, &Environment)| !taken.contains(index) && e.path == after.path;
            *before = old.iter().enumerate().find(free).map(|(index, _)| index);
            taken.extend(*before);
        }
    }
    pairs.extend((0..old.len()).filter(|index| !taken.contains(index)).map(|i| (Some(i), None)));
    pairs
}

/// Returns what is compared: the targets, or all environments.
fn pairs(from: &Side<'_>, to: &Side<'_>, targets: &[String]) -> Result<Vec<Pair>, Ending> {
    if targets.is_empty() {
        let (old, new) = (all_environments(from)?, all_environments(to)?);
        let pair = |(before, after): (Option<usize>, Option<usize>)| {
            let (before, after) = (before.map(|i| &old[i]), after.map(|i| &new[i]));
            let shown = after.or(before);
            let name = shown.map(|e| e.name.clone()).unwrap_or_default();
            let was = before.map(|e| e.name.clone()).filter(|was| after.is_some() && *was != name);
            Pair {
                path: shown.map(|e| e.path.clone()).unwrap_or_default(),
                was,
                name,
                from: before.map(|e| Unit::Target(Box::new(from.target_of(e)))),
                to: after.map(|e| Unit::Target(Box::new(to.target_of(e)))),
            }
        };
        return Ok(paired(&old, &new).into_iter().map(pair).collect());
    }
    let mut pairs = Vec::new();
    for target in targets {
        let (before, after) = (from.target(target), to.target(target));
        if before.value.is_none() && after.value.is_none() {
            if after.diagnostics.is_empty() {
                let message = format!("`{target}` is on neither side");
                to.report(vec![Diagnostic::error(crate::Code::EnvironmentUnknown, message)]);
            } else {
                to.report(after.diagnostics);
            }
            return Err(Ending::No);
        }
        let environment =
            |target: &Option<Target>| target.as_ref().and_then(|target| target.environment.clone());
        let known = environment(&after.value).or_else(|| environment(&before.value));
        pairs.push(Pair {
            name: known.as_ref().map_or_else(|| target.clone(), |e| e.name.clone()),
            path: known.map_or_else(|| target.clone(), |e| e.path),
            was: None,
            from: before.value.map(Box::new).map(Unit::Target),
            to: after.value.map(Box::new).map(Unit::Target),
        });
    }
    Ok(pairs)
}

pub(super) fn all_environments(side: &Side<'_>) -> Result<Vec<Environment>, Ending> {
    let found = side.environments();
    side.report(found.diagnostics);
    if side.has_git_fault() {
        return Err(Ending::Unable);
    }
    found.value.ok_or(Ending::No)
}

/// A pair that was compared.
struct Done {
    report: EnvironmentReport,
    /// What is wrong with either side.
    faults: [Vec<Diagnostic>; 2],
    /// It compiles on neither side, and nothing that it reads has changed.
    is_broken_as_before: bool,
}

/// How many environments a note names.
const MAX_NAMED: usize = 10;

/// Compiles and compares all pairs, with several threads. With `inputs`, environments that compile on neither side are no fault
/// unless their inputs differ.
fn compared(
    (from, to): (&Side<'_>, &Side<'_>),
    pairs: &[Pair],
    values: &Values,
    inputs: Option<&Inputs<'_>>,
    around: &Surroundings<'_>,
) -> Vec<EnvironmentReport> {
    let threads = around.jobs.clamp(1, pairs.len().max(1));
    // One thread for each pair is enough, if there are as many.
    let jobs = if threads > 1 { 1 } else { around.jobs };
    let done = in_parallel(pairs.len(), threads, |index| {
        one((from, to), &pairs[index], values, inputs, jobs)
    });
    let mut faults: [Vec<Diagnostic>; 2] = [Vec::new(), Vec::new()];
    let mut reports = Vec::new();
    let mut broken = Vec::new();
    for one in done {
        let [old, new] = one.faults;
        faults[0].extend(old);
        faults[1].extend(new);
        if one.is_broken_as_before {
            broken.push(one.report.name.clone());
        }
        reports.push(one.report);
    }
    for (side, mut faults) in [from, to].into_iter().zip(faults) {
        // What several environments share is said once.
        let mut seen = HashSet::new();
        faults.retain(|d| seen.insert((d.code, d.primary().map(|l| l.span), d.message.clone())));
        side.report(faults);
    }
    if !broken.is_empty() && !around.terminal.quiet {
        let more = broken.len().saturating_sub(MAX_NAMED);
        broken.truncate(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names = broken.join(", ");
        // There is no place left to say that stderr cannot be written.
        let _ = writeln!(
            io::stderr(),
            "not compared, since they compile on neither side and nothing they read has changed: {names}{more}"
        );
    }
    reports
}

/// Compares one pair.
fn one(
    (from, to): (&Side<'_>, &Side<'_>),
    pair: &Pair,
    values: &Values,
    inputs: Option<&Inputs<'_>>,
    jobs: usize,
) -> Done {
    let snapshot = |side: &Side<'_>, unit: &Option<Unit>| {
        let Some(unit) = unit else { return (Some(Snapshot::default()), Vec::new()) };
        let outcome = side.snapshot(unit, values, jobs);
        (outcome.value, outcome.diagnostics)
    };
    let (old, old_faults) = snapshot(from, &pair.from);
    let (new, new_faults) = snapshot(to, &pair.to);
    let mut done = Done {
        report: EnvironmentReport {
            name: pair.name.clone(),
            path: pair.path.clone(),
            was: pair.was.clone(),
            outcome: Outcome::Compared(Comparison::default()),
        },
        faults: [Vec::new(), Vec::new()],
        is_broken_as_before: false,
    };
    match (old, new) {
        (Some(old), Some(new)) => {
            let comparison = diff::compare(&old, &new);
            done.report.outcome = match (&pair.from, &pair.to) {
                (None, _) => Outcome::Created(comparison),
                (_, None) => Outcome::Deleted(comparison),
                _ => Outcome::Compared(comparison),
            };
        }
        (None, None) if inputs.is_some_and(|inputs| has_same_inputs(inputs, pair)) => {
            from.excuse(&old_faults);
            to.excuse(&new_faults);
            done.is_broken_as_before = true;
        }
        (old, _) => {
            let (side, faults) =
                if old.is_none() { (from, &old_faults) } else { (to, &new_faults) };
            let (code, message) = side.first_error(faults);
            done.report.outcome = Outcome::Failed { side: side.name.text(), code, message };
            done.faults = [old_faults, new_faults];
        }
    }
    done
}

fn has_same_inputs(inputs: &Inputs<'_>, pair: &Pair) -> bool {
    let environment = |unit: &'_ Option<Unit>| match unit {
        Some(Unit::Target(target)) => target.environment.clone(),
        _ => None,
    };
    match (environment(&pair.from), environment(&pair.to)) {
        (Some(before), Some(after)) => inputs.are_same(&before, &after),
        _ => false,
    }
}
