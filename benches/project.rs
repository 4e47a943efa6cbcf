//! A synthetic project: a base of applications, and an overlay that touches all of them.
//!
//! An application is four objects: a Deployment, its Service, a `ConfigMap` and a `ServiceAccount` that the
//! Deployment refers to.
//! The overlay has one of everything that makes a build work: a namespace, a prefix, labels with selectors, an image, a
//! replica count, generators, a replacement with many targets, one strategic merge patch for all Deployments and one JSON
//! patch for all Services.

use std::fmt::Write;

/// Returns the files of a project of about so many objects, paths relative to its root. The target is `overlay`.
pub(crate) fn files(objects: usize) -> Vec<(String, String)> {
    let applications = (objects / 4).max(1);
    let mut base = header();
    base.push_str("resources:\n");
    let mut files = Vec::with_capacity(applications + 2);
    for n in 0..applications {
        let _ = writeln!(base, "- service-{n}.yaml");
        files.push((format!("base/service-{n}.yaml"), application(n)));
    }
    files.push(("base/kustomization.yaml".to_owned(), base));
    files.push(("overlay/kustomization.yaml".to_owned(), header() + OVERLAY));
    files
}

fn header() -> String {
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n".to_owned()
}

fn application(n: usize) -> String {
    format!(
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{n}
  labels: {{component: service-{n}}}
spec:
  replicas: 2
  selector:
    matchLabels: {{component: service-{n}}}
  template:
    metadata:
      labels: {{component: service-{n}}}
    spec:
      serviceAccountName: account-{n}
      containers:
      - name: server
        image: images.example.org/shop/service-{n}:0.9
        envFrom:
        - configMapRef: {{name: settings-{n}}}
        - configMapRef: {{name: common}}
        env:
        - name: VERBOSITY
          value: "3"
        - name: PASSWORD
          valueFrom: {{secretKeyRef: {{name: passwords, key: service-{n}}}}}
        ports:
        - containerPort: 9000
        livenessProbe:
          httpGet: {{path: /live, port: 9000}}
          initialDelaySeconds: 10
        resources:
          requests: {{cpu: 20m, memory: 32Mi}}
---
apiVersion: v1
kind: Service
metadata:
  name: service-{n}
spec:
  ports:
  - port: 80
    targetPort: 9000
  selector: {{component: service-{n}}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-{n}
data:
  HOST: service-{n}.example.org
  MODE: fast
  logging.ini: |
    [loggers]
    keys = root   ; "one" is enough: more only in tests
    level = info
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: account-{n}
"#
    )
}

const OVERLAY: &str = r#"resources:
- ../base
namespace: shop
namePrefix: live-
labels:
- includeSelectors: true
  pairs: {stage: live}
images:
- name: images.example.org/shop/service-0
  newTag: "1.0"
replicas:
- name: service-0
  count: 4
configMapGenerator:
- name: common
  literals: [ZONE=north, DEBUG=off]
secretGenerator:
- name: passwords
  literals: [service-0=example]
replacements:
- source: {kind: ConfigMap, name: settings-0, fieldPath: data.MODE}
  targets:
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.[name=server].env.[name=VERBOSITY].value"]
patches:
- target: {kind: Deployment}
  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: all}
    spec:
      template:
        spec:
          containers:
          - name: server
            resources: {limits: {cpu: 200m, memory: 128Mi}}
- target: {kind: Service}
  patch: |-
    - op: add
      path: /spec/type
      value: ClusterIP
"#;
