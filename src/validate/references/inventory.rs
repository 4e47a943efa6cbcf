//! What is there: objects by type, name and namespace, and what they may create.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use ecow::EcoString;
use foldhash::{HashMap, HashSet};

use super::creators::{Creators, Placed};
use super::pods::{Label, Pods, labels_of};
use super::tree::{at, child, each, metadata, shared, text};
use super::{CLUSTER_ROLE, CONFIG_MAP, PRIORITY_CLASS, ROLE, SECRET, SERVICE, Type, well_known};
use crate::diagnostic::{Outline, limit, nearest_within};
use crate::project::External;
use crate::provenance::OriginId;
use crate::yaml::{Key, Node, known};

/// With more names than this, none is looked for that is similar.
const MAX_SIMILAR: usize = 4096;
/// Labels and annotations that ask a controller to fill a ConfigMap or Secret.
const FILLED: [&str; 4] = [
    "config.openshift.io/inject-trusted-cabundle",
    "service.beta.openshift.io/inject-cabundle",
    "service.alpha.openshift.io/inject-cabundle",
    "cert-manager.io/allow-direct-injection",
];
/// What the names of annotations begin with that have an object copied from or into other namespaces.
const COPIED: [&str; 3] =
    ["reflector.v1.k8s.emberstack.com/", "replicator.v1.mittwald.de/", "kubed.appscode.com/sync"];

/// The label of an EndpointSlice that names its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The namespace of what has none, or of what may be in any.
pub(super) const ANY_NAMESPACE: &str = "";

/// Something that is there, in one namespace.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) namespace: EcoString,
    pub(super) source: Source,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// It is an object, which begins here.
    Object(OriginId, Details),
    /// An object creates it, with these keys.
    Created(Keys),
}

/// What references ask of an object that they name.
#[derive(Clone, Debug)]
pub(super) enum Details {
    Nothing,
    Keys(Keys),
    Service(Arc<Service>),
}

/// What references ask of a Service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) namespace: EcoString,
    pub(super) labels: Box<[Label]>,
    pub(super) ports: Box<[Port]>,
    /// Where the list of ports is.
    pub(super) at_ports: Option<OriginId>,
    pub(super) is_external_name: bool,
}

/// A port of a Service.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) number: EcoString,
    /// Empty if it has none.
    pub(super) name: EcoString,
}

/// The keys of a ConfigMap or Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// There may be any.
    Any,
    Known(Box<[Key]>),
}

impl Keys {
    pub(super) fn of_texts<'k>(texts: impl IntoIterator<Item = &'k str>) -> Self {
        Self::Known(texts.into_iter().map(Key::text_key).collect())
    }
}

/// What is known of something that is named.
#[derive(Debug)]
pub(super) enum Presence<'a> {
    Absent,
    /// It exists, or may exist, and nothing is known of what it holds.
    Assumed,
    /// It is one of these: of several, the namespace is not known.
    Present(Vec<&'a Held>),
}

/// Names, and what has them.
type Names = HashMap<EcoString, Named>;

/// What has one name.
#[derive(Debug)]
struct Named {
    outline: Outline,
    held: Vec<Held>,
}

/// What is there. It keeps nothing of the objects themselves.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    held: HashMap<Type<'static>, Names>,
    pub(super) creators: Creators,
    pub(super) pods: Pods,
    pub(super) services: Vec<Arc<Service>>,
    /// Services whose endpoints are written down.
    pub(super) endpoints: HashSet<EcoString>,
    /// Hosts of ServiceEntries.
    pub(super) hosts: HashSet<EcoString>,
    /// Workloads that something scales.
    pub(super) scaled: HashSet<EcoString>,
    /// Namespaces that objects are in, or that are objects.
    pub(super) namespaces: HashSet<EcoString>,
    external: Vec<External>,
}

/// Returns whether two namespaces may be the same: what has none is in the namespace that a deployment chooses.
pub(super) fn may_be_same(a: &str, b: &str) -> bool {
    a == b || a == ANY_NAMESPACE || b == ANY_NAMESPACE
}

/// Returns the namespace that an object states.
pub(super) fn namespace_of(object: &Node) -> &str {
    metadata(object, known::NAMESPACE).map_or("", Node::text)
}

impl Inventory {
    /// Takes in an object.
    pub(crate) fn add(&mut self, object: &Node) {
        let own = Type::of(object);
        let text = |field| metadata(object, field).map(Node::shared_text).unwrap_or_default();
        let (name, stated) = (text(known::NAME), text(known::NAMESPACE));
        let is_copied =
            matches!(own.kind, "Secret" | "ConfigMap") && annotations(object).any(is_copy);
        let namespace = if is_copied || own == CLUSTER_ROLE || own == PRIORITY_CLASS {
            EcoString::from(ANY_NAMESPACE)
        } else {
            stated.clone()
        };
        let mut details = Details::Nothing;
        match own {
            CONFIG_MAP | SECRET => details = Details::Keys(keys_of(own, object)),
            SERVICE => {
                let service = Arc::new(Service::of(&stated, object));
                self.services.push(Arc::clone(&service));
                details = Details::Service(service);
            }
            _ => self.note(own, &name, object),
        }
        if !name.is_empty() {
            let source = Source::Object(object.origin(), details);
            self.hold(own.kept(), name, Held { namespace: namespace.clone(), source });
        }
        if !self.namespaces.contains(&namespace) {
            self.namespaces.insert(namespace);
        }
        self.pods.add(own, &stated, object);
        let placed = Placed { own, namespace: &stated, node: object };
        for (created, name, namespace, keys) in self.creators.add(placed) {
            self.hold(created, name, Held { namespace, source: Source::Created(keys) });
        }
    }

