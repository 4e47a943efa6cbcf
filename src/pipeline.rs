//! The compiler's stages, called in order.
//!
//! A build goes down the tree of kustomizations, depth first. Each one gathers its resources (files, and the results of
//! the kustomizations below it), merges its configurations, runs its generators, lets its components work on what is there,
//! then its own transformers, and checks its validators. What only makes sense for the whole is done once, at the end:
//! content hashes, references to names, vars, dropping local objects, order, and the marks that `buildMetadata` asks for.
//! See `api/internal/target/kusttarget.go` and `api/krusty/kustomizer.go`.

mod bases;

use std::path::Path;
use std::sync::Arc;

use crate::build_metadata::{Marks, Origin};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported};
use crate::generate::{GeneratedKind, absorb, generate, generate_iam_policy};
use crate::project::{
    GeneratorArgs, GeneratorOptions, Layer, TransformerConfig, load_configurations, load_crds,
    load_layer, report_clash,
};
use crate::provenance::OriginId;
use crate::resource::{Gvk, ReadFault, Resource, ResourceSet, Scopes, read_objects};
use crate::schema::{BUILTIN_VERSION, CustomSchema, SchemaFault};
use crate::session::{Context, Text, json_error, syntax_error};
use crate::source::{LoadError, SourceFile, display_path};
use crate::transform::vars::Vars;
use crate::transform::{self, Plugin, helm_unsupported, load_plugin, name_hash, name_refs, vars};
use crate::{emit, finish};

/// What a kustomization has gathered so far.
#[derive(Clone)]
struct Accumulator {
    set: ResourceSet,
    config: Option<Arc<TransformerConfig>>,
    vars: Vars,
}

impl Accumulator {
    fn new(scopes: &Arc<Scopes>) -> Self {
        Self { set: ResourceSet::new(Arc::clone(scopes)), config: None, vars: Vars::default() }
    }
}

/// How one kustomization leads to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Resource,
    Component,
}

/// One kustomization at work, and those that led to it.
struct Level<'a> {
    layer: &'a Layer,
    marks: &'a Marks,
    /// Where the kustomization lies, for the annotations of `buildMetadata`.
    origin: Origin,
    referrer: Option<&'a Level<'a>>,
}

/// Builds the target of the options: the finished set, not yet ordered bytes.
pub(crate) fn run(cx: &mut Context<'_>) -> Fallible<ResourceSet> {
    let target = cx.options.target.clone();
    let root = match cx.loader.existing_directory(&target) {
        Ok(root) => root,
        Err(error) => return Err(target_error(cx, &target, &error)),
    };
    let layer = load_layer(cx, &root, None)?;
    choose_schema(cx, &layer, SchemaScope::Root)?;
    let marks = Marks::new(cx, &layer.kustomization);
    let level = Level { layer: &layer, marks: &marks, origin: Origin::default(), referrer: None };
    let mut gathered = Accumulator::new(&cx.scopes);
    accumulate(cx, &level, &mut gathered)?;
    let Accumulator { mut set, config, vars } = gathered;
    let whole = layer.whole;
    let config = config.unwrap_or_else(TransformerConfig::shared_defaults);

    name_hash::apply(cx, &mut set)?;
    name_refs::apply(cx, &mut set, &config)?;
    vars::apply(cx, &mut set, &vars, &config.var_reference)?;
    finish::drop_local_objects(cx, &mut set)?;
    finish::forbid_leaks(cx, &set)?;
    emit::sort(cx, &mut set, layer.kustomization.sort_options.as_ref())?;
    marks.finish(cx, &mut set)?;
    // A component alone has nothing to work on.
    if layer.kustomization.is_component() {
        cx.sink.forget_idle();
    } else if set.is_empty() {
        let d = Diagnostic::warning(Code::BuildEmpty, "the build yields no object")
            .at(cx.span(whole), "this kustomization");
        cx.warn(
            d.help("a tool that prunes would delete everything: name something under `resources`"),
        );
    }
    Ok(set)
}

fn target_error(cx: &mut Context<'_>, target: &Path, error: &LoadError) -> Reported {
    let shown = display_path(target, &cx.options.shown_from);
    let diagnostic = match error {
        LoadError::Missing(_) => {
            Diagnostic::error(Code::BaseMissing, format!("`{shown}` does not exist"))
        }
        LoadError::NotADirectory(_) => {
            let message = format!("`{shown}` is not a directory");
            Diagnostic::error(Code::BaseNotADirectory, message)
                .help("name the directory that holds the kustomization file")
        }
        other => {
            Diagnostic::error(Code::FileUnreadable, format!("`{shown}` cannot be read: {other}"))
        }
    };
    cx.fail(diagnostic)
}

