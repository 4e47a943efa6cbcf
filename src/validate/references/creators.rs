//! What objects create: the Secret of a Certificate, the Services of a database, whatever a Helm release installs.
//!
//! Of some kinds it is known what they create, under which names, or that they create nothing ([`kinds`]). Any other
//! custom resource is the work order of an operator of which nothing is known: it may create what has its name between dashes, and
//! what its fields name. Charts and operators install objects of which nothing is known, and programs create some ([`Makers`]).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::inventory::{ANY_NAMESPACE, Keys, is_copy, namespace_of};
use super::kinds;
use super::makers::Makers;
use super::pods::pod_spec;
use super::tree::{at, child, each, text};
use super::{CLAIM, CLUSTER_ROLE, CONFIG_MAP, PRIORITY_CLASS, RBAC, ROLE, SECRET, Type};
use crate::schema::Kubernetes;
use crate::yaml::Node;

/// Annotations that have a controller create the Secret that an Ingress or a Gateway names.
const CERTIFIED: [&str; 3] = ["cert-manager.io/", "certmanager.k8s.io/", "kubernetes.io/tls-acme"];
/// Annotations of Services by which OpenShift creates a Secret.
const SERVING_CERTIFICATES: [&str; 2] = [
    "service.beta.openshift.io/serving-cert-secret-name",
    "service.alpha.openshift.io/serving-cert-secret-name",
];

/// Something that an object creates: its type, name, namespace and keys.
pub(super) type Created<'n> = (Type<'n>, Cow<'n, str>, &'n str, Keys<'n>);

/// What objects may create, as far as there is no list of it.
#[derive(Debug, Default)]
pub(super) struct Creators<'n> {
    /// Names that are part of those of what is created, between dashes, and where.
    names: HashMap<Cow<'n, str>, Namespaces<'n>>,
    /// Texts in custom resources and in the values of Helm releases.
    mentioned: HashSet<&'n str>,
    /// Names of ConfigMaps and Secrets in the commands of containers, and of objects that a Role lets be changed.
    handled: HashSet<&'n str>,
    /// The claims of StatefulSets, without the number.
    claims: HashMap<String, Namespaces<'n>>,
    /// Names end with these, dot included.
    suffixes: Vec<String>,
    /// Where something is installed of which nobody lists the objects.
    installations: HashMap<Installation, Namespaces<'n>>,
    pub(super) makers: Makers<'n>,
}

/// Namespaces in which something may be.
#[derive(Debug, Default)]
struct Namespaces<'n>(HashSet<&'n str>);

