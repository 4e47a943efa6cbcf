//! `kiln.yaml`, the project file: where it is looked for and what it says.
//!
//! Paths in it are relative to its directory. Unknown keys are errors. An environment may set any key of `kubernetes`,
//! `render`, `validate` and `lints` anew: maps merge, lists replace.

mod decode;
mod edit;
mod environments;
mod external;
mod glob;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::diagnostic::{Code, Diagnostic, Fallible, Level, Lints, Severity};
use crate::session::{BuildOptions, Context, Session, Text};
use crate::source::{EntryKind, LoadError, Reader, display_path};

pub(crate) use edit::with_definitions;
pub(crate) use environments::{discover, find_kustomizations, has_kustomization};
pub(crate) use external::External;
pub(crate) use glob::Glob;

/// The name of the project file.
pub(crate) const FILE_NAME: &str = "kiln.yaml";

/// What a project file says; the default is a project without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The project file, absolute.
    pub path: Option<PathBuf>,
    /// The levels of warnings (`lints`).
    pub levels: BTreeMap<Code, Level>,
    /// What counts for every environment that does not set it anew.
    pub(crate) settings: Settings,
    pub(crate) values: ValuesSettings,
    /// Which files are templates.
    pub(crate) templates: Vec<Glob>,
    pub(crate) environments: Vec<Environment>,
    /// Remote entries and the directories that stand for them, absolute.
    pub(crate) remotes: Vec<(String, PathBuf)>,
}

impl Project {
    /// Returns the directory of the project file.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }

    /// Returns the environment with a name.
    pub(crate) fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == name)
    }
}

/// What an environment may set anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The version of Kubernetes, as `1.34`.
    pub(crate) kubernetes_version: Option<Text>,
    /// Files or folders of `CustomResourceDefinition`s.
    pub(crate) crds: Option<Vec<Text>>,
    /// Whether a build merges keyed lists of custom resources, and takes their scopes from their definitions.
    pub(crate) crd_list_keys: Option<bool>,
    /// Where rendered files go, relative to the project.
    pub(crate) render_dir: Option<Text>,
    pub(crate) layout: Option<RenderLayout>,
    pub(crate) secrets: Option<SecretPolicy>,
    /// Secrets that the policy does not concern, as `Secret/NAMESPACE/NAME`.
    pub(crate) allowed_secrets: Option<Vec<Text>>,
    pub(crate) pod_security: Option<PodSecurity>,
    /// The file of the findings that are known, relative to the project.
    pub(crate) baseline: Option<Text>,
    /// What references may name that exists outside the project.
    pub(crate) external: Option<Vec<External>>,
    /// Environments or directories whose objects references may name as well.
    pub(crate) with: Option<Vec<Text>>,
    pub(crate) levels: BTreeMap<Code, Level>,
}

impl Settings {
    /// Returns these settings with those of an environment in their place.
    pub(crate) fn with(&self, own: &Self) -> Self {
        let mut levels = self.levels.clone();
        levels.extend(own.levels.iter().map(|(code, level)| (*code, *level)));
        Self {
            kubernetes_version: own
                .kubernetes_version
                .clone()
                .or_else(|| self.kubernetes_version.clone()),
            crds: own.crds.clone().or_else(|| self.crds.clone()),
            crd_list_keys: own.crd_list_keys.or(self.crd_list_keys),
            render_dir: own.render_dir.clone().or_else(|| self.render_dir.clone()),
            layout: own.layout.or(self.layout),
            secrets: own.secrets.or(self.secrets),
            allowed_secrets: own.allowed_secrets.clone().or_else(|| self.allowed_secrets.clone()),
            pod_security: own.pod_security.or(self.pod_security),
            baseline: own.baseline.clone().or_else(|| self.baseline.clone()),
            external: own.external.clone().or_else(|| self.external.clone()),
            with: own.with.clone().or_else(|| self.with.clone()),
            levels,
        }
    }
}

/// How much pods may do: a level of the Pod Security Standards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PodSecurity {
    /// Everything.
    #[default]
    Off,
    /// What is not known to end in control of the node.
    Baseline,
    /// What a hardened pod needs.
    Restricted,
}