/// Gathers what a kustomization asks for and transforms it.
fn accumulate(cx: &mut Context<'_>, level: &Level<'_>, gathered: &mut Accumulator) -> Fallible<()> {
    let layer = level.layer;
    let resources = &layer.kustomization.resources;
    if let Err(reported) = accumulate_resources(cx, level, gathered, resources, "resources") {
        check_rest(cx, layer);
        return Err(reported);
    }
    merge_config(cx, layer, gathered)?;
    run_generators(cx, level, gathered)?;
    accumulate_components(cx, level, gathered)?;
    run_transformers(cx, level, gathered)?;
    run_validators(cx, level, gathered)?;
    gathered.vars.add(cx, &mut gathered.set, &layer.kustomization.vars)
}

/// Reports the faults of a kustomization that its resources have no part in, so that one run shows them with the others.
fn check_rest(cx: &mut Context<'_>, layer: &Layer) {
    let fields = &layer.kustomization;
    let config_maps = fields.config_map_generators.iter().map(|g| (GeneratedKind::ConfigMap, g));
    let secrets = fields.secret_generators.iter().map(|g| (GeneratedKind::Secret, g));
    for (kind, args) in config_maps.chain(secrets) {
        // A fault is in the sink; there is nothing else to do with it.
        let _ = generate(cx, &layer.root, kind, args);
    }
    let _ = transform::configure(cx, &layer.root, fields, &TransformerConfig::shared_defaults());
}

/// Reads entries that are files of objects, or directories with kustomizations.
fn accumulate_resources(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
    entries: &[Text],
    field: &str,
) -> Fallible<()> {
    let ahead = cx.read_ahead(&level.layer.root, entries);
    let mut result = Ok(());
    for (index, entry) in entries.iter().enumerate() {
        let known = ahead.get(index).and_then(Option::clone);
        let file = known.map_or_else(|| cx.try_file(&level.layer.root, entry.as_str()), Ok);
        let one = match file {
            Ok(file) => accumulate_file(cx, level, gathered, entry, &file),
            Err(file_error) => {
                let what = format!("{field}[{index}]");
                accumulate_directory(
                    cx,
                    level,
                    gathered,
                    entry,
                    Role::Resource,
                    &what,
                    Some(file_error),
                )
            }
        };
        if let Err(reported) = one {
            result = Err(reported);
        }
    }
    result
}

fn accumulate_file(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
    entry: &Text,
    file: &SourceFile,
) -> Fallible<()> {
    let nodes = cx.objects(file)?;
    // A template may yield nothing in one environment, and objects in another.
    if nodes.is_empty() && !file.is_rendered() {
        let message = format!("`{}` holds no object", entry.value);
        let d =
            Diagnostic::warning(Code::ResourceNone, message).at(cx.span(entry.at), "named here");
        cx.warn(d.help("remove the entry, or what makes the file empty"));
    }
    let origin = level.origin.append(entry.as_str());
    for node in nodes {
        let mut resource = Resource::new(node, gathered.set.scopes());
        level.marks.set_origin(cx, &mut resource, &origin)?;
        add(cx, &mut gathered.set, resource, entry.at)?;
    }
    Ok(())
}

fn add(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    resource: Resource,
    at: OriginId,
) -> Fallible<()> {
    match set.append(resource) {
        Ok(_) => Ok(()),
        Err(clash) => Err(cx.id_clash(set, &clash, at)),
    }
}

fn accumulate_components(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
) -> Fallible<()> {
    for (index, entry) in level.layer.kustomization.components.iter().enumerate() {
        let what = format!("components[{index}]");
        accumulate_directory(cx, level, gathered, entry, Role::Component, &what, None)?;
    }
    Ok(())
}

