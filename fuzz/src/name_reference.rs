//! Two layers of objects that refer to each other, with prefixes, suffixes, namespaces, and generators whose names get a hash.
//!
//! The bytes of the input are choices: which objects, which names, which references. As long as no namespace is in play and
//! only one object can be meant, every reference must hold the present name of that object; a reference that means
//! none must be as it was.

use std::collections::BTreeMap;
use std::fmt::Write;

use kiln::{Key, Node};

use crate::project::Project;

const NAMES: [&str; 6] = ["a", "b", "c", "p-a", "a-s", "default"];
const AFFIXES: [&str; 4] = ["", "", "p-", "-s"];
const NAMESPACES: [&str; 6] = ["", "", "", "n", "m", "default"];

/// The kinds of objects: group and version, kind, and what they refer to.
const KINDS: [(&str, &str, Refers); 12] = [
    ("v1", "ConfigMap", Refers::Not),
    ("v1", "Secret", Refers::Not),
    ("v1", "Service", Refers::Not),
    ("v1", "ServiceAccount", Refers::Secrets),
    ("apps/v1", "Deployment", Refers::Pod),
    ("apps/v1", "StatefulSet", Refers::Pod),
    ("networking.k8s.io/v1", "Ingress", Refers::Backend),
    ("autoscaling/v2", "HorizontalPodAutoscaler", Refers::Scale),
    ("rbac.authorization.k8s.io/v1", "Role", Refers::Not),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", Refers::Not),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", Refers::Role),
    ("example.com/v1", "Custom", Refers::Not),
];

/// How objects of a kind refer to others.
#[derive(Clone, Copy)]
enum Refers {
    Not,
    Secrets,
    Pod,
    Backend,
    Scale,
    Role,
}

/// The input as a row of choices; after its end every choice is the first.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % count
    }

    fn of<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

/// An object that was written into the project.
struct Written {
    kind: &'static str,
    name: &'static str,
    layer: usize,
    generated: bool,
}

/// A reference that was written into the project.
struct Reference {
    /// The object that refers.
    from: usize,
    kind: &'static str,
    name: &'static str,
    path: &'static [&'static str],
}

#[derive(Default)]
struct Model {
    objects: Vec<Written>,
    references: Vec<Reference>,
    prefixes: [&'static str; 2],
    suffixes: [&'static str; 2],
    /// Namespaces or merging generators are in play, so that what a reference means is not simple.
    beyond: bool,
}

/// Returns the project of an input.
pub fn project(data: &[u8]) -> Project {
    written(data).0
}

fn written(data: &[u8]) -> (Project, Model) {
    let mut choices = Choices(data.iter());
    let mut model = Model::default();
    let mut project = Project::default();
    for (layer, directory) in ["base", "."].into_iter().enumerate() {
        let (kustomization, objects) = model.layer(layer, &mut choices);
        project.insert(&format!("{directory}/kustomization.yaml"), kustomization);
        project.insert(&format!("{directory}/objects.yaml"), objects);
    }
    (project, model)
}

/// Builds the project that the bytes choose, and looks at its references.
pub fn run(data: &[u8]) {
    let (project, model) = written(data);
    project.build_stable();
    let Some(resources) = project.resources() else { return };
    if !model.beyond {
        assert_eq!(resources.len(), model.objects.len(), "as many objects as were written");
    }
    let by_id: BTreeMap<usize, &Node> = resources
        .iter()
        .filter_map(|r| {
            Some((at(r.node(), &["metadata", "annotations", "id"])?.text().parse().ok()?, r.node()))
        })
        .collect();
    for reference in model.references.iter().filter(|_| !model.beyond) {
        model.check(reference, &by_id);
    }
}

/// Returns what is at a path; `0` is the first element of a list.
fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, &step| match step {
        "0" => node.elements()?.first(),
        key => node.get(Key::text_key(key)),
    })
}