/// How rendered objects are laid out in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RenderLayout {
    /// All files of an environment in one folder.
    #[default]
    Flat,
    /// A folder for each namespace.
    Tree,
    /// One file for each environment.
    Single,
}

/// Which Secrets a rendered tree may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SecretPolicy {
    /// None.
    Forbid,
    /// Those without data, and those that SOPS has encrypted.
    #[default]
    Encrypted,
    /// Any.
    Allow,
}

/// Where values come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ValuesSettings {
    pub(crate) files: Vec<ValuesFile>,
    pub(crate) schema: Option<Text>,
}

/// A file of values, relative to the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValuesFile {
    pub(crate) path: Text,
    /// The file may be absent.
    pub(crate) optional: bool,
}

impl ValuesFile {
    /// Reads `values/{cluster}.yaml?`, a path whose captures are filled in.
    fn new(path: &Text, captures: &BTreeMap<String, String>) -> Self {
        let (text, optional) = match path.as_str().strip_suffix('?') {
            Some(text) => (text, true),
            None => (path.as_str(), false),
        };
        Self { path: Text { value: glob::fill(text, captures).into(), at: path.at }, optional }
    }
}

/// One environment of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) name: String,
    /// The directory of its kustomization, relative to the project.
    pub(crate) path: String,
    /// What the pattern of its name has captured.
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) values: Vec<ValuesFile>,
    /// What it sets anew.
    pub(crate) settings: Settings,
    /// Where it is written.
    pub(crate) at: crate::provenance::OriginId,
}

/// Where the project file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectLocation<'p> {
    /// It is looked for in this directory, absolute, and those above it, up to the first with an entry `.git`. There may
    /// be none.
    Above(&'p Path),
    /// It is this file, absolute.
    File(&'p Path),
}

/// Reads the project file. Paths in messages are written as seen from `shown_from`. `strict`: warnings are errors.
pub fn load_project(
    session: &Session<'_>,
    location: ProjectLocation<'_>,
    shown_from: &Path,
    strict: bool,
) -> Outcome<Project> {
    let options = BuildOptions { shown_from: shown_from.to_path_buf(), ..BuildOptions::default() };
    let mut cx = Context::new(session, &options);
    let path = match location {
        ProjectLocation::File(path) => Some(path.to_path_buf()),
        ProjectLocation::Above(start) => find(session.reader(), start),
    };
    let value = match path {
        None => Ok(Project::default()),
        Some(path) => load(&mut cx, &path),
    };
    let levels = value.as_ref().map(|project| project.levels.clone()).unwrap_or_default();
    let diagnostics = cx.sink.into_sorted(session.sources(), &Lints { levels, strict });
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    Outcome { value: value.ok().filter(|_| !failed), diagnostics }
}

fn find(reader: &dyn Reader, start: &Path) -> Option<PathBuf> {
    let start = reader.canonicalize(start).ok()?;
    for directory in start.ancestors() {
        let path = directory.join(FILE_NAME);
        if matches!(reader.kind(&path), Ok(EntryKind::File | EntryKind::Symlink)) {
            return Some(path);
        }
        if reader.kind(&directory.join(".git")).is_ok() {
            return None;
        }
    }
    None
}

fn load(cx: &mut Context<'_>, path: &Path) -> Fallible<Project> {
    let file = match cx.session.file(path) {
        Ok(file) => file,
        Err(error) => {
            let shown = display_path(path, &cx.options.shown_from);
            let reason = match &error {
                LoadError::Io { error, .. } => error.to_string(),
                other => other.to_string(),
            };
            let message = format!("the project file `{shown}` cannot be read: {reason}");
            return Err(cx.fail(Diagnostic::error(Code::ProjectMissing, message)));
        }
    };
    // The directory is compared with resolved ones.
    let resolved = cx.session.reader().canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let root = resolved.parent().unwrap_or(Path::new("/")).to_path_buf();
    let document = cx.document(&file)?.unwrap_or_default();
    decode::project(cx, &file, &document, &root)
        .map(|project| Project { path: Some(resolved), ..project })
}
