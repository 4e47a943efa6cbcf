//! Selectors that select nothing, and names of ports that no container has.

use ecow::EcoString;

use super::inventory::{ANY_NAMESPACE, Inventory, Service, is_one_edit, may_be_same};
use super::pods::{Pod, Selector};
use super::tree::{at, each, path_to, text};
use super::{Checker, POD, SERVICE, Type, external_entry, is_open, well_known};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::yaml::Node;

const CONTAINER_PORT: Code = Code::ReferenceMissingContainerPort;
/// Ports that a container is asked at.
const PROBES: [&str; 8] = [
    "livenessProbe.httpGet.port",
    "livenessProbe.tcpSocket.port",
    "readinessProbe.httpGet.port",
    "readinessProbe.tcpSocket.port",
    "startupProbe.httpGet.port",
    "startupProbe.tcpSocket.port",
    "lifecycle.postStart.httpGet.port",
    "lifecycle.preStop.httpGet.port",
];

impl<'a, 'n> Checker<'a, 'n> {
    /// Checks what an object selects.
    pub(super) fn check_selectors(&mut self) {
        let code = Code::ReferencePolicyWithoutPods;
        match (self.own.group, self.own.kind) {
            ("", "Service") => self.check_service_selector(),
            ("policy", "PodDisruptionBudget") => self.check_pods("spec.selector", code),
            ("networking.k8s.io", "NetworkPolicy") => self.check_pods("spec.podSelector", code),
            ("monitoring.coreos.com" | "monitoring.rhobs", "ServiceMonitor") => {
                self.check_service_monitor();
            }
            ("monitoring.coreos.com" | "monitoring.rhobs", "PodMonitor") => {
                self.check_pod_monitor();
            }
            _ => {}
        }
    }

    fn check_service_selector(&mut self) {
        let object = self.object;
        let Some(labels) = at(object, "spec.selector") else { return };
        let selector = Selector::of_labels(labels);
        let name = text(object, "metadata.name");
        if selector.is_empty()
            || text(object, "spec.type") == "ExternalName"
            || self.inventory.is_some_and(|inventory| inventory.endpoints.contains(name))
        {
            return;
        }
        let ports = each(object, "spec.ports[].targetPort");
        if self.inventory.is_none() {
            return self.ask_for_pods(selector, &ports);
        }
        let code = Code::ReferenceServiceWithoutPods;
        let pods = self.select(labels, &selector, code);
        self.check_target_ports(&pods, ports);
    }

    /// The names of ports that a Service leads to must be names of ports of its pods.
    fn check_target_ports(&mut self, pods: &[&Pod], ports: Vec<&'n Node>) {
        let Some(names) = port_names(pods).filter(|_| !pods.is_empty()) else { return };
        for port in ports {
            self.check_port_name(CONTAINER_PORT, port, &names, "no container of its pods has");
        }
    }

