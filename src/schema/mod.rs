//! Schemas that decide how patches merge.
//!
//! Comes in: a type or a schema file. Goes out: for a field of an object, whether it is a list with a merge key. kustomize
//! takes this from the OpenAPI document of Kubernetes 1.21.2, or from a document of the user's (`openapi.path`), which
//! *replaces* the built-in one. Which of them holds is state of one build ([`Schemas`]); nothing is global.

mod builtin;
mod custom;

use std::sync::Arc;

use crate::resource::{Gvk, Scopes};

pub(crate) use custom::{CustomSchema, SchemaFault};

/// The version of the built-in schema, the only one that `openapi.version` can name.
pub(crate) const BUILTIN_VERSION: &str = "v1.21.2";

/// The schema of a value.
#[derive(Clone, Debug)]
pub(crate) enum Schema {
    Builtin(builtin::SchemaId),
    Custom(Arc<CustomSchema>, crate::yaml::Node),
}

/// How a list is merged: the strategies, and the keys by which elements are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListRule {
    pub(crate) strategy: String,
    pub(crate) keys: Vec<String>,
}

impl ListRule {
    /// Returns whether elements are merged rather than the list replaced.
    pub(crate) fn merges(&self) -> bool {
        self.strategy.split(',').any(|s| s == "merge")
    }
}

impl Schema {
    /// Returns the schema of a property.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Builtin(id) => builtin::field(*id, name).map(Self::Builtin),
            Self::Custom(document, node) => document.field(node, name).map(|n| Self::Custom(Arc::clone(document), n)),
        }
    }

    /// Returns the schema of a list's elements.
    pub(crate) fn elements(&self) -> Option<Self> {
        match self {
            Self::Builtin(id) => builtin::elements(*id).map(Self::Builtin),
            Self::Custom(document, node) => document.elements(node).map(|n| Self::Custom(Arc::clone(document), n)),
        }
    }

    /// Returns how a list with this schema is merged.
    pub(crate) fn list_rule(&self) -> ListRule {
        match self {
            Self::Builtin(id) => builtin::list_rule(*id),
            Self::Custom(_, node) => custom::list_rule(node),
        }
    }
}

/// The schemas that hold in one build.
///
/// The rules are those of `kyaml/openapi/openapi.go`, where this is global state: the root's `openapi` field counts, else
/// the first one met on the way; a document of the user's is read in place of the built-in schema, unless that one was
/// needed before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schemas {
    chosen: bool,
    custom: Option<Arc<CustomSchema>>,
    /// What was read so far; later layers hide earlier ones.
    layers: Vec<Layer>,
    ready: bool,
}

#[derive(Clone, Debug)]
enum Layer {
    Builtin,
    Custom(Arc<CustomSchema>),
}

impl Schemas {
    /// Returns whether an `openapi` field still has an effect.
    pub(crate) fn is_open(&self) -> bool {
        !self.chosen
    }

    /// Chooses the built-in schema for good.
    pub(crate) fn choose_builtin(&mut self) {
        self.chosen = true;
        self.custom = None;
        self.ready = false;
    }

    /// Chooses a document of the user's.
    pub(crate) fn choose_custom(&mut self, schema: Arc<CustomSchema>) {
        self.chosen = true;
        self.custom = Some(schema);
        self.ready = false;
    }

    /// Returns the schema of a type. `scopes` knows whether a kind outside the built-in tables was met before.
    pub(crate) fn for_type(&mut self, gvk: &Gvk, scopes: &Scopes) -> Option<Schema> {
        if !self.ready {
            self.ready = true;
            match &self.custom {
                Some(custom) => {
                    self.layers.push(Layer::Custom(Arc::clone(custom)));
                    // Asking for the scope of an unknown kind has already made the built-in schema due.
                    let builtin = self.layers.iter().any(|l| matches!(l, Layer::Builtin));
                    if scopes.unknown_kind_was_met() && !builtin {
                        self.layers.push(Layer::Builtin);
                    }
                }
                None => self.layers.push(Layer::Builtin),
            }
        }
        self.layers.iter().rev().find_map(|layer| match layer {
            Layer::Builtin => builtin::for_type(gvk).map(Schema::Builtin),
            Layer::Custom(document) => {
                document.for_type(gvk).map(|node| Schema::Custom(Arc::clone(document), node))
            }
        })
    }
}
