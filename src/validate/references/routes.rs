//! Services and their ports in Ingresses, in routes of the Gateway API, of Istio, Traefik and OpenShift, and in what the API
//! server calls; the Gateways that routes name.

use super::inventory::{Held, Port, Service};
use super::questions::Question;
use super::tree::{at, child, each, path_to, text};
use super::{Checker, Reference, SECRET, SERVICE, Type, is_open};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::Node;

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ISTIO: &str = "networking.istio.io";
const GATEWAY: Type<'static> = Type { group: GATEWAY_API, kind: "Gateway" };
const ISTIO_GATEWAY: Type<'static> = Type { group: ISTIO, kind: "Gateway" };
/// The Gateway of Istio that every sidecar is.
const MESH: &str = "mesh";
/// The end of the name that a Service has in the whole cluster.
const CLUSTER_DOMAIN: &str = ".svc.cluster.local";
/// The name of a port by which an annotation says what is behind an Ingress (AWS Load Balancer Controller).
const BY_ANNOTATION: &str = "use-annotation";

const BACKENDS: [&str; 3] = [
    "spec.rules[].backendRefs[]",
    "spec.rules[].filters[].requestMirror.backendRef",
    "spec.rules[].backendRefs[].filters[].requestMirror.backendRef",
];
const DESTINATIONS: [&str; 5] = [
    "spec.http[].route[].destination",
    "spec.http[].mirror",
    "spec.http[].mirrors[].destination",
    "spec.tcp[].route[].destination",
    "spec.tls[].route[].destination",
];

