//! Schemas that decide how patches merge.
//!
//! Comes in: a type or a schema file. Goes out: for a field of an object, whether it is a list with a merge key. kustomize
//! takes this from the OpenAPI document of Kubernetes 1.21.2, or from a document of the user's (`openapi.path`), which
//! *replaces* the built-in one. Which of them holds is state of one build ([`Schemas`]); nothing is global. Where a project asks for it
//! (`kubernetes.crdListKeys`), the definitions of custom resources say how the lists merge that kustomize knows nothing of.

mod builtin;
mod catalogue;
mod crd;
mod custom;
mod definition;
mod kubernetes;

use std::sync::Arc;

use crate::resource::{Gvk, Scopes};

pub use crd::CrdTypes;
pub(crate) use crd::{Below, CrdKind, CrdSchema, CrdState, CrdVersion, Limits};
pub(crate) use custom::{CustomSchema, SchemaFault};
pub(crate) use definition::{Definition, is_definition};
pub(crate) use kubernetes::{
    Known, Kubernetes, ListKind, NEWEST_MINOR, OLDEST_MINOR, Retirement, Rule, Shape, retirement,
};

/// The version of the built-in schema, the only one that `openapi.version` can name.
pub(crate) const BUILTIN_VERSION: &str = "v1.21.2";

/// The schema of a value.
#[derive(Clone, Debug)]
pub(crate) enum Schema {
    /// From the built-in document, where no other holds.
    Builtin(builtin::SchemaId),
    /// From one of several documents.
    Layered(Arc<Layers>, Place),
    /// From the definition of a custom resource.
    Crd(Below),
}

/// Where a schema stands.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Builtin(builtin::SchemaId),
    Custom(crate::yaml::Node),
}

/// The documents that hold in one build; definitions of later ones hide those of earlier ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers(Vec<Layer>);

#[derive(Clone, Debug)]
enum Layer {
    Builtin,
    Custom(Arc<CustomSchema>),
}

impl Layers {
    fn has_builtin(&self) -> bool {
        self.0.iter().any(|layer| matches!(layer, Layer::Builtin))
    }

    fn for_type(&self, gvk: &Gvk) -> Option<Place> {
        self.0.iter().rev().find_map(|layer| match layer {
            Layer::Builtin => builtin::for_type(gvk).map(Place::Builtin),
            Layer::Custom(document) => document.for_type(gvk).map(Place::Custom),
        })
    }

    fn definition(&self, name: &str) -> Option<Place> {
        self.0.iter().rev().find_map(|layer| match layer {
            Layer::Builtin => builtin::definition(name).map(Place::Builtin),
            Layer::Custom(document) => document.definition(name).map(Place::Custom),
        })
    }