    /// Adds what is in other objects, which come behind these.
    #[expect(clippy::iter_over_hash_type, reason = "names are independent of each other")]
    pub(crate) fn append(&mut self, other: Self) {
        for (own, names) in other.held {
            let all = self.held.entry(own).or_default();
            for (name, held) in names {
                match all.entry(name) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(held);
                    }
                    Entry::Occupied(mut occupied) => occupied.get_mut().held.extend(held.held),
                }
            }
        }
        self.creators.append(other.creators);
        self.pods.append(other.pods);
        self.services.extend(other.services);
        self.endpoints.extend(other.endpoints);
        self.hosts.extend(other.hosts);
        self.scaled.extend(other.scaled);
        self.namespaces.extend(other.namespaces);
    }

    /// Finds out what follows from all objects together. `external`: what exists besides.
    pub(crate) fn finish(&mut self, external: Vec<External>) {
        self.external = external;
        self.creators.makers.finish();
    }

    /// Notes what other objects are checked against.
    fn note(&mut self, own: Type<'_>, name: &EcoString, object: &Node) {
        match (own.group, own.kind) {
            ("", "Namespace") => {
                self.namespaces.insert(name.clone());
            }
            ("", "Endpoints") => {
                self.endpoints.insert(name.clone());
            }
            ("discovery.k8s.io", "EndpointSlice") => {
                let labels = at(object, "metadata.labels");
                let service = labels.and_then(|labels| child(labels, SERVICE_NAME));
                self.endpoints.extend(service.map(Node::shared_text));
            }
            (_, "HorizontalPodAutoscaler" | "ScaledObject") => {
                self.scaled.insert(shared(object, "spec.scaleTargetRef.name"));
            }
            ("networking.istio.io", "ServiceEntry") => {
                self.hosts.extend(each(object, "spec.hosts[]").into_iter().map(Node::shared_text));
            }
            _ => {}
        }
    }

    fn hold(&mut self, own: Type<'static>, name: EcoString, held: Held) {
        let outline = Outline::of(&name);
        let all = self.held.entry(own).or_default().entry(name);
        all.or_insert_with(|| Named { outline, held: Vec::with_capacity(1) }).held.push(held);
    }

    /// Returns what is known of something that is looked for in a namespace.
    pub(super) fn presence(&self, wanted: Type<'_>, namespace: &str, name: &str) -> Presence<'_> {
        if self.is_external(wanted, namespace, name) {
            return Presence::Assumed;
        }
        let all = self.all(wanted, name);
        let exact: Vec<&Held> = all.iter().filter(|held| held.namespace == namespace).collect();
        if !exact.is_empty() && namespace != ANY_NAMESPACE {
            return Presence::Present(exact);
        }
        let near: Vec<&Held> =
            all.iter().filter(|held| may_be_same(&held.namespace, namespace)).collect();
        if !near.is_empty() {
            return Presence::Present(near);
        }
        let is_there = well_known::exists(wanted, namespace, name)
            || self.creators.creates_claim(wanted, namespace, name);
        let may_be_there = wanted != ROLE && well_known::is_of_platform(namespace)
            || self.creators.may_create(wanted, namespace, name);
        let is_assumed = is_there || may_be_there && !self.is_misspelt(wanted, namespace, name);
        if is_assumed { Presence::Assumed } else { Presence::Absent }
    }

    /// Returns whether a name differs by one letter from one that is there.
    fn is_misspelt(&self, wanted: Type<'_>, namespace: &str, name: &str) -> bool {
        let near = self.similar_within(1, wanted, namespace, name);
        near.is_some_and(|near| is_one_edit(near, name))
    }

    /// Returns whether something is or may be created under a name; what custom resources only mention does not count.
    pub(super) fn may_have(&self, wanted: Type<'_>, namespace: &str, name: &str) -> bool {
        self.all(wanted, name)
            .iter()
            .any(|held| held.source.object().is_none() && may_be_same(&held.namespace, namespace))
            || self.creators.may_name(wanted, namespace, name)
    }

    /// Returns whether the project says that something exists outside.
    pub(super) fn is_external(&self, wanted: Type<'_>, namespace: &str, name: &str) -> bool {
        self.external.iter().any(|entry| entry.covers(wanted.group, wanted.kind, namespace, name))
    }

    /// Returns a name of the same namespace that is similar.
    pub(super) fn similar(&self, wanted: Type<'_>, namespace: &str, name: &str) -> Option<&str> {
        self.similar_within(limit(name.chars().count()), wanted, namespace, name)
    }

    fn similar_within(
        &self,
        limit: usize,
        wanted: Type<'_>,
        namespace: &str,
        name: &str,
    ) -> Option<&str> {
        let names = self.names(wanted).filter(|names| names.len() <= MAX_SIMILAR)?;
        let outline = Outline::of(name);
        let here =
            names.iter().filter(|(_, named)| outline.may_be_near(named.outline, limit)).filter(
                |(_, named)| named.held.iter().any(|one| may_be_same(&one.namespace, namespace)),
            );
        nearest_within(limit, name, here.map(|(name, _)| name.as_str()))
    }

    /// Returns another namespace that has something of the name.
    pub(super) fn elsewhere(&self, wanted: Type<'_>, name: &str) -> Option<&str> {
        let held = self.all(wanted, name);
        held.iter().map(|one| one.namespace.as_str()).find(|namespace| *namespace != ANY_NAMESPACE)
    }

    fn all(&self, wanted: Type<'_>, name: &str) -> &[Held] {
        let named = self.names(wanted).and_then(|names| names.get(name));
        named.map(|named| named.held.as_slice()).unwrap_or_default()
    }

    fn names(&self, wanted: Type<'_>) -> Option<&Names> {
        self.held.get(&wanted.kept())
    }
}

