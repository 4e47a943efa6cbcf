//! `kiln blame`: which file, line and step wrote each field of an object, and what was there before.

mod json;
mod text;

use std::path::Path;

use super::args::{BlameArgs, BlameFormat};
use super::build::{Surroundings, load_project, value_args};
use super::{CommandError, Ending, write_stdout};
use crate::blame::{
    Field, Found, NodePlace, ObjectName, Place, Removal, Tracer, find, lookup, near,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::provenance::ValuePath;
use crate::resource::Resource;
use crate::source::display_path;
use crate::workspace::{self, Prepared, Target};
use crate::yaml::Node;
use crate::{BuildOptions, DiskReader, Lints, Project, Session};

pub(super) fn run(args: &BlameArgs, around: &Surroundings<'_>) -> Result<Ending, CommandError> {
    let terminal = around.terminal;
    let directory = terminal.directory.as_path();
    let Some(name) = ObjectName::parse(&args.object) else {
        let text = &args.object;
        let message = format!("`{text}` is no object: write KIND[.GROUP]/[NAMESPACE/]NAME");
        return Err(CommandError::Usage(message));
    };
    let path = ValuePath::parse(args.path.as_deref().unwrap_or_default())
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    let session = Session::for_one_build(&DiskReader);
    let given = value_args(&args.values, directory)?;
    let above = args.target.as_ref().map(|target| directory.join(target));
    let above = above.filter(|above| above.exists()).unwrap_or_else(|| directory.to_path_buf());
    let Some(project) = load_project(&session, around, &above) else { return Ok(Ending::No) };
    let lints = Lints { strict: around.strict, ..Lints::default() };
    let target = chosen_target(args, &project, directory)?;
    let target = workspace::resolve_target(&session, &project, &target, directory, &lints);
    terminal.report(&target.diagnostics, session.sources());
    let Some(target) = target.value else { return Ok(Ending::No) };
    let options = BuildOptions {
        shown_from: directory.to_path_buf(),
        jobs: around.jobs,
        lints,
        keep_history: true,
        ..BuildOptions::default()
    };
    let prepared = workspace::prepare(&session, &project, &target, &given, options);
    terminal.report(&prepared.diagnostics, session.sources());
    let Some(prepared) = prepared.value else { return Ok(Ending::No) };
    let outcome = crate::build(&session, &prepared.options);
    // What is odd about the build is said by `kiln build`; here only why there is none.
    let Some(build) = outcome.value else {
        terminal.report(&outcome.diagnostics, session.sources());
        return Ok(Ending::No);
    };
    let tracer = Tracer::with_values(&session, &build, Some(&prepared.values));
    let (target, prepared, path) = (&target, &prepared, &path);
    let answer = Answer { args, around, tracer: &tracer, target, prepared, path };
    let answered = match find(&build.resources, &name) {
        Found::One(resource) => answer.about(resource),
        Found::Removed(resource) => answer.gone(resource),
        Found::Several(resources) => Err(ambiguous(args, &resources)),
        Found::None(near) => Err(unknown_object(args, near)),
    };
    match answered {
        Ok(text) => {
            write_stdout(text.as_bytes())?;
            Ok(Ending::Done)
        }
        Err(diagnostic) => {
            terminal.report(&[diagnostic], session.sources());
            Ok(Ending::No)
        }
    }
}

/// Returns the target that was named; without one, the working directory, or the only environment of the project.
fn chosen_target(
    args: &BlameArgs,
    project: &Project,
    directory: &Path,
) -> Result<String, CommandError> {
    if let Some(target) = &args.target {
        return Ok(target.clone());
    }
    let is_kustomization =
        crate::project::FILE_NAMES.iter().any(|name| directory.join(name).is_file());
    match project.environments.as_slice() {
        _ if is_kustomization => Ok(".".to_owned()),
        [] => Ok(".".to_owned()),
        [only] => Ok(format!("env:{}", only.name)),
        several => {
            let names: Vec<&str> = several.iter().map(|e| e.name.as_str()).collect();
            let names = names.join("`, `");
            let message = format!("name a target with `-t`; the environments are `{names}`");
            Err(CommandError::Usage(message))
        }
    }
}

fn ambiguous(args: &BlameArgs, resources: &[&Resource]) -> Diagnostic {
    let message = format!("`{}` names {} objects", args.object, resources.len());
    let names: Vec<String> = resources.iter().map(|r| format!("`{}`", r.id())).collect();
    let d = Diagnostic::error(Code::BlameAmbiguous, message);
    d.help(format!("write one of {}", names.join(", ")))
}

fn unknown_object(args: &BlameArgs, near: Option<String>) -> Diagnostic {
    let message = format!("there is no `{}` in the build, and there was none", args.object);
    let d = Diagnostic::error(Code::BlameNoObject, message);
    match near {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => d.help("`kiln build` prints the objects"),
    }
}

/// What is asked, and what is known about it.
struct Answer<'a> {
    args: &'a BlameArgs,
    around: &'a Surroundings<'a>,
    tracer: &'a Tracer<'a>,
    target: &'a Target,
    prepared: &'a Prepared,
    path: &'a ValuePath,
}

