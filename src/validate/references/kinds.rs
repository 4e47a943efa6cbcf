//! Kinds of custom resources, and what they create.

use ecow::{EcoString, eco_format};

use super::creators::{Created, Placed};
use super::inventory::{ANY_NAMESPACE, Keys};
use super::tree::{at, each, text};
use super::{CLAIM, CONFIG_MAP, POD, SECRET, SERVICE, SERVICE_ACCOUNT, Type};
use crate::yaml::Node;

/// What objects of one type create.
struct Creation {
    group: &'static str,
    kind: &'static str,
    creates: Type<'static>,
    /// The name: `{path}` stands for the texts at a path, `{path|path}` for those at the first that has any.
    name: &'static str,
}

const fn creation(
    group: &'static str,
    kind: &'static str,
    creates: Type<'static>,
    name: &'static str,
) -> Creation {
    Creation { group, kind, creates, name }
}

const CNPG: &str = "postgresql.cnpg.io";
const EXTERNAL_SECRETS: &str = "external-secrets.io";
const PROMETHEUS: &str = "monitoring.coreos.com";
const VAULT: &str = "secrets.hashicorp.com";

/// Objects of these types create this and nothing else.
const CREATIONS: &[Creation] = &[
    creation("bitnami.com", "SealedSecret", SECRET, "{metadata.name}"),
    creation(EXTERNAL_SECRETS, "ExternalSecret", SECRET, "{spec.target.name|metadata.name}"),
    creation(
        EXTERNAL_SECRETS,
        "ClusterExternalSecret",
        SECRET,
        "{spec.externalSecretSpec.target.name|spec.externalSecretName|metadata.name}",
    ),
    creation("kubernetes-client.io", "ExternalSecret", SECRET, "{metadata.name}"),
    creation("cert-manager.io", "Certificate", SECRET, "{spec.secretName}"),
    creation("certmanager.k8s.io", "Certificate", SECRET, "{spec.secretName}"),
    creation("cert-manager.io", "Issuer", SECRET, "{spec.acme.privateKeySecretRef.name}"),
    creation("cert-manager.io", "ClusterIssuer", SECRET, "{spec.acme.privateKeySecretRef.name}"),
    creation("trust.cert-manager.io", "Bundle", CONFIG_MAP, "{metadata.name}"),
    creation("trust.cert-manager.io", "Bundle", SECRET, "{metadata.name}"),
    creation(CNPG, "Cluster", SERVICE, "{metadata.name}-rw"),
    creation(CNPG, "Cluster", SERVICE, "{metadata.name}-ro"),
    creation(CNPG, "Cluster", SERVICE, "{metadata.name}-r"),
    creation(CNPG, "Cluster", SERVICE, "{metadata.name}-any"),
    creation(
        CNPG,
        "Cluster",
        SERVICE,
        "{spec.managed.services.additional[].serviceTemplate.metadata.name}",
    ),
    creation(CNPG, "Cluster", SECRET, "{metadata.name}-app"),
    creation(CNPG, "Cluster", SECRET, "{metadata.name}-superuser"),
    creation(CNPG, "Cluster", SECRET, "{metadata.name}-ca"),
    creation(CNPG, "Cluster", SECRET, "{metadata.name}-server"),
    creation(CNPG, "Cluster", SECRET, "{metadata.name}-replication"),
    creation(CNPG, "Cluster", SERVICE_ACCOUNT, "{metadata.name}"),
    creation(CNPG, "Cluster", CONFIG_MAP, "cnpg-default-monitoring"),
    creation(CNPG, "Cluster", POD, "{metadata.name}"),
    creation(CNPG, "Pooler", SERVICE, "{metadata.name}"),
    creation(CNPG, "Pooler", SERVICE_ACCOUNT, "{metadata.name}"),
    creation(CNPG, "Pooler", POD, "{metadata.name}"),
    creation(
        "kafka.strimzi.io",
        "KafkaUser",
        SECRET,
        "{spec.template.secret.metadata.name|metadata.name}",
    ),
    creation(VAULT, "VaultStaticSecret", SECRET, "{spec.destination.name}"),
    creation(VAULT, "VaultDynamicSecret", SECRET, "{spec.destination.name}"),
    creation(VAULT, "VaultPKISecret", SECRET, "{spec.destination.name}"),
    creation(VAULT, "HCPVaultSecretsApp", SECRET, "{spec.destination.name}"),
    creation("ricoberger.de", "VaultSecret", SECRET, "{metadata.name}"),
    creation("onepassword.com", "OnePasswordItem", SECRET, "{metadata.name}"),
    creation(
        "secrets.infisical.com",
        "InfisicalSecret",
        SECRET,
        "{spec.managedSecretReference.secretName|spec.managedKubeSecretReferences[].secretName}",
    ),
    creation("secrets.doppler.com", "DopplerSecret", SECRET, "{spec.managedSecret.name}"),
    creation("spv.no", "AzureKeyVaultSecret", SECRET, "{spec.output.secret.name}"),
    creation("isindir.github.com", "SopsSecret", SECRET, "{spec.secretTemplates[].name}"),
    creation(
        "secrets-store.csi.x-k8s.io",
        "SecretProviderClass",
        SECRET,
        "{spec.secretObjects[].secretName}",
    ),
    creation("objectbucket.io", "ObjectBucketClaim", SECRET, "{metadata.name}"),
    creation("objectbucket.io", "ObjectBucketClaim", CONFIG_MAP, "{metadata.name}"),
    creation(PROMETHEUS, "Prometheus", SERVICE, "prometheus-operated"),
    creation(PROMETHEUS, "Prometheus", SERVICE, "prometheus-{metadata.name}"),
    creation(PROMETHEUS, "Prometheus", SECRET, "prometheus-{metadata.name}"),
    creation(PROMETHEUS, "Prometheus", POD, "{metadata.name}"),
    creation(PROMETHEUS, "Prometheus", POD, "prometheus"),
    creation(PROMETHEUS, "Alertmanager", SERVICE, "alertmanager-operated"),
    creation(PROMETHEUS, "Alertmanager", SECRET, "alertmanager-{metadata.name}-generated"),
    creation(PROMETHEUS, "Alertmanager", POD, "{metadata.name}"),
    creation(PROMETHEUS, "Alertmanager", POD, "alertmanager"),
    creation(PROMETHEUS, "ThanosRuler", SERVICE, "thanos-ruler-operated"),
    creation(PROMETHEUS, "ThanosRuler", POD, "{metadata.name}"),
    creation("serving.knative.dev", "Service", SERVICE, "{metadata.name}"),
    creation("triggers.tekton.dev", "EventListener", SERVICE, "el-{metadata.name}"),
    creation("triggers.tekton.dev", "EventListener", POD, "{metadata.name}"),
    creation("cdi.kubevirt.io", "DataVolume", CLAIM, "{metadata.name}"),
];

