//! `kiln graph`: what includes what.

use std::path::Path;

use super::args::{GraphArgs, GraphFormat};
use super::build::{Surroundings, load_project};
use super::{CommandError, Ending, write_stdout};
use crate::graph::Graph;
use crate::project::Project;
use crate::session::Context;
use crate::values::ValueArgs;
use crate::{BuildOptions, Diagnostic, DiskReader, Lints, Session, Severity, workspace};

pub(super) fn run(args: &GraphArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let session = Session::new(&DiskReader);
    let first = args.targets.iter().map(|target| directory.join(target)).find(|path| path.exists());
    let above = first.as_deref().unwrap_or(directory);
    let Some(project) = load_project(&session, around, above) else { return Ok(Ending::No) };
    let mut diagnostics = Vec::new();
    let targets = if args.targets.is_empty() {
        all_environments(&session, &project, around, &mut diagnostics)
    } else {
        Some(args.targets.clone())
    };
    let mut graph = Graph::default();
    for target in targets.iter().flatten() {
        add(&mut graph, &session, &project, target, around, &mut diagnostics);
    }
    diagnostics.sort_by_key(|d| d.severity);
    terminal.report(&diagnostics, session.sources());
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Ok(Ending::No);
    }
    if graph.nodes.is_empty() {
        return Err(CommandError::Usage("there is no kustomization to draw".to_owned()));
    }
    let text = match args.format {
        GraphFormat::Text => graph.text(),
        GraphFormat::Dot => graph.dot(),
        GraphFormat::Mermaid => graph.mermaid(),
        GraphFormat::Svg => graph.svg(),
    };
    write_stdout(text.as_bytes())?;
    Ok(Ending::Done)
}

/// Returns the environments of the project; without a project file, the kustomizations that no other one includes.
fn all_environments(
    session: &Session<'_>,
    project: &Project,
    around: &Surroundings<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<String>> {
    let directory = around.terminal.directory.as_path();
    let root = project.root().map_or_else(
        || std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_path_buf()),
        Path::to_path_buf,
    );
    let lints = Lints { strict: around.strict, levels: project.levels.clone() };
    let found = workspace::environments(session, project, &root, &[], directory, &lints);
    diagnostics.extend(found.diagnostics);
    let is_named = project.path.is_some();
    let environments = found.value?.into_iter();
    let target = |e: crate::project::Environment| {
        if is_named { format!("env:{}", e.name) } else { root.join(e.path).display().to_string() }
    };
    Some(environments.map(target).collect())
}

fn add(
    graph: &mut Graph,
    session: &Session<'_>,
    project: &Project,
    target: &str,
    around: &Surroundings<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let directory = around.terminal.directory.as_path();
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let found = workspace::resolve_target(session, project, target, directory, &lints);
    diagnostics.extend(found.diagnostics);
    let Some(target) = found.value else { return };
    let options =
        BuildOptions { shown_from: directory.to_path_buf(), lints, ..BuildOptions::default() };
    let prepared = workspace::prepare(session, project, &target, &ValueArgs::default(), options);
    diagnostics.extend(prepared.diagnostics);
    let Some(prepared) = prepared.value else { return };
    let mut cx = Context::new(session, &prepared.options);
    let name = target.environment.as_ref().map(|environment| environment.name.as_str());
    // What is wrong is in the sink.
    let _ = graph.add_target(&mut cx, name, &target.directory, &prepared.values.files);
    diagnostics.extend(cx.sink.into_sorted(session.sources(), &prepared.options.lints));
}
