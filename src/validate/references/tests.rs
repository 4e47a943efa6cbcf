//! What is found in small outputs.

use super::{Inventory, check, questions};
use crate::project::External;
use crate::resource::read_documents;
use crate::session::{BuildOptions, Context};
use crate::yaml::{Node, known};
use crate::{MemoryReader, Session};

fn objects(text: &str) -> Vec<Node> {
    read_documents(text, 1).unwrap()
}

/// Returns the findings of an output as `CODE PATH`, in order.
fn found(text: &str) -> Vec<String> {
    found_with(text, &Outside::default())
}

fn found_with(text: &str, outside: &Outside) -> Vec<String> {
    let all = all(text, outside);
    all.iter().map(|finding| format!("{} {}", finding.diagnostic.code, finding.path)).collect()
}

fn all(text: &str, outside: &Outside) -> Vec<super::Finding> {
    let reader = MemoryReader::new();
    let session = Session::new(&reader);
    let options = BuildOptions::default();
    let objects = objects(text);
    // Half of them come later.
    let mut inventory = Inventory::default();
    let mut later = Inventory::default();
    let half = objects.len() / 2;
    objects[..half].iter().for_each(|object| inventory.add(object));
    objects[half..].iter().chain(&outside.objects).for_each(|object| later.add(object));
    let is_settled = |object| questions(object).all(|question| question.is_settled(&inventory));
    let settled: Vec<bool> = objects.iter().map(is_settled).collect();
    inventory.append(later);
    inventory.finish(outside.external.clone());
    let findings = check(&Context::new(&session, &options), &inventory, objects.iter().enumerate());
    for (index, object) in objects.iter().enumerate() {
        let has_fault = findings.iter().any(|finding| finding.object == index);
        assert!(!(has_fault && settled[index]), "nothing that comes later is a fault");
        let is_answered = questions(object).all(|question| question.is_answered(&inventory));
        assert!(
            !(has_fault && is_answered),
            "{} is to be read again",
            object.get(known::KIND).map_or("", Node::text)
        );
    }
    findings
}

/// What may satisfy references besides the objects that are checked.
#[derive(Default)]
struct Outside {
    objects: Vec<Node>,
    external: Vec<External>,
}

/// Returns the first finding's message and help.
fn said(text: &str) -> (String, String) {
    let first = all(text, &Outside::default()).remove(0).diagnostic;
    (first.message, first.help.unwrap_or_default())
}

const NONE: [&str; 0] = [];

/// A Deployment in the namespace `shop` whose pods have this specification.
fn deployment(spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, namespace: shop}}\n\
         spec:\n  template:\n    metadata: {{labels: {{app: api}}}}\n    spec: {spec}\n"
    )
}

fn secret(name: &str, data: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: shop}}\ndata: {data}\n"
    )
}

const USES_DB: &str = "{containers: [{name: api, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]}]}";

#[test]
fn a_pod_names_what_is_there_or_nothing() {
    let pod = deployment(USES_DB);
    let path = "spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef";
    assert_eq!(found(&pod), [format!("reference::missing-secret {path}.name")]);
    assert_eq!(found(&format!("{pod}{}", secret("db", "{password: eA==}"))), NONE);
    let other_key = format!("{pod}{}", secret("db", "{passwd: eA==}"));
    assert_eq!(found(&other_key), [format!("reference::missing-key {path}.key")]);
    assert_eq!(said(&other_key).1, "did you mean `passwd`?");
    assert_eq!(said(&other_key.replace("passwd", "uri")).1, "it has `uri`");
    assert_eq!(found(&format!("{pod}{}", secret("db", "{}"))), NONE, "it is to be filled");
    let elsewhere = format!("{pod}{}", secret("db", "{password: eA==}"))
        .replace("name: db, namespace: shop", "name: db, namespace: infra");
    assert_eq!(found(&elsewhere).len(), 1);
    assert_eq!(said(&elsewhere).1, "there is one in namespace `infra`");
    let anywhere = elsewhere.replace("name: db, namespace: infra", "name: db");
    assert_eq!(found(&anywhere), NONE, "without a namespace, it may be in any");
}

#[test]
fn what_a_reference_says_and_what_to_do() {
    let (message, help) = said(&deployment("{volumes: [{name: v, configMap: {name: settings}}]}"));
    let path = "spec.template.spec.volumes[0].configMap.name";
    let what = "names ConfigMap `settings`, and nothing in namespace `shop` provides it";
    assert_eq!(message, format!("`{path}` {what}"));
    let entry = "`external: [ConfigMap/shop/settings]`";
    assert_eq!(help, format!("if it exists outside, write {entry} under `validate` in kiln.yaml"));
    let near = format!("{}{}", deployment(USES_DB), secret("dbs", "{password: eA==}"));
    assert_eq!(said(&near).1, "did you mean Secret `dbs`?");
}

