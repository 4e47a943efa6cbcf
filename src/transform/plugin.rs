//! Built-in plugins, configured by objects: `generators`, `transformers` and `validators`.
//!
//! An object of the version `builtin` asks for one of kustomize's own generators or transformers, with its own field
//! specifications. Any other plugin would be a program or a container, which kiln does not run.

use std::path::Path;

use super::affix::{Affix, AffixKind};
use super::labels::SetEntries;
use super::namespace::{SetNamespace, SubjectMode};
use super::value_add::{ValueAdd, ValueTarget};
use super::{Transformer, images, patch, replacements};
use crate::diagnostic::{Code, Diagnostic, Fallible, Reported, nearest};
use crate::generate::{GeneratedKind, IamPolicy};
use crate::project::{
    Decoder, Field, FieldSpecs, GeneratorArgs, Image, Patch, Replica, Rules, Target,
    decode_field_spec, decode_generator, decode_image, decode_patch, decode_replacement,
    decode_replica, decode_target, report_faults, warn_of_notices,
};
use crate::provenance::{OriginId, StepKind};
use crate::resource::{Resource, Selector, read_objects};
use crate::session::{Context, Text};
use crate::yaml::{Node, json_view};

/// A plugin, ready to work.
#[derive(Debug)]
pub(crate) enum Plugin {
    /// Makes a ConfigMap or Secret.
    Generator(GeneratedKind, GeneratorArgs),
    /// Makes the service account of an IAM policy.
    IamPolicy(IamPolicy),
    Transformer(Transformer),
}

const KINDS: [&str; 18] = [
    "AnnotationsTransformer",
    "ConfigMapGenerator",
    "HashTransformer",
    "HelmChartInflationGenerator",
    "IAMPolicyGenerator",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SecretGenerator",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Reads the configuration of a plugin.
pub(crate) fn load_plugin(
    cx: &mut Context<'_>,
    root: &Path,
    resource: &Resource,
) -> Fallible<Plugin> {
    let id = resource.id();
    let at = resource.node().origin();
    if !(id.gvk.group.is_empty() && id.gvk.version == "builtin") {
        let message = format!("`{id}` is a plugin that is not built in");
        let d = Diagnostic::error(Code::PluginExternal, message).at(cx.span(at), "this plugin");
        return Err(cx.fail(d.help(
            "kiln runs no programs: use a built-in one (`apiVersion: builtin`), or commit what the plugin generates",
        )));
    }
    let view = match json_view(resource.node()) {
        Ok(view) => view,
        Err(fault) => return Err(cx.view_fault(&fault)),
    };
    let kind = id.gvk.kind.as_str();
    let is_affix =
        matches!(kind, "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer");
    let rules = if is_affix { Rules::Exact } else { Rules::Lenient };
    let mut config = Config { decoder: Decoder::new(rules), node: &view, at };
    let plugin = config.read(cx, root, kind);
    let Decoder { faults, notices, .. } = config.decoder;
    report_faults(cx, &faults)?;
    warn_of_notices(cx, notices);
    if is_without_specs(kind) && plugin.is_ok() {
        let has_specs = resource.node().entries().into_iter().flatten().any(|entry| {
            entry.key.text().eq_ignore_ascii_case("fieldSpecs") && !entry.value.is_null_or_empty()
        });
        if !has_specs {
            let message = format!("a {kind} without `fieldSpecs` changes nothing");
            let d = Diagnostic::warning(Code::PluginNoFieldSpecs, message)
                .at(cx.span(at), "no `fieldSpecs`");
            cx.warn(d.help("say which fields it is for, as `fieldSpecs: [{path: metadata/labels, create: true}]`"));
        }
    }
    plugin
}

/// Plugins that do nothing at all without field specifications; the others do something by code.
fn is_without_specs(kind: &str) -> bool {
    matches!(kind, "AnnotationsTransformer" | "LabelTransformer" | "ReplicaCountTransformer")
}

struct Config<'n> {
    decoder: Decoder,
    node: &'n Node,
    at: OriginId,
}

