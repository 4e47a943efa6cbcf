//! The custom resources of well-known operators, for projects that do not say which definitions they use.
//!
//! `schema/catalogue.txt` has the kinds and their schemas; equal parts of schemas stand there once, and the others name them. It lies in the
//! program as text: one pass finds its lines when it is first needed, and a schema is decoded when a value needs it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use super::crd::{Below, CrdSchema, CrdState, CrdVersion};
use crate::resource::Gvk;
use crate::yaml::parse_json;

const TEXT: &str = include_str!("../../schema/catalogue.txt");

/// The number of a schema of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SchemaId(u32);

/// The lines of the catalogue.
struct Lines {
    releases: Vec<&'static str>,
    /// By kind.
    kinds: BTreeMap<&'static str, Vec<Kind>>,
    /// Sorted by name.
    schemas: Vec<Schema>,
}

struct Kind {
    group: &'static str,
    version: &'static str,
    /// What follows in its line.
    line: &'static str,
    decoded: OnceLock<CrdVersion>,
}

struct Schema {
    name: &'static str,
    json: &'static str,
    decoded: OnceLock<Box<CrdSchema>>,
}

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let (head, schemas) = TEXT.split_once("\nschemas\n").unwrap_or((TEXT, ""));
    let mut lines = Lines { releases: Vec::new(), kinds: BTreeMap::new(), schemas: Vec::new() };
    for line in head.lines() {
        if let Some(release) = line.strip_prefix("release ") {
            lines.releases.push(release);
        } else if let Some((name, kind)) = kind_line(line) {
            lines.kinds.entry(name).or_default().push(kind);
        }
    }
    let pairs = schemas.lines().filter_map(|line| line.split_once(' '));
    lines.schemas =
        pairs.map(|(name, json)| Schema { name, json, decoded: OnceLock::new() }).collect();
    lines
});

/// Returns the name of a kind, and what is known of it.
fn kind_line(line: &'static str) -> Option<(&'static str, Kind)> {
    let mut words = line.strip_prefix("kind ")?.splitn(3, ' ');
    let (group, version) = words.next()?.split_once('/')?;
    let name = words.next()?;
    Some((name, Kind { group, version, line: words.next()?, decoded: OnceLock::new() }))
}

impl Kind {
    fn decode(&self) -> Option<CrdVersion> {
        let mut words = self.line.split(' ');
        let is_namespaced = words.next()? == "Namespaced";
        let release = *LINES.releases.get(words.next()?.parse::<usize>().ok()?)?;
        let state = match words.next()? {
            "gone" => CrdState::Gone,
            "deprecated" => CrdState::Deprecated,
            _ => CrdState::Served,
        };
        let schema = Some(named(words.next()?));
        Some(CrdVersion {
            state,
            release: Some(release),
            is_namespaced,
            keeps_unknown: false,
            schema,
        })
    }

    fn decoded(&self) -> &CrdVersion {
        // A line that cannot be read is a fault of the file, which a test finds.
        self.decoded.get_or_init(|| {
            self.decode().unwrap_or(CrdVersion {
                state: CrdState::Served,
                release: None,
                is_namespaced: true,
                keeps_unknown: true,
                schema: None,
            })
        })
    }
}

/// Returns a version of a custom resource.
pub(super) fn version(gvk: &Gvk) -> Option<&'static CrdVersion> {
    let mut kinds = LINES.kinds.get(gvk.kind.as_str())?.iter();
    kinds.find(|one| one.group == gvk.group && one.version == gvk.version).map(Kind::decoded)
}

/// Returns the versions of a kind.
pub(super) fn versions_of(group: &str, kind: &str) -> Vec<(&'static str, &'static CrdVersion)> {
    let kinds = LINES.kinds.get(kind).into_iter().flatten();
    kinds.filter(|one| one.group == group).map(|one| (one.version, one.decoded())).collect()
}

/// Returns everything that the catalogue has.
pub(super) fn all() -> impl Iterator<Item = (Gvk, &'static CrdVersion)> {
    let kinds = LINES.kinds.iter();
    let kinds = kinds.flat_map(|(name, kinds)| kinds.iter().map(move |kind| (*name, kind)));
    kinds.map(|(name, kind)| (Gvk::new(kind.group, kind.version, name), kind.decoded()))
}