/// Builds the kustomization that an entry names. `file_error`: why the entry is no file, where it could have been one.
fn accumulate_directory(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
    entry: &Text,
    role: Role,
    what: &str,
    file_error: Option<LoadError>,
) -> Fallible<()> {
    let root = match cx.loader.directory(&level.layer.root, entry.as_str()) {
        Ok(root) => root,
        Err(error) => {
            // An entry that is a file, but cannot be read as one, is not meant to be a directory.
            let error = match (file_error, error) {
                (Some(file), LoadError::NotADirectory(_)) => file,
                (_, error) => error,
            };
            // What is named like no file is meant to be a directory.
            if let LoadError::Missing(path) = &error
                && path.extension().is_none()
            {
                return Err(cx.missing_base(path, &level.layer.root, entry));
            }
            return Err(cx.load_error(&error, &level.layer.root, entry));
        }
    };
    forbid_cycle(cx, level, &root, entry)?;
    cx.entered.push(root.clone());
    cx.enter(entry.at, what.to_owned());
    let result = match bases::shared(cx, level, entry, role, &root) {
        Some(below) => merge(cx, gathered, below, entry.at),
        None => build_directory(cx, level, gathered, entry, role, &root),
    };
    cx.leave();
    result
}

/// A directory that is, or contains, one on the way to here would be built without end.
fn forbid_cycle(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    root: &Path,
    entry: &Text,
) -> Fallible<()> {
    let mut visited = Some(level);
    while let Some(ancestor) = visited {
        if ancestor.layer.root.starts_with(root) {
            let message =
                format!("`{}` leads back to a kustomization that is being built", entry.value);
            let inside = display_path(&ancestor.layer.root, &cx.options.shown_from);
            let help = format!(
                "`{inside}` is in it: leave that entry out, or move what both need into a third directory"
            );
            let d = Diagnostic::error(Code::BaseCycle, message).at(cx.span(entry.at), "named here");
            return Err(cx.fail(d.help(help)));
        }
        visited = ancestor.referrer;
    }
    Ok(())
}

fn build_directory(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
    entry: &Text,
    role: Role,
    root: &Path,
) -> Fallible<()> {
    if role == Role::Resource {
        let below = gather_base(cx, level, entry, root)?;
        return merge(cx, gathered, below, entry.at);
    }
    let layer = load_directory(cx, entry, role, root)?;
    let origin = level.origin.append(entry.as_str());
    let inner = Level { layer: &layer, marks: level.marks, origin, referrer: Some(level) };
    follow_scopes(cx, gathered);
    accumulate(cx, &inner, gathered)?;
    // A component works on the objects of its parent, which afterwards are put into a new set.
    cx.require_distinct_ids(&gathered.set, entry.at)
}

/// Builds a base for itself.
fn gather_base(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    entry: &Text,
    root: &Path,
) -> Fallible<Accumulator> {
    let layer = load_directory(cx, entry, Role::Resource, root)?;
    let origin = level.origin.append(entry.as_str());
    let inner = Level { layer: &layer, marks: level.marks, origin, referrer: Some(level) };
    let mut gathered = Accumulator::new(&cx.scopes);
    accumulate(cx, &inner, &mut gathered)?;
    Ok(gathered)
}

/// Reads the kustomization of a directory that an entry names.
fn load_directory(cx: &mut Context<'_>, entry: &Text, role: Role, root: &Path) -> Fallible<Layer> {
    let layer = load_layer(cx, root, Some(entry))?;
    choose_schema(cx, &layer, SchemaScope::Base)?;
    require_role(cx, &layer, entry, role)?;
    if let Some(options) = &layer.kustomization.sort_options {
        let message = "`sortOptions` count only in the kustomization that is built";
        let d = Diagnostic::warning(Code::SortIgnored, message)
            .at(cx.span(options.at), "without effect");
        cx.warn(d.help("move them to the kustomization that is built"));
    }
    Ok(layer)
}

fn require_role(cx: &mut Context<'_>, layer: &Layer, entry: &Text, role: Role) -> Fallible<()> {
    let is_component = layer.kustomization.is_component();
    let (found, field) = match (role, is_component) {
        (Role::Resource, true) => ("a Component", "components"),
        (Role::Component, false) => ("a Kustomization", "resources"),
        _ => return Ok(()),
    };
    let message = format!("`{}` is {found}", entry.value);
    let kind = layer.kustomization.kind.at;
    let d = Diagnostic::error(Code::BaseWrongKind, message)
        .at(cx.span(entry.at), "named here")
        .at(cx.span(kind), "its kind");
    Err(cx.fail(d.help(format!("name it under `{field}`"))))
}