impl Source {
    /// Returns the keys of a ConfigMap or Secret.
    pub(super) fn keys(&self) -> &Keys {
        match self {
            Self::Created(keys) | Self::Object(_, Details::Keys(keys)) => keys,
            Self::Object(..) => &Keys::Any,
        }
    }

    /// Returns where the object begins.
    pub(super) fn object(&self) -> Option<OriginId> {
        match self {
            Self::Object(origin, _) => Some(*origin),
            Self::Created(_) => None,
        }
    }

    /// Returns the Service whose ports are known.
    pub(super) fn service(&self) -> Option<&Service> {
        match self {
            Self::Object(_, Details::Service(service)) if !service.is_external_name => {
                Some(service)
            }
            _ => None,
        }
    }
}

impl Service {
    fn of(namespace: &EcoString, object: &Node) -> Self {
        let port = |node: &Node| Port { number: shared(node, "port"), name: shared(node, "name") };
        Self {
            namespace: namespace.clone(),
            labels: labels_of(at(object, "metadata.labels")),
            ports: each(object, "spec.ports[]").into_iter().map(port).collect(),
            at_ports: at(object, "spec.ports").map(Node::origin),
            is_external_name: text(object, "spec.type") == "ExternalName",
        }
    }
}

fn annotations(object: &Node) -> impl Iterator<Item = &str> {
    let entries = |field| metadata(object, field).and_then(Node::entries);
    let both = [entries(known::ANNOTATIONS), entries(known::LABELS)];
    both.into_iter().flatten().flatten().map(|entry| entry.key.text())
}

/// Returns whether an annotation has an object copied between namespaces.
pub(super) fn is_copy(annotation: &str) -> bool {
    COPIED.iter().any(|start| annotation.starts_with(start))
}

/// Returns the keys of a ConfigMap or Secret, unless a controller adds others.
fn keys_of(own: Type<'_>, object: &Node) -> Keys {
    let fields = if own == SECRET { ["data", "stringData"] } else { ["data", "binaryData"] };
    let is_filled = annotations(object).any(|name| FILLED.contains(&name) || is_copy(name))
        || text(object, "type") == "kubernetes.io/service-account-token";
    let entries = |field| child(object, field).and_then(Node::entries).unwrap_or_default().iter();
    let keys: Box<[Key]> = fields.into_iter().flat_map(entries).map(|entry| entry.key).collect();
    // What is empty is there to be filled.
    if is_filled || keys.is_empty() { Keys::Any } else { Keys::Known(keys) }
}

/// Returns whether one letter less, more or other, or two swapped, make one name of the other.
pub(super) fn is_one_edit(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    match (a, b) {
        ([], [_]) | ([_], []) => true,
        ([a1, a2, a @ ..], [b1, b2, b @ ..]) if a1 == b2 && a2 == b1 && a == b => true,
        _ => rest(a) == rest(b) || rest(a) == b || a == rest(b),
    }
}

fn rest(text: &[u8]) -> &[u8] {
    text.get(1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::is_one_edit;

    #[test]
    fn one_edit_is_found() {
        for (a, b) in
            [("db", "dbs"), ("dbs", "db"), ("web", "wab"), ("form", "from"), ("xab", "ab")]
        {
            assert!(is_one_edit(a, b), "{a} {b}");
        }
        for (a, b) in [("db", "db-1"), ("web", "bew"), ("abc", "cab"), ("", "ab")] {
            assert!(!is_one_edit(a, b), "{a} {b}");
        }
    }
}