impl Config<'_> {
    fn read(&mut self, cx: &mut Context<'_>, root: &Path, kind: &str) -> Fallible<Plugin> {
        let transformer = match kind {
            "ConfigMapGenerator" => {
                return Ok(Plugin::Generator(
                    GeneratedKind::ConfigMap,
                    self.generator("ConfigMapGenerator"),
                ));
            }
            "SecretGenerator" => {
                return Ok(Plugin::Generator(
                    GeneratedKind::Secret,
                    self.generator("SecretGenerator"),
                ));
            }
            "IAMPolicyGenerator" => return Ok(Plugin::IamPolicy(self.iam_policy())),
            "AnnotationsTransformer" => self.entries(StepKind::Annotations),
            "LabelTransformer" => self.entries(StepKind::Labels),
            "HashTransformer" => Transformer::NameHash,
            "ImageTagTransformer" => self.image(cx)?,
            "NamespaceTransformer" => self.namespace(cx)?,
            "PatchJson6902Transformer" => self.json6902(cx, root)?,
            "PatchStrategicMergeTransformer" => self.strategic_merge(cx, root)?,
            "PatchTransformer" => {
                let patch: Patch = decode_patch(&mut self.decoder, self.node);
                self.check(cx)?;
                Transformer::Patch(Box::new(patch::load_patch(
                    cx,
                    root,
                    &Patch { at: self.at, ..patch },
                )?))
            }
            "PrefixTransformer" => Transformer::Affix(self.affix(cx, AffixKind::Prefix)?),
            "SuffixTransformer" => Transformer::Affix(self.affix(cx, AffixKind::Suffix)?),
            "PrefixSuffixTransformer" => Transformer::Affixes(
                self.affix(cx, AffixKind::Prefix)?,
                self.affix(cx, AffixKind::Suffix)?,
            ),
            "ReplacementTransformer" => self.replacements(cx, root)?,
            "ReplicaCountTransformer" => self.replicas(),
            "ValueAddTransformer" => self.value_add(cx, root)?,
            "HelmChartInflationGenerator" => return Err(helm_unsupported(cx, self.at)),
            _ => return Err(self.unknown(cx, kind)),
        };
        Ok(Plugin::Transformer(transformer))
    }

    fn unknown(&self, cx: &mut Context<'_>, kind: &str) -> Reported {
        let d =
            Diagnostic::error(Code::PluginInvalid, format!("there is no built-in plugin `{kind}`"))
                .at(cx.span(self.at), "this plugin");
        cx.fail(match nearest(kind, KINDS) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d,
        })
    }

    fn invalid(&self, cx: &mut Context<'_>, message: &str) -> Reported {
        let d = Diagnostic::error(Code::PluginInvalid, message).at(cx.span(self.at), "this plugin");
        cx.fail(d)
    }

    /// Reports what the decoder has found so far.
    fn check(&mut self, cx: &mut Context<'_>) -> Fallible<()> {
        let faults = std::mem::take(&mut self.decoder.faults);
        report_faults(cx, &faults)
    }

    fn fields(
        &mut self,
        known: &'static [&'static str],
        decode: impl FnMut(&mut Decoder, Field<'static>, &Node),
    ) {
        self.decoder.fields(self.node, "", known, decode);
    }

    fn generator(&mut self, of: &'static str) -> GeneratorArgs {
        // `env` becomes one of `envs` in a kustomization only, and a ConfigMap has no type.
        const FIELDS: &[&str] =
            &["namespace", "name", "behavior", "literals", "files", "envs", "options", "type"];
        let known = if of == "SecretGenerator" { FIELDS } else { &FIELDS[..FIELDS.len() - 1] };
        let mut args = decode_generator(&mut self.decoder, self.node, of, known);
        args.at = self.at;
        let (name, namespace) = self.metadata();
        if args.name.is_empty() {
            args.name = name;
        }
        if args.namespace.is_empty() {
            args.namespace = namespace;
        }
        args
    }

    fn metadata(&mut self) -> (Text, Text) {
        let (mut name, mut namespace) = (Text::default(), Text::default());
        self.fields(&["metadata"], |d, _, value| {
            const FIELDS: &[&str] = &["name", "namespace", "labels", "annotations"];
            d.fields(value, "metadata", FIELDS, |d, field, value| match field.name {
                "name" => name = d.text(value, field),
                "labels" | "annotations" => drop(d.text_map(value, field)),
                _ => namespace = d.text(value, field),
            });
        });
        (name, namespace)
    }

    fn iam_policy(&mut self) -> IamPolicy {
        let mut policy = IamPolicy { at: self.at, ..IamPolicy::default() };
        self.fields(
            &["cloud", "kubernetesService", "serviceAccount"],
            |d, field, value| match field.name {
                "cloud" => policy.cloud = d.embedded_text(value, field),
                "kubernetesService" => {
                    d.fields(
                        value,
                        "kubernetesService",
                        &["name", "namespace"],
                        |d, field, value| match field.name {
                            "name" => policy.name = d.embedded_text(value, field),
                            _ => policy.namespace = d.embedded_text(value, field),
                        },
                    );
                }
                _ => {
                    d.fields(value, "serviceAccount", &["name", "projectId"], |d, field, value| {
                        match field.name {
                            "name" => policy.account = d.embedded_text(value, field),
                            _ => policy.project = d.embedded_text(value, field),
                        }
                    });
                }
            },
        );
        policy
    }

    /// The `fieldSpecs` of a configuration, if it has any.
    fn specs(&mut self) -> Option<FieldSpecs> {
        let mut specs = None;
        self.fields(&["fieldSpecs"], |d, field, value| {
            specs = Some(d.list(value, field, decode_field_spec).into());
        });
        specs
    }

    fn entries(&mut self, step: StepKind) -> Transformer {
        let specs = self.specs().unwrap_or_default();
        let mut pairs = Vec::new();
        let known: &'static [&'static str] =
            if step == StepKind::Annotations { &["annotations"] } else { &["labels"] };
        self.fields(known, |d, field, value| pairs = d.text_map(value, field));
        Transformer::Entries(SetEntries { step, at: self.at, pairs, specs })
    }

    fn image(&mut self, cx: &mut Context<'_>) -> Fallible<Transformer> {
        let specs = self.specs().unwrap_or_default();
        let mut image = Image { at: self.at, ..Image::default() };
        self.fields(&["imageTag"], |d, _, value| image = decode_image(d, value));
        self.check(cx)?;
        Ok(Transformer::Images(vec![images::configure(&image)], specs))
    }

    fn namespace(&mut self, cx: &mut Context<'_>) -> Fallible<Transformer> {
        let (_, namespace) = self.metadata();
        let specs = self.specs().unwrap_or_default();
        let (mut unset_only, mut mode) = (false, Text::default());
        self.fields(&["unsetOnly", "setRoleBindingSubjects"], |d, field, value| match field.name {
            "unsetOnly" => unset_only = d.boolean(value, field),
            _ => mode = d.text(value, field),
        });
        let subjects = match mode.as_str() {
            "" | "defaultOnly" => SubjectMode::DefaultOnly,
            "allServiceAccounts" => SubjectMode::AllServiceAccounts,
            "none" => SubjectMode::None,
            other => {
                let message = format!(
                    "`setRoleBindingSubjects` is `defaultOnly`, `allServiceAccounts` or `none`, not `{other}`"
                );
                let d = Diagnostic::error(Code::PluginInvalid, message)
                    .at(cx.span(mode.at), "not known");
                return Err(cx.fail(d));
            }
        };
        Ok(Transformer::Namespace(SetNamespace {
            at: self.at,
            namespace,
            specs,
            unset_only,
            subjects,
        }))
    }

    fn json6902(&mut self, cx: &mut Context<'_>, root: &Path) -> Fallible<Transformer> {
        let mut entry = Patch { at: self.at, ..Patch::default() };
        self.fields(&["target", "path", "jsonOp"], |d, field, value| match field.name {
            "target" => entry.target = Some(decode_target(d, value)),
            "path" => entry.path = d.text(value, field),
            _ => entry.patch = d.text(value, field),
        });
        self.check(cx)?;
        Ok(Transformer::Json6902(Box::new(patch::load_json6902(cx, root, &entry)?)))
    }

    fn strategic_merge(&mut self, cx: &mut Context<'_>, root: &Path) -> Fallible<Transformer> {
        let (mut paths, mut patches) = (Vec::new(), Text::default());
        self.fields(&["paths", "patches"], |d, field, value| match field.name {
            "paths" => paths = d.texts(value, field),
            _ => patches = d.text(value, field),
        });
        self.check(cx)?;
        if paths.is_empty() && patches.is_empty() {
            return Err(
                self.invalid(cx, "a PatchStrategicMergeTransformer needs `paths` or `patches`")
            );
        }
        let mut loaded = Vec::with_capacity(paths.len() + 1);
        for path in &paths {
            loaded.push(patch::load_strategic_merge(cx, root, path)?);
        }
        if !patches.is_empty() {
            let file = cx.inline_file(&patches)?;
            match read_objects(file.bytes(), file.base()) {
                Ok(nodes) => loaded.push(patch::strategic_merge(cx, nodes, self.at)),
                Err(fault) => return Err(cx.read_fault(&fault, &file)),
            }
        }
        patch::require_some(cx, loaded, &paths)
    }

    fn affix(&mut self, cx: &mut Context<'_>, kind: AffixKind) -> Fallible<Affix> {
        let Some(specs) = self.specs() else {
            return Err(self.invalid(cx, "the plugin needs `fieldSpecs`"));
        };
        let known: &'static [&'static str] =
            if kind == AffixKind::Prefix { &["prefix"] } else { &["suffix"] };
        let mut text = Text { at: self.at, ..Text::default() };
        self.fields(known, |d, field, value| text = d.text(value, field));
        Ok(Affix { kind, text, specs })
    }

    fn replacements(&mut self, cx: &mut Context<'_>, root: &Path) -> Fallible<Transformer> {
        let mut entries = Vec::new();
        self.fields(&["replacements"], |d, field, value| {
            entries = d.list(value, field, decode_replacement);
        });
        self.check(cx)?;
        replacements::load(cx, root, &entries).map(Transformer::Replacements)
    }

    fn replicas(&mut self) -> Transformer {
        let specs = self.specs().unwrap_or_default();
        let mut replica = Replica { at: self.at, ..Replica::default() };
        self.fields(&["replica"], |d, _, value| replica = decode_replica(d, value));
        Transformer::Replicas(replica, specs)
    }

    fn value_add(&mut self, cx: &mut Context<'_>, root: &Path) -> Fallible<Transformer> {
        let (mut value, mut targets, mut file) = (Text::default(), Vec::new(), Text::default());
        self.fields(&["value", "targets", "targetFilePath"], |d, field, node| match field.name {
            "value" => value = d.text(node, field),
            "targets" => targets = d.list(node, field, decode_value_target),
            _ => file = d.text(node, field),
        });
        self.check(cx)?;
        if !file.is_empty() {
            let source = cx.file(root, &file)?;
            if let Some(node) = cx.document(&source)? {
                let mut decoder = Decoder::new(Rules::Lenient);
                decoder.fields(&node, "", &["targets"], |d, field, node| {
                    targets.extend(d.list(node, field, decode_value_target));
                });
                report_faults(cx, &decoder.faults)?;
            }
        }
        let trimmed = value.as_str().trim();
        value.value = match trimmed {
            "" => root
                .file_name()
                .map(|name| name.to_string_lossy().as_ref().into())
                .unwrap_or_default(),
            trimmed => trimmed.into(),
        };
        if value.at == OriginId::NONE {
            value.at = self.at;
        }
        if targets.is_empty() {
            return Err(self.invalid(cx, "a ValueAddTransformer needs `targets`"));
        }
        let mut checked = Vec::with_capacity(targets.len());
        for target in targets {
            checked.push(check_value_target(cx, target)?);
        }
        Ok(Transformer::ValueAdd(ValueAdd { at: self.at, value, targets: checked }))
    }
}