#[test]
fn a_pod_names_many_things() {
    let spec = "
      serviceAccountName: robot
      priorityClassName: high
      imagePullSecrets: [{name: pull}]
      initContainers: [{name: i, envFrom: [{configMapRef: {name: a}}, {secretRef: {name: b, optional: true}}]}]
      containers: [{name: c, env: [{name: E, valueFrom: {configMapKeyRef: {name: a, key: k}}}]}]
      volumes:
      - {name: claim, persistentVolumeClaim: {claimName: data}}
      - {name: both, projected: {sources: [{secret: {name: p}}, {configMap: {name: kube-root-ca.crt}}]}}
      - {name: csi, csi: {driver: d, nodePublishSecretRef: {name: n}}}
";
    let path = "spec.template.spec";
    assert_eq!(
        found(&deployment(spec)),
        [
            format!(
                "reference::missing-config-map {path}.initContainers[0].envFrom[0].configMapRef.name"
            ),
            format!("reference::missing-secret {path}.volumes[1].projected.sources[0].secret.name"),
            format!("reference::missing-secret {path}.volumes[2].csi.nodePublishSecretRef.name"),
            format!("reference::missing-secret {path}.imagePullSecrets[0].name"),
            format!("reference::missing-claim {path}.volumes[0].persistentVolumeClaim.claimName"),
            format!("reference::missing-service-account {path}.serviceAccountName"),
            format!("reference::missing-priority-class {path}.priorityClassName"),
        ],
        "`a` is reported once, what is optional or in every namespace not at all"
    );
}

#[test]
fn every_workload_has_pods() {
    let spec = "{containers: [], volumes: [{name: v, secret: {secretName: s}}]}";
    let path = "volumes[0].secret.secretName";
    let kinds = [
        ("v1", "Pod", format!("spec: {spec}"), "spec"),
        (
            "v1",
            "ReplicationController",
            format!("spec: {{template: {{spec: {spec}}}}}"),
            "spec.template.spec",
        ),
        (
            "apps/v1",
            "DaemonSet",
            format!("spec: {{template: {{spec: {spec}}}}}"),
            "spec.template.spec",
        ),
        ("batch/v1", "Job", format!("spec: {{template: {{spec: {spec}}}}}"), "spec.template.spec"),
        (
            "batch/v1",
            "CronJob",
            format!("spec: {{jobTemplate: {{spec: {{template: {{spec: {spec}}}}}}}}}"),
            "spec.jobTemplate.spec.template.spec",
        ),
        ("v1", "PodTemplate", format!("template: {{spec: {spec}}}"), "template.spec"),
        (
            "argoproj.io/v1alpha1",
            "Rollout",
            format!("spec: {{template: {{spec: {spec}}}}}"),
            "spec.template.spec",
        ),
    ];
    for (version, kind, spec, at) in kinds {
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n{spec}\n");
        assert_eq!(found(&text), [format!("reference::missing-secret {at}.{path}")], "{kind}");
    }
    let idle = deployment(USES_DB).replace("spec:\n", "spec:\n  replicas: 0\n");
    assert_eq!(found(&idle), NONE, "without pods, nothing is missing");
}

#[test]
fn names_that_are_filled_in_later_are_not_looked_at() {
    for name in ["'${DB_SECRET}'", "$(DB)", "'{{ name }}'", "<your-secret>", "REPLACE_ME"] {
        let pod = deployment(&format!("{{imagePullSecrets: [{{name: {name}}}]}}"));
        assert_eq!(found(&pod), NONE, "{name}");
    }
}

