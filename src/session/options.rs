//! What a build is asked to do.

use std::path::PathBuf;

use crate::diagnostic::Lints;
use crate::source::LoadRestriction;

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
}