/// What operators create under names of their own, beside what [`super::creators`] assumes of every custom resource.
const MORE: &[Creation] = &[
    creation("minio.min.io", "Tenant", SERVICE, "minio"),
    creation("integreatly.org", "Grafana", SERVICE, "grafana-service"),
    creation("integreatly.org", "Grafana", SERVICE_ACCOUNT, "grafana-serviceaccount"),
    creation(
        "ceph.rook.io",
        "CephObjectStoreUser",
        SECRET,
        "rook-ceph-object-user-{spec.store}-{metadata.name}",
    ),
    creation("ceph.rook.io", "CephObjectStore", SERVICE, "rook-ceph-rgw-{metadata.name}"),
    creation("volsync.backube", "ReplicationDestination", CLAIM, "volsync-{metadata.name}-dest"),
];

/// Groups and kinds (none: all others of the group) whose objects create nothing that others name.
const INERT: &[(&str, &str)] = &[
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Rollout"),
    ("argoproj.io", "WorkflowTemplate"),
    ("argoproj.io", "ClusterWorkflowTemplate"),
    ("argoproj.io", "Workflow"),
    ("argoproj.io", "CronWorkflow"),
    ("apps.openshift.io", ""),
    ("build.openshift.io", ""),
    ("config.openshift.io", ""),
    ("console.openshift.io", ""),
    ("image.openshift.io", ""),
    ("oauth.openshift.io", ""),
    ("project.openshift.io", ""),
    ("route.openshift.io", ""),
    ("security.openshift.io", ""),
    ("user.openshift.io", ""),
    ("autoscaling.k8s.io", ""),
    ("cert-manager.io", ""),
    ("cilium.io", ""),
    ("extensions.istio.io", ""),
    ("networking.istio.io", ""),
    ("security.istio.io", ""),
    ("telemetry.istio.io", ""),
    ("external-secrets.io", ""),
    ("externaldns.k8s.io", ""),
    ("gateway.envoyproxy.io", ""),
    ("gateway.networking.k8s.io", "BackendTLSPolicy"),
    ("gateway.networking.k8s.io", "GRPCRoute"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "ReferenceGrant"),
    ("gateway.networking.k8s.io", "TCPRoute"),
    ("gateway.networking.k8s.io", "TLSRoute"),
    ("gateway.networking.k8s.io", "UDPRoute"),
    ("grafana.integreatly.org", "GrafanaDashboard"),
    ("grafana.integreatly.org", "GrafanaDatasource"),
    ("grafana.integreatly.org", "GrafanaFolder"),
    ("integreatly.org", "GrafanaDashboard"),
    ("integreatly.org", "GrafanaDataSource"),
    ("image.toolkit.fluxcd.io", ""),
    ("notification.toolkit.fluxcd.io", ""),
    ("source.toolkit.fluxcd.io", ""),
    ("k8s.cni.cncf.io", ""),
    ("k8s.ovn.org", ""),
    ("kafka.strimzi.io", "KafkaTopic"),
    ("keda.sh", ""),
    ("metallb.io", ""),
    ("metrics.k8s.io", ""),
    (PROMETHEUS, ""),
    ("monitoring.rhobs", "ServiceMonitor"),
    ("monitoring.rhobs", "PodMonitor"),
    ("monitoring.rhobs", "PrometheusRule"),
    (CNPG, ""),
    ("secrets-store.csi.x-k8s.io", ""),
    ("snapshot.storage.k8s.io", ""),
    ("tekton.dev", ""),
    ("triggers.tekton.dev", ""),
    ("traefik.containo.us", ""),
    ("traefik.io", ""),
    ("velero.io", ""),
    ("wgpolicyk8s.io", ""),
];

