//! `namespace`.
//!
//! kustomize sets `metadata.namespace` by code, for every kind that is not certainly cluster-scoped, and the subjects of
//! role bindings by another rule of its own; field specifications do the rest (`api/filters/namespace/namespace.go`).

use std::collections::HashSet;

use ecow::EcoString;

use super::field_path::{Leaf, PathFault, SpecsByType, visit};
use super::set_value::{path_fault, put_scalar, require};
use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::project::{FieldPath, FieldSpecs};
use crate::provenance::{OriginId, Recorder, StepKind};
use crate::resource::{AliasWrites, Gvk, Resource, ResourceSet};
use crate::session::{Context, Text};
use crate::yaml::{Key, Node, NodeKind, ScalarStyle, Tag, known};

/// Which subjects of a role binding get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SubjectMode {
    /// Those named `default`.
    #[default]
    DefaultOnly,
    /// All service accounts.
    AllServiceAccounts,
    /// None.
    None,
}

/// The namespace to set.
#[derive(Clone, Debug)]
pub(crate) struct SetNamespace {
    pub(crate) at: OriginId,
    pub(crate) namespace: Text,
    pub(crate) specs: FieldSpecs,
    pub(crate) unset_only: bool,
    pub(crate) subjects: SubjectMode,
}

const METADATA_NAMESPACE: &str = "metadata/namespace";
const METADATA_NAME: &str = "metadata/name";

/// Sets the namespace of the objects of a set.
pub(crate) fn apply(
    cx: &mut Context<'_>,
    set: &mut ResourceSet,
    config: &SetNamespace,
) -> Fallible<()> {
    if config.namespace.is_empty() {
        return Ok(());
    }
    let step = cx.provenance.step(StepKind::Namespace, config.at);
    let cluster_scoped = defined_cluster_scoped(set);
    let mut filter = Filter {
        config,
        own_path: FieldPath::new(METADATA_NAMESPACE),
        specs: SpecsByType::new(&config.specs),
    };
    for index in 0..set.len() {
        if set.get(index).helm_generated || set.get(index).is_deleted() {
            continue;
        }
        if !set.get(index).id().cluster_scoped && is_cluster_scoped(&cluster_scoped, set.get(index))
        {
            warn_of_scope(cx, set.get(index), config);
        }
        let mut recorder = Recorder::new(&mut cx.provenance, step);
        let result = set.update(index, |resource| {
            resource.store_previous_id();
            filter.apply(resource, &mut recorder)
        });
        let id = set.get(index).id();
        if let Err((fault, path)) = result {
            return Err(path_fault(cx, fault, &path, &id.clone(), config.at));
        }
        if set.count_current_id(id) != 1 {
            let message = format!("`namespace` makes two objects `{id}`");
            let mut d = Diagnostic::error(Code::NamespaceConflict, message)
                .at(cx.span(config.at), "set here");
            for other in set.named(&id.name).into_iter().filter(|&i| set.get(i).id().matches(id)) {
                d = d.at(cx.span(set.get(other).node().origin()), "one of them");
            }
            return Err(cx.fail(
                d.help("give one of them another name, or build it in another kustomization"),
            ));
        }
    }
    Ok(())
}

/// The kinds, by group, that are cluster-scoped and that kustomize does not know to be: those of Kubernetes after 1.21,
/// and of the Gateway API.
const NEWER_CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("storage.k8s.io", "VolumeAttributesClass"),
    ("storagemigration.k8s.io", "StorageVersionMigration"),
];

type Kinds = HashSet<(EcoString, EcoString)>;

/// The kinds, by group, that the `CustomResourceDefinition`s of the set define as cluster-scoped.
fn defined_cluster_scoped(set: &ResourceSet) -> Kinds {
    let definitions = set.iter().filter(|r| r.id().gvk.kind == "CustomResourceDefinition");
    let kinds = definitions.filter_map(|definition| {
        let spec = definition.node().get(Key::text_key("spec"))?;
        let scope = spec.get(Key::text_key("scope"))?;
        let kind = spec.at(&[Key::text_key("names"), known::KIND])?;
        let group = spec.get(Key::text_key("group"))?;
        (scope.text() == "Cluster").then(|| (group.shared_text(), kind.shared_text()))
    });
    kinds.collect()
}

fn is_cluster_scoped(defined: &Kinds, resource: &Resource) -> bool {
    let Gvk { group, kind, .. } = &resource.id().gvk;
    NEWER_CLUSTER_SCOPED.contains(&(group.as_str(), kind.as_str()))
        || !defined.is_empty() && defined.contains(&(group.clone(), kind.clone()))
}