    /// Follows references. A chain longer than any real one is a circle.
    fn resolve(&self, place: Place) -> Option<Place> {
        const LONGEST_CHAIN: usize = 1000;
        let mut place = place;
        for _ in 0..LONGEST_CHAIN {
            match &place {
                // What the built-in document refers to by name may be defined anew.
                Place::Builtin(id) => {
                    return match builtin::name_of(*id) {
                        Some(name) => self.definition(name),
                        None => Some(place),
                    };
                }
                Place::Custom(node) => match custom::reference(node) {
                    None => return Some(place),
                    Some(name) => place = self.definition(&name)?,
                },
            }
        }
        None
    }
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
            Self::Layered(layers, Place::Builtin(id)) => {
                Self::at(layers, Place::Builtin(builtin::field(*id, name)?))
            }
            Self::Layered(layers, Place::Custom(node)) => {
                Self::at(layers, Place::Custom(custom::field(node, name)?.clone()))
            }
            Self::Crd(schema) => schema.field(name).cloned().map(Self::Crd),
        }
    }

    /// Returns the schema of a list's elements.
    pub(crate) fn elements(&self) -> Option<Self> {
        match self {
            Self::Builtin(id) => builtin::elements(*id).map(Self::Builtin),
            Self::Layered(layers, Place::Builtin(id)) => {
                Self::at(layers, Place::Builtin(builtin::elements(*id)?))
            }
            Self::Layered(layers, Place::Custom(node)) => {
                Self::at(layers, Place::Custom(custom::elements(node)?.clone()))
            }
            Self::Crd(schema) => schema.items.clone().map(Self::Crd),
        }
    }

    fn at(layers: &Arc<Layers>, place: Place) -> Option<Self> {
        layers.resolve(place).map(|place| Self::Layered(Arc::clone(layers), place))
    }

    /// Returns how a list with this schema is merged.
    pub(crate) fn list_rule(&self) -> ListRule {
        match self {
            Self::Builtin(id) | Self::Layered(_, Place::Builtin(id)) => builtin::list_rule(*id),
            Self::Layered(_, Place::Custom(node)) => custom::list_rule(node),
            Self::Crd(schema) => schema.list_rule(),
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
    /// A document that is to be read when a schema is asked for.
    pending: Option<Arc<CustomSchema>>,
    /// The built-in document is to be read then, too.
    builtin_is_due: bool,
    layers: Arc<Layers>,
    ready: bool,
    /// What is asked about the types that the documents do not know.
    crds: Option<Arc<CrdTypes>>,
}

impl Schemas {
    /// Returns the schemas of a build; `crds`: the custom resources whose lists merge by their keys.
    pub(crate) fn new(crds: Option<&Arc<CrdTypes>>) -> Self {
        Self { crds: crds.cloned(), ..Self::default() }
    }

    /// Returns whether an `openapi` field still has an effect.
    pub(crate) fn is_open(&self) -> bool {
        !self.chosen
    }

    /// Chooses the built-in schema for good.
    pub(crate) fn choose_builtin(&mut self) {
        self.chosen = true;
        self.pending = None;
        self.ready = false;
    }

    /// Chooses a document of the user's. `scopes` knows whether a kind outside the tables was met before, which has made
    /// the built-in schema due.
    pub(crate) fn choose_custom(&mut self, schema: Arc<CustomSchema>, scopes: &Scopes) {
        self.chosen = true;
        self.pending = Some(schema);
        self.builtin_is_due = scopes.unknown_kind_was_met();
        self.ready = false;
    }

    /// Returns whether a schema was asked for.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    /// Reads what a question for a schema makes due.
    pub(crate) fn prepare(&mut self) {
        if self.ready {
            return;
        }
        self.ready = true;
        let layers = Arc::make_mut(&mut self.layers);
        let builtin = match self.pending.take() {
            Some(custom) => {
                layers.0.push(Layer::Custom(custom));
                self.builtin_is_due && !layers.has_builtin()
            }
            None => true,
        };
        if builtin {
            layers.0.push(Layer::Builtin);
        }
    }

    /// Returns the schema of a type.
    pub(crate) fn for_type(&mut self, gvk: &Gvk) -> Option<Schema> {
        self.prepare();
        let found = if matches!(self.layers.0[..], [Layer::Builtin]) {
            builtin::for_type(gvk).map(Schema::Builtin)
        } else {
            let layered = |place| Schema::Layered(Arc::clone(&self.layers), place);
            self.layers.for_type(gvk).map(layered)
        };
        found.or_else(|| self.crds.as_ref()?.get(gvk)?.schema.clone().map(Schema::Crd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas(document: &str, scopes: &Scopes) -> Schemas {
        let mut schemas = Schemas::default();
        schemas
            .choose_custom(Arc::new(CustomSchema::read(document.as_bytes(), 1).unwrap()), scopes);
        schemas
    }

    const THING: &str = r##"{"definitions": {
        "v1.Thing": {"x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}],
            "properties": {"spec": {"$ref": "#/definitions/v1.Spec"}, "loop": {"$ref": "#/definitions/v1.Loop"}}},
        "v1.Spec": {"properties": {
            "template": {"$ref": "#/definitions/io.k8s.api.core.v1.PodTemplateSpec"},
            "parts": {"type": "array", "items": {"type": "object"},
                "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "id"}}},
        "v1.Loop": {"$ref": "#/definitions/v1.Loop"}}}"##;

    fn thing() -> Gvk {
        Gvk::new("example.com", "v1", "Thing")
    }

    #[test]
    fn a_document_gives_merge_keys_through_references() {
        let mut schemas = schemas(THING, &Scopes::default());
        let thing = schemas.for_type(&thing()).unwrap();
        let parts = thing.field("spec").unwrap().field("parts").unwrap();
        assert_eq!(parts.list_rule().keys, ["id"]);
        assert!(parts.elements().is_some());
        assert!(thing.field("loop").is_none());
        assert!(schemas.for_type(&Gvk::new("apps", "v1", "Deployment")).is_none());
    }

    #[test]
    fn the_built_in_document_holds_beside_one_of_the_users_if_it_was_due() {
        let scopes = Scopes::default();
        scopes.is_cluster_scoped(&thing());
        let mut schemas = schemas(THING, &scopes);
        let template =
            schemas.for_type(&thing()).unwrap().field("spec").unwrap().field("template").unwrap();
        let containers = template.field("spec").unwrap().field("containers").unwrap();
        assert_eq!(containers.list_rule().keys, ["name"]);
        assert!(schemas.for_type(&Gvk::new("apps", "v1", "Deployment")).is_some());
    }
}
