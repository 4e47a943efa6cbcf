//! What a team asks of its objects beyond what Kubernetes accepts.
//!
//! The Pod Security Standards are those of `k8s.io/pod-security-admission` 0.37, for the chosen version of Kubernetes. Every control has its
//! own code, and every finding is about one field of one container.

use super::fields::field;
use super::pods::{Container, Pod};
use super::report::{Path, Report};
use super::structure::{integer, is_encrypted, is_null, is_placeholder, scalar_of};
use crate::diagnostic::{Code, Diagnostic, Level, Lints};
use crate::project::PodSecurity;
use crate::provenance::OriginId;
use crate::yaml::{Node, Scalar, known};

/// Capabilities that the level `baseline` lets a container add.
const BASELINE_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Kernel parameters that a pod may set, and the minor version that first lets it.
const SYSCTLS: [(&str, u8); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_notsent_lowat", 37),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
];
/// Types of SELinux that a pod may have.
const SELINUX_TYPES: [&str; 3] = ["container_t", "container_init_t", "container_kvm_t"];
/// The type that Kubernetes 1.31 added to them.
const SELINUX_ENGINE: (&str, u8) = ("container_engine_t", 31);
/// Kinds of volumes that the level `restricted` lets a pod have.
const RESTRICTED_VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];
/// Hosts of probes are looked at from this minor version on.
const HOST_PROBES: u8 = 34;
/// Pods with users of their own may do more from this minor version on.
const USER_NAMESPACES: u8 = 35;
/// Where a probe or a hook can name a host.
const HANDLERS: [(&[&str], &str); 10] = [
    (&["livenessProbe"], "httpGet"),
    (&["livenessProbe"], "tcpSocket"),
    (&["readinessProbe"], "httpGet"),
    (&["readinessProbe"], "tcpSocket"),
    (&["startupProbe"], "httpGet"),
    (&["startupProbe"], "tcpSocket"),
    (&["lifecycle", "postStart"], "httpGet"),
    (&["lifecycle", "postStart"], "tcpSocket"),
    (&["lifecycle", "preStop"], "httpGet"),
    (&["lifecycle", "preStop"], "tcpSocket"),
];

/// Which policies are on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    pod_security: PodSecurity,
    minor: u8,
    latest_image: bool,
    unpinned_image: bool,
    requests: bool,
    limits: bool,
    readiness: bool,
    liveness: bool,
    plain_secret: bool,
}

impl Policy {
    /// Returns the policies that levels turn on, with a Pod Security Standard as of a minor version.
    pub(crate) fn new(pod_security: PodSecurity, minor: u8, lints: &Lints) -> Self {
        let is_on = |code| lints.level(code, None) != Level::Allow;
        Self {
            pod_security,
            minor,
            latest_image: is_on(Code::PolicyLatestImage),
            unpinned_image: is_on(Code::PolicyUnpinnedImage),
            requests: is_on(Code::PolicyMissingRequests),
            limits: is_on(Code::PolicyMissingLimits),
            readiness: is_on(Code::PolicyMissingReadinessProbe),
            liveness: is_on(Code::PolicyMissingLivenessProbe),
            plain_secret: is_on(Code::PolicyPlainSecret),
        }
    }

    /// Checks an object.
    pub(super) fn check(&self, object: &Node, report: &mut Report) {
        if self.plain_secret {
            check_secret(object, report);
        }
        let Some(pod) = Pod::of(object) else { return };
        if self.pod_security != PodSecurity::Off {
            let mut standard = Standard { pod, minor: self.minor, report };
            standard.check_baseline(self.pod_security);
            if self.pod_security == PodSecurity::Restricted {
                standard.check_restricted();
            }
        }
        self.check_containers(pod, report);
    }

