//! What a build is asked to do.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Session;
use crate::diagnostic::{Diagnostic, Lints};
use crate::schema::CrdTypes;
use crate::source::{LoadRestriction, SourceFile};

/// The order of the output, as the command line asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// Nothing was said: kustomize's legacy order, unless the kustomization asks for another.
    #[default]
    Unspecified,
    /// Kustomize's legacy order: by kind, then by id.
    Legacy,
    /// The order in which objects were loaded.
    None,
}

/// How the objects are laid out in files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One stream of documents.
    #[default]
    Stream,
    /// One file for each object.
    FilePerObject,
}

/// What a build is asked to do.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// The directory of the kustomization, absolute.
    pub target: PathBuf,
    /// The directory, absolute, from which paths in messages are written.
    pub shown_from: PathBuf,
    /// Whether files outside the directories of kustomizations may be read.
    pub load_restriction: LoadRestriction,
    /// The order of the output.
    pub reorder: Reorder,
    /// How the output is laid out.
    pub layout: Layout,
    /// Adds the label `app.kubernetes.io/managed-by` to every object.
    pub managed_by_label: bool,
    /// How many threads read and write; 0 counts as 1. The result does not depend on it.
    pub jobs: usize,
    /// What becomes of warnings.
    pub lints: Lints,
    /// Leaves warnings about entries that do nothing to the caller ([`crate::Build::idle`]), who builds several targets.
    pub defer_idle: bool,
    /// Keeps the values that steps replace and remove ([`crate::Provenance::before`]).
    pub keep_history: bool,
    /// What renders templates; without it every file is read as it is.
    pub templates: Option<Arc<dyn Templates>>,
    /// Remote entries of kustomizations, and the directories or files, absolute, that stand for them.
    pub remotes: Vec<(String, PathBuf)>,
    /// Custom resources whose keyed lists merge under patches, and whose definitions say whether they have a namespace. Without them the
    /// build does as kustomize does, which knows neither.
    pub custom_resources: Option<Arc<CrdTypes>>,
}

/// Renders files before they are parsed.
pub trait Templates: Debug + Send + Sync {
    /// Returns whether the file at an absolute path is a template.
    fn is_template(&self, path: &Path) -> bool;

    /// Returns the values that may reach only the data of Secrets.
    fn secrets(&self) -> Vec<String>;

    /// Returns a template as it is rendered: a file of the session's sources, or what is wrong with the template.
    fn render(
        &self,
        session: &Session<'_>,
        file: &Arc<SourceFile>,
    ) -> Result<Arc<SourceFile>, Box<Diagnostic>>;
}