fn warn_of_scope(cx: &mut Context<'_>, resource: &Resource, config: &SetNamespace) {
    let message = format!("`{}` is cluster-scoped and is given a namespace", resource.id());
    let d = Diagnostic::warning(Code::NamespaceClusterScoped, message)
        .at(cx.span(resource.node().origin()), "this object")
        .at(cx.span(config.namespace.at), "this namespace");
    cx.warn(d.help("build the object in a kustomization without `namespace`"));
}

/// Sets the namespace of one object, without field specifications (what a ValueAddTransformer does).
pub(crate) fn apply_to_metadata(
    resource: &mut Resource,
    config: &SetNamespace,
    recorder: &mut Recorder<'_>,
) -> Result<(), (PathFault, String)> {
    let (own_path, specs) = (FieldPath::new(METADATA_NAMESPACE), SpecsByType::new(&config.specs));
    Filter { config, own_path, specs }.apply(resource, recorder)
}

struct Filter<'c> {
    config: &'c SetNamespace,
    own_path: FieldPath,
    specs: SpecsByType<'c>,
}

impl Filter<'_> {
    fn apply(
        &mut self,
        resource: &mut Resource,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), (PathFault, String)> {
        let gvk = resource.id().gvk.clone();
        let cluster_scoped = resource.id().cluster_scoped;
        let mut writes = AliasWrites::default();
        let config = self.config;
        let mut set = |node: &mut Node| set_namespace(node, config, recorder, &mut writes);
        let root = resource.node_mut();
        if !cluster_scoped {
            let path = &self.own_path;
            visit(root, path, true, Leaf::Scalar(Tag::Empty), config.namespace.at, &mut set)
                .map_err(|fault| (fault, METADATA_NAMESPACE.to_owned()))?;
        }
        let is_binding = is_role_binding(&gvk.kind);
        if is_binding && config.subjects != SubjectMode::None {
            set_subjects(root, config, &mut set).map_err(|fault| (fault, "subjects".to_owned()))?;
        }
        let is_v1 = gvk.group.is_empty() && gvk.version == "v1";
        for spec in self.specs.of(&gvk) {
            let path = spec.path.as_str();
            let by_code = path == METADATA_NAMESPACE
                || path == METADATA_NAME && !is_v1
                || is_binding && is_role_binding(&spec.gvk.kind) && path == "subjects/namespace";
            if !by_code {
                visit(
                    root,
                    &spec.path,
                    spec.create,
                    Leaf::Scalar(Tag::Str),
                    config.namespace.at,
                    &mut set,
                )
                .map_err(|fault| (fault, path.to_owned()))?;
            }
        }
        writes.apply(root);
        Ok(())
    }
}

fn is_role_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}

fn set_namespace(
    node: &mut Node,
    config: &SetNamespace,
    recorder: &mut Recorder<'_>,
    writes: &mut AliasWrites,
) -> Result<(), PathFault> {
    let is_set = node.is_scalar() && !node.is_null() && !node.text().is_empty();
    if config.unset_only && is_set {
        return Ok(());
    }
    let origin = recorder.write(config.namespace.at, node);
    let value = Node::scalar(config.namespace.value.clone(), ScalarStyle::Plain, Tag::Str, origin);
    put_scalar(node, value, writes)
}

fn set_subjects(
    root: &mut Node,
    config: &SetNamespace,
    set: &mut dyn FnMut(&mut Node) -> Result<(), PathFault>,
) -> Result<(), PathFault> {
    let Some(subjects) = root.get_mut(known::SUBJECTS).filter(|s| !s.is_null()) else {
        return Ok(());
    };
    require(subjects, NodeKind::Sequence)?;
    let (key, wanted) = match config.subjects {
        SubjectMode::AllServiceAccounts => (known::KIND, "ServiceAccount"),
        _ => (known::NAME, "default"),
    };
    let count = subjects.len();
    for index in 0..count {
        let Some(subject) = subjects.elements().map(|e| &e[index]) else { continue };
        require(subject, NodeKind::Map)?;
        let Some(field) = subject.get(key).filter(|f| !f.is_null()) else { continue };
        require(field, NodeKind::Scalar)?;
        if field.text() != wanted {
            continue;
        }
        let Some(subject) = subjects.elements_mut().map(|e| &mut e[index]) else { continue };
        if subject.get(known::NAMESPACE).is_none() {
            subject.push_entry(
                known::NAMESPACE,
                config.namespace.at,
                Node::untyped("", OriginId::NONE),
            );
        }
        if let Some(namespace) = subject.get_mut(known::NAMESPACE) {
            set(namespace)?;
        }
    }
    Ok(())
}
