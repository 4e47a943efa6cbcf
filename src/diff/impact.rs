//! What a cluster does about a change.
//!
//! The rules are those of the validation of updates in the API server (`ValidateXUpdate` of each kind): fields that may
//! not change once the object exists have to be replaced with it, and a change of the template of pods makes the
//! controller of a workload start new ones.

use super::edits::{Change, Edit};
use super::object::Object;
use crate::yaml::{Key, Node};

/// What becomes of an object, the harmless first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Impact {
    /// It is updated in place, and nothing is started anew.
    None,
    /// New pods are started.
    RollsPods,
    /// It cannot be updated: it has to be deleted and created.
    Replace,
    /// It is created.
    Create,
    /// It is deleted.
    Delete,
}

impl Impact {
    /// Returns what reports say.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RollsPods => "rolls pods",
            Self::Replace => "replace required",
            Self::Create => "create",
            Self::Delete => "delete",
        }
    }
}

/// What an edit of a field does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Rolls,
    Immutable,
}

/// How the fields of a kind react. Paths are fields with `.` between them, elements of lists left out; a path concerns all
/// below it. The first that fits counts.
struct Rules {
    group: &'static str,
    kind: &'static str,
    fields: &'static [(&'static str, Option<Effect>)],
}

const ROLLS: Option<Effect> = Some(Effect::Rolls);
const FIXED: Option<Effect> = Some(Effect::Immutable);
const FREE: Option<Effect> = None;

const RULES: &[Rules] = &[
    Rules {
        group: "apps",
        kind: "Deployment",
        fields: &[("spec.template", ROLLS), ("spec.selector", FIXED)],
    },
    Rules {
        group: "apps",
        kind: "DaemonSet",
        fields: &[("spec.template", ROLLS), ("spec.selector", FIXED)],
    },
    Rules { group: "apps", kind: "ReplicaSet", fields: &[("spec.selector", FIXED)] },
    Rules {
        group: "apps",
        kind: "StatefulSet",
        fields: &[
            ("spec.template", ROLLS),
            ("spec.replicas", FREE),
            ("spec.ordinals", FREE),
            ("spec.updateStrategy", FREE),
            ("spec.persistentVolumeClaimRetentionPolicy", FREE),
            ("spec.minReadySeconds", FREE),
            ("spec.revisionHistoryLimit", FREE),
            ("spec", FIXED),
        ],
    },
    Rules {
        group: "argoproj.io",
        kind: "Rollout",
        fields: &[("spec.template", ROLLS), ("spec.selector", FIXED)],
    },
    Rules { group: "serving.knative.dev", kind: "Service", fields: &[("spec.template", ROLLS)] },
    Rules {
        group: "batch",
        kind: "Job",
        fields: &[
            ("spec.template", FIXED),
            ("spec.selector", FIXED),
            ("spec.completions", FIXED),
            ("spec.completionMode", FIXED),
            ("spec.podFailurePolicy", FIXED),
            ("spec.successPolicy", FIXED),
            ("spec.backoffLimitPerIndex", FIXED),
            ("spec.managedBy", FIXED),
        ],
    },
    Rules {
        group: "",
        kind: "Pod",
        fields: &[
            ("spec.containers.image", ROLLS),
            ("spec.initContainers.image", ROLLS),
            ("spec.activeDeadlineSeconds", FREE),
            ("spec.terminationGracePeriodSeconds", FREE),
            ("spec.schedulingGates", FREE),
            ("spec.tolerations", FREE),
            ("spec", FIXED),
        ],
    },
    Rules {
        group: "",
        kind: "Service",
        fields: &[
            ("spec.clusterIP", FIXED),
            ("spec.clusterIPs", FIXED),
            ("spec.loadBalancerClass", FIXED),
        ],
    },
    Rules {
        group: "",
        kind: "PersistentVolumeClaim",
        fields: &[
            ("spec.resources", FREE),
            ("spec.volumeAttributesClassName", FREE),
            ("spec", FIXED),
        ],
    },
    Rules {
        group: "",
        kind: "PersistentVolume",
        fields: &[
            ("spec.capacity", FREE),
            ("spec.accessModes", FREE),
            ("spec.claimRef", FREE),
            ("spec.mountOptions", FREE),
            ("spec.persistentVolumeReclaimPolicy", FREE),
            ("spec.storageClassName", FREE),
            ("spec.volumeAttributesClassName", FREE),
            ("spec", FIXED),
        ],
    },
    Rules { group: "", kind: "Secret", fields: &[("type", FIXED)] },
    Rules {
        group: "rbac.authorization.k8s.io",
        kind: "RoleBinding",
        fields: &[("roleRef", FIXED)],
    },
    Rules {
        group: "rbac.authorization.k8s.io",
        kind: "ClusterRoleBinding",
        fields: &[("roleRef", FIXED)],
    },
    Rules {
        group: "storage.k8s.io",
        kind: "StorageClass",
        fields: &[
            ("provisioner", FIXED),
            ("parameters", FIXED),
            ("reclaimPolicy", FIXED),
            ("volumeBindingMode", FIXED),
        ],
    },
    Rules {
        group: "scheduling.k8s.io",
        kind: "PriorityClass",
        fields: &[("value", FIXED), ("preemptionPolicy", FIXED)],
    },
    Rules { group: "node.k8s.io", kind: "RuntimeClass", fields: &[("handler", FIXED)] },
    Rules {
        group: "networking.k8s.io",
        kind: "IngressClass",
        fields: &[("spec.controller", FIXED)],
    },
    Rules {
        group: "apiextensions.k8s.io",
        kind: "CustomResourceDefinition",
        fields: &[
            ("spec.group", FIXED),
            ("spec.scope", FIXED),
            ("spec.names.plural", FIXED),
            ("spec.names.kind", FIXED),
        ],
    },
];

