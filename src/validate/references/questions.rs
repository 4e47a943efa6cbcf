//! What an object asks of the others, so that most objects need not be kept until all are known.
//!
//! While files are read one by one, it is not yet known what there is. A [`Checker`] without an inventory notes
//! what it would look up. Once everything is there, an object whose questions are all answered has no fault; only the others are
//! read again and checked.

use ecow::EcoString;

use super::inventory::{ANY_NAMESPACE, Held, Inventory, Presence, may_be_same};
use super::pods::Selector;
use super::routes::lacking;
use super::selectors::{is_port_name, port_names};
use super::{Checker, Reference, Type, lacking_key};
use crate::yaml::{Key, Node};

/// Something that may be there or not.
#[derive(Debug)]
pub(crate) enum Question {
    Name(Box<Name>),
    Pods(Box<Wanted>),
    /// There is more to look up than questions can say.
    More,
}

/// Returns what an object asks of the others.
pub(crate) fn questions(object: &Node) -> impl Iterator<Item = Question> + use<> {
    let mut checker = Checker::new(None, object);
    checker.check();
    // What is wrong by itself is reported when the object is read again.
    let is_wrong = !checker.found.is_empty();
    checker.questions.into_iter().chain(is_wrong.then_some(Question::More))
}

/// An object with a name, and what it should have.
#[derive(Debug)]
pub(crate) struct Name {
    wanted: Type<'static>,
    namespace: EcoString,
    name: EcoString,
    /// Keys of a ConfigMap or Secret.
    keys: Box<[Key]>,
    /// A port of a Service.
    port: Option<EcoString>,
}

/// Pods with labels, and with ports of these names.
#[derive(Debug)]
pub(crate) struct Wanted {
    namespace: EcoString,
    selector: Selector,
    ports: Box<[EcoString]>,
}

impl Question {
    pub(super) fn of(reference: &Reference<'_>) -> Self {
        Self::Name(Box::new(Name {
            wanted: reference.wanted.kept(),
            namespace: reference.place().into(),
            name: reference.name.into(),
            keys: reference.keys.iter().map(|key| Key::text_key(key.text())).collect(),
            port: None,
        }))
    }

    /// Adds the port that the Service must have.
    pub(super) fn with_port(mut self, port: Option<&Node>) -> Self {
        if let Self::Name(name) = &mut self {
            name.port = port.map(Node::shared_text);
        }
        self
    }

    /// Returns whether it is there. An object whose questions are all answered has no fault.
    pub(crate) fn is_answered(&self, inventory: &Inventory) -> bool {
        match self {
            Self::Name(name) => {
                match inventory.presence(name.wanted, &name.namespace, &name.name) {
                    Presence::Absent => false,
                    Presence::Assumed => true,
                    Presence::Present(held) => name.has_all(&held),
                }
            }
            Self::Pods(wanted) => wanted.is_there(inventory),
            Self::More => false,
        }
    }

    /// Returns whether it is there among the objects seen so far, whatever comes later. What is only assumed may yet turn out
    /// otherwise, and so may what is in any namespace, if something is in the very one.
    pub(crate) fn is_settled(&self, inventory: &Inventory) -> bool {
        match self {
            Self::Name(name) => {
                match inventory.presence(name.wanted, &name.namespace, &name.name) {
                    Presence::Present(held) => {
                        let is_exact = |held: &&Held| held.namespace == name.namespace;
                        (name.namespace == ANY_NAMESPACE || held.iter().all(is_exact))
                            && name.has_all(&held)
                    }
                    Presence::Absent | Presence::Assumed => false,
                }
            }
            Self::Pods(wanted) => wanted.is_there(inventory),
            Self::More => false,
        }
    }
}

impl Name {
    fn has_all(&self, held: &[&Held]) -> bool {
        let has_port = |port: &EcoString| lacking(held, port).is_none();
        self.keys.iter().all(|key| lacking_key(held, key.text()).is_none())
            && self.port.as_ref().is_none_or(has_port)
    }
}

impl Wanted {
    fn is_there(&self, inventory: &Inventory) -> bool {
        let is_here = |other: &str| may_be_same(other, &self.namespace);
        let pods = inventory.pods.selected(&self.selector, is_here);
        let is_there = |names: &[&str], port: &EcoString| names.contains(&port.as_str());
        !pods.is_empty()
            && port_names(&pods)
                .is_none_or(|names| self.ports.iter().all(|port| is_there(&names, port)))
    }
}

impl<'a> Checker<'a, '_> {
    /// Returns what is there. While that is not known, the object has to be looked at again.
    pub(super) fn known(&mut self) -> Option<&'a Inventory> {
        if self.inventory.is_none() {
            self.ask(Question::More);
        }
        self.inventory
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.questions.push(question);
    }

    /// Asks for pods in the namespace of the object. `ports`: those that have names must be there.
    pub(super) fn ask_for_pods(&mut self, selector: Selector, ports: &[&Node]) {
        let ports = ports.iter().filter(|port| is_port_name(port.text()));
        let ports = ports.map(|port| port.shared_text()).collect();
        let namespace = self.namespace.into();
        self.ask(Question::Pods(Box::new(Wanted { namespace, selector, ports })));
    }
}
