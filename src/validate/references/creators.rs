//! What objects create: the Secret of a Certificate, the Services of a database, whatever a Helm release installs.
//!
//! Of some kinds it is known what they create, under which names, or that they create nothing ([`kinds`]). Any other
//! custom resource is the work order of an operator of which nothing is known: it may create what has its name between dashes, and
//! what its fields name. Charts and operators install objects of which nothing is known, and programs create some ([`Makers`]).

use ecow::{EcoString, eco_format};
use foldhash::{HashMap, HashSet};

use super::inventory::{ANY_NAMESPACE, Keys, is_copy};
use super::kinds;
use super::makers::Makers;
use super::pods::pod_spec;
use super::tree::{at, child, each, metadata, shared, text};
use super::{CLAIM, CLUSTER_ROLE, CONFIG_MAP, PRIORITY_CLASS, RBAC, ROLE, SECRET, Type};
use crate::schema::Kubernetes;
use crate::yaml::{Node, known};

/// Annotations that have a controller create the Secret that an Ingress or a Gateway names.
const CERTIFIED: [&str; 3] = ["cert-manager.io/", "certmanager.k8s.io/", "kubernetes.io/tls-acme"];
/// Annotations of Services by which OpenShift creates a Secret.
const SERVING_CERTIFICATES: [&str; 2] = [
    "service.beta.openshift.io/serving-cert-secret-name",
    "service.alpha.openshift.io/serving-cert-secret-name",
];

/// Something that an object creates: its type, name, namespace and keys.
pub(super) type Created = (Type<'static>, EcoString, EcoString, Keys);

/// An object with its type and its namespace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'n> {
    pub(super) own: Type<'n>,
    pub(super) namespace: &'n EcoString,
    pub(super) node: &'n Node,
}

impl Placed<'_> {
    /// Returns the namespace at a path, or else that of the object.
    fn target(&self, path: &str) -> EcoString {
        let stated = shared(self.node, path);
        if stated.is_empty() { self.namespace.clone() } else { stated }
    }
}

/// What objects may create, as far as there is no list of it.
#[derive(Debug, Default)]
pub(super) struct Creators {
    /// Names that are part of those of what is created, between dashes, and where.
    names: HashMap<EcoString, Namespaces>,
    /// Texts in custom resources and in the values of Helm releases.
    mentioned: HashSet<EcoString>,
    /// Names of ConfigMaps and Secrets in the commands of containers, and of objects that a Role lets be changed.
    handled: HashSet<EcoString>,
    /// The claims of StatefulSets, without the number.
    claims: HashMap<EcoString, Namespaces>,
    /// Names end with these, dot included.
    suffixes: Vec<String>,
    /// Where something is installed of which nobody lists the objects.
    installations: HashMap<Installation, Namespaces>,
    pub(super) makers: Makers,
}

/// Namespaces in which something may be.
#[derive(Debug, Default)]
struct Namespaces(HashSet<EcoString>);

impl Namespaces {
    fn add(&mut self, namespace: EcoString) {
        self.0.insert(namespace);
    }

    fn may_hold(&self, namespace: &str) -> bool {
        namespace == ANY_NAMESPACE || self.0.contains(namespace) || self.0.contains(ANY_NAMESPACE)
    }
}

/// What is installed by an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Installation {
    /// A chart: its Secrets and ConfigMaps begin with its name, its other objects not always.
    Chart,
    /// An operator, and what it is told to run, perhaps in other namespaces.
    Operator,
    /// Many applications, of which other manifests use parts.
    Suite,
    /// What an operator runs for one custom resource: its pods and Services have labels of which nothing is known.
    Custom,
}