impl Model {
    /// Returns the kustomization and the objects of a layer.
    fn layer(&mut self, layer: usize, choices: &mut Choices<'_>) -> (String, String) {
        let prefix = choices.of(&AFFIXES);
        let suffix = choices.of(&AFFIXES);
        let namespace = choices.of(&NAMESPACES);
        (self.prefixes[layer], self.suffixes[layer]) = (prefix, suffix);
        self.beyond |= !namespace.is_empty();
        let base = if layer == 1 { "base, " } else { "" };
        let mut out = format!(
            "resources: [{base}objects.yaml]\nnamePrefix: {prefix:?}\nnameSuffix: {suffix:?}\nnamespace: {namespace:?}\n"
        );
        for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
            let count = choices.below(3);
            if count > 0 {
                let _ = writeln!(out, "{field}:");
            }
            for _ in 0..count {
                let id = self.objects.len();
                let name = choices.of(&NAMES);
                let namespace = choices.of(&NAMESPACES);
                let behavior = choices.of(&["create", "create", "merge", "replace"]);
                let hash = choices.below(3) != 0;
                self.beyond |= behavior != "create" || !namespace.is_empty();
                let _ = writeln!(
                    out,
                    "- {{name: {name}, namespace: {namespace:?}, behavior: {behavior}, literals: [k={id}], options: \
                     {{disableNameSuffixHash: {}, annotations: {{id: \"{id}\"}}}}}}",
                    !hash
                );
                self.objects.push(Written { kind, name, layer, generated: true });
            }
        }
        let count = choices.below(6);
        let objects = (0..count).map(|_| self.object(layer, choices)).collect::<Vec<_>>();
        (out, objects.join("---\n"))
    }

    fn object(&mut self, layer: usize, choices: &mut Choices<'_>) -> String {
        let id = self.objects.len();
        let (version, kind, refers) = KINDS[choices.below(KINDS.len())];
        let name = choices.of(&NAMES);
        let namespace = choices.of(&NAMESPACES);
        self.beyond |= !namespace.is_empty();
        self.objects.push(Written { kind, name, layer, generated: false });
        let mut out = format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace:?}\n  annotations: {{id: \"{id}\"}}\n"
        );
        let mut refer = |kind: &'static str, path: &'static [&'static str]| {
            let name = choices.of(&NAMES);
            self.references.push(Reference { from: id, kind, name, path });
            name
        };
        match refers {
            Refers::Not => {}
            Refers::Secrets => {
                let secret = refer("Secret", &["imagePullSecrets", "0", "name"]);
                let _ = writeln!(out, "imagePullSecrets: [{{name: {secret}}}]");
            }
            Refers::Pod => {
                let account =
                    refer("ServiceAccount", &["spec", "template", "spec", "serviceAccountName"]);
                let settings = refer(
                    "ConfigMap",
                    &[
                        "spec",
                        "template",
                        "spec",
                        "containers",
                        "0",
                        "envFrom",
                        "0",
                        "configMapRef",
                        "name",
                    ],
                );
                let secret = refer(
                    "Secret",
                    &["spec", "template", "spec", "volumes", "0", "secret", "secretName"],
                );
                let _ = write!(
                    out,
                    "spec:\n  template:\n    spec:\n      serviceAccountName: {account}\n      containers:\n      - name: c\n        \
                     envFrom: [{{configMapRef: {{name: {settings}}}}}]\n      volumes:\n      - name: v\n        secret: {{secretName: {secret}}}\n"
                );
            }
            Refers::Backend => {
                let service = refer("Service", &["spec", "defaultBackend", "service", "name"]);
                let secret = refer("Secret", &["spec", "tls", "0", "secretName"]);
                let _ = writeln!(
                    out,
                    "spec: {{defaultBackend: {{service: {{name: {service}}}}}, tls: [{{secretName: {secret}}}]}}"
                );
            }
            Refers::Scale => {
                let target = refer("Deployment", &["spec", "scaleTargetRef", "name"]);
                let _ = writeln!(
                    out,
                    "spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}}}"
                );
            }
            Refers::Role => {
                let role = refer("Role", &["roleRef", "name"]);
                let account = refer("ServiceAccount", &["subjects", "0", "name"]);
                let _ = writeln!(
                    out,
                    "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {role}}}\n\
                     subjects: [{{kind: ServiceAccount, name: {account}}}]"
                );
            }
        }
        out
    }

    /// Returns the names of an object: as written, and after each prefix and suffix.
    fn names(&self, object: &Written) -> Vec<String> {
        let mut names = vec![object.name.to_owned()];
        for layer in object.layer..2 {
            let last = names.last().expect("the first name is there");
            let with_prefix = format!("{}{last}", self.prefixes[layer]);
            let with_suffix = format!("{with_prefix}{}", self.suffixes[layer]);
            names.extend([with_prefix, with_suffix]);
        }
        names
    }

    fn check(&self, reference: &Reference, by_id: &BTreeMap<usize, &Node>) {
        let mut meant = None;
        for (id, object) in
            self.objects.iter().enumerate().filter(|(_, o)| o.kind == reference.kind)
        {
            let names = self.names(object);
            let (last, earlier) = names.split_last().expect("an object has names");
            if earlier.iter().any(|name| name == reference.name) {
                if meant.replace(id).is_some() {
                    return;
                }
            } else if last == reference.name {
                return;
            }
        }
        let Some(from) = by_id.get(&reference.from) else { return };
        let found = at(from, reference.path).map(Node::text);
        let expected = match meant {
            None => Some(reference.name),
            Some(id) => by_id.get(&id).and_then(|to| at(to, &["metadata", "name"])).map(Node::text),
        };
        let generated = meant.is_some_and(|id| self.objects[id].generated);
        assert_eq!(
            found, expected,
            "{} {} (generated: {generated})",
            reference.kind, reference.name
        );
    }
}