    fn check_containers(&self, pod: Pod<'_>, report: &mut Report) {
        let is_running = matches!(pod.kind, "Deployment" | "StatefulSet" | "DaemonSet" | "Rollout");
        for container in pod.containers() {
            let path = pod.container_path(container);
            if let Some(image) = field(container.node, &["image"]) {
                self.check_image(&path, image, report);
            }
            if container.list == "ephemeralContainers" {
                continue;
            }
            let given = |of: &str, name: &str| {
                field(container.node, &["resources", of, name]).is_some()
                    || field(pod.spec, &["resources", of, name]).is_some()
            };
            if self.requests {
                // A limit alone is the request, too.
                for name in ["cpu", "memory"]
                    .into_iter()
                    .filter(|name| !given("requests", name) && !given("limits", name))
                {
                    let what = format!("requests no {name}");
                    missing(
                        Code::PolicyMissingRequests,
                        container,
                        &path,
                        &["resources", "requests", name],
                        &what,
                        report,
                    );
                }
            }
            if self.limits && !given("limits", "memory") {
                let what = "has no limit of its memory";
                missing(
                    Code::PolicyMissingLimits,
                    container,
                    &path,
                    &["resources", "limits", "memory"],
                    what,
                    report,
                );
            }
            if !is_running || container.list != "containers" {
                continue;
            }
            for (is_on, code, name) in [
                (self.readiness, Code::PolicyMissingReadinessProbe, "readinessProbe"),
                (self.liveness, Code::PolicyMissingLivenessProbe, "livenessProbe"),
            ] {
                if is_on && field(container.node, &[name]).is_none() {
                    missing(code, container, &path, &[name], &format!("has no `{name}`"), report);
                }
            }
        }
    }

    fn check_image(&self, path: &Path<'_>, image: &Node, report: &mut Report) {
        let text = image.text();
        if is_placeholder(image) || text.contains('@') {
            return;
        }
        let name = text.rsplit_once('/').map_or(text, |(_, name)| name);
        let tag = name.split_once(':').map(|(_, tag)| tag);
        let whole = path.field("image");
        let (code, message) = match tag {
            None if self.latest_image => (
                Code::PolicyLatestImage,
                format!("the image `{text}` has no tag: it is whatever is newest"),
            ),
            Some("latest") if self.latest_image => {
                (Code::PolicyLatestImage, format!("the image `{text}` is whatever is newest"))
            }
            _ if self.unpinned_image => (
                Code::PolicyUnpinnedImage,
                format!("the image `{text}` has no digest: its tag can be moved"),
            ),
            _ => return,
        };
        report.push(whole, image.origin(), Diagnostic::warning(code, message));
    }
}

fn missing(
    code: Code,
    container: Container<'_>,
    path: &Path<'_>,
    names: &[&str],
    what: &str,
    report: &mut Report,
) {
    let mut whole = path.to_string();
    for name in names {
        whole.push('.');
        whole.push_str(name);
    }
    let message = format!("container `{}` {what}", container.name());
    report.push(whole, container.node.origin(), Diagnostic::warning(code, message));
}

fn check_secret(object: &Node, report: &mut Report) {
    let is_secret = object.get(known::KIND).map_or("", Node::text) == "Secret"
        && object.get(known::API_VERSION).map_or("", Node::text) == "v1";
    if !is_secret || is_encrypted(object) {
        return;
    }
    for name in ["data", "stringData"] {
        let entries = field(object, &[name]).and_then(Node::entries).unwrap_or_default();
        let plain = entries
            .iter()
            .find(|entry| !is_placeholder(&entry.value) && !entry.value.text().is_empty());
        if let Some(entry) = plain {
            let mut path = Path::default();
            path.push_key(name);
            let whole = path.field(entry.key.text());
            let message =
                format!("`{whole}` of a Secret can be read by everyone who can read the files");
            let d = Diagnostic::warning(Code::PolicyPlainSecret, message)
                .help("encrypt it with SOPS, or write a SealedSecret or an ExternalSecret instead");
            report.push(whole, entry.value.origin(), d);
            return;
        }
    }
}

/// A pod against the Pod Security Standards.
struct Standard<'n, 'r> {
    pod: Pod<'n>,
    minor: u8,
    report: &'r mut Report,
}