impl<'n> Namespaces<'n> {
    fn add(&mut self, namespace: &'n str) {
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

impl<'n> Creators<'n> {
    /// Takes in an object, and returns what it creates.
    pub(super) fn add(&mut self, own: Type<'n>, object: &'n Node) -> Vec<Created<'n>> {
        let mut created = Vec::new();
        match (own.group, own.kind) {
            ("", "Service") => created.extend(serving_certificate(object)),
            ("networking.k8s.io", "Ingress") => {
                certified(object, "spec.tls[].secretName", &mut created);
            }
            ("apps", "StatefulSet") => self.add_claims(object),
            (RBAC, "Role" | "ClusterRole") => self.add_role(object),
            (RBAC, "RoleBinding" | "ClusterRoleBinding") => self.makers.add_binding(object),
            ("helm.toolkit.fluxcd.io", _) => self.add_flux_release(object),
            ("helm.cattle.io", _) => {
                let namespace = text(object, "spec.targetNamespace");
                self.add_installation(Installation::Chart, object, namespace);
                self.add_name(object, "spec.targetNamespace", text(object, "metadata.name"));
                self.add_name(object, "spec.targetNamespace", text(object, "spec.chart"));
            }
            ("kustomize.toolkit.fluxcd.io", _) => {
                self.add_name(object, "spec.targetNamespace", text(object, "metadata.name"));
            }
            ("argoproj.io", "Application") => {
                self.add_name(object, "spec.destination.namespace", text(object, "metadata.name"));
                let releases = ["spec.source.helm.releaseName", "spec.sources[].helm.releaseName"];
                for release in releases.iter().flat_map(|path| each(object, path)) {
                    self.add_name(object, "spec.destination.namespace", release.text());
                }
            }
            ("argoproj.io", "ApplicationSet") => {
                self.add_name(object, "", text(object, "metadata.name"));
            }
            ("kyverno.io", "ClusterPolicy" | "Policy") => generated(object, &mut created),
            _ => self.add_custom(own, object, &mut created),
        }
        self.add_commands(object, own);
        created
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

    fn add_claims(&mut self, object: &'n Node) {
        for template in each(object, "spec.volumeClaimTemplates[].metadata.name") {
            let stem = format!("{}-{}", template.text(), text(object, "metadata.name"));
            self.claims.entry(stem).or_default().add(namespace_of(object));
        }
    }

    /// Who may change an object by name may be the one who creates it.
    fn add_role(&mut self, object: &'n Node) {
        self.makers.add_role(object);
        for rule in each(object, "rules[]") {
            let verbs = each(rule, "verbs[]");
            if verbs.iter().any(|verb| matches!(verb.text(), "update" | "patch" | "*")) {
                self.handled.extend(each(rule, "resourceNames[]").iter().map(|name| name.text()));
            }
        }
    }

    fn add_flux_release(&mut self, object: &'n Node) {
        let namespace = "spec.targetNamespace";
        self.add_installation(Installation::Chart, object, text(object, namespace));
        let name = text(object, "metadata.name");
        let chart = text(object, "spec.chart.spec.chart");
        let chart = chart.rsplit('/').next().unwrap_or_default();
        for name in
            [name, text(object, "spec.releaseName"), chart, text(object, "spec.chartRef.name")]
        {
            self.add_name(object, namespace, name);
        }
        let target = text(object, namespace);
        if !target.is_empty() {
            self.names.entry(format!("{target}-{name}").into()).or_default().add(target);
        }
        if let Some(values) = at(object, "spec.values") {
            self.mention(values);
            self.add_overrides(object, values);
        }
    }

    /// Notes the names that the values of a chart give it.
    fn add_overrides(&mut self, object: &'n Node, values: &'n Node) {
        for entry in values.entries().into_iter().flatten() {
            match entry.key.text() {
                "fullnameOverride" | "nameOverride" => {
                    self.add_name(object, "spec.targetNamespace", entry.value.text());
                }
                _ => self.add_overrides(object, &entry.value),
            }
        }
    }

    fn add_custom(&mut self, own: Type<'n>, object: &'n Node, created: &mut Vec<Created<'n>>) {
        if Kubernetes::serves_group(own.group) {
            return;
        }
        if kinds::add_listed(own, object, created) {
            if has_copy(object) {
                for one in created {
                    one.2 = ANY_NAMESPACE;
                }
            }
            return;
        }
        if (own.group, own.kind) == ("gateway.networking.k8s.io", "Gateway") {
            certified(object, "spec.listeners[].tls.certificateRefs[].name", created);
            return self.add_name(object, "", text(object, "metadata.name"));
        }
        if kinds::is_inert(own) {
            return;
        }
        let name = text(object, "metadata.name");
        if kinds::is_installer(own) {
            self.add_installation(Installation::Operator, object, "");
        }
        if kinds::is_suite(own) {
            self.add_installation(Installation::Suite, object, "");
        }
        if own.group == "acid.zalan.do" {
            self.suffixes.push(format!(".{name}.credentials.postgresql.acid.zalan.do"));
        }
        self.add_installation(Installation::Custom, object, "");
        self.add_name(object, "", name);
        // Operators call things after their own kind, too.
        let kind = own.kind.to_ascii_lowercase();
        self.names.entry(kind.into()).or_default().add(namespace_of(object));
        for entry in object.entries().into_iter().flatten() {
            if entry.key.text() != "metadata" {
                self.mention(&entry.value);
            }
        }
    }

    /// Notes a name that what an object creates has, in the namespace at a path or in that of the object.
    fn add_name(&mut self, object: &'n Node, namespace: &str, name: &'n str) {
        if name.is_empty() {
            return;
        }
        let target = if namespace.is_empty() { "" } else { text(object, namespace) };
        let namespace = if target.is_empty() { namespace_of(object) } else { target };
        self.names.entry(Cow::Borrowed(name)).or_default().add(namespace);
    }

    fn add_installation(&mut self, what: Installation, object: &'n Node, target: &'n str) {
        let namespace = if target.is_empty() { namespace_of(object) } else { target };
        self.installations.entry(what).or_default().add(namespace);
    }

    /// Notes every text below a node.
    fn mention(&mut self, node: &'n Node) {
        if node.is_scalar() {
            self.mentioned.insert(node.text());
        }
        for entry in node.entries().into_iter().flatten() {
            self.mentioned.insert(entry.key.text());
            self.mention(&entry.value);
        }
        for element in node.elements().into_iter().flatten() {
            self.mention(element);
        }
    }

    /// Notes the words of commands of containers that speak of Secrets or ConfigMaps: `--secret-name=tls`, `create secret tls`.
    fn add_commands(&mut self, object: &'n Node, own: Type<'n>) {
        let Some(spec) = pod_spec(own, object) else { return };
        self.makers.add_pods(object, spec);
        for containers in ["containers[]", "initContainers[]"] {
            for container in each(spec, containers) {
                let mut follows = false;
                for part in [each(container, "command[]"), each(container, "args[]")].concat() {
                    let lower = part.text().to_ascii_lowercase();
                    let speaks = lower.contains("secret") || lower.contains("configmap");
                    if speaks || follows {
                        self.handled.extend(words(part.text()));
                    }
                    follows = speaks;
                }
            }
        }
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
    let entries = at(object, "metadata.annotations").and_then(Node::entries);
    entries.unwrap_or_default().iter().map(|entry| (entry.key.text(), &entry.value))
}

/// Returns whether an annotation somewhere in an object has what it creates copied.
fn has_copy(node: &Node) -> bool {
    node.entries().into_iter().flatten().any(|e| is_copy(e.key.text()) || has_copy(&e.value))
}

fn serving_certificate(object: &Node) -> Option<Created<'_>> {
    let (_, name) = annotations(object).find(|(key, _)| SERVING_CERTIFICATES.contains(key))?;
    let keys = Keys::Known(vec!["tls.crt", "tls.key"]);
    Some((SECRET, Cow::Borrowed(name.text()), namespace_of(object), keys))
}

/// Adds the Secrets that an object names and that an annotation has created.
fn certified<'n>(object: &'n Node, path: &str, created: &mut Vec<Created<'n>>) {
    let is_certified =
        annotations(object).any(|(key, _)| CERTIFIED.iter().any(|start| key.starts_with(start)));
    if is_certified {
        for name in each(object, path) {
            let name = Cow::Borrowed(name.text());
            created.push((SECRET, name, namespace_of(object), Keys::Any));
        }
    }
}

/// Adds what the rules of a Kyverno policy generate.
fn generated<'n>(object: &'n Node, created: &mut Vec<Created<'n>>) {
    for rule in each(object, "spec.rules[].generate") {
        let one = Type::of(rule);
        let name = child(rule, "name").map_or("", Node::text);
        created.push((one, Cow::Borrowed(name), ANY_NAMESPACE, Keys::Any));
    }
}