impl Creators {
    /// Takes in an object, and returns what it creates.
    pub(super) fn add(&mut self, object: Placed<'_>) -> Vec<Created> {
        let mut created = Vec::new();
        let Placed { own, namespace, node } = object;
        let name = || shared(node, "metadata.name");
        match (own.group, own.kind) {
            ("", "Service") => created.extend(serving_certificate(object)),
            ("networking.k8s.io", "Ingress") => {
                certified(object, "spec.tls[].secretName", &mut created);
            }
            ("apps", "StatefulSet") => self.add_claims(object),
            (RBAC, "Role" | "ClusterRole") => self.add_role(object),
            (RBAC, "RoleBinding" | "ClusterRoleBinding") => {
                self.makers.add_binding(namespace, node);
            }
            ("helm.toolkit.fluxcd.io", _) => self.add_flux_release(object),
            ("helm.cattle.io", _) => {
                let target = object.target("spec.targetNamespace");
                self.add_installation(Installation::Chart, target.clone());
                self.add_name(&target, name());
                self.add_name(&target, shared(node, "spec.chart"));
            }
            ("kustomize.toolkit.fluxcd.io", _) => {
                self.add_name(&object.target("spec.targetNamespace"), name());
            }
            ("argoproj.io", "Application") => {
                let target = object.target("spec.destination.namespace");
                self.add_name(&target, name());
                let releases = ["spec.source.helm.releaseName", "spec.sources[].helm.releaseName"];
                for release in releases.iter().flat_map(|path| each(node, path)) {
                    self.add_name(&target, release.shared_text());
                }
            }
            ("argoproj.io", "ApplicationSet") => self.add_name(namespace, name()),
            ("kyverno.io", "ClusterPolicy" | "Policy") => generated(node, &mut created),
            _ => self.add_custom(object, &mut created),
        }
        self.add_commands(object);
        created
    }

    /// Adds what is known of other objects.
    pub(super) fn append(&mut self, other: Self) {
        let Self { names, mentioned, handled, claims, suffixes, installations, makers } = other;
        append(&mut self.names, names);
        append(&mut self.claims, claims);
        append(&mut self.installations, installations);
        self.mentioned.extend(mentioned);
        self.handled.extend(handled);
        self.suffixes.extend(suffixes);
        self.makers.append(makers);
    }

    /// Returns whether something may be created, of which there is no list.
    pub(super) fn may_create(&self, wanted: Type<'_>, namespace: &str, name: &str) -> bool {
        wanted != PRIORITY_CLASS
            && (self.mentions(name)
                || matches!(wanted, SECRET | CONFIG_MAP) && self.handled.contains(name)
                || self.may_name(wanted, namespace, name))
    }

