//! A project and its environments, ready to be built: which directory a target means, which values and templates count
//! there.

mod custom_resources;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Outcome;
use crate::diagnostic::{Code, Diagnostic, Fallible, Lints, nearest};
use crate::project::{Environment, Project, Settings, discover};
use crate::schema::CrdTypes;
use crate::session::{BuildOptions, Context, Session};
use crate::source::{EntryKind, clean, display_path};
use crate::template::TemplateSet;
use crate::values::{self, ValueArgs, Values};

use custom_resources::custom_resources;
pub(crate) use custom_resources::{definitions_of, read_definitions};

/// What a target means.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The directory to build, absolute.
    pub(crate) directory: PathBuf,
    /// The environment that it is, if it is one.
    pub(crate) environment: Option<Environment>,
}

/// A build that is about to be done.
pub(crate) struct Prepared {
    pub(crate) options: BuildOptions,
    /// What counts for the environment.
    pub(crate) settings: Settings,
    /// The templates with their values, if the project has templates.
    pub(crate) templates: Option<Arc<TemplateSet>>,
    pub(crate) values: Values,
}

fn outcome<T>(
    cx: Context<'_>,
    session: &Session<'_>,
    lints: &Lints,
    value: Fallible<T>,
) -> Outcome<T> {
    let diagnostics = cx.sink.into_sorted(session.sources(), lints);
    let failed = diagnostics.iter().any(|d| d.severity == crate::Severity::Error);
    Outcome { value: value.ok().filter(|_| !failed), diagnostics }
}

/// Finds out what a target means: an existing directory, or the name of an environment, which `env:` before it forces.
/// `directory`: where relative paths start, absolute.
pub(crate) fn resolve_target(
    session: &Session<'_>,
    project: &Project,
    target: &str,
    directory: &Path,
    lints: &Lints,
) -> Outcome<Target> {
    let options = BuildOptions { shown_from: directory.to_path_buf(), ..BuildOptions::default() };
    let mut cx = Context::new(session, &options);
    let found = find_target(&mut cx, project, target, directory);
    outcome(cx, session, lints, found)
}

fn find_target(
    cx: &mut Context<'_>,
    project: &Project,
    target: &str,
    directory: &Path,
) -> Fallible<Target> {
    let path = directory.join(target);
    let reader = cx.session.reader();
    let forced = target.strip_prefix("env:");
    if forced.is_none() && reader.canonicalize(&path).is_ok() {
        // A directory that is the path of one environment is that environment.
        let resolved = reader.canonicalize(&path).unwrap_or_else(|_| clean(&path));
        let own = |environment: &&Environment| {
            project.root().is_some_and(|root| clean(&root.join(&environment.path)) == resolved)
        };
        let mut owners = project.environments.iter().filter(own);
        let environment = owners.next().cloned();
        if let Some(second) = owners.next() {
            let first = environment.map(|environment| environment.name).unwrap_or_default();
            let message = format!(
                "`{target}` is the path of the environments `{first}` and `{}`",
                second.name
            );
            let d = Diagnostic::error(Code::EnvironmentAmbiguous, message);
            return Err(
                cx.fail(d.help(format!("name one: `env:{first}` or `env:{}`", second.name)))
            );
        }
        return Ok(Target { directory: path, environment });
    }
    let name = forced.unwrap_or(target);
    if project.path.is_none() && forced.is_none() {
        return Ok(Target { directory: path, environment: None });
    }
    match project.environment(name) {
        Some(environment) => {
            let directory = environment_directory(cx, project, environment)?;
            Ok(Target { directory, environment: Some(environment.clone()) })
        }
        // What looks like a path is one.
        None if forced.is_none() && (target.contains('/') || project.environments.is_empty()) => {
            Ok(Target { directory: path, environment: None })
        }
        None => Err(unknown(cx, project, name)),
    }
}

fn unknown(cx: &mut Context<'_>, project: &Project, name: &str) -> crate::diagnostic::Reported {
    let d = Diagnostic::error(
        Code::EnvironmentUnknown,
        format!("`{name}` is neither a directory nor an environment"),
    );
    let names: Vec<&str> = project.environments.iter().map(|e| e.name.as_str()).collect();
    let help = match (nearest(name, names.iter().copied()), names.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "the project has no environments".to_owned(),
        (None, names) => format!("the environments are `{}`", names.join("`, `")),
    };
    cx.fail(d.help(help))
}

