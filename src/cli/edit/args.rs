//! What can be typed behind `edit` and `create`: kustomize's commands and flags.

use clap::{Arg, ArgAction, Args, Subcommand};

use crate::cli::args::with_value;

/// Gives flags the habits of kustomize's: a switch may have a value, `--force=false`; a value may begin with `-`.
fn as_in_kustomize(argument: Arg) -> Arg {
    if argument.get_long().is_none() {
        return argument;
    }
    match argument.get_action() {
        ArgAction::SetTrue => with_value(argument).value_parser(boolean),
        ArgAction::Set | ArgAction::Append => argument.allow_hyphen_values(true),
        _ => argument,
    }
}

/// Go's `strconv.ParseBool`.
fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("not true or false".to_owned()),
    }
}

/// Change a kustomization file, and nothing else in it.
///
/// The commands and flags are those of kustomize 5.8.1. Comments, order, indentation, quotes and line breaks of the file stay.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(in crate::cli) struct EditArgs {
    #[command(subcommand)]
    pub(super) command: Option<EditCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum EditCommand {
    /// Add an item to the kustomization file
    Add(AddArgs),
    /// Set the value of a field of the kustomization file
    Set(SetArgs),
    /// Remove items from the kustomization file
    Remove(RemoveArgs),
    /// Put the fields of today in the place of deprecated ones, and add those that are missing
    Fix(FixArgs),
}