/// Adds what a base has gathered.
fn merge(
    cx: &mut Context<'_>,
    gathered: &mut Accumulator,
    mut below: Accumulator,
    at: OriginId,
) -> Fallible<()> {
    follow_scopes(cx, gathered);
    gathered.set.take_removed(&mut below.set);
    if gathered.set.is_empty() && below.set.has_distinct_ids() {
        below.set.take_removed(&mut gathered.set);
        gathered.set = below.set;
        follow_scopes(cx, gathered);
    } else {
        let mut result = Ok(());
        for resource in below.set.into_resources() {
            if let Err(reported) = add(cx, &mut gathered.set, resource, at) {
                result = Err(reported);
            }
        }
        result?;
    }
    if let Some(config) = below.config {
        merge_configs(cx, gathered, &config, at)?;
    }
    gathered.vars.merge(cx, &below.vars)
}

/// Objects follow when a schema below has changed what is known about scopes.
fn follow_scopes(cx: &Context<'_>, gathered: &mut Accumulator) {
    if !Arc::ptr_eq(gathered.set.scopes(), &cx.scopes) {
        gathered.set.set_scopes(Arc::clone(&cx.scopes));
    }
}

fn merge_config(cx: &mut Context<'_>, layer: &Layer, gathered: &mut Accumulator) -> Fallible<()> {
    let mut own = TransformerConfig::shared_defaults();
    let at = |entries: &[Text]| entries.first().map_or(OriginId::NONE, |entry| entry.at);
    let fields = &layer.kustomization;
    if !fields.configurations.is_empty() {
        let loaded = load_configurations(cx, layer)?;
        let mut config = TransformerConfig::clone(&own);
        config
            .merge(&loaded)
            .map_err(|clash| report_clash(cx, &clash, at(&fields.configurations)))?;
        own = Arc::new(config);
    }
    merge_configs(cx, gathered, &own, at(&fields.configurations))?;
    if !fields.crds.is_empty() {
        let loaded = Arc::new(load_crds(cx, layer)?);
        merge_configs(cx, gathered, &loaded, at(&fields.crds))?;
    }
    Ok(())
}

fn merge_configs(
    cx: &mut Context<'_>,
    gathered: &mut Accumulator,
    other: &Arc<TransformerConfig>,
    at: OriginId,
) -> Fallible<()> {
    match &mut gathered.config {
        // Nearly every kustomization has the defaults and nothing else.
        None if Arc::ptr_eq(other, &TransformerConfig::shared_defaults()) => {
            gathered.config = Some(Arc::clone(other));
        }
        // A specification that stands before a wider one of the same path makes that one go, or contradicts it.
        None => {
            let mut config = TransformerConfig::default();
            config.merge(other).map_err(|clash| report_clash(cx, &clash, at))?;
            gathered.config = Some(Arc::new(config));
        }
        Some(own) if Arc::ptr_eq(own, other) => {}
        Some(own) => {
            Arc::make_mut(own).merge(other).map_err(|clash| report_clash(cx, &clash, at))?;
        }
    }
    Ok(())
}

fn run_generators(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
) -> Fallible<()> {
    let layer = level.layer;
    let fields = &layer.kustomization;
    if let Some(at) = fields.helm_charts {
        return Err(helm_unsupported(cx, at));
    }
    let entries = [
        (GeneratedKind::ConfigMap, &fields.config_map_generators),
        (GeneratedKind::Secret, &fields.secret_generators),
    ];
    for (kind, generators) in entries {
        let plugin =
            if kind == GeneratedKind::ConfigMap { "ConfigMapGenerator" } else { "SecretGenerator" };
        let origin = level.origin.configured_by_builtin(layer.file_name, plugin);
        for args in generators {
            warn_of_options(cx, args, fields.generator_options.as_ref());
            let options = GeneratorOptions::with_global(
                args.options.as_ref(),
                fields.generator_options.as_ref(),
            );
            let args = GeneratorArgs { options, ..args.clone() };
            let mut resource = generate(cx, &layer.root, kind, &args)?;
            level.marks.set_origin(cx, &mut resource, &origin)?;
            absorb(cx, &mut gathered.set, resource, args.at)?;
        }
    }
    for config in plugin_configs(cx, level, &fields.generators, "generators")? {
        let origin = Origin::of_plugin(&config);
        let at = config.node().origin();
        let mut resource = match load_plugin(cx, &layer.root, &config)? {
            Plugin::Generator(kind, args) => generate(cx, &layer.root, kind, &args)?,
            Plugin::IamPolicy(policy) => generate_iam_policy(cx, &policy)?,
            Plugin::Transformer(_) => {
                return Err(wrong_plugin(cx, &config, "generator", "transformers"));
            }
        };
        if let Some(origin) = &origin {
            level.marks.set_origin(cx, &mut resource, origin)?;
        }
        absorb(cx, &mut gathered.set, resource, at)?;
    }
    Ok(())
}