#[test]
fn objects_create_secrets() {
    let creators = [
        "bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: db}, spec: {encryptedData: {password: x}}",
        "external-secrets.io/v1, kind: ExternalSecret, metadata: {name: x}, spec: {target: {name: db}, data: [{secretKey: password}]}",
        "cert-manager.io/v1, kind: Issuer, metadata: {name: x}, spec: {acme: {privateKeySecretRef: {name: db}}}",
        "isindir.github.com/v1alpha3, kind: SopsSecret, metadata: {name: x}, spec: {secretTemplates: [{name: a}, {name: db}]}",
        "example.com/v1, kind: Database, metadata: {name: x}, spec: {credentials: {secretName: db}}",
        "example.com/v1, kind: Thing, metadata: {name: db}",
    ];
    for creator in creators {
        let text = format!("{}---\n{{apiVersion: {creator}}}\n", deployment(USES_DB));
        assert_eq!(found(&text), NONE, "{creator}");
    }
    let idle = [
        "external-secrets.io/v1, kind: ExternalSecret, metadata: {name: db, namespace: infra}",
        "cert-manager.io/v1, kind: Certificate, metadata: {name: db}, spec: {secretName: tls}",
        "networking.istio.io/v1, kind: VirtualService, metadata: {name: db}",
    ];
    for creator in idle {
        let text = format!("{}---\n{{apiVersion: {creator}}}\n", deployment(USES_DB));
        assert_eq!(found(&text).len(), 1, "{creator}");
    }
    let other = "external-secrets.io/v1, kind: ExternalSecret, metadata: {name: db}, spec: {data: [{secretKey: pass}]}";
    let text = format!("{}---\n{{apiVersion: {other}}}\n", deployment(USES_DB));
    assert_eq!(found(&text)[0].split(' ').next(), Some("reference::missing-key"));
}

#[test]
fn a_database_creates_services_secrets_and_pods() {
    let cluster =
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db, namespace: shop}\n";
    let route = "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: shop}\n\
                 spec: {defaultBackend: {service: {name: db-rw, port: {number: 5432}}}}\n";
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\n\
                   spec: {selector: {cnpg.io/cluster: db, role: primary}}\n";
    assert_eq!(found(&format!("{cluster}{route}{service}")), NONE);
    let wrong = format!("{cluster}{route}{service}")
        .replace("db-rw", "db-rx")
        .replace("cluster: db", "cluster: bd");
    assert_eq!(
        found(&wrong),
        [
            "reference::missing-service spec.defaultBackend.service.name",
            "reference::service-without-pods spec.selector"
        ]
    );
}

#[test]
fn stateful_sets_make_claims() {
    let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n\
                spec: {volumeClaimTemplates: [{metadata: {name: data}}]}\n---\n\
                apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n\
                spec: {volumes: [{persistentVolumeClaim: {claimName: data-db-0}}, {persistentVolumeClaim: {claimName: data-db-x}}]}\n";
    assert_eq!(
        found(text),
        ["reference::missing-claim spec.volumes[1].persistentVolumeClaim.claimName"]
    );
}

#[test]
fn an_annotation_has_a_certificate_made() {
    let ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {tls: [{secretName: web-tls}]}\n";
    assert_eq!(found(ingress), ["reference::missing-secret spec.tls[0].secretName"]);
    let annotated = ingress
        .replace("{name: i}", "{name: i, annotations: {cert-manager.io/cluster-issuer: ca}}");
    assert_eq!(found(&annotated), NONE);
}

#[test]
fn charts_and_programs_create_what_nobody_lists() {
    let release = "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: db, namespace: shop}\n";
    assert_eq!(found(&format!("{}{release}", deployment(USES_DB))), NONE);
    let other = release.replace("name: db", "name: cache");
    assert_eq!(found(&format!("{}{other}", deployment(USES_DB))).len(), 1);
    let pod = deployment(&USES_DB.replace("{containers", "{serviceAccountName: robot, containers"));
    let rights = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, namespace: shop}\n---\n\
                  apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: shop}\n\
                  rules: [{apiGroups: [''], resources: [secrets], verbs: [create]}]\n---\n\
                  apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: r, namespace: shop}\n\
                  roleRef: {kind: Role, name: r}\nsubjects: [{kind: ServiceAccount, name: robot}]\n";
    assert_eq!(found(&format!("{pod}{rights}")), NONE, "the program may create it");
    let reads = rights.replace("[create]", "[get]");
    assert_eq!(found(&format!("{pod}{reads}")).len(), 1);
    let misspelt = format!("{pod}{rights}{}", secret("dbs", "{password: eA==}"));
    assert_eq!(said(&misspelt).1, "did you mean Secret `dbs`?", "one letter is a slip");
}

