//! What can be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Compile Kubernetes configuration.
///
/// kiln builds kustomizations to plain YAML, to the same bytes as kustomize 5.8.1, without network, cluster or helper
/// programs.
#[derive(Debug, Parser)]
#[command(name = "kiln", disable_version_flag = true, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: GlobalArgs,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(super) struct GlobalArgs {
    /// Run as if started in this directory
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(super) directory: Option<PathBuf>,

    /// Use this project file, instead of looking for `kiln.yaml` from the target upwards
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "no_project")]
    pub(super) project: Option<PathBuf>,

    /// Use no project file
    #[arg(long, global = true)]
    pub(super) no_project: bool,

    /// Make every warning an error, except those about deprecated fields
    #[arg(long, global = true)]
    pub(super) strict: bool,

    /// How errors and warnings are printed
    #[arg(long, value_name = "FORMAT", default_value = "full", global = true)]
    pub(super) error_format: ErrorFormat,

    /// When to use colors
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(super) color: ColorChoice,

    /// How many threads read and write; all processors without it
    #[arg(long, value_name = "N", global = true)]
    pub(super) jobs: Option<NonZeroUsize>,

    /// Print errors only, no warnings
    #[arg(short, global = true)]
    pub(super) quiet: bool,

    /// Show the values of Secrets in errors and warnings
    #[arg(long, global = true)]
    pub(super) show_secrets: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ErrorFormat {
    /// With the lines at fault
    #[default]
    Full,
    /// One line each
    Short,
    /// One JSON document
    Json,
    /// Annotations of GitHub Actions
    Github,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Build a kustomization to stdout, to a file or into a directory
    Build(Box<BuildArgs>),
    /// Say what a code means, why it is reported and what to do
    Explain(ExplainArgs),
    /// Print the version of kiln and of the kustomize that it builds like
    Version,
    /// Print a script that completes commands in a shell
    Completions(CompletionsArgs),
    /// Print a manual page
    Man(ManArgs),
}

/// What can be typed where kiln has the name `kustomize`.
#[derive(Debug, Parser)]
#[command(name = "kustomize", disable_version_flag = true, max_term_width = 100)]
#[command(about = "Manages declarative configuration of Kubernetes.")]
pub(super) struct KustomizeArguments {
    /// Accepted for compatibility, without effect
    #[arg(long, global = true)]
    stack_trace: bool,

    #[command(subcommand)]
    pub(super) command: KustomizeCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum KustomizeCommand {
    /// Build a kustomization target from a directory
    Build(Box<BuildArgs>),
    /// Prints the kustomize version
    Version {
        /// Accepted for compatibility, without effect
        #[arg(long)]
        short: bool,
    },
    /// Generate shell completion script
    Completion(CompletionsArgs),
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// A code as it stands in brackets in a report, as `patch::no-match`; all codes are listed without it
    #[arg(value_name = "CODE")]
    pub(super) code: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: Shell,
}

#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// The command that the page is about; kiln itself without it
    #[arg(value_name = "COMMAND")]
    pub(super) command: Option<String>,
}

/// Lets a switch take a value, as kustomize's do: `--enable-helm=false`.
fn with_value(argument: Arg) -> Arg {
    match argument.get_action() {
        ArgAction::SetTrue => argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_name("BOOL")
            .hide_default_value(true)
            .hide_possible_values(true),
        _ => argument,
    }
}

/// Build the kustomization in a directory.
#[derive(Args, Debug)]
#[command(mut_args(with_value))]
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
