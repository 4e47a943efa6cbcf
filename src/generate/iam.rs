//! The service account of an `IAMPolicyGenerator` (`api/filters/iampolicygenerator`).

use crate::diagnostic::{Code, Diagnostic, Fallible};
use crate::provenance::{OriginId, StepKind};
use crate::resource::Resource;
use crate::session::{Context, Text};
use crate::yaml::{Dialect, Node, known, parse_document};

/// The configuration of an `IAMPolicyGenerator`.
#[derive(Clone, Debug, Default)]
pub(crate) struct IamPolicy {
    pub(crate) at: OriginId,
    pub(crate) cloud: Text,
    pub(crate) account: Text,
    pub(crate) project: Text,
    pub(crate) name: Text,
    pub(crate) namespace: Text,
}

/// Makes the service account.
pub(crate) fn generate_iam_policy(cx: &mut Context<'_>, policy: &IamPolicy) -> Fallible<Resource> {
    if policy.cloud.as_str() != "gke" {
        let message = format!("`cloud` is `gke`, not `{}`", policy.cloud.value);
        let d =
            Diagnostic::error(Code::PluginInvalid, message).at(cx.span(policy.at), "this plugin");
        return Err(cx.fail(d));
    }
    // kustomize puts the names into a text and parses that, so a name may change its type here.
    let mut text = format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  annotations:\n    \
         iam.gke.io/gcp-service-account: {}@{}.iam.gserviceaccount.com\n  name: {}\n",
        policy.account.value, policy.project.value, policy.name.value
    );
    if !policy.namespace.is_empty() {
        text.push_str("  namespace: ");
        text.push_str(&policy.namespace.value);
    }
    let Ok(Some(mut node)) = parse_document(&text, 1, Dialect::V3) else {
        let d = Diagnostic::error(
            Code::PluginInvalid,
            "the names of an IAM policy must be plain words",
        );
        return Err(cx.fail(d.at(cx.span(policy.at), "this plugin")));
    };
    let scopes = cx.scopes.clone();
    let mut recorder = cx.step(StepKind::Generate, policy.at);
    let origin = recorder.create(OriginId::NONE);
    set_origins(&mut node, origin);
    let account = recorder.create(policy.project.at);
    let account = recorder.extend_origin(policy.account.at, account);
    if let Some(metadata) = node.get_mut(known::METADATA) {
        for (key, text) in [(known::NAME, &policy.name), (known::NAMESPACE, &policy.namespace)] {
            if let Some(field) = metadata.get_mut(key) {
                field.set_origin(recorder.create(text.at));
            }
        }
        let annotations = metadata.get_mut(known::ANNOTATIONS).and_then(Node::entries_mut);
        for annotation in annotations.into_iter().flatten() {
            annotation.value.set_origin(account);
        }
    }
    Ok(Resource::new(node, &scopes))
}

fn set_origins(node: &mut Node, origin: OriginId) {
    node.set_origin(origin);
    for entry in node.entries_mut().into_iter().flatten() {
        entry.key_origin = origin;
        set_origins(&mut entry.value, origin);
    }
}