impl<'n> Checker<'_, 'n> {
    /// Checks where an object sends requests to.
    pub(super) fn check_routes(&mut self) {
        let object = self.object;
        match (self.own.group, self.own.kind) {
            ("networking.k8s.io", "Ingress") => self.check_ingress(),
            (GATEWAY_API, "Gateway") => {
                for secret in each(object, "spec.listeners[].tls.certificateRefs[]") {
                    self.check_object_reference(secret, SECRET, Code::ReferenceMissingSecret);
                }
            }
            (GATEWAY_API, kind) if kind.ends_with("Route") => self.check_gateway_route(),
            (ISTIO, "VirtualService") => self.check_virtual_service(),
            (ISTIO, "DestinationRule") => {
                if let Some(host) = at(object, "spec.host") {
                    self.check_host(host, None);
                }
            }
            ("traefik.io" | "traefik.containo.us", kind) if kind.starts_with("IngressRoute") => {
                for service in each(object, "spec.routes[].services[]") {
                    self.check_object_reference(service, SERVICE, Code::ReferenceMissingService);
                }
            }
            ("route.openshift.io", "Route") => {
                for path in ["spec.to", "spec.alternateBackends[]"] {
                    for service in each(object, path) {
                        let code = Code::ReferenceMissingService;
                        self.check_object_reference(service, SERVICE, code);
                    }
                }
            }
            (
                "admissionregistration.k8s.io",
                "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration",
            ) => self.check_called("webhooks[].clientConfig.service"),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                self.check_called("spec.conversion.webhook.clientConfig.service");
            }
            ("apiregistration.k8s.io", "APIService") => self.check_called("spec.service"),
            _ => {}
        }
    }

    fn check_ingress(&mut self) {
        for path in ["spec.defaultBackend", "spec.backend", "spec.rules[].http.paths[].backend"] {
            for backend in each(self.object, path) {
                let service = child(backend, "service");
                let name = service.and_then(|service| child(service, "name"));
                let port = service.and_then(|service| {
                    at(service, "port.number").or_else(|| at(service, "port.name"))
                });
                // Up to `v1beta1`.
                let name = name.or_else(|| child(backend, "serviceName"));
                let port = port.or_else(|| child(backend, "servicePort"));
                if port.is_none_or(|port| port.text() != BY_ANNOTATION)
                    && let Some(name) = name
                {
                    self.check_service(self.namespace, name.text(), name, port);
                }
            }
        }
    }

    fn check_gateway_route(&mut self) {
        for parent in each(self.object, "spec.parentRefs[]") {
            self.check_object_reference(parent, GATEWAY, Code::ReferenceMissingGateway);
        }
        for path in BACKENDS {
            for backend in each(self.object, path) {
                self.check_object_reference(backend, SERVICE, Code::ReferenceMissingService);
            }
        }
    }

    /// Checks `{group, kind, namespace, name, port}`, all but the name optional, if it names an object of the type.
    fn check_object_reference(&mut self, node: &'n Node, wanted: Type<'static>, code: Code) {
        let Some(name) = child(node, "name") else { return };
        let stated = |field: &str, default: &'n str| match text(node, field) {
            "" => default,
            stated => stated,
        };
        if stated("kind", wanted.kind) != wanted.kind
            || child(node, "group").is_some_and(|group| group.text() != wanted.group)
        {
            return;
        }
        let namespace = stated("namespace", self.namespace);
        if wanted == SERVICE {
            return self.check_service(namespace, name.text(), name, child(node, "port"));
        }
        self.refer(&Reference::new(code, wanted, namespace, name));
    }

    fn check_virtual_service(&mut self) {
        for gateway in each(self.object, "spec.gateways[]") {
            let name = gateway.text();
            let (namespace, name) = match name.split_once('/') {
                Some((".", name)) => (self.namespace, name),
                Some(parts) => parts,
                None => (self.namespace, name),
            };
            // The form `name.namespace.svc.cluster.local` is older.
            if name != MESH && !name.contains('.') {
                let code = Code::ReferenceMissingGateway;
                let reference = Reference::new(code, ISTIO_GATEWAY, namespace, gateway);
                self.refer(&Reference { name, ..reference });
            }
        }
        for path in DESTINATIONS {
            for destination in each(self.object, path) {
                if let Some(host) = child(destination, "host") {
                    self.check_host(host, at(destination, "port.number"));
                }
            }
        }
    }

    /// Checks a host that may be a Service: `name`, `name.namespace`, `name.namespace.svc` or with the domain of the cluster.
    fn check_host(&mut self, host: &'n Node, port: Option<&'n Node>) {
        let text = host.text();
        let Some(inventory) = self.known() else { return };
        if is_open(text) || inventory.hosts.contains(text) {
            return;
        }
        let whole = text.strip_suffix(CLUSTER_DOMAIN).or_else(|| text.strip_suffix(".svc"));
        let (name, namespace) = match whole.unwrap_or(text).split_once('.') {
            None => (text, self.namespace),
            Some((_, rest)) if rest.contains('.') => return,
            // `example.com` has the same form as `name.namespace`.
            Some((_, namespace))
                if whole.is_none() && !inventory.namespaces.contains(namespace) =>
            {
                return;
            }
            Some(parts) => parts,
        };
        self.check_service(namespace, name, host, port);
    }

    fn check_called(&mut self, path: &str) {
        for service in each(self.object, path) {
            if let Some(name) = child(service, "name") {
                let namespace = text(service, "namespace");
                self.check_service(namespace, name.text(), name, child(service, "port"));
            }
        }
    }

    /// Checks a Service and, if it is there, its port: a number or a name.
    fn check_service(
        &mut self,
        namespace: &'n str,
        name: &'n str,
        at: &'n Node,
        port: Option<&'n Node>,
    ) {
        let reference = Reference::new(Code::ReferenceMissingService, SERVICE, namespace, at);
        let reference = Reference { name, ..reference };
        if reference.is_open() {
            return;
        }
        let port = port.filter(|port| !is_open(port.text()));
        if self.inventory.is_none() {
            return self.ask(Question::of(&reference).with_port(port));
        }
        let held = self.refer(&reference);
        let Some(port) = port else { return };
        let Some(known) = lacking(&held, port.text()) else { return };
        let path = path_to(self.object, port);
        let message =
            format!("`{path}` names port `{}`, which Service `{name}` does not have", port.text());
        let all: Vec<String> = known.into_iter().map(shown_port).collect();
        let diagnostic = Diagnostic::warning(Code::ReferenceMissingPort, message)
            .help(format!("it has {}", all.join(", ")));
        let at_ports = |service: &Service| Some((service.at_ports?, "the ports that it has"));
        let other = held.iter().find_map(|one| one.source.service()).and_then(at_ports);
        self.push(path, port.origin(), other, diagnostic);
    }
}

/// Returns the ports of Services of which none has a number or name; none if one has it, or if not all are known.
pub(super) fn lacking<'a>(held: &[&'a Held], port: &str) -> Option<Vec<&'a Port>> {
    let mut known = Vec::new();
    for one in held {
        known.extend(&one.source.service()?.ports);
    }
    let fits = |one: &&Port| one.number == port || one.name == port;
    (!known.is_empty() && !known.iter().any(fits)).then_some(known)
}

fn shown_port(port: &Port) -> String {
    match port.name.as_str() {
        "" => format!("`{}`", port.number),
        name => format!("`{}` (`{name}`)", port.number),
    }
}
