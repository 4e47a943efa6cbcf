//! What can be typed to learn about builds: what differs, what is affected, who wrote what, what is read.

use clap::{Args, ValueEnum};

use super::ValueArgs;

/// Show what differs between revisions, targets or folders of objects.
///
/// Revisions are read from the git repository; nothing is checked out. Each side has its own project file and its own environments.
#[derive(Args, Debug)]
pub(in crate::cli) struct DiffArgs {
    /// The revision to compare with: of `REV`, the common ancestor of it and `HEAD` is compared with the work tree; `A..B` compares two
    /// revisions, `A...B` the common ancestor of both with `B`; `HEAD` without it
    #[arg(value_name = "REV", conflicts_with_all = ["from", "to"])]
    pub(in crate::cli) revision: Option<String>,

    /// Environments or directories with a kustomization; all environments without it
    #[arg(value_name = "TARGET", last = true, conflicts_with_all = ["from", "to"])]
    pub(in crate::cli) targets: Vec<String>,

    /// Compare this with `--to`: an environment, a directory with a kustomization, a file or folder of objects, `-` for stdin
    #[arg(long, value_name = "TARGET", requires = "to")]
    pub(in crate::cli) from: Option<String>,

    /// What `--from` is compared with
    #[arg(long, value_name = "TARGET", requires = "from")]
    pub(in crate::cli) to: Option<String>,

    /// Compare with the revision itself, not with its common ancestor with `HEAD`
    #[arg(long)]
    pub(in crate::cli) no_merge_base: bool,

    /// How the difference is printed
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(in crate::cli) format: DiffFormat,

    /// Fold nothing: list every reference that follows a content hash, and show every object that comes or goes in full
    #[arg(long)]
    pub(in crate::cli) raw: bool,

    /// Exit with 1 if anything differs
    #[arg(long)]
    pub(in crate::cli) exit_code: bool,

    #[command(flatten)]
    pub(in crate::cli) values: ValueArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiffFormat {
    /// For a terminal
    #[default]
    Human,
    /// The lines of the objects' YAML, as `diff -u` writes them
    Unified,
    /// One JSON document with every edit
    Json,
    /// A comment on a pull request, of at most 65,000 characters
    Markdown,
    /// One page for a browser
    Html,
}

/// List the environments that a change concerns.
///
/// An environment is listed if a file that its build reads has changed, or one that it looked for has come or gone.
#[derive(Args, Debug)]
pub(in crate::cli) struct AffectedArgs {
    /// The revision that the work tree is compared with: `REV`, its common ancestor with `HEAD`; or `A..B`, two revisions
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) since: String,

    /// Compare with the revision itself, not with its common ancestor with `HEAD`
    #[arg(long)]
    pub(in crate::cli) no_merge_base: bool,

    /// What has to differ
    #[arg(long, value_name = "WHAT", default_value = "inputs")]
    pub(in crate::cli) by: AffectedBy,

    /// How the environments are printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: AffectedFormat,

    #[command(flatten)]
    pub(in crate::cli) values: ValueArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AffectedBy {
    /// The files that a build reads
    #[default]
    Inputs,
    /// What a build prints
    Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum AffectedFormat {
    /// A line for each environment: its name and its path
    #[default]
    Text,
    /// A matrix for continuous integration
    Json,
}

/// Say which file, line and step wrote each field of an object, and what was there before.
///
/// Without a path the whole object is printed, with the origin of each line beside it. A field that is not there is answered with the
/// step that removed it.
#[derive(Args, Debug)]
pub(in crate::cli) struct BlameArgs {
    /// The object: `Deployment/web`, `ConfigMap/shop/settings`, `Certificate.cert-manager.io/web`. A content hash at the end of the
    /// name may be left out
    #[arg(value_name = "KIND[.GROUP]/[NS/]NAME")]
    pub(in crate::cli) object: String,

    /// A field, as `spec.containers[name=api].image`, `spec.containers[0].image` or `metadata.labels[app.kubernetes.io/name]`
    #[arg(value_name = "PATH")]
    pub(in crate::cli) path: Option<String>,

    /// The directory with the kustomization, or the environment; the present directory without it, or the only environment
    #[arg(short, long, value_name = "TARGET")]
    pub(in crate::cli) target: Option<String>,

    /// How the origins are printed
    #[arg(long, value_name = "FORMAT", default_value = "full")]
    pub(in crate::cli) format: BlameFormat,

    #[command(flatten)]
    pub(in crate::cli) values: ValueArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum BlameFormat {
    /// The history of a field; of more than one, YAML with the origin of each line
    #[default]
    Full,
    /// One line for each field
    Short,
    /// One JSON document
    Json,
}

/// List every file that a build of a target reads.
///
/// The list is that of a build, so it is complete: kustomizations, resources, patches, what generators read, templates and what they
/// include, values, the project file.
#[derive(Args, Debug)]
pub(in crate::cli) struct DepsArgs {
    /// The directory with the kustomization, or the environment
    #[arg(value_name = "TARGET")]
    pub(in crate::cli) target: String,

    /// List also the paths at which a file would change the build if there were one
    #[arg(long)]
    pub(in crate::cli) probed: bool,

    /// How the files are printed
    #[arg(long, value_name = "FORMAT", default_value = "list")]
    pub(in crate::cli) format: DepsFormat,

    /// What depends on the files: the name that stands before them in a depfile; TARGET without it
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<String>,

    #[command(flatten)]
    pub(in crate::cli) values: ValueArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DepsFormat {
    /// One path on each line
    #[default]
    List,
    /// A rule in the syntax of make
    Depfile,
    /// One JSON document
    Json,
    /// The value of Argo CD's annotation `argocd.argoproj.io/manifest-generate-paths`
    Argocd,
}

/// Show what includes what: kustomizations, components, patches, values and their files.
#[derive(Args, Debug)]
pub(in crate::cli) struct GraphArgs {
    /// Directories with a kustomization, and environments; all environments without it
    #[arg(value_name = "TARGET")]
    pub(in crate::cli) targets: Vec<String>,

    /// How the graph is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(in crate::cli) format: GraphFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum GraphFormat {
    /// A tree; what was shown before is marked `(*)`
    #[default]
    Text,
    /// For Graphviz
    Dot,
    /// For Markdown pages that draw Mermaid
    Mermaid,
    /// A picture
    Svg,
}