/// What `generatorOptions` turn on stays on in every generator.
fn warn_of_options(cx: &mut Context<'_>, args: &GeneratorArgs, global: Option<&GeneratorOptions>) {
    let (Some(own), Some(global)) = (&args.options, global) else { return };
    for (name, at) in own.off_in_vain(global) {
        let message =
            format!("`{name}` stays on: `generatorOptions` turns it on for every generator");
        let d = Diagnostic::warning(Code::GeneratorOptionStaysOn, message)
            .at(cx.span(at), "without effect")
            .at(cx.span(global.at), "turned on here");
        cx.warn(
            d.help("turn it on in each generator that needs it, and not in `generatorOptions`"),
        );
    }
}

fn wrong_plugin(cx: &mut Context<'_>, config: &Resource, needed: &str, field: &str) -> Reported {
    let message = format!("`{}` is no {needed}", config.id());
    let d = Diagnostic::error(Code::PluginInvalid, message)
        .at(cx.span(config.node().origin()), "this plugin");
    cx.fail(d.help(format!("name it under `{field}`")))
}

/// Reads plugin configurations: written out in the entries, in files, or built from directories.
fn plugin_configs(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    entries: &[Text],
    field: &str,
) -> Fallible<Vec<Resource>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let mut gathered = Accumulator::new(&cx.scopes);
    let mut paths = Vec::new();
    let origin = level.origin.append(level.layer.file_name);
    for entry in entries {
        // A path is YAML too, but no object.
        let inline = if entry.value.contains(['\n', '{']) {
            let file = cx.inline_file(entry)?;
            match Context::inline_objects(&file) {
                Ok(nodes) => Some(nodes),
                Err(fault)
                    if entry.value.contains('\n')
                        && !matches!(fault, ReadFault::NotAnObject(_)) =>
                {
                    return Err(cx.read_fault(&fault, &file));
                }
                Err(_) => None,
            }
        } else {
            // A null or a comment is YAML without objects.
            read_objects(entry.value.as_bytes(), 0).ok().filter(Vec::is_empty)
        };
        let Some(nodes) = inline else {
            paths.push(entry.clone());
            continue;
        };
        for node in nodes {
            let mut resource = Resource::new(node, gathered.set.scopes());
            level.marks.set_origin(cx, &mut resource, &origin)?;
            add(cx, &mut gathered.set, resource, entry.at)?;
        }
    }
    accumulate_resources(cx, level, &mut gathered, &paths, field)?;
    Ok(gathered.set.into_resources())
}

fn run_transformers(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
) -> Fallible<()> {
    let layer = level.layer;
    let config = gathered.config.clone().unwrap_or_else(TransformerConfig::shared_defaults);
    let transformers = transform::configure(cx, &layer.root, &layer.kustomization, &config)?;
    let plugins = load_transformers(cx, level, &layer.kustomization.transformers, "transformers")?;
    for transformer in transformers {
        transformer.apply(cx, &mut gathered.set)?;
        let (plugin, count) = transformer.plugin();
        let origin = level.origin.configured_by_builtin(layer.file_name, plugin);
        for _ in 0..count {
            level.marks.add_transformation(&mut gathered.set, &origin);
        }
    }
    for (transformer, origin) in plugins {
        transformer.apply(cx, &mut gathered.set)?;
        if let Some(origin) = origin {
            level.marks.add_transformation(&mut gathered.set, &origin);
        }
    }
    Ok(())
}

type LoadedTransformer = (transform::Transformer, Option<Origin>);

fn load_transformers(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    entries: &[Text],
    field: &str,
) -> Fallible<Vec<LoadedTransformer>> {
    let mut loaded = Vec::new();
    for config in plugin_configs(cx, level, entries, field)? {
        match load_plugin(cx, &level.layer.root, &config)? {
            Plugin::Transformer(transformer) => {
                loaded.push((transformer, Origin::of_plugin(&config)));
            }
            Plugin::Generator(..) | Plugin::IamPolicy(_) => {
                return Err(wrong_plugin(cx, &config, "transformer", "generators"));
            }
        }
    }
    Ok(loaded)
}