#[test]
fn routes_lead_to_services_and_their_ports() {
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{name: http, port: 80}]}\n";
    let route = |spec: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r, namespace: shop}}\nspec: {spec}\n{service}"
        )
    };
    assert_eq!(found(&route("{rules: [{backendRefs: [{name: web, port: 80}]}]}")), NONE);
    assert_eq!(
        found(&route(
            "{rules: [{backendRefs: [{name: web, port: 8080}, {name: wep, port: 80}, {name: x, kind: Bucket, group: g}]}]}"
        )),
        [
            "reference::missing-port spec.rules[0].backendRefs[0].port",
            "reference::missing-service spec.rules[0].backendRefs[1].name"
        ]
    );
    assert_eq!(
        found(&route(
            "{parentRefs: [{name: main, namespace: infra}, {kind: Service, group: '', name: web}]}"
        )),
        ["reference::missing-gateway spec.parentRefs[0].name"]
    );
    let ingress = |backend: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i, namespace: shop}}\n\
                 spec: {{rules: [{{http: {{paths: [{{backend: {backend}}}]}}}}]}}\n{service}"
        )
    };
    assert_eq!(found(&ingress("{service: {name: web, port: {name: http}}}")), NONE);
    assert_eq!(
        found(&ingress("{service: {name: web, port: {name: https}}}")),
        ["reference::missing-port spec.rules[0].http.paths[0].backend.service.port.name"]
    );
    assert_eq!(
        found(&ingress("{serviceName: wep, servicePort: 80}")),
        ["reference::missing-service spec.rules[0].http.paths[0].backend.serviceName"]
    );
    assert_eq!(found(&ingress("{service: {name: redirect, port: {name: use-annotation}}}")), NONE);
}

#[test]
fn hosts_may_be_services() {
    let virtual_service = |host: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v, namespace: shop}}\n\
             spec: {{gateways: [mesh], http: [{{route: [{{destination: {{host: {host}, port: {{number: 80}}}}}}]}}]}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{ports: [{{port: 80}}]}}\n"
        )
    };
    let there = [
        "web",
        "web.shop",
        "web.shop.svc",
        "web.shop.svc.cluster.local",
        "example.com",
        "a.b.example.com",
        "'*.example.com'",
    ];
    for host in there {
        assert_eq!(found(&virtual_service(host)), NONE, "{host}");
    }
    for host in ["wep", "wep.shop", "wep.shop.svc.cluster.local", "web.other.svc.cluster.local"] {
        let path = "spec.http[0].route[0].destination.host";
        assert_eq!(
            found(&virtual_service(host)),
            [format!("reference::missing-service {path}")],
            "{host}"
        );
    }
}

#[test]
fn webhooks_and_extensions_are_services() {
    let text = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: w}\n\
                webhooks: [{clientConfig: {service: {name: hook, namespace: shop}}}]\n---\n\
                apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: a}\n\
                spec: {service: {name: metrics-server, namespace: kube-system}}\n";
    assert_eq!(found(text), ["reference::missing-service webhooks[0].clientConfig.service.name"]);
}

#[test]
fn bindings_name_roles_and_accounts() {
    let binding = |role: &str, subject: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: b, namespace: shop}}\n\
             roleRef: {role}\nsubjects: [{subject}]\n---\n\
             apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: robot, namespace: shop}}\n"
        )
    };
    let robot = "{kind: ServiceAccount, name: robot, namespace: shop}";
    for role in
        ["{kind: ClusterRole, name: view}", "{kind: ClusterRole, name: 'system:auth-delegator'}"]
    {
        assert_eq!(found(&binding(role, robot)), NONE, "{role}");
    }
    assert_eq!(
        found(&binding("{kind: ClusterRole, name: viewer}", robot)),
        ["reference::missing-role roleRef.name"]
    );
    assert_eq!(
        found(&binding("{kind: Role, name: view}", robot)),
        ["reference::missing-role roleRef.name"]
    );
    let view = "{kind: ClusterRole, name: view}";
    let other = "{kind: ServiceAccount, name: robot, namespace: other}";
    assert_eq!(found(&binding(view, other)), ["reference::missing-subject subjects[0].name"]);
    for subject in
        ["{kind: User, name: jane}", "{kind: ServiceAccount, name: default, namespace: x}"]
    {
        assert_eq!(found(&binding(view, subject)), NONE, "{subject}");
    }
}

#[test]
fn autoscalers_name_workloads() {
    let scaler = |group: &str, kind: &str, field: &str, target: &str| {
        let scaler = format!(
            "apiVersion: {group}\nkind: {kind}\nmetadata: {{name: s, namespace: shop}}\nspec: {{{field}: {target}}}\n"
        );
        found(&format!("{scaler}---\n{}", deployment("{}")))
    };
    let hpa =
        |target| scaler("autoscaling/v2", "HorizontalPodAutoscaler", "scaleTargetRef", target);
    assert_eq!(hpa("{apiVersion: apps/v1, kind: Deployment, name: api}"), NONE);
    assert_eq!(
        hpa("{apiVersion: apps/v1, kind: StatefulSet, name: api}"),
        ["reference::missing-scale-target spec.scaleTargetRef.name"]
    );
    assert_eq!(scaler("keda.sh/v1alpha1", "ScaledObject", "scaleTargetRef", "{name: api}"), NONE);
    assert_eq!(
        scaler(
            "autoscaling.k8s.io/v1",
            "VerticalPodAutoscaler",
            "targetRef",
            "{kind: Deployment, name: app}"
        ),
        ["reference::missing-scale-target spec.targetRef.name"]
    );
}