/// Objects that say `immutable: true` keep these fields.
const IMMUTABLE_DATA: [&str; 4] = ["data", "binaryData", "stringData", "immutable"];

/// Returns what the edits of an object do. An object whose generated name has another content hash is created beside the
/// old one: nothing is replaced.
pub(super) fn of(old: &Object, new: &Object, edits: &[Edit]) -> Impact {
    if old.name != new.name {
        return Impact::None;
    }
    let rules = RULES.iter().find(|rules| rules.group == new.id.group && rules.kind == new.id.kind);
    let is_config =
        new.id.group.is_empty() && matches!(new.id.kind.as_str(), "ConfigMap" | "Secret");
    let is_locked =
        is_config && field(&old.node, "immutable").is_some_and(|node| node.text() == "true");
    edits.iter().map(|edit| of_edit(rules, is_locked, edit, new)).max().unwrap_or(Impact::None)
}

fn of_edit(rules: Option<&Rules>, is_locked: bool, edit: &Edit, new: &Object) -> Impact {
    let path: Vec<&str> = edit.path.fields().collect();
    if is_locked && path.first().is_some_and(|first| IMMUTABLE_DATA.contains(first)) {
        return Impact::Replace;
    }
    let fields = rules.map(|rules| rules.fields).unwrap_or_default();
    let mut impact = Impact::None;
    for (rule, effect) in fields {
        let rule: Vec<&str> = rule.split('.').collect();
        let is_inside = path.starts_with(&rule);
        // A whole part that comes or goes brings what is below it.
        let is_around = rule.starts_with(&path) && brings(&edit.change, &rule[path.len()..]);
        if !is_inside && !is_around {
            continue;
        }
        let found = match effect {
            Some(Effect::Rolls) => Impact::RollsPods,
            Some(Effect::Immutable) if is_harmless(&path, &edit.change, new) => Impact::None,
            Some(Effect::Immutable) => Impact::Replace,
            None => Impact::None,
        };
        impact = impact.max(found);
        if is_inside {
            break;
        }
    }
    impact
}

/// Returns whether one of the values of a change has a field.
fn brings(change: &Change, fields: &[&str]) -> bool {
    let has = |node: &Node| {
        let mut at = Some(node);
        for name in fields {
            at = at.and_then(|node| field(node, name));
        }
        at.is_some()
    };
    match change {
        Change::Add { new, .. } => has(new),
        Change::Remove { old, .. } => has(old),
        Change::Replace { old, new } => has(old) || has(new),
        Change::Move { .. } => false,
    }
}

/// Changes of a field that is otherwise fixed, which the API server accepts.
fn is_harmless(path: &[&str], change: &Change, new: &Object) -> bool {
    match (new.id.kind.as_str(), path) {
        // A Service without cluster addresses gives its own up.
        ("Service", ["spec", "clusterIP" | "clusterIPs", ..]) => {
            let kind = field(&new.node, "spec").and_then(|spec| field(spec, "type"));
            kind.is_some_and(|kind| kind.text() == "ExternalName")
        }
        // A cluster fills in what was left out.
        ("PersistentVolumeClaim", ["spec", "volumeName" | "storageClassName"]) => {
            matches!(change, Change::Remove { .. })
        }
        // The number of completions of an indexed Job may be changed with its parallelism.
        ("Job", ["spec", "completions"]) => {
            let mode = field(&new.node, "spec").and_then(|spec| field(spec, "completionMode"));
            mode.is_some_and(|mode| mode.text() == "Indexed")
        }
        _ => false,
    }
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.get(Key::text_key(name))
}

