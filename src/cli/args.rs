//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Compile Kubernetes configuration.
///
/// kiln builds kustomizations to plain YAML, to the same bytes as kustomize 5.8.1, without network, cluster or helper
/// programs.
#[derive(Debug, Parser)]
#[command(name = "kiln", disable_version_flag = true, max_term_width = 100)]
pub(super) struct Arguments {
    /// Run as if started in this directory
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(super) directory: Option<PathBuf>,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build a kustomization to stdout, to a file or into a directory
    Build(Box<BuildArgs>),
    /// Print the version of kiln and of the kustomize that it builds like
    Version,
}

/// Build the kustomization in a directory.
#[derive(Args, Debug)]
pub(super) struct BuildArgs {
    /// Directory that holds the kustomization file
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) target: PathBuf,

    /// Write to this file, or one file per object into this directory if it exists
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,

    /// Which files a kustomization may read
    #[arg(long, value_name = "RESTRICTION", default_value = "LoadRestrictionsRootOnly")]
    pub(super) load_restrictor: LoadRestrictor,

    /// Order of the objects, unless the kustomization has `sortOptions` (deprecated)
    #[arg(long, value_name = "ORDER")]
    pub(super) reorder: Option<ReorderOutput>,

    /// Add the label app.kubernetes.io/managed-by (deprecated: use `buildMetadata`)
    #[arg(long)]
    pub(super) enable_managedby_label: bool,

    #[command(flatten)]
    pub(super) compatibility: CompatibilityArgs,
}

/// Flags of kustomize for programs that kiln never starts. They are accepted, so that scripts keep working, and change
/// nothing: a kustomization that needs such a program is refused.
#[derive(Args, Debug)]
#[command(next_help_heading = "Accepted for compatibility, without effect")]
pub(super) struct CompatibilityArgs {
    /// Charts are refused, with or without this
    #[arg(long)]
    enable_helm: bool,

    /// Helm is never started
    #[arg(long, value_name = "COMMAND")]
    helm_command: Option<String>,

    /// Helm is never started
    #[arg(long, value_name = "VERSIONS")]
    helm_api_versions: Vec<String>,

    /// Helm is never started
    #[arg(long, value_name = "VERSION")]
    helm_kube_version: Option<String>,

    /// Helm is never started
    #[arg(long)]
    helm_debug: bool,

    /// Plugins that are not built in are refused, with or without this
    #[arg(long)]
    enable_alpha_plugins: bool,

    /// No program is ever started
    #[arg(long)]
    enable_exec: bool,

    /// No container is ever started
    #[arg(long)]
    network: bool,

    /// No container is ever started
    #[arg(long, value_name = "NAME")]
    network_name: Option<String>,

    /// No container is ever started
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,

    /// No container is ever started
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,

    /// No container is ever started
    #[arg(long)]
    as_current_user: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LoadRestrictor {
    /// Files in or below the kustomization's own directory
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    /// Any file
    #[value(name = "LoadRestrictionsNone")]
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ReorderOutput {
    /// By kind, then by name
    Legacy,
    /// As loaded
    None,
}