fn run_validators(
    cx: &mut Context<'_>,
    level: &Level<'_>,
    gathered: &mut Accumulator,
) -> Fallible<()> {
    let validators =
        load_transformers(cx, level, &level.layer.kustomization.validators, "validators")?;
    for (validator, _) in validators {
        let before = gathered.set.clone();
        validator.apply(cx, &mut gathered.set)?;
        finish::require_unchanged(cx, &before, &gathered.set)?;
    }
    Ok(())
}

/// Whose `openapi` field is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SchemaScope {
    /// The target's, which always counts.
    Root,
    /// Another kustomization's, which counts if none before it did.
    Base,
}

fn choose_schema(cx: &mut Context<'_>, layer: &Layer, scope: SchemaScope) -> Fallible<()> {
    let Some(openapi) = &layer.kustomization.openapi else { return Ok(()) };
    // The file must be there even if another schema holds already.
    let file = match &openapi.path {
        Some(path) => Some(cx.file(&layer.root, path)?),
        None => None,
    };
    let choice = match (&file, &openapi.version) {
        (Some(file), _) => file.path().display().to_string(),
        (None, version) => version.as_ref().map(|v| v.value.to_string()).unwrap_or_default(),
    };
    if scope == SchemaScope::Base && !cx.schemas.is_open() {
        let at = openapi.path.as_ref().or(openapi.version.as_ref()).filter(|text| !text.is_empty());
        if let Some(at) = at.filter(|_| cx.schema_choice.as_ref() != Some(&choice)) {
            let message = "a schema is chosen already: this one counts for nothing";
            let d = Diagnostic::warning(Code::OpenapiIgnored, message)
                .at(cx.span(at.at), "without effect");
            cx.warn(d.help("choose the schema in the kustomization that is built"));
        }
        return Ok(());
    }
    cx.schema_choice = Some(choice);
    let Some(file) = file else {
        let version = openapi.version.as_ref().filter(|version| !version.is_empty());
        return match version {
            None => Ok(()),
            Some(version) if version.as_str() == BUILTIN_VERSION => {
                cx.schemas.choose_builtin();
                Ok(())
            }
            Some(version) => {
                let message = format!(
                    "the only built-in schema is `{BUILTIN_VERSION}`, not `{}`",
                    version.value
                );
                let d = Diagnostic::error(Code::OpenapiInvalid, message)
                    .at(cx.span(version.at), "not built in");
                Err(cx.fail(d))
            }
        };
    };
    if let Some(version) = &openapi.version {
        let message = "`openapi` has a `path` or a `version`, not both";
        let d =
            Diagnostic::error(Code::OpenapiInvalid, message).at(cx.span(version.at), "`version`");
        return Err(cx.fail(d));
    }
    let schema = match CustomSchema::read(file.bytes(), file.base()) {
        Ok(schema) => Arc::new(schema),
        Err(SchemaFault::Syntax(error)) => {
            let is_json = file.bytes().first() == Some(&b'{');
            let diagnostic = if is_json { json_error } else { syntax_error }(&error, &file, 0);
            return Err(cx.fail(diagnostic));
        }
        Err(SchemaFault::NotUtf8(offset)) => {
            let d = Diagnostic::error(Code::FileNotUtf8, "the file is not UTF-8 text")
                .at(file.character(offset), "not UTF-8");
            return Err(cx.fail(d));
        }
    };
    if !schema.has_type(&Gvk::new("apps", "v1", "Deployment")) {
        let message = "the schema replaces the built-in one and knows no Deployment: lists of built-in objects are \
                       replaced by patches, not merged";
        let at = openapi.path.as_ref().and_then(|path| cx.span(path.at));
        let d = Diagnostic::warning(Code::OpenapiLacksBuiltin, message).at(at, "this schema");
        cx.warn(d.help(
            "add the definitions of the built-in types (`kustomize openapi fetch` prints them)",
        ));
    }
    let mut scopes = Scopes::clone(&cx.scopes);
    schema.add_scopes(&mut scopes);
    cx.schemas.choose_custom(schema, &cx.scopes);
    cx.scopes = Arc::new(scopes);
    Ok(())
}
