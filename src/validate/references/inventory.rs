//! What is there: objects by type, name and namespace, and what they may create.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::creators::Creators;
use super::pods::Pods;
use super::tree::{at, child, each, text};
use super::{CLUSTER_ROLE, CONFIG_MAP, PRIORITY_CLASS, ROLE, SECRET, Type, well_known};
use crate::diagnostic::nearest;
use crate::project::External;
use crate::yaml::Node;

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
pub(super) struct Held<'n> {
    pub(super) namespace: &'n str,
    pub(super) source: Source<'n>,
}

#[derive(Clone, Debug)]
pub(super) enum Source<'n> {
    /// It is an object.
    Object(&'n Node),
    /// An object creates it, with these keys.
    Created(Keys<'n>),
}

/// The keys of a ConfigMap or Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Keys<'n> {
    /// There may be any.
    Any,
    Known(Vec<&'n str>),
}

/// What is known of something that is named.
#[derive(Debug)]
pub(super) enum Presence<'a, 'n> {
    Absent,
    /// It exists, or may exist, and nothing is known of what it holds.
    Assumed,
    /// It is one of these: of several, the namespace is not known.
    Present(Vec<&'a Held<'n>>),
}

/// What is there.
#[derive(Debug)]
pub(super) struct Inventory<'n> {
    held: HashMap<Type<'n>, BTreeMap<Cow<'n, str>, Vec<Held<'n>>>>,
    pub(super) creators: Creators<'n>,
    pub(super) pods: Pods<'n>,
    pub(super) services: Vec<&'n Node>,
    /// Services whose endpoints are written down.
    pub(super) endpoints: HashSet<&'n str>,
    /// Hosts of ServiceEntries.
    pub(super) hosts: HashSet<&'n str>,
    /// Workloads that something scales.
    pub(super) scaled: HashSet<&'n str>,
    /// Namespaces that objects are in, or that are objects.
    pub(super) namespaces: HashSet<&'n str>,
    external: &'n [External],
}

/// Returns whether two namespaces may be the same: what has none is in the namespace that a deployment chooses.
pub(super) fn may_be_same(a: &str, b: &str) -> bool {
    a == b || a == ANY_NAMESPACE || b == ANY_NAMESPACE
}

/// Returns the namespace that an object states.
pub(super) fn namespace_of(object: &Node) -> &str {
    text(object, "metadata.namespace")
}

impl<'n> Inventory<'n> {
    /// Returns what is in the objects. `external`: what exists besides.
    pub(super) fn new(
        objects: impl IntoIterator<Item = &'n Node>,
        external: &'n [External],
    ) -> Self {
        let mut inventory = Self {
            held: HashMap::new(),
            creators: Creators::default(),
            pods: Pods::default(),
            services: Vec::new(),
            endpoints: HashSet::new(),
            hosts: HashSet::new(),
            scaled: HashSet::new(),
            namespaces: HashSet::new(),
            external,
        };
        for object in objects {
            inventory.add(object);
        }
        inventory.creators.makers.finish();
        inventory
    }

    fn add(&mut self, object: &'n Node) {
        let own = Type::of(object);
        let name = text(object, "metadata.name");
        let mut namespace = namespace_of(object);
        let is_copied =
            matches!(own.kind, "Secret" | "ConfigMap") && annotations(object).any(is_copy);
        if is_copied || own == CLUSTER_ROLE || own == PRIORITY_CLASS {
            namespace = ANY_NAMESPACE;
        }
        if !name.is_empty() {
            self.hold(own, Cow::Borrowed(name), namespace, Source::Object(object));
        }
        self.namespaces.insert(namespace);
        self.note(own, object);
        self.pods.add(own, object);
        for (created, name, namespace, keys) in self.creators.add(own, object) {
            self.hold(created, name, namespace, Source::Created(keys));
        }
    }

    /// Notes what other objects are checked against.
    fn note(&mut self, own: Type<'n>, object: &'n Node) {
        let name = text(object, "metadata.name");
        match (own.group, own.kind) {
            ("", "Service") => self.services.push(object),
            ("", "Namespace") => {
                self.namespaces.insert(name);
            }
            ("", "Endpoints") => {
                self.endpoints.insert(name);
            }
            ("discovery.k8s.io", "EndpointSlice") => {
                let labels = at(object, "metadata.labels");
                let service = labels.and_then(|labels| child(labels, SERVICE_NAME));
                self.endpoints.extend(service.map(Node::text));
            }
            (_, "HorizontalPodAutoscaler" | "ScaledObject") => {
                self.scaled.insert(text(object, "spec.scaleTargetRef.name"));
            }
            ("networking.istio.io", "ServiceEntry") => {
                self.hosts.extend(each(object, "spec.hosts[]").iter().map(|host| host.text()));
            }
            _ => {}
        }
    }