/// Groups whose objects install many applications, into their own namespace.
const SUITES: &[(&str, &str)] = &[
    ("datasciencecluster.opendatahub.io", ""),
    ("dscinitialization.opendatahub.io", ""),
    ("kfdef.apps.kubeflow.org", ""),
];

/// Groups and kinds (none: all of the group), beside groups called `operator`, whose objects install whole applications.
const INSTALLERS: &[(&str, &str)] = &[
    ("operators.coreos.com", "Subscription"),
    ("operators.coreos.com", "ClusterServiceVersion"),
    ("olm.operatorframework.io", ""),
    ("fluxcd.controlplane.io", "FluxInstance"),
    ("hco.kubevirt.io", ""),
    ("install.istio.io", ""),
    ("maistra.io", "ServiceMeshControlPlane"),
    ("pkg.crossplane.io", ""),
    ("sailoperator.io", ""),
];

/// Adds what an object creates, and returns whether that is all.
pub(super) fn add_listed(object: Placed<'_>, created: &mut Vec<Created>) -> bool {
    let own = object.own;
    let is_own = |creation: &&Creation| creation.group == own.group && creation.kind == own.kind;
    let mut is_all = false;
    for creation in CREATIONS.iter().filter(is_own) {
        is_all = true;
        creation.add_to(object, created);
    }
    MORE.iter().filter(is_own).for_each(|creation| creation.add_to(object, created));
    is_all
}

/// Returns whether objects of a type create nothing.
pub(super) fn is_inert(own: Type<'_>) -> bool {
    lists(INERT, own)
}

fn lists(kinds: &[(&str, &str)], own: Type<'_>) -> bool {
    kinds.iter().any(|(group, kind)| *group == own.group && (kind.is_empty() || *kind == own.kind))
}

/// Returns whether objects of a type install whole applications.
pub(super) fn is_installer(own: Type<'_>) -> bool {
    own.group.starts_with("operator.")
        || own.group.contains(".operator.")
        || lists(INSTALLERS, own)
        || is_suite(own)
}

/// Returns whether objects of a type install many applications, of which other manifests use parts.
pub(super) fn is_suite(own: Type<'_>) -> bool {
    lists(SUITES, own)
}

impl Creation {
    fn add_to(&self, object: Placed<'_>, created: &mut Vec<Created>) {
        let namespace = match self.kind {
            "ClusterExternalSecret" | "Bundle" | "ClusterIssuer" => ANY_NAMESPACE.into(),
            _ => object.namespace.clone(),
        };
        for name in self.names(object.node) {
            created.push((self.creates, name, namespace.clone(), keys(self.kind, object.node)));
        }
    }

    /// Returns the names that the pattern gives for an object.
    fn names(&self, object: &Node) -> Vec<EcoString> {
        let mut names = vec![EcoString::new()];
        let mut rest = self.name;
        while let Some((before, after)) = rest.split_once('{') {
            let (paths, after) = after.split_once('}').unwrap_or((after, ""));
            let mut values = paths.split('|').map(|path| each(object, path));
            let values = values.find(|values| !values.is_empty()).unwrap_or_default();
            names = names
                .iter()
                .flat_map(|name| {
                    values.iter().map(move |value| eco_format!("{name}{before}{}", value.text()))
                })
                .collect();
            rest = after;
        }
        if !rest.is_empty() {
            names = names.into_iter().map(|name| eco_format!("{name}{rest}")).collect();
        }
        names.retain(|name| !name.is_empty());
        names
    }
}

/// Returns the keys that the Secret of an object has, as far as the object lists them.
fn keys(kind: &str, object: &Node) -> Keys {
    let of = |path: &str| {
        let entries = at(object, path).and_then(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| entry.key.text()).collect::<Vec<_>>()
    };
    let keys: Vec<&str> = match kind {
        "SealedSecret" => [of("spec.encryptedData"), of("spec.template.data")].concat(),
        "ExternalSecret" if at(object, "spec.target.template.data").is_some() => {
            let is_open = at(object, "spec.target.template.templateFrom").is_some()
                || text(object, "spec.target.template.mergePolicy") == "Merge";
            if is_open { Vec::new() } else { of("spec.target.template.data") }
        }
        "ExternalSecret"
            if at(object, "spec.dataFrom").is_none()
                && at(object, "spec.target.template.templateFrom").is_none() =>
        {
            each(object, "spec.data[].secretKey").iter().map(|key| key.text()).collect()
        }
        "Certificate"
            if at(object, "spec.keystores").is_none()
                && at(object, "spec.additionalOutputFormats").is_none() =>
        {
            vec!["ca.crt", "tls.crt", "tls.key"]
        }
        _ => Vec::new(),
    };
    if keys.is_empty() { Keys::Any } else { Keys::of_texts(keys) }
}