#[test]
fn services_select_pods_and_their_ports() {
    let service = |spec: &str| {
        let pods =
            deployment("{containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}");
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s, namespace: shop}}\nspec: {spec}\n---\n{pods}"
        )
    };
    assert_eq!(
        found(&service(
            "{selector: {app: api}, ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 8081}]}"
        )),
        NONE
    );
    assert_eq!(
        found(&service("{selector: {app: api}, ports: [{port: 80, targetPort: htpp}]}")),
        ["reference::missing-container-port spec.ports[0].targetPort"]
    );
    let misspelt = service("{selector: {app: apis}}");
    assert_eq!(found(&misspelt), ["reference::service-without-pods spec.selector"]);
    assert_eq!(said(&misspelt).1, "did you mean `app: api`?");
    for spec in ["{}", "{type: ExternalName, selector: {app: x}}", "{selector: {app: '${APP}'}}"] {
        assert_eq!(found(&service(spec)), NONE, "{spec}");
    }
}

#[test]
fn policies_select_pods() {
    let policy = |spec: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\nspec: {spec}\n---\n{}",
            deployment("{}")
        )
    };
    for spec in [
        "{podSelector: {}}",
        "{podSelector: {matchExpressions: [{key: app, operator: In, values: [api, web]}]}}",
    ] {
        assert_eq!(found(&policy(spec)), NONE, "{spec}");
    }
    let expression =
        "{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [api]}]}}";
    assert_eq!(found(&policy(expression)), ["reference::policy-without-pods spec.podSelector"]);
    let budget = policy("{selector: {matchLabels: {app: web}}}")
        .replace("networking.k8s.io/v1", "policy/v1")
        .replace("NetworkPolicy", "PodDisruptionBudget");
    assert_eq!(found(&budget), ["reference::policy-without-pods spec.selector"]);
}

#[test]
fn monitors_select_services_and_pods() {
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop, labels: {app: api}}\nspec: {ports: [{name: http, port: 80}]}\n";
    let monitor = |spec: &str| {
        found(&format!(
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {{name: m, namespace: shop}}\nspec: {spec}\n{service}"
        ))
    };
    assert_eq!(monitor("{selector: {matchLabels: {app: api}}, endpoints: [{port: http}]}"), NONE);
    assert_eq!(
        monitor("{selector: {matchLabels: {app: api}}, endpoints: [{port: metrics}]}"),
        ["reference::missing-port spec.endpoints[0].port"]
    );
    assert_eq!(
        monitor("{selector: {matchLabels: {app: web}}}"),
        ["reference::monitor-without-targets spec.selector"]
    );
    let elsewhere =
        "{selector: {matchLabels: {app: web}}, namespaceSelector: {matchNames: [other]}}";
    assert_eq!(monitor(elsewhere), NONE, "the output holds nothing of that namespace");
}

#[test]
fn probes_name_ports_of_their_container() {
    let pod = deployment(
        "{containers: [{name: c, ports: [{name: http, containerPort: 80}], \
         livenessProbe: {httpGet: {port: http}}, readinessProbe: {tcpSocket: {port: htp}}, startupProbe: {httpGet: {port: 80}}}]}",
    );
    let path = "spec.template.spec.containers[0].readinessProbe.tcpSocket.port";
    assert_eq!(found(&pod), [format!("reference::missing-container-port {path}")]);
    assert_eq!(said(&pod).1, "did you mean `http`?");
}

#[test]
fn what_is_outside_satisfies() {
    let pod = deployment(USES_DB);
    let outside = |entry: &str| Outside {
        external: vec![External::parse(entry).unwrap()],
        objects: Vec::new(),
    };
    for entry in ["Secret/db", "Secret/shop/*", "Secret/*/d*"] {
        assert_eq!(found_with(&pod, &outside(entry)), NONE, "{entry}");
    }
    assert_eq!(found_with(&pod, &outside("Secret/other/db")).len(), 1);
    let with =
        Outside { external: Vec::new(), objects: objects(&secret("db", "{password: eA==}")) };
    assert_eq!(found_with(&pod, &with), NONE);
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {selector: {app: x}}\n";
    assert_eq!(found(service).len(), 1);
    assert_eq!(found_with(service, &outside("Pod/shop/*")), NONE);
}