/// A target of a ValueAddTransformer, as it is written.
struct RawValueTarget {
    at: OriginId,
    selector: Option<Target>,
    field_path: Text,
    position: i64,
}

fn decode_value_target(decoder: &mut Decoder, node: &Node) -> RawValueTarget {
    const FIELDS: &[&str] = &["selector", "fieldPath", "filePathPosition"];
    let mut target = RawValueTarget {
        at: node.origin(),
        selector: None,
        field_path: Text::default(),
        position: 0,
    };
    decoder.fields(node, "targets", FIELDS, |d, field, value| match field.name {
        "selector" => target.selector = Some(decode_target(d, value)),
        "fieldPath" => target.field_path = d.text(value, field),
        _ => target.position = d.integer(value, field),
    });
    target
}

fn check_value_target(cx: &mut Context<'_>, target: RawValueTarget) -> Fallible<ValueTarget> {
    let fault = if target.field_path.is_empty() {
        Some("a target needs `fieldPath`")
    } else if target.position < 0 {
        Some("`filePathPosition` cannot be negative")
    } else {
        None
    };
    if let Some(message) = fault {
        let d =
            Diagnostic::error(Code::PluginInvalid, message).at(cx.span(target.at), "this target");
        return Err(cx.fail(d));
    }
    let selector = match &target.selector {
        None => None,
        Some(selector) => Some(Selector::new(&selector.parts).map_err(|error| {
            let diagnostic = cx.selector_error(&error, selector.at);
            cx.fail(diagnostic)
        })?),
    };
    let file_path_position = usize::try_from(target.position).unwrap_or_default();
    Ok(ValueTarget { at: target.at, selector, field_path: target.field_path, file_path_position })
}

/// Reports that charts cannot be rendered.
pub(crate) fn helm_unsupported(cx: &mut Context<'_>, at: OriginId) -> Reported {
    let d = Diagnostic::error(Code::HelmUnsupported, "Helm charts are not rendered")
        .at(cx.span(at), "asks for a chart")
        .help("render the chart with `helm template`, commit the result and name it under `resources`");
    cx.fail(d)
}