    /// Returns whether a text stands in a custom resource or in the values of a Helm release.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.mentioned.contains(text)
    }

    /// Like [`Creators::may_create`], for names that objects give and do not merely mention.
    pub(super) fn may_name(&self, wanted: Type<'_>, namespace: &str, name: &str) -> bool {
        let is_named = |part| self.names.get(part).is_some_and(|here| here.may_hold(namespace));
        parts(name).any(is_named)
            || self.suffixes.iter().any(|end| name.ends_with(end.as_str()))
            || self.may_install(wanted, namespace)
            || wanted == SECRET && self.makers.may_create(SECRET, namespace)
    }

    /// Returns whether there may be Services or pods with labels of which nothing is known.
    pub(super) fn may_label(&self, namespace: &str) -> bool {
        self.installations.contains_key(&Installation::Operator)
            || self.is_installed(Installation::Chart, namespace)
            || self.is_installed(Installation::Custom, namespace)
    }

    fn may_install(&self, wanted: Type<'_>, namespace: &str) -> bool {
        let is_here = |what| self.is_installed(what, namespace);
        let has_operator = self.installations.contains_key(&Installation::Operator);
        match wanted {
            // Who binds a Role writes it.
            ROLE => false,
            CLUSTER_ROLE => has_operator || is_here(Installation::Chart),
            CLAIM | CONFIG_MAP => is_here(Installation::Suite),
            SECRET => {
                is_here(Installation::Suite)
                    || namespace != ANY_NAMESPACE && is_here(Installation::Operator)
            }
            _ => {
                is_here(Installation::Operator)
                    || is_here(Installation::Chart)
                    // The operator is told to use this namespace.
                    || has_operator && self.mentions(namespace)
            }
        }
    }

    fn is_installed(&self, what: Installation, namespace: &str) -> bool {
        self.installations.get(&what).is_some_and(|here| here.may_hold(namespace))
    }

    /// Returns whether a StatefulSet makes a claim.
    pub(super) fn creates_claim(&self, wanted: Type<'_>, namespace: &str, name: &str) -> bool {
        let Some((stem, number)) = name.rsplit_once('-') else { return false };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        wanted == CLAIM
            && is_number
            && self.claims.get(stem).is_some_and(|here| here.may_hold(namespace))
    }

    fn add_claims(&mut self, object: Placed<'_>) {
        for template in each(object.node, "spec.volumeClaimTemplates[].metadata.name") {
            let stem = eco_format!("{}-{}", template.text(), text(object.node, "metadata.name"));
            self.claims.entry(stem).or_default().add(object.namespace.clone());
        }
    }

    /// Who may change an object by name may be the one who creates it.
    fn add_role(&mut self, object: Placed<'_>) {
        self.makers.add_role(object.namespace, object.node);
        for rule in each(object.node, "rules[]") {
            let verbs = each(rule, "verbs[]");
            if verbs.iter().any(|verb| matches!(verb.text(), "update" | "patch" | "*")) {
                let names = each(rule, "resourceNames[]").into_iter();
                self.handled.extend(names.map(Node::shared_text));
            }
        }
    }

    fn add_flux_release(&mut self, object: Placed<'_>) {
        let node = object.node;
        let target = object.target("spec.targetNamespace");
        self.add_installation(Installation::Chart, target.clone());
        let name = shared(node, "metadata.name");
        let chart = text(node, "spec.chart.spec.chart");
        let chart = chart.rsplit('/').next().unwrap_or_default();
        let release = shared(node, "spec.releaseName");
        for name in [name.clone(), release, chart.into(), shared(node, "spec.chartRef.name")] {
            self.add_name(&target, name);
        }
        let stated = text(node, "spec.targetNamespace");
        if !stated.is_empty() {
            self.names.entry(eco_format!("{stated}-{name}")).or_default().add(stated.into());
        }
        if let Some(values) = at(node, "spec.values") {
            self.mention(values);
            self.add_overrides(&target, values);
        }
    }

    /// Notes the names that the values of a chart give it.
    fn add_overrides(&mut self, target: &EcoString, values: &Node) {
        for entry in values.entries().into_iter().flatten() {
            match entry.key.text() {
                "fullnameOverride" | "nameOverride" => {
                    self.add_name(target, entry.value.shared_text());
                }
                _ => self.add_overrides(target, &entry.value),
            }
        }
    }

    fn add_custom(&mut self, object: Placed<'_>, created: &mut Vec<Created>) {
        let Placed { own, namespace, node } = object;
        if Kubernetes::serves_group(own.group) {
            return;
        }
        if kinds::add_listed(object, created) {
            if has_copy(node) {
                for one in created {
                    one.2 = ANY_NAMESPACE.into();
                }
            }
            return;
        }
        let name = shared(node, "metadata.name");
        if (own.group, own.kind) == ("gateway.networking.k8s.io", "Gateway") {
            certified(object, "spec.listeners[].tls.certificateRefs[].name", created);
            return self.add_name(namespace, name);
        }
        if kinds::is_inert(own) {
            return;
        }
        if kinds::is_installer(own) {
            self.add_installation(Installation::Operator, namespace.clone());
        }
        if kinds::is_suite(own) {
            self.add_installation(Installation::Suite, namespace.clone());
        }
        if own.group == "acid.zalan.do" {
            self.suffixes.push(format!(".{name}.credentials.postgresql.acid.zalan.do"));
        }
        self.add_installation(Installation::Custom, namespace.clone());
        self.add_name(namespace, name);
        // Operators call things after their own kind, too.
        let kind = own.kind.to_ascii_lowercase();
        self.names.entry(kind.into()).or_default().add(namespace.clone());
        for entry in node.entries().into_iter().flatten() {
            if entry.key.text() != "metadata" {
                self.mention(&entry.value);
            }
        }
    }

    /// Notes a name that what an object creates has, in a namespace.
    fn add_name(&mut self, namespace: &EcoString, name: EcoString) {
        if !name.is_empty() {
            self.names.entry(name).or_default().add(namespace.clone());
        }
    }

    fn add_installation(&mut self, what: Installation, namespace: EcoString) {
        self.installations.entry(what).or_default().add(namespace);
    }

    /// Notes every text below a node.
    fn mention(&mut self, node: &Node) {
        if node.is_scalar() {
            self.mentioned.insert(node.shared_text());
        }
        for entry in node.entries().into_iter().flatten() {
            if !self.mentioned.contains(entry.key.text()) {
                self.mentioned.insert(entry.key.text().into());
            }
            self.mention(&entry.value);
        }
        for element in node.elements().into_iter().flatten() {
            self.mention(element);
        }
    }

    /// Notes the words of commands of containers that speak of Secrets or ConfigMaps: `--secret-name=tls`, `create secret tls`.
    fn add_commands(&mut self, object: Placed<'_>) {
        let Some(spec) = pod_spec(object.own, object.node) else { return };
        self.makers.add_pods(object.namespace, spec);
        for containers in ["containers[]", "initContainers[]"] {
            for container in each(spec, containers) {
                let mut follows = false;
                for part in [each(container, "command[]"), each(container, "args[]")].concat() {
                    let lower = part.text().to_ascii_lowercase();
                    let speaks = lower.contains("secret") || lower.contains("configmap");
                    if speaks || follows {
                        self.handled.extend(words(part.text()).map(EcoString::from));
                    }
                    follows = speaks;
                }
            }
        }
    }
}