    fn hold(&mut self, own: Type<'n>, name: Cow<'n, str>, namespace: &'n str, source: Source<'n>) {
        let names = self.held.entry(own).or_default();
        names.entry(name).or_default().push(Held { namespace, source });
    }

    /// Returns what is known of something that is looked for in a namespace.
    pub(super) fn presence<'a>(
        &'a self,
        wanted: Type<'n>,
        namespace: &str,
        name: &str,
    ) -> Presence<'a, 'n> {
        if self.is_external(wanted, namespace, name) {
            return Presence::Assumed;
        }
        let all = self.held.get(&wanted).and_then(|names| names.get(name));
        let all = all.map(Vec::as_slice).unwrap_or_default();
        let exact: Vec<&Held<'n>> = all.iter().filter(|held| held.namespace == namespace).collect();
        if !exact.is_empty() && namespace != ANY_NAMESPACE {
            return Presence::Present(exact);
        }
        let near: Vec<&Held<'n>> =
            all.iter().filter(|held| may_be_same(held.namespace, namespace)).collect();
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
    fn is_misspelt(&self, wanted: Type<'n>, namespace: &str, name: &str) -> bool {
        self.similar(wanted, namespace, name).is_some_and(|near| is_one_edit(near, name))
    }

    /// Returns whether something is or may be created under a name; what custom resources only mention does not count.
    pub(super) fn may_have(&self, wanted: Type<'n>, namespace: &str, name: &str) -> bool {
        let held = self.held.get(&wanted).and_then(|names| names.get(name));
        held.into_iter()
            .flatten()
            .any(|held| held.source.object().is_none() && may_be_same(held.namespace, namespace))
            || self.creators.may_name(wanted, namespace, name)
    }

    /// Returns whether the project says that something exists outside.
    pub(super) fn is_external(&self, wanted: Type<'_>, namespace: &str, name: &str) -> bool {
        self.external.iter().any(|entry| entry.covers(wanted.group, wanted.kind, namespace, name))
    }

    /// Returns a name of the same namespace that is similar.
    pub(super) fn similar(&self, wanted: Type<'n>, namespace: &str, name: &str) -> Option<&str> {
        let names = self.held.get(&wanted).filter(|names| names.len() <= MAX_SIMILAR)?;
        let here = names
            .iter()
            .filter(|(_, held)| held.iter().any(|one| may_be_same(one.namespace, namespace)));
        nearest(name, here.map(|(name, _)| name.as_ref()))
    }

    /// Returns another namespace that has something of the name.
    pub(super) fn elsewhere(&self, wanted: Type<'n>, name: &str) -> Option<&'n str> {
        let held = self.held.get(&wanted)?.get(name)?;
        held.iter().map(|one| one.namespace).find(|namespace| *namespace != ANY_NAMESPACE)
    }
}

impl<'n> Source<'n> {
    /// Returns the keys of a ConfigMap or Secret.
    pub(super) fn keys(&self) -> Keys<'n> {
        match self {
            Self::Created(keys) => keys.clone(),
            Self::Object(object) => keys_of(object),
        }
    }

    pub(super) fn object(&self) -> Option<&'n Node> {
        match self {
            Self::Object(object) => Some(object),
            Self::Created(_) => None,
        }
    }
}

fn annotations(object: &Node) -> impl Iterator<Item = &str> {
    let metadata = child(object, "metadata");
    let entries = |name| metadata.and_then(|m| child(m, name)).and_then(Node::entries);
    let both = [entries("annotations"), entries("labels")];
    both.into_iter().flatten().flatten().map(|entry| entry.key.text())
}

/// Returns whether an annotation has an object copied between namespaces.
pub(super) fn is_copy(annotation: &str) -> bool {
    COPIED.iter().any(|start| annotation.starts_with(start))
}

/// Returns the keys of a ConfigMap or Secret, unless a controller adds others.
fn keys_of(object: &Node) -> Keys<'_> {
    let wanted = Type::of(object);
    let fields: &[&str] = match wanted {
        CONFIG_MAP => &["data", "binaryData"],
        SECRET => &["data", "stringData"],
        _ => return Keys::Any,
    };
    let is_filled = annotations(object).any(|name| FILLED.contains(&name) || is_copy(name))
        || text(object, "type") == "kubernetes.io/service-account-token";
    let mut keys = Vec::new();
    for field in fields {
        let entries = child(object, field).and_then(Node::entries).unwrap_or_default();
        keys.extend(entries.iter().map(|entry| entry.key.text()));
    }
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
