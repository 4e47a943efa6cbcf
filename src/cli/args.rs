//! What can be typed.

mod inspect;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::edit::args::{CreateArgs, EditArgs};

pub(super) use inspect::{
    AffectedArgs, AffectedBy, AffectedFormat, BlameArgs, BlameFormat, DepsArgs, DepsFormat,
    DiffArgs, DiffFormat, GraphArgs, GraphFormat,
};

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
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        conflicts_with = "no_project",
        num_args = 0..=1,
        default_missing_value = "kiln.yaml"
    )]
    pub(super) project: Option<PathBuf>,

    /// Use no project file
    #[arg(long, global = true)]
    pub(super) no_project: bool,

    /// Make every warning an error, except those about what is deprecated
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

    /// Show the values of Secrets in errors, warnings and differences
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
    /// Build a kustomization or an environment to stdout, to a file or into a directory
    Build(Box<KilnBuildArgs>),
    /// Write environments into the rendered tree
    Render(Box<RenderArgs>),
    /// Check objects against the schemas of Kubernetes and of custom resources
    Validate(Box<ValidateArgs>),
    /// Show what differs between revisions, targets or folders of objects, and what a cluster would do about it
    Diff(Box<DiffArgs>),
    /// List the environments that a change concerns
    Affected(Box<AffectedArgs>),
    /// Say which file, line and step wrote each field of an object
    Blame(Box<BlameArgs>),
    /// Print the values of an environment, where each is written and what it overrides
    Values(ValuesCommandArgs),
    /// List every file that a build of a target reads
    Deps(Box<DepsArgs>),
    /// Show what includes what: kustomizations, components, patches, values and their files
    Graph(Box<GraphArgs>),
    /// List the environments of the project
    Envs(EnvsArgs),
    /// List every kustomization of a repository, whether it builds, and why not
    Survey(SurveyArgs),
    /// Write a plain kustomize tree that builds to the same bytes without kiln
    Eject(EjectArgs),
    /// Change a kustomization file, and nothing else in it
    Edit(Box<EditArgs>),
    /// Write a kustomization file; with `--project`, a project file
    #[command(alias = "init")]
    Create(Box<CreateArgs>),
    /// What Argo CD runs when kiln is its config-management plugin
    Argocd(ArgocdArgs),
    /// Print the JSON Schema of a file, or import definitions of custom resources
    Schema(SchemaArgs),
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
    /// Edits a kustomization file
    Edit(Box<EditArgs>),
    /// Create a new kustomization in the current directory
    #[command(alias = "init")]
    Create(Box<CreateArgs>),
    /// Prints the kustomize version
    Version(KustomizeVersionArgs),
    /// Generate shell completion script
    Completion(CompletionsArgs),
}

/// Flags of `kustomize version`.
#[derive(Args, Debug)]
#[command(mut_args(with_value))]
pub(super) struct KustomizeVersionArgs {
    /// Accepted for compatibility, without effect
    #[arg(long)]
    pub(super) short: bool,

    /// One of `yaml` or `json`
    #[arg(short, long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub(super) output: String,

    #[arg(hide = true)]
    ignored: Vec<String>,
}

/// Values beside those of the project.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Values")]
pub(super) struct ValueArgs {
    /// Read values from this file, over those of the project
    #[arg(long, value_name = "FILE")]
    pub(super) values: Vec<PathBuf>,

    /// Set one value: `a.b[0]=c`
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,

    /// Set one value to a string
    #[arg(long, value_name = "PATH=TEXT")]
    pub(super) set_string: Vec<String>,

    /// Set one value to a value in JSON
    #[arg(long, value_name = "PATH=JSON")]
    pub(super) set_json: Vec<String>,

    /// Set one value to the content of a file
    #[arg(long, value_name = "PATH=FILE")]
    pub(super) set_file: Vec<String>,
}

/// Render environments.
///
/// Files that kiln has written and that are rendered no more are removed; other files are never touched.
#[derive(Args, Debug)]
pub(super) struct RenderArgs {
    /// The environments; all of them without it
    #[arg(value_name = "ENV")]
    pub(super) environments: Vec<String>,

    /// Write nothing; print what differs, and exit with 1 if anything does
    #[arg(long)]
    pub(super) check: bool,

    /// Exit with 1 if anything was changed
    #[arg(long, conflicts_with = "check")]
    pub(super) exit_code: bool,

    /// Exit with 1 if anything was changed, or if the git index does not hold the rendered files as they are then
    ///
    /// Meant for a hook before a commit: the commit has what its sources render to, or there is none.
    #[arg(long, conflicts_with = "check")]
    pub(super) require_staged: bool,

    /// Let an environment that had objects have none
    #[arg(long)]
    pub(super) allow_empty: bool,

    /// Do not check the objects as `kiln validate` does
    #[arg(long)]
    pub(super) no_validate: bool,

    #[command(flatten)]
    pub(super) values: ValueArgs,
}