/// Adds namespaces to those of the same keys.
#[expect(clippy::iter_over_hash_type, reason = "sets are joined, in whatever order")]
fn append<K: Eq + std::hash::Hash>(
    all: &mut HashMap<K, Namespaces>,
    other: HashMap<K, Namespaces>,
) {
    for (key, namespaces) in other {
        all.entry(key).or_default().0.extend(namespaces.0);
    }
}

/// Returns the parts of a text that can be names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_break = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.';
    text.split(is_break).filter(|word| !word.is_empty())
}

/// Returns the parts of a name from the beginning or a dash to a dash or the end.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    let starts = [0].into_iter().chain(name.match_indices('-').map(|(dash, _)| dash + 1));
    starts.flat_map(move |start| {
        let rest = &name[start..];
        let ends = rest.match_indices('-').map(|(dash, _)| dash).chain([rest.len()]);
        ends.map(move |end| &rest[..end])
    })
}

fn annotations(object: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries = metadata(object, known::ANNOTATIONS).and_then(Node::entries);
    entries.unwrap_or_default().iter().map(|entry| (entry.key.text(), &entry.value))
}

/// Returns whether an annotation somewhere in an object has what it creates copied.
fn has_copy(node: &Node) -> bool {
    node.entries().into_iter().flatten().any(|e| is_copy(e.key.text()) || has_copy(&e.value))
}

fn serving_certificate(object: Placed<'_>) -> Option<Created> {
    let (_, name) = annotations(object.node).find(|(key, _)| SERVING_CERTIFICATES.contains(key))?;
    let keys = Keys::of_texts(["tls.crt", "tls.key"]);
    Some((SECRET, name.shared_text(), object.namespace.clone(), keys))
}

/// Adds the Secrets that an object names and that an annotation has created.
fn certified(object: Placed<'_>, path: &str, created: &mut Vec<Created>) {
    let is_certificate = |key: &str| CERTIFIED.iter().any(|start| key.starts_with(start));
    if annotations(object.node).any(|(key, _)| is_certificate(key)) {
        for name in each(object.node, path) {
            created.push((SECRET, name.shared_text(), object.namespace.clone(), Keys::Any));
        }
    }
}

/// Adds what the rules of a Kyverno policy generate.
fn generated(object: &Node, created: &mut Vec<Created>) {
    for rule in each(object, "spec.rules[].generate") {
        let name = child(rule, "name").map(Node::shared_text).unwrap_or_default();
        created.push((Type::of(rule).kept(), name, ANY_NAMESPACE.into(), Keys::Any));
    }
}