impl Answer<'_> {
    fn about(&self, resource: &Resource) -> Result<String, Diagnostic> {
        let Some(places) = lookup(resource.node(), &self.path.0) else {
            return match self.tracer.removal(resource, self.path) {
                Some(removal) => Ok(self.removed(resource, &removal)),
                None => Err(self.unknown_field(resource, resource.node())),
            };
        };
        let mut path = ValuePath::default();
        let mut nodes = vec![resource.node()];
        for NodePlace { step, node } in places {
            path.0.push(step);
            nodes.push(node);
        }
        let fields = self.tracer.fields_below(resource, &path, &nodes);
        let node = nodes.last().copied().unwrap_or(resource.node());
        Ok(match self.args.format {
            BlameFormat::Json => self.json(resource, &fields, None),
            BlameFormat::Short => self.short(&fields),
            BlameFormat::Full if node.is_empty() => self.histories(resource, &fields),
            BlameFormat::Full => self.beside_lines(resource, &path, node, &fields),
        })
    }

    /// Answers about an object that is not there any more.
    fn gone(&self, resource: &Resource) -> Result<String, Diagnostic> {
        if lookup(resource.node(), &self.path.0).is_none() {
            return Err(self.unknown_field(resource, resource.node()));
        }
        match self.tracer.removal_of_object(resource, self.path) {
            Some(removal) => Ok(self.removed(resource, &removal)),
            None => Err(unknown_object(self.args, None)),
        }
    }

    fn removed(&self, resource: &Resource, removal: &Removal) -> String {
        match self.args.format {
            BlameFormat::Json => self.json(resource, &removal.fields, Some(removal)),
            BlameFormat::Full | BlameFormat::Short => self.removal(resource, removal),
        }
    }

    fn unknown_field(&self, resource: &Resource, root: &Node) -> Diagnostic {
        let (depth, near) = near(root, &self.path.0);
        let message = format!("`{}` has no `{}`, and had none", resource.id(), self.path);
        let d = Diagnostic::error(Code::BlameNoField, message);
        let known = ValuePath(self.path.0[..depth].to_vec());
        let dot = if known.0.is_empty() { "" } else { "." };
        match near {
            Some(near) if near.starts_with('[') => d.help(format!("did you mean `{known}{near}`?")),
            Some(near) => d.help(format!("did you mean `{known}{dot}{near}`?")),
            None => d.help(
                format!("`kiln blame {} {known}", self.args.object).trim_end().to_owned()
                    + "` shows what is there",
            ),
        }
    }

    fn directory(&self) -> &Path {
        &self.around.terminal.directory
    }

    fn is_masked(&self, field: &Field) -> bool {
        field.is_secret && !self.around.terminal.show_secrets
    }

    /// Returns a place as `FILE:LINE:COLUMN`, or as the flag that it is in.
    fn place(&self, place: &Place) -> String {
        if place.path.is_absolute() {
            let path = display_path(&place.path, self.directory());
            format!("{path}:{}:{}", place.line, place.column)
        } else {
            place.path.to_string_lossy().into_owned()
        }
    }

    fn layer(&self, layer: Option<&Path>) -> Option<String> {
        layer.map(|layer| display_path(layer, self.directory()))
    }
}

/// Returns what stands for a value that is secret.
fn placeholder(node: &Node) -> String {
    format!("<secret, {} bytes>", node.text().len())
}