    fn check_port_name(&mut self, code: Code, port: &'n Node, names: &[&str], lacking: &str) {
        let name = port.text();
        if !is_port_name(name) || names.contains(&name) {
            return;
        }
        let path = path_to(self.object, port);
        let message = format!("`{path}` names port `{name}`, which {lacking}");
        let mut diagnostic = Diagnostic::warning(code, message);
        if let Some(near) = nearest(name, names.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        self.push(path, port.origin(), None, diagnostic);
    }

    /// The names of ports in probes must be names of ports of their container.
    pub(super) fn check_probes(&mut self, spec: &'n Node) {
        for containers in ["containers[]", "initContainers[]"] {
            for container in each(spec, containers) {
                let names = each(container, "ports[].name");
                let names: Vec<&str> = names.into_iter().map(Node::text).collect();
                for probe in PROBES {
                    if let Some(port) = at(container, probe) {
                        self.check_port_name(
                            CONTAINER_PORT,
                            port,
                            &names,
                            "its container does not have",
                        );
                    }
                }
            }
        }
    }

    fn check_pods(&mut self, path: &str, code: Code) {
        let Some(node) = at(self.object, path) else { return };
        let selector = Selector::of(node);
        if selector.is_empty() {
            return;
        }
        let Some(inventory) = self.inventory else { return self.ask_for_pods(selector, &[]) };
        // A policy for pods that come from elsewhere is no fault.
        let namespace = self.namespace;
        if inventory.pods.has_any(|other| may_be_same(other, namespace)) {
            self.select(node, &selector, code);
        }
    }

    /// Returns the pods that a selector of this object selects; reports if there are none.
    fn select(&mut self, node: &'n Node, selector: &Selector, code: Code) -> Vec<&'a Pod> {
        let Some(inventory) = self.known() else { return Vec::new() };
        let namespace = self.namespace;
        let is_here = |other: &str| may_be_same(other, namespace);
        let pods = inventory.pods.selected(selector, is_here);
        if !pods.is_empty() || is_assumed(inventory, POD, namespace, selector) {
            return pods;
        }
        let near = inventory.pods.nearly(selector, namespace);
        let is_misspelt =
            near.is_some_and(|(wanted, found)| is_one_edit(&wanted.value, &found.value));
        if !is_misspelt && may_be_created(inventory, POD, namespace, selector) {
            return pods;
        }
        let path = path_to(self.object, node);
        let message = format!("`{path}` selects no pod{}: `{selector}`", in_namespace(namespace));
        let mut diagnostic = Diagnostic::warning(code, message);
        let mut other = None;
        let mut origin = node.origin();
        if let Some((wanted, found)) = near {
            origin = wanted.at;
            other = Some((found.at, "the label of these pods"));
            let key = wanted.key.text();
            diagnostic = diagnostic.help(format!("did you mean `{key}: {}`?", found.value));
        } else {
            diagnostic = diagnostic.help(outside("Pod", namespace));
        }
        self.push(path, origin, other, diagnostic);
        Vec::new()
    }

    fn check_service_monitor(&mut self) {
        let Some(inventory) = self.known() else { return };
        let Some((node, selector, namespaces)) = self.monitored(inventory, SERVICE) else { return };
        let is_in = |own: &str| namespaces.iter().any(|one| may_be_same(one, own));
        let all = inventory.services.iter().map(AsRef::as_ref);
        let here: Vec<&Service> = all.filter(|service| is_in(&service.namespace)).collect();
        let fits = |service: &&Service| selector.fits(&service.labels);
        let services: Vec<&Service> = here.iter().copied().filter(fits).collect();
        if services.is_empty() {
            if !here.is_empty() {
                self.report_idle_monitor(node, &selector, &namespaces, "Service");
            }
            return;
        }
        let ports = services.iter().flat_map(|service| &service.ports);
        let names: Vec<&str> = ports.map(|port| port.name.as_str()).collect();
        for port in each(self.object, "spec.endpoints[].port") {
            let code = Code::ReferenceMissingPort;
            self.check_port_name(code, port, &names, "no Service that it selects has");
        }
    }

    fn check_pod_monitor(&mut self) {
        let Some(inventory) = self.known() else { return };
        let Some((node, selector, namespaces)) = self.monitored(inventory, POD) else { return };
        let is_in = |own: &str| namespaces.iter().any(|one| may_be_same(one, own));
        let pods = inventory.pods.selected(&selector, is_in);
        if pods.is_empty() {
            if inventory.pods.has_any(is_in) {
                self.report_idle_monitor(node, &selector, &namespaces, "Pod");
            }
            return;
        }
        let Some(names) = port_names(&pods) else { return };
        for port in each(self.object, "spec.podMetricsEndpoints[].port") {
            self.check_port_name(CONTAINER_PORT, port, &names, "no container of its pods has");
        }
    }

    /// Returns what a monitor selects, and in which namespaces, if the output can tell whether it is there.
    fn monitored(
        &self,
        inventory: &Inventory,
        wanted: Type<'static>,
    ) -> Option<(&'n Node, Selector, Vec<&'n str>)> {
        let node = at(self.object, "spec.selector")?;
        let selector = Selector::of(node);
        let stated = at(self.object, "spec.namespaceSelector");
        let mut namespaces: Vec<&str> =
            stated.into_iter().flat_map(|s| each(s, "matchNames[]")).map(Node::text).collect();
        if stated.is_some_and(|s| text(s, "any") == "true") {
            namespaces = vec![ANY_NAMESPACE];
        } else if namespaces.is_empty() {
            namespaces.push(self.namespace);
        }
        let is_open = |namespace: &&str| {
            is_assumed(inventory, wanted, namespace, &selector)
                || may_be_created(inventory, wanted, namespace, &selector)
        };
        if selector.is_empty() || namespaces.iter().any(is_open) {
            return None;
        }
        Some((node, selector, namespaces))
    }

    fn report_idle_monitor(
        &mut self,
        node: &'n Node,
        selector: &Selector,
        namespaces: &[&str],
        kind: &str,
    ) {
        let path = path_to(self.object, node);
        let place = match namespaces {
            [namespace] => in_namespace(namespace),
            _ => format!(" in the namespaces `{}`", namespaces.join("`, `")),
        };
        let message = format!("`{path}` selects no {kind}{place}: `{selector}`");
        let namespace = namespaces.first().copied().unwrap_or(ANY_NAMESPACE);
        let diagnostic = Diagnostic::warning(Code::ReferenceMonitorWithoutTargets, message)
            .help(outside(kind, namespace));
        self.push(path, node.origin(), None, diagnostic);
    }
}

/// Returns whether nothing can be said about what a selector selects: it is yet to be filled in, or about what is outside.
fn is_assumed(
    inventory: &Inventory,
    wanted: Type<'_>,
    namespace: &str,
    selector: &Selector,
) -> bool {
    selector.values().any(is_open)
        || wanted == POD && selector.values().any(well_known::labels_pods)
        || inventory.is_external(wanted, namespace, "*")
}

/// Returns whether what a selector selects may be created by something.
fn may_be_created(
    inventory: &Inventory,
    wanted: Type<'_>,
    namespace: &str,
    selector: &Selector,
) -> bool {
    let may_have = |value: &str| inventory.may_have(wanted, namespace, value);
    let is_mentioned = |value: &str| inventory.creators.mentions(value);
    // A program that creates pods gives them labels that no template has.
    let makes_pods = || wanted == POD && inventory.creators.makers.may_create(POD, namespace);
    let is_key_new = || selector.keys().any(|key| !inventory.pods.has_key(key, namespace));
    well_known::is_of_platform(namespace)
        || inventory.creators.may_label(namespace)
        || makes_pods() && is_key_new()
        || selector.values().any(may_have)
        || selector.values().next().is_some() && selector.values().all(is_mentioned)
}

/// Returns the names of the ports of pods; none if there may be others.
pub(super) fn port_names<'p>(pods: &[&'p Pod]) -> Option<Vec<&'p str>> {
    let lists: Option<Vec<_>> = pods.iter().map(|pod| pod.port_names.as_deref()).collect();
    Some(lists?.into_iter().flatten().map(EcoString::as_str).collect())
}

/// Returns whether a port is named, and the name is not yet to be filled in.
pub(super) fn is_port_name(port: &str) -> bool {
    !port.bytes().all(|byte| byte.is_ascii_digit()) && !is_open(port)
}

fn in_namespace(namespace: &str) -> String {
    match namespace {
        ANY_NAMESPACE => String::new(),
        namespace => format!(" in namespace `{namespace}`"),
    }
}

fn outside(kind: &str, namespace: &str) -> String {
    let entry = external_entry(kind, namespace, "*");
    format!(
        "if they are deployed elsewhere, write `external: [{entry}]` under `validate` in kiln.yaml"
    )
}