/// Returns the schema that a name stands for where it is written in another one.
pub(super) fn named(name: &str) -> Below {
    if let Some(items) = name.strip_suffix("[]") {
        return Below::own(CrdSchema::list_of(named(items)));
    }
    if let Some(values) = name.strip_suffix("{}") {
        return Below::own(CrdSchema::map_of(named(values)));
    }
    match LINES.schemas.binary_search_by(|schema| schema.name.cmp(name)) {
        Ok(index) => Below::Shared(SchemaId(index as u32)),
        Err(_) => Below::own(CrdSchema::default()),
    }
}

/// Returns a schema.
pub(super) fn schema(id: SchemaId) -> &'static CrdSchema {
    static ANYTHING: LazyLock<CrdSchema> = LazyLock::new(CrdSchema::default);
    let Some(schema) = LINES.schemas.get(id.0 as usize) else { return &ANYTHING };
    schema.decoded.get_or_init(|| {
        let node = parse_json(schema.json, 0).unwrap_or_default();
        Box::new(CrdSchema::of_catalogue(&node))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::schema::CrdTypes;

    /// Visits a schema and all below it, each shared one once.
    fn walk(schema: &Below, seen: &mut HashSet<u32>, visit: &mut impl FnMut(&CrdSchema)) {
        if let Below::Shared(id) = schema
            && !seen.insert(id.0)
        {
            return;
        }
        walk_own(schema, seen, visit);
    }

    fn walk_own(schema: &CrdSchema, seen: &mut HashSet<u32>, visit: &mut impl FnMut(&CrdSchema)) {
        visit(schema);
        let all = schema.properties.values().chain(&schema.items);
        for below in all.chain(&schema.additional) {
            walk(below, seen, visit);
        }
        let combined = [&schema.all_of, &schema.any_of, &schema.one_of];
        for one in combined.into_iter().flatten().chain(schema.not.as_deref()) {
            walk_own(one, seen, visit);
        }
    }

    #[test]
    fn every_line_is_read_and_every_name_leads_to_a_schema() {
        let count = |prefix| TEXT.lines().filter(|line| line.starts_with(prefix)).count();
        let kinds: Vec<&Kind> = LINES.kinds.values().flatten().collect();
        assert_eq!(kinds.len(), count("kind "));
        assert_eq!(LINES.releases.len(), count("release "));
        assert_eq!(
            LINES.schemas.len() + kinds.len() + LINES.releases.len() + 1,
            TEXT.lines().count()
        );
        assert!(LINES.schemas.is_sorted_by(|a, b| a.name < b.name), "they are sorted");

        let mut seen = HashSet::new();
        let mut patterns = 0;
        let empty = format!("{:?}", CrdSchema::default());
        for kind in kinds {
            let version = kind.decode().unwrap();
            let schema = version.schema.unwrap();
            assert!(matches!(schema, Below::Shared(_)), "{}", kind.line);
            assert!(!schema.properties.is_empty(), "{}", kind.line);
            walk(&schema, &mut seen, &mut |schema| {
                // This is what a name without a line leads to.
                assert_ne!(format!("{schema:?}"), empty, "{}", kind.line);
                if let Some(pattern) = &schema.pattern {
                    assert!(pattern.is_valid(), "{}", pattern.as_str());
                    patterns += 1;
                }
            });
        }
        assert_eq!(seen.len(), LINES.schemas.len(), "no line is in vain");
        assert!(patterns > 50, "{patterns}");
    }

    fn get(api_version: &str, kind: &str) -> &'static CrdVersion {
        let (group, name) = api_version.split_once('/').unwrap();
        version(&Gvk::new(group, name, kind)).unwrap_or_else(|| panic!("{api_version} {kind}"))
    }

    #[test]
    fn the_kinds_of_every_operator_are_known() {
        for (api_version, kind, release) in [
            ("argoproj.io/v1alpha1", "ApplicationSet", "Argo CD "),
            ("argoproj.io/v1alpha1", "Rollout", "Argo Rollouts "),
            ("cert-manager.io/v1", "Certificate", "cert-manager "),
            ("postgresql.cnpg.io/v1", "Cluster", "CloudNativePG "),
            ("external-secrets.io/v1", "ExternalSecret", "External Secrets "),
            ("helm.toolkit.fluxcd.io/v2", "HelmRelease", "Flux "),
            ("image.toolkit.fluxcd.io/v1", "ImagePolicy", "Flux "),
            ("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "Flux "),
            ("notification.toolkit.fluxcd.io/v1beta3", "Alert", "Flux "),
            ("source.toolkit.fluxcd.io/v1", "GitRepository", "Flux "),
            ("gateway.networking.k8s.io/v1", "HTTPRoute", "Gateway API "),
            ("networking.istio.io/v1", "VirtualService", "Istio "),
            ("keda.sh/v1alpha1", "ScaledObject", "KEDA "),
            ("monitoring.coreos.com/v1", "ServiceMonitor", "Prometheus Operator "),
            ("bitnami.com/v1alpha1", "SealedSecret", "Sealed Secrets "),
        ] {
            let found = get(api_version, kind);
            assert!(found.release.unwrap().starts_with(release), "{found:?}");
            assert_eq!(found.state, CrdState::Served, "{kind}");
            assert!(found.is_namespaced, "{kind}");
        }
        assert!(!get("cert-manager.io/v1", "ClusterIssuer").is_namespaced);
        assert!(version(&Gvk::new("cert-manager.io", "v1alpha2", "Certificate")).is_none());
        assert!(version(&Gvk::new("example.com", "v1", "Certificate")).is_none());
    }

    #[test]
    fn versions_of_older_releases_are_gone() {
        assert_eq!(get("helm.toolkit.fluxcd.io/v2beta1", "HelmRelease").state, CrdState::Gone);
        assert_eq!(get("external-secrets.io/v1beta1", "ExternalSecret").state, CrdState::Gone);
        let types = CrdTypes::default();
        assert_eq!(types.versions_of("helm.toolkit.fluxcd.io", "HelmRelease"), ["v2"]);
        let versions = types.versions_of("networking.istio.io", "VirtualService");
        assert_eq!(versions, ["v1", "v1beta1", "v1alpha3"]);
    }

    #[test]
    fn schemas_say_what_their_definitions_say() {
        let below = |api_version: &str, kind: &str, path: &[&str]| -> CrdSchema {
            let root = get(api_version, kind).schema.as_ref().unwrap();
            let step = |schema: &CrdSchema, name: &&str| match *name {
                "[]" => (**schema.items.as_ref().unwrap()).clone(),
                name => (*schema.properties[name]).clone(),
            };
            path.iter().fold((**root).clone(), |schema, name| step(&schema, name))
        };
        let triggers = below("keda.sh/v1alpha1", "ScaledObject", &["spec", "triggers", "[]"]);
        assert_eq!(triggers.required, ["metadata", "type"]);
        let listeners = below("gateway.networking.k8s.io/v1", "Gateway", &["spec", "listeners"]);
        assert_eq!(listeners.keys, ["name"]);
        assert_eq!(listeners.item_count.most, Some(64));
        assert!(listeners.cel_rules > 0);
        let interval = below("helm.toolkit.fluxcd.io/v2", "HelmRelease", &["spec", "interval"]);
        assert!(interval.pattern.unwrap().is_match("1h30m"));
        let values = below("helm.toolkit.fluxcd.io/v2", "HelmRelease", &["spec", "values"]);
        assert!(values.kind.is_none() && values.keeps_unknown);
        let port = below("networking.istio.io/v1", "Gateway", &["spec", "servers", "[]", "port"]);
        assert_eq!(port.required, ["number", "protocol", "name"]);
        assert!(port.properties["number"].maximum.is_some());
        // The patches that KEDA ships apply, too.
        let path = ["spec", "jobTargetRef", "template", "metadata"];
        assert!(below("keda.sh/v1alpha1", "ScaledJob", &path).keeps_unknown);
    }
}