/// Check objects against the schemas of Kubernetes and of custom resources.
///
/// A target that has to be compiled is compiled first, and a finding shows the line that wrote the value. Definitions of custom resources
/// among the objects count too.
#[derive(Args, Debug)]
pub(super) struct ValidateArgs {
    /// Directories with a kustomization, environments, files or folders of objects, `-` for stdin; all environments of the project without it,
    /// or the present directory
    #[arg(value_name = "TARGET")]
    pub(super) targets: Vec<String>,

    /// The version of Kubernetes, as `1.34`, in place of the project's
    #[arg(long, value_name = "VERSION")]
    pub(super) kubernetes_version: Option<String>,

    /// Definitions of custom resources: a file or a folder, beside those of the project
    #[arg(long, value_name = "PATH")]
    pub(super) crds: Vec<PathBuf>,

    /// How findings are printed
    #[arg(long, value_name = "FORMAT", default_value = "full")]
    pub(super) format: ValidateFormat,

    /// Leave out the findings that this file has, in place of the project's baseline
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,

    /// Write what is found to this file, to be left out from then on
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub(super) write_baseline: Option<PathBuf>,

    #[command(flatten)]
    pub(super) values: ValueArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ValidateFormat {
    /// With the lines at fault
    #[default]
    Full,
    /// One line each
    Short,
    /// One JSON document
    Json,
    /// Test cases for continuous integration, one for each object
    Junit,
    /// A log in SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// Test Anything Protocol, one test for each object
    Tap,
}

#[derive(Args, Debug)]
pub(super) struct ValuesCommandArgs {
    /// The environment
    #[arg(value_name = "ENV")]
    pub(super) environment: String,

    /// A part of the values, as `database.host`
    #[arg(value_name = "PATH")]
    pub(super) path: Option<String>,

    #[command(flatten)]
    pub(super) values: ValueArgs,
}

#[derive(Args, Debug)]
pub(super) struct EnvsArgs {
    /// How the environments are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: ListFormat,
}

#[derive(Args, Debug)]
pub(super) struct SurveyArgs {
    /// The directory to look through
    #[arg(value_name = "ROOT", default_value = ".")]
    pub(super) root: PathBuf,

    /// How the result is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: ListFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// Lines
    #[default]
    Text,
    /// One JSON document
    Json,
}

#[derive(Args, Debug)]
pub(super) struct EjectArgs {
    /// The environment
    #[arg(value_name = "ENV")]
    pub(super) environment: String,

    /// The directory to write, which is empty or does not exist
    #[arg(value_name = "DIR")]
    pub(super) output: PathBuf,

    #[command(flatten)]
    pub(super) values: ValueArgs,
}

/// What Argo CD runs when kiln is its config-management plugin.
///
/// The Application is read from the variables that Argo CD sets, and its path is the working directory. Errors are printed in few lines,
/// with paths as seen from the root of the repository.
#[derive(Args, Debug)]
pub(super) struct ArgocdArgs {
    #[command(subcommand)]
    pub(super) command: ArgocdCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ArgocdCommand {
    /// Print the objects of the Application: of the environment in its parameter `env`, or of the one at its path
    Generate(ArgocdGenerateArgs),
    /// Print the parameters that an Application can set, as JSON
    Parameters,
}

#[derive(Args, Debug)]
pub(super) struct ArgocdGenerateArgs {
    /// Let an Application have no objects
    #[arg(long)]
    pub(super) allow_empty: bool,

    /// Do not check the objects as `kiln validate` does
    #[arg(long)]
    pub(super) no_validate: bool,
}

#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    #[command(subcommand)]
    pub(super) command: SchemaCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum SchemaCommand {
    /// Print the JSON Schema of `kiln.yaml`
    Project,
    /// Print the JSON Schema of `kustomization.yaml`
    Kustomization,
    /// Add definitions of custom resources to the project
    Import(ImportArgs),
}

/// Add definitions of custom resources to the project.
///
/// Each definition becomes a file in the first folder of `kubernetes.crds`, or in `crds/`, with what checking needs and nothing
/// else. `kubectl get crd -o yaml | kiln schema import -` takes those of a cluster.
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// Files or folders that hold definitions (`CustomResourceDefinition`), `-` for stdin
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
}

/// What `kiln build` takes beside the flags of kustomize.
#[derive(Args, Debug)]
pub(super) struct KilnBuildArgs {
    #[command(flatten)]
    pub(super) build: BuildArgs,

    #[command(flatten)]
    pub(super) values: ValueArgs,

    /// List the remote entries that the target names, and how to copy them into the repository, instead of building
    #[arg(long)]
    pub(super) list_remotes: bool,

    /// Check the objects as `kiln validate` does, and print nothing but the findings if there are errors
    #[arg(long)]
    pub(super) validate: bool,
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
    /// The command that the page is about, as `render` or `argocd generate`; kiln itself without it
    #[arg(value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// Lets a switch take a value, as kustomize's do: `--enable-helm=false`.
pub(super) fn with_value(argument: Arg) -> Arg {
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