#[derive(Args, Debug)]
pub(super) struct AddArgs {
    #[command(subcommand)]
    pub(super) command: Option<AddCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AddCommand {
    /// Add `commonAnnotations`
    Annotation(AddAnnotationArgs),
    /// Add directories, separated by commas, to `resources`
    #[command(mut_arg("arguments", |arg| arg.value_name("PATHS")))]
    Base(ListArgs),
    /// Add options, separated by commas, to `buildMetadata`
    #[command(mut_arg("arguments", |arg| arg.value_name("OPTIONS")))]
    Buildmetadata(ListArgs),
    /// Add entries to `components`
    #[command(mut_arg("arguments", |arg| arg.value_name("PATH")))]
    Component(ListArgs),
    /// Add an entry to `configMapGenerator`, or sources to one
    Configmap(AddConfigMapArgs),
    /// Add files to `generators`
    #[command(mut_arg("arguments", |arg| arg.value_name("FILE")))]
    Generator(ListArgs),
    /// Add `commonLabels`, or labels without selectors
    Label(AddLabelArgs),
    /// Add an entry to `patches`
    Patch(PatchArgs),
    /// Add entries to `resources`
    Resource(AddResourceArgs),
    /// Add an entry to `secretGenerator`, or sources to one
    Secret(AddSecretArgs),
    /// Add files to `transformers`
    #[command(mut_arg("arguments", |arg| arg.value_name("FILE")))]
    Transformer(ListArgs),
}

#[derive(Args, Debug)]
pub(super) struct SetArgs {
    #[command(subcommand)]
    pub(super) command: Option<SetCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum SetCommand {
    /// Set `commonAnnotations`: KEY:VALUE
    #[command(mut_arg("arguments", |arg| arg.value_name("PAIR")))]
    Annotation(ListArgs),
    /// Set the options of `buildMetadata`, separated by commas
    #[command(mut_arg("arguments", |arg| arg.value_name("OPTIONS")))]
    Buildmetadata(ListArgs),
    /// Change literals or the namespace of an entry of `configMapGenerator`
    Configmap(SetGeneratorArgs),
    /// Set what images are changed to: NAME=NEWNAME:TAG@DIGEST, where `*` is the part that is there
    #[command(mut_arg("arguments", |arg| arg.value_name("IMAGE")))]
    Image(ListArgs),
    /// Set `commonLabels`: KEY:VALUE
    #[command(mut_arg("arguments", |arg| arg.value_name("PAIR")))]
    Label(ListArgs),
    /// Set `namePrefix`
    #[command(mut_arg("arguments", |arg| arg.value_name("PREFIX")))]
    Nameprefix(ListArgs),
    /// Set `nameSuffix`
    #[command(mut_arg("arguments", |arg| arg.value_name("SUFFIX")))]
    Namesuffix(ListArgs),
    /// Set `namespace`
    #[command(mut_arg("arguments", |arg| arg.value_name("NAMESPACE")))]
    Namespace(ListArgs),
    /// Set numbers of replicas: NAME=COUNT
    #[command(mut_arg("arguments", |arg| arg.value_name("REPLICAS")))]
    Replicas(ListArgs),
    /// Change literals or the namespace of an entry of `secretGenerator`
    Secret(SetGeneratorArgs),
}

#[derive(Args, Debug)]
pub(super) struct RemoveArgs {
    #[command(subcommand)]
    pub(super) command: Option<RemoveCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum RemoveCommand {
    /// Remove `commonAnnotations`: keys, separated by commas
    Annotation(RemoveMetadataArgs),
    /// Remove options, separated by commas, from `buildMetadata`
    #[command(mut_arg("arguments", |arg| arg.value_name("OPTIONS")))]
    Buildmetadata(ListArgs),
    /// Remove entries of `configMapGenerator`: names, separated by commas
    Configmap(RemoveGeneratorArgs),
    /// Remove `commonLabels`: keys, separated by commas
    Label(RemoveMetadataArgs),
    /// Remove the entry of `patches` that says exactly this
    Patch(PatchArgs),
    /// Remove the entries of `resources` that fit patterns
    #[command(mut_arg("arguments", |arg| arg.value_name("PATTERN")))]
    Resource(ListArgs),
    /// Remove entries of `secretGenerator`: names, separated by commas
    Secret(RemoveGeneratorArgs),
    /// Remove the entries of `transformers` that fit patterns
    #[command(mut_arg("arguments", |arg| arg.value_name("PATTERN")))]
    Transformer(ListArgs),
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// What is added, set or removed
    #[arg(value_name = "ARG")]
    pub(super) arguments: Vec<String>,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct AddResourceArgs {
    /// Paths, patterns of paths, or remote directories, which are not looked at
    #[arg(value_name = "PATH")]
    pub(super) arguments: Vec<String>,

    /// Add the paths as they are, whether they exist or not
    #[arg(long)]
    pub(super) no_verify: bool,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct AddAnnotationArgs {
    /// KEY:VALUE
    #[arg(value_name = "PAIR")]
    pub(super) arguments: Vec<String>,

    /// Overwrite annotations that are there
    #[arg(short, long)]
    pub(super) force: bool,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct AddLabelArgs {
    /// KEY:VALUE
    #[arg(value_name = "PAIR")]
    pub(super) arguments: Vec<String>,

    /// Overwrite labels that are there
    #[arg(short, long)]
    pub(super) force: bool,

    /// Leave selectors alone: add to `labels`
    #[arg(long)]
    pub(super) without_selector: bool,

    /// Add to the templates of pods too (requires --without-selector)
    #[arg(long)]
    pub(super) include_templates: bool,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct RemoveMetadataArgs {
    /// Keys, separated by commas
    #[arg(value_name = "KEYS")]
    pub(super) arguments: Vec<String>,

    /// Keys that are not there are no error
    #[arg(short, long)]
    pub(super) ignore_non_existence: bool,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct PatchArgs {
    /// The file of the patch
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    pub(super) path: String,

    /// The text of the patch
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) patch: String,

    /// The API group of the target
    #[arg(long, value_name = "GROUP", default_value = "", hide_default_value = true)]
    pub(super) group: String,

    /// The API version of the target
    #[arg(long, value_name = "VERSION", default_value = "", hide_default_value = true)]
    pub(super) version: String,

    /// The kind of the target
    #[arg(long, value_name = "KIND", default_value = "", hide_default_value = true)]
    pub(super) kind: String,

    /// The name of the target
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub(super) name: String,

    /// The namespace of the target
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    pub(super) namespace: String,

    /// The annotations of the target
    #[arg(long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    pub(super) annotation_selector: String,

    /// The labels of the target
    #[arg(long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    pub(super) label_selector: String,

    #[arg(hide = true)]
    ignored: Vec<String>,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct SourceArgs {
    /// The name
    #[arg(value_name = "NAME")]
    pub(super) arguments: Vec<String>,

    /// A file, or files by a pattern, with a key in front if it is not the file's name: KEY=FILE
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub(super) from_file: Vec<String>,

    /// A key and its value: KEY=VALUE
    #[arg(long, value_name = "PAIR")]
    pub(super) from_literal: Vec<String>,

    /// A file with lines KEY=VALUE
    #[arg(long, value_name = "FILE", default_value = "", hide_default_value = true)]
    pub(super) from_env_file: String,

    /// The namespace
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    pub(super) namespace: String,

    /// Add no hash to the name
    #[arg(long = "disableNameSuffixHash")]
    pub(super) disable_name_suffix_hash: bool,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct AddConfigMapArgs {
    #[command(flatten)]
    pub(super) sources: SourceArgs,

    /// create, merge or replace
    #[arg(long, value_name = "BEHAVIOR", default_value = "", hide_default_value = true)]
    pub(super) behavior: String,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct AddSecretArgs {
    #[command(flatten)]
    pub(super) sources: SourceArgs,

    /// The type of a new Secret
    #[arg(long = "type", value_name = "TYPE", default_value = "Opaque")]
    pub(super) secret_type: String,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct SetGeneratorArgs {
    /// The name
    #[arg(value_name = "NAME")]
    pub(super) arguments: Vec<String>,

    /// A key that is there and its new value: KEY=VALUE
    #[arg(long, value_name = "PAIR")]
    pub(super) from_literal: Vec<String>,

    /// The namespace it has
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    pub(super) namespace: String,

    /// The namespace it gets
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    pub(super) new_namespace: String,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct RemoveGeneratorArgs {
    /// Names, separated by commas
    #[arg(value_name = "NAMES")]
    pub(super) arguments: Vec<String>,

    /// The namespace
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    pub(super) namespace: String,
}

#[derive(Args, Debug)]
#[command(mut_args(as_in_kustomize))]
pub(super) struct FixArgs {
    /// Turn vars into replacements too, which changes the files that they stand in
    #[arg(long)]
    pub(super) vars: bool,

    #[arg(hide = true)]
    ignored: Vec<String>,
}

/// Write a kustomization file for the directory.
#[derive(Args, Debug)]
#[command(args_override_self = true, mut_args(as_in_kustomize))]
pub(in crate::cli) struct CreateArgs {
    /// Paths and patterns of paths, separated by commas
    #[arg(long, value_name = "PATHS", default_value = "", hide_default_value = true)]
    pub(super) resources: String,

    /// The namespace of all objects
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    pub(super) namespace: String,

    /// Annotations of all objects: KEY:VALUE, separated by commas
    #[arg(long, value_name = "PAIRS", default_value = "", hide_default_value = true)]
    pub(super) annotations: String,

    /// Labels of all objects: KEY:VALUE, separated by commas
    #[arg(long, value_name = "PAIRS", default_value = "", hide_default_value = true)]
    pub(super) labels: String,

    /// What comes before all names
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    pub(super) nameprefix: String,

    /// What comes behind all names
    #[arg(long, value_name = "SUFFIX", default_value = "", hide_default_value = true)]
    pub(super) namesuffix: String,

    /// Add the files of the directory that hold objects
    #[arg(long)]
    pub(super) autodetect: bool,

    /// With --autodetect: look in directories below too
    #[arg(long)]
    pub(super) recursive: bool,

    #[arg(hide = true)]
    ignored: Vec<String>,
}