/// Returns whether an edit is inside the template of the pods of a workload.
pub(super) fn is_in_pods(object: &Object, path: &super::Path) -> bool {
    let rules = RULES.iter().find(|r| r.group == object.id.group && r.kind == object.id.kind);
    let path: Vec<&str> = path.fields().collect();
    rules.is_some_and(|rules| {
        rules.fields.iter().any(|(rule, effect)| {
            *effect == ROLLS && path.starts_with(&rule.split('.').collect::<Vec<_>>())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Fate, Snapshot, compare};
    use crate::resource::read_documents;

    fn impact(old: &str, new: &str) -> Impact {
        let snapshot = |text: &str| Snapshot::of_objects(read_documents(text, 1).unwrap());
        let comparison = compare(&snapshot(old), &snapshot(new));
        let [change] = comparison.resources.as_slice() else { panic!("{comparison:?}") };
        assert!(matches!(change.fate, Fate::Changed(_)));
        change.impact
    }

    fn of_kind(api_version: &str, kind: &str, old: &str, new: &str) -> Impact {
        let text = |rest: &str| {
            format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n{rest}\n")
        };
        impact(&text(old), &text(new))
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_kind_has_its_rules() {
        use Impact::{None, Replace, RollsPods};
        for (api_version, kind, old, new, expected) in [
            ("apps/v1", "Deployment", "spec: {replicas: 1}", "spec: {replicas: 2}", None),
            (
                "apps/v1",
                "Deployment",
                "spec: {template: {a: 1}}",
                "spec: {template: {a: 2}}",
                RollsPods,
            ),
            (
                "apps/v1",
                "Deployment",
                "spec: {selector: {a: 1}}",
                "spec: {selector: {a: 2}}",
                Replace,
            ),
            ("apps/v1", "Deployment", "a: 1", "spec: {template: {}}", RollsPods),
            ("apps/v1", "Deployment", "a: 1", "spec: {replicas: 1}", None),
            (
                "apps/v1",
                "Deployment",
                "spec: {selector: {a: 1}, template: {a: 1}}",
                "spec: {selector: {a: 2}, template: {a: 2}}",
                Replace,
            ),
            ("apps/v1", "StatefulSet", "spec: {serviceName: a}", "spec: {serviceName: b}", Replace),
            ("apps/v1", "StatefulSet", "spec: {replicas: 1}", "spec: {replicas: 2}", None),
            (
                "apps/v1",
                "StatefulSet",
                "spec: {template: {a: 1}}",
                "spec: {template: {a: 2}}",
                RollsPods,
            ),
            ("batch/v1", "Job", "spec: {template: {a: 1}}", "spec: {template: {a: 2}}", Replace),
            ("batch/v1", "Job", "spec: {parallelism: 1}", "spec: {parallelism: 2}", None),
            (
                "batch/v1",
                "CronJob",
                "spec: {jobTemplate: {a: 1}}",
                "spec: {jobTemplate: {a: 2}}",
                None,
            ),
            (
                "v1",
                "Service",
                "spec: {clusterIP: 10.0.0.1}",
                "spec: {clusterIP: 10.0.0.2}",
                Replace,
            ),
            ("v1", "Service", "spec: {ports: []}", "spec: {ports: [], clusterIP: None}", Replace),
            ("v1", "Service", "spec: {clusterIP: 10.0.0.1}", "spec: {type: ExternalName}", None),
            (
                "v1",
                "PersistentVolumeClaim",
                "spec: {resources: {a: 1}}",
                "spec: {resources: {a: 2}}",
                None,
            ),
            (
                "v1",
                "PersistentVolumeClaim",
                "spec: {storageClassName: a}",
                "spec: {storageClassName: b}",
                Replace,
            ),
            ("v1", "Secret", "type: a", "type: b", Replace),
            ("v1", "Secret", "data: {a: Yg==}", "data: {a: Yw==}", None),
            (
                "v1",
                "ConfigMap",
                "immutable: true\ndata: {a: b}",
                "immutable: true\ndata: {a: c}",
                Replace,
            ),
            ("v1", "ConfigMap", "data: {a: b}", "immutable: true\ndata: {a: c}", None),
            (
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "roleRef: {name: a}",
                "roleRef: {name: b}",
                Replace,
            ),
            (
                "v1",
                "Pod",
                "spec: {containers: [{name: a, image: b}]}",
                "spec: {containers: [{name: a, image: c}]}",
                RollsPods,
            ),
            (
                "v1",
                "Pod",
                "spec: {containers: [{name: a, args: [b]}]}",
                "spec: {containers: [{name: a, args: [c]}]}",
                Replace,
            ),
        ] {
            assert_eq!(of_kind(api_version, kind, old, new), expected, "{kind}: {old} -> {new}");
        }
    }
}