/// Returns what a build of an environment needs, beside what `options` say: its directory, the values and templates, the
/// vendored copies of remote entries, the levels of warnings.
///
/// Errors: there is no such environment, its directory does not exist, or its values have faults.
pub fn environment_options(
    session: &Session<'_>,
    project: &Project,
    name: &str,
    options: &BuildOptions,
) -> Outcome<BuildOptions> {
    let (from, lints) = (options.shown_from.clone(), options.lints.clone());
    let target = resolve_target(session, project, &format!("env:{name}"), &from, &lints);
    let Some(found) = target.value else {
        return Outcome { value: None, diagnostics: target.diagnostics };
    };
    let prepared = prepare(session, project, &found, &ValueArgs::default(), options.clone());
    Outcome {
        value: prepared.value.map(|prepared| prepared.options),
        diagnostics: prepared.diagnostics,
    }
}

/// Returns the directory of an environment, absolute.
pub(crate) fn environment_directory(
    cx: &mut Context<'_>,
    project: &Project,
    environment: &Environment,
) -> Fallible<PathBuf> {
    let root = project.root().unwrap_or(Path::new("/"));
    let directory = clean(&root.join(&environment.path));
    if matches!(cx.session.reader().kind(&directory), Ok(EntryKind::Directory | EntryKind::Symlink))
    {
        return Ok(directory);
    }
    let shown = display_path(&directory, &cx.options.shown_from);
    let message =
        format!("the path of environment `{}` is no directory: `{shown}`", environment.name);
    let d = Diagnostic::error(Code::EnvironmentMissing, message)
        .at(cx.span(environment.at), "this environment");
    Err(cx.fail(d.help("correct its `path` in the project file")))
}

/// Returns the environments with the names, or all of them; without a project file those that are found below `root`.
pub(crate) fn environments(
    session: &Session<'_>,
    project: &Project,
    root: &Path,
    names: &[String],
    shown_from: &Path,
    lints: &Lints,
) -> Outcome<Vec<Environment>> {
    let options = BuildOptions { shown_from: shown_from.to_path_buf(), ..BuildOptions::default() };
    let mut cx = Context::new(session, &options);
    let all = discover(&mut cx, project, root);
    let mut found = Vec::new();
    let mut result = Ok(());
    for name in names {
        let plain = name.strip_prefix("env:").unwrap_or(name);
        match all.iter().find(|environment| environment.name == plain) {
            Some(environment) => found.push(environment.clone()),
            None => {
                let known = Project { environments: all.clone(), ..Project::default() };
                result = Err(unknown(&mut cx, &known, plain));
            }
        }
    }
    if names.is_empty() {
        found = all;
    }
    outcome(cx, session, lints, result.map(|()| found))
}

/// Reads the definitions of custom resources that settings name, and those at other paths, absolute.
pub(crate) fn definitions(
    session: &Session<'_>,
    project: &Project,
    settings: &Settings,
    others: &[PathBuf],
    options: &BuildOptions,
) -> Outcome<Arc<CrdTypes>> {
    let mut cx = Context::new(session, options);
    let read = custom_resources(&mut cx, project, settings, others);
    outcome(cx, session, &options.lints, read)
}

/// Reads what a build of a target needs: values and templates. `options`: what the command line says.
pub(crate) fn prepare(
    session: &Session<'_>,
    project: &Project,
    target: &Target,
    args: &ValueArgs,
    mut options: BuildOptions,
) -> Outcome<Prepared> {
    let environment = target.environment.as_ref();
    let settings = match environment {
        Some(environment) => project.settings.with(&environment.settings),
        None => project.settings.clone(),
    };
    options.target.clone_from(&target.directory);
    options.lints.levels.clone_from(&settings.levels);
    options.remotes.clone_from(&project.remotes);
    let context_options = options.clone();
    let mut cx = Context::new(session, &context_options);
    let loaded = values::load(&mut cx, project, environment, args);
    if settings.crd_list_keys == Some(true) {
        match custom_resources(&mut cx, project, &settings, &[]) {
            Ok(types) => options.custom_resources = Some(types),
            Err(reported) => return outcome(cx, session, &context_options.lints, Err(reported)),
        }
    }
    let prepared = loaded.map(|values| {
        let templates = (!project.templates.is_empty()).then(|| {
            let set = TemplateSet::new(
                project,
                environment,
                &settings,
                values.clone(),
                &options.shown_from,
            );
            Arc::new(set)
        });
        options.templates = templates.clone().map(|set| set as _);
        Prepared { options, settings, templates, values }
    });
    outcome(cx, session, &context_options.lints, prepared)
}
