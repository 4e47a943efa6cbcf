//! `kiln affected`: which environments a change concerns.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde_json::json;

use super::args::{AffectedArgs, AffectedBy, AffectedFormat};
use super::build::{Surroundings, value_args};
use super::diff::{all_environments, open, paired};
use super::inputs::Inputs;
use super::side::{self, From, Revisions, Side};
use super::{CommandError, Ending, write_stdout};
use crate::Output;
use crate::project::Environment;
use crate::session::in_parallel;
use crate::values::ValueArgs as Values;

pub(super) fn run(args: &AffectedArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let values = value_args(&args.values, &around.terminal.directory)?;
    let from = if args.no_merge_base { From::Tip } else { From::MergeBase };
    let revisions = match Revisions::read(&args.since, from, &around.terminal.directory) {
        Ok(revisions) => revisions,
        Err(error) => {
            side::report_git(&error, around);
            return Ok(Ending::Unable);
        }
    };
    let sides = open(&revisions.from, around)
        .and_then(|old| Ok((old, open(&revisions.to, around)?)))
        .and_then(|(old, new)| {
            let environments = (all_environments(&old)?, all_environments(&new)?);
            Ok((old, new, environments))
        });
    let (old, new, (before, after)) = match sides {
        Ok(sides) => sides,
        Err(ending) => return Ok(ending),
    };
    let pairs = paired(&before, &after);
    let inputs = Inputs::new(&old, &new, &values, &around.terminal.directory);
    let found = in_parallel(pairs.len(), around.jobs.max(1), |index| {
        match (pairs[index].0.map(|i| &before[i]), pairs[index].1.map(|i| &after[i])) {
            (Some(before), Some(after)) => match args.by {
                AffectedBy::Inputs => !inputs.are_same(before, after),
                AffectedBy::Output => has_other_output((&old, before), (&new, after), &values),
            },
            _ => true,
        }
    });
    // By inputs, what a revision does not hold counts as what it is called there.
    let is_fault = |side: &Side<'_>| match args.by {
        AffectedBy::Inputs => side.has_broken_repository(),
        AffectedBy::Output => side.has_git_fault(),
    };
    if is_fault(&old) || is_fault(&new) {
        return Ok(Ending::Unable);
    }
    let mut deleted = Vec::new();
    let mut affected = Vec::new();
    for ((before_index, after_index), _) in pairs.iter().zip(found).filter(|(_, found)| *found) {
        match (after_index, before_index) {
            (Some(index), _) => affected.push(&after[*index]),
            (None, Some(index)) => deleted.push(before[*index].name.as_str()),
            (None, None) => {}
        }
    }
    if !deleted.is_empty() && !around.terminal.quiet {
        // There is no place left to say that stderr cannot be written.
        let _ = writeln!(io::stderr(), "deleted since then: {}", deleted.join(", "));
    }
    write_stdout(printed(&affected, args.format).as_bytes())?;
    Ok(Ending::Done)
}

fn printed(affected: &[&Environment], format: AffectedFormat) -> String {
    if format == AffectedFormat::Json {
        let include: Vec<_> =
            affected.iter().map(|e| json!({ "env": e.name, "path": e.path })).collect();
        return format!("{}\n", json!({ "any": !include.is_empty(), "include": include }));
    }
    let width = affected.iter().map(|e| e.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for environment in affected {
        let _ = writeln!(out, "{:width$}  {}", environment.name, environment.path);
    }
    out
}

/// Returns whether an environment builds to other bytes, or on one side only.
fn has_other_output(
    (old, before): (&Side<'_>, &Environment),
    (new, after): (&Side<'_>, &Environment),
    values: &Values,
) -> bool {
    let build = |side: &Side<'_>, environment: &Environment| -> Option<Output> {
        let outcome = side.build(&side.target_of(environment), values, 1);
        side.report(outcome.diagnostics);
        outcome.value.map(|build| build.output)
    };
    build(old, before) != build(new, after)
}