impl<'n> Standard<'n, '_> {
    fn push(
        &mut self,
        code: Code,
        level: &str,
        whole: String,
        at: OriginId,
        what: &str,
        help: &str,
    ) {
        let message =
            format!("`{whole}` {what}, which the Pod Security Standard `{level}` does not allow");
        self.report.push(whole, at, Diagnostic::warning(code, message).help(help));
    }

    /// Reports what is there and must not be.
    fn baseline(&mut self, code: Code, path: &Path<'_>, names: &[&str], node: &Node, help: &str) {
        let what =
            if node.is_scalar() { format!("is `{}`", node.text()) } else { "is there".to_owned() };
        self.push(code, "baseline", below(path, names), node.origin(), &what, help);
    }

    /// Returns the security contexts of the pod and of its containers, with their paths.
    fn contexts(&self) -> Vec<(Path<'n>, &'n Node)> {
        let mut out = Vec::new();
        let mut add = |mut path: Path<'n>, node: &'n Node| {
            if let Some(context) = field(node, &["securityContext"]) {
                path.push_key("securityContext");
                out.push((path, context));
            }
        };
        add(self.pod.path(), self.pod.spec);
        for container in self.pod.containers() {
            add(self.pod.container_path(container), container.node);
        }
        out
    }

    fn has_own_users(&self) -> bool {
        self.minor >= USER_NAMESPACES && field(self.pod.spec, &["hostUsers"]).is_some_and(is_false)
    }

    fn is_windows(&self) -> bool {
        field(self.pod.spec, &["os", "name"]).is_some_and(|name| name.text() == "windows")
    }

    fn check_baseline(&mut self, level: PodSecurity) {
        let path = self.pod.path();
        for name in ["hostNetwork", "hostPID", "hostIPC"] {
            if let Some(node) = field(self.pod.spec, &[name]).filter(|node| is_true(node)) {
                let help = format!("remove `{name}`");
                self.baseline(Code::PolicyHostNamespaces, &path, &[name], node, &help);
            }
        }
        self.check_volumes(level);
        self.check_apparmor_annotations();
        for container in self.pod.containers() {
            self.check_host_ports(container);
            self.check_host_probes(container);
        }
        for (path, context) in self.contexts() {
            self.check_context(&path, context, level);
        }
    }

    fn check_volumes(&mut self, level: PodSecurity) {
        let volumes =
            field(self.pod.spec, &["volumes"]).and_then(Node::elements).unwrap_or_default();
        for (index, volume) in volumes.iter().enumerate() {
            let mut path = self.pod.path();
            path.push_key("volumes");
            path.push_index(index);
            let kinds = volume.entries().unwrap_or_default();
            let kind =
                kinds.iter().find(|entry| entry.key.text() != "name" && !is_null(&entry.value));
            let Some(entry) = kind else { continue };
            let name = entry.key.text();
            if name == "hostPath" {
                let help = "use a PersistentVolumeClaim or an `emptyDir`";
                self.baseline(Code::PolicyHostPath, &path, &[name], &entry.value, help);
            } else if level == PodSecurity::Restricted && !RESTRICTED_VOLUMES.contains(&name) {
                let help = "use a PersistentVolumeClaim";
                let whole = path.field(name);
                self.push(
                    Code::PolicyVolumeType,
                    "restricted",
                    whole,
                    entry.value.origin(),
                    "is there",
                    help,
                );
            }
        }
    }

    fn check_apparmor_annotations(&mut self) {
        let annotations = self.pod.metadata.and_then(|metadata| field(metadata, &["annotations"]));
        for entry in annotations.and_then(Node::entries).unwrap_or_default() {
            let text = entry.value.text();
            let is_ours =
                entry.key.text().starts_with("container.apparmor.security.beta.kubernetes.io/");
            if !is_ours || matches!(text, "" | "runtime/default") || text.starts_with("localhost/")
            {
                continue;
            }
            let mut path = Path::default();
            for part in self.pod.at {
                path.push_key(part);
            }
            path.push_key("metadata");
            path.push_key("annotations");
            let help = "write `runtime/default`";
            self.baseline(Code::PolicyApparmor, &path, &[entry.key.text()], &entry.value, help);
        }
    }

    fn check_host_ports(&mut self, container: Container<'n>) {
        let ports = field(container.node, &["ports"]).and_then(Node::elements).unwrap_or_default();
        for (index, port) in ports.iter().enumerate() {
            let host =
                field(port, &["hostPort"]).filter(|host| integer(&scalar_of(host)) != Some(0));
            if let Some(host) = host {
                let mut path = self.pod.container_path(container);
                path.push_key("ports");
                path.push_index(index);
                let help = "remove `hostPort`, and reach the pod through a Service";
                self.baseline(Code::PolicyHostPort, &path, &["hostPort"], host, help);
            }
        }
    }

    fn check_host_probes(&mut self, container: Container<'n>) {
        if self.minor < HOST_PROBES {
            return;
        }
        for (outer, inner) in HANDLERS {
            let names = [outer, &[inner, "host"]].concat();
            if let Some(host) = field(container.node, &names).filter(|host| !host.text().is_empty())
            {
                let path = self.pod.container_path(container);
                let help = "remove `host`: the pod's own address is the default";
                self.baseline(Code::PolicyHostProbe, &path, &names, host, help);
            }
        }
    }

    fn check_context(&mut self, path: &Path<'n>, context: &'n Node, level: PodSecurity) {
        if let Some(node) =
            field(context, &["windowsOptions", "hostProcess"]).filter(|node| is_true(node))
        {
            let names = ["windowsOptions", "hostProcess"];
            self.baseline(Code::PolicyHostProcess, path, &names, node, "remove `hostProcess`");
        }
        if let Some(node) = field(context, &["privileged"]).filter(|node| is_true(node)) {
            let help = "remove `privileged`, and add the one capability that is needed";
            self.baseline(Code::PolicyPrivileged, path, &["privileged"], node, help);
        }
        if let Some(node) =
            field(context, &["procMount"]).filter(|node| !matches!(node.text(), "" | "Default"))
            && (level == PodSecurity::Restricted || !self.has_own_users())
        {
            let asked = if self.has_own_users() { "restricted" } else { "baseline" };
            let (whole, what) = (path.field("procMount"), format!("is `{}`", node.text()));
            let help = "write `procMount: Default`";
            self.push(Code::PolicyProcMount, asked, whole, node.origin(), &what, help);
        }
        if let Some(node) = field(context, &["appArmorProfile", "type"])
            .filter(|node| !matches!(node.text(), "RuntimeDefault" | "Localhost"))
        {
            let help = "write `RuntimeDefault`";
            self.baseline(Code::PolicyApparmor, path, &["appArmorProfile", "type"], node, help);
        }
        if let Some(node) =
            field(context, &["seccompProfile", "type"]).filter(|node| node.text() == "Unconfined")
        {
            let help = "write `RuntimeDefault`";
            self.baseline(Code::PolicySeccomp, path, &["seccompProfile", "type"], node, help);
        }
        self.check_selinux(path, context);
        self.check_sysctls(path, context);
        // `restricted` is about the same list, and says more.
        if level == PodSecurity::Baseline {
            self.check_added(path, context, "baseline", &BASELINE_CAPABILITIES);
        }
    }

    fn check_selinux(&mut self, path: &Path<'n>, context: &'n Node) {
        for name in ["type", "user", "role"] {
            let names = ["seLinuxOptions", name];
            let Some(node) = field(context, &names).filter(|node| !node.text().is_empty()) else {
                continue;
            };
            let text = node.text();
            let is_engine = text == SELINUX_ENGINE.0 && self.minor >= SELINUX_ENGINE.1;
            if name == "type" && (SELINUX_TYPES.contains(&text) || is_engine) {
                continue;
            }
            let help = "remove it: the container runtime chooses";
            self.baseline(Code::PolicySelinux, path, &names, node, help);
        }
    }

    fn check_sysctls(&mut self, path: &Path<'n>, context: &'n Node) {
        let sysctls = field(context, &["sysctls"]).and_then(Node::elements).unwrap_or_default();
        for (index, sysctl) in sysctls.iter().enumerate() {
            let Some(name) = field(sysctl, &["name"]) else { continue };
            // A slash separates as well as a dot.
            let text = name.text().replace('/', ".");
            if SYSCTLS.iter().any(|(known, since)| *known == text && *since <= self.minor) {
                continue;
            }
            let mut path = path.clone();
            path.push_key("sysctls");
            path.push_index(index);
            self.baseline(Code::PolicySysctl, &path, &["name"], name, "set it on the node");
        }
    }

    /// Checks the capabilities that a container adds.
    fn check_added(&mut self, path: &Path<'n>, context: &'n Node, level: &str, allowed: &[&str]) {
        let added =
            field(context, &["capabilities", "add"]).and_then(Node::elements).unwrap_or_default();
        for (index, capability) in added.iter().enumerate() {
            if allowed.contains(&capability.text()) || is_placeholder(capability) {
                continue;
            }
            let mut path = path.clone();
            path.push_key("capabilities");
            path.push_key("add");
            path.push_index(index);
            let what = format!("adds `{}`", capability.text());
            let help = format!("only `{}` may be added", allowed.join("`, `"));
            self.push(
                Code::PolicyCapabilities,
                level,
                path.to_string(),
                capability.origin(),
                &what,
                &help,
            );
        }
    }

    fn check_restricted(&mut self) {
        let is_windows = self.is_windows();
        let pod = self.pod;
        let path = pod.path();
        let pod_value = |names: &[&str]| field(pod.spec, names);
        if !is_windows {
            let seccomp = pod_value(&["securityContext", "seccompProfile", "type"]);
            for container in pod.containers() {
                self.check_container(container);
                let names = ["securityContext", "seccompProfile", "type"];
                if seccomp.is_none() && field(container.node, &names).is_none() {
                    let help = "write `seccompProfile: {type: RuntimeDefault}` into the `securityContext` of the pod";
                    self.unset(Code::PolicySeccomp, container, &names, help);
                }
            }
        }
        if self.has_own_users() {
            return;
        }
        let names = ["securityContext", "runAsNonRoot"];
        let whole = pod_value(&names);
        if let Some(node) = whole.filter(|node| is_false(node)) {
            self.restricted(
                Code::PolicyRunAsNonRoot,
                &path,
                &names,
                node,
                "write `runAsNonRoot: true`",
            );
        }
        let user = ["securityContext", "runAsUser"];
        if let Some(node) = pod_value(&user).filter(|node| is_zero(node)) {
            self.restricted(Code::PolicyRunAsRoot, &path, &user, node, "choose another user");
        }
        for container in pod.containers() {
            let path = pod.container_path(container);
            match field(container.node, &names) {
                Some(node) if is_false(node) => {
                    let help = "write `runAsNonRoot: true`";
                    self.restricted(Code::PolicyRunAsNonRoot, &path, &names, node, help);
                }
                None if whole.is_none() => {
                    let help = "write `runAsNonRoot: true` into the `securityContext` of the pod";
                    self.unset(Code::PolicyRunAsNonRoot, container, &names, help);
                }
                _ => {}
            }
            if let Some(node) = field(container.node, &user).filter(|node| is_zero(node)) {
                self.restricted(Code::PolicyRunAsRoot, &path, &user, node, "choose another user");
            }
        }
    }

    fn check_container(&mut self, container: Container<'n>) {
        let path = self.pod.container_path(container);
        let names = ["securityContext", "allowPrivilegeEscalation"];
        let help = "write `allowPrivilegeEscalation: false`";
        match field(container.node, &names) {
            Some(node) if is_false(node) || is_placeholder(node) => {}
            Some(node) => {
                self.restricted(Code::PolicyPrivilegeEscalation, &path, &names, node, help);
            }
            None => self.unset(Code::PolicyPrivilegeEscalation, container, &names, help),
        }
        let names = ["securityContext", "capabilities", "drop"];
        let dropped = field(container.node, &names);
        let elements = dropped.and_then(Node::elements).unwrap_or_default();
        if !elements.iter().any(|one| one.text() == "ALL") {
            let help = "write `capabilities: {drop: [ALL]}`";
            match dropped {
                Some(node) => {
                    let whole = below(&path, &names);
                    let what = "does not drop `ALL`";
                    self.push(
                        Code::PolicyCapabilities,
                        "restricted",
                        whole,
                        node.origin(),
                        what,
                        help,
                    );
                }
                None => self.unset(Code::PolicyCapabilities, container, &names, help),
            }
        }
        if let Some(context) = field(container.node, &["securityContext"]) {
            let mut path = path;
            path.push_key("securityContext");
            self.check_added(&path, context, "restricted", &["NET_BIND_SERVICE"]);
        }
    }

    /// Reports a value that must be another one.
    fn restricted(&mut self, code: Code, path: &Path<'_>, names: &[&str], node: &Node, help: &str) {
        let what = format!("is `{}`", node.text());
        self.push(code, "restricted", below(path, names), node.origin(), &what, help);
    }

    /// Reports that a container must say something.
    fn unset(&mut self, code: Code, container: Container<'n>, names: &[&str], help: &str) {
        let whole = below(&self.pod.container_path(container), names);
        self.push(code, "restricted", whole, container.node.origin(), "is not set", help);
    }
}

fn below<'n>(path: &Path<'n>, names: &[&'n str]) -> String {
    let mut path = path.clone();
    let Some((last, first)) = names.split_last() else { return path.to_string() };
    for name in first {
        path.push_key(name);
    }
    path.field(last)
}

fn is_true(node: &Node) -> bool {
    scalar_of(node) == Scalar::Bool(true)
}

fn is_false(node: &Node) -> bool {
    scalar_of(node) == Scalar::Bool(false)
}

fn is_zero(node: &Node) -> bool {
    integer(&scalar_of(node)) == Some(0)
}
