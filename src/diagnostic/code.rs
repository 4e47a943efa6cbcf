//! The registry of codes.

use super::Level;

macro_rules! level {
    (error) => {
        None
    };
    (deny) => {
        Some(Level::Deny)
    };
    (warn) => {
        Some(Level::Warn)
    };
    (allow) => {
        Some(Level::Allow)
    };
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $code:ident = $level:ident $room:literal $fault:literal,)*) => {
        /// The stable name of a kind of fault: `room::fault`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $code,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// Returns the name of the code.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => concat!($room, "::", $fault),)* }
            }

            /// Returns what the code means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc,)+).trim_ascii(),)* }
            }

            /// Returns the page about the code, as Markdown: what it means, why, an example, what to do.
            pub fn page(self) -> &'static str {
                match self {
                    $(Self::$code => include_str!(concat!(
                        "../../docs/diagnostics/", $room, "/", $fault, ".md"
                    )),)*
                }
            }

            /// Returns the level of a warning that nothing else sets; none for an error, which has no level.
            pub fn default_level(self) -> Option<Level> {
                match self { $(Self::$code => level!($level),)* }
            }
        }
    };
}

impl Code {
    /// Returns whether the code is about something that is deprecated, which `--strict` leaves a warning.
    pub fn is_deprecation(self) -> bool {
        matches!(self, Self::DeprecatedField | Self::SchemaDeprecatedVersion)
    }

    /// Returns the code of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

codes! {
    /// A file that an entry names does not exist.
    FileMissing = error "file" "missing",
    /// A directory or a device stands where a file is needed.
    FileNotAFile = error "file" "not-a-file",
    /// A file lies outside the directory of the kustomization that names it.
    FileOutsideRoot = error "file" "outside-root",
    /// A file could not be read.
    FileUnreadable = error "file" "unreadable",
    /// A file is not UTF-8 text.
    FileNotUtf8 = error "file" "not-utf8",
    /// The input of one run is too large.
    FileTooLarge = error "file" "too-large",
    /// A base or component does not exist.
    BaseMissing = error "base" "missing",
    /// A base or component is not a directory.
    BaseNotADirectory = error "base" "not-a-directory",
    /// A base is named by an absolute path.
    BaseAbsolute = error "base" "absolute",
    /// A base leads back to a kustomization that is being built.
    BaseCycle = error "base" "cycle",
    /// A base is a remote repository or URL.
    BaseRemote = error "base" "remote",
    /// A Component stands in `resources`, or a Kustomization in `components`.
    BaseWrongKind = error "base" "wrong-kind",
    /// A directory holds no kustomization file.
    KustomizationMissing = error "kustomization" "missing",
    /// A directory holds several kustomization files.
    KustomizationAmbiguous = error "kustomization" "ambiguous",
    /// A kustomization says nothing.
    KustomizationEmpty = error "kustomization" "empty",
    /// A kustomization has a kind or version that is not known.
    KustomizationVersion = error "kustomization" "version",
    /// A field is not known.
    UnknownField = error "kustomization" "unknown-field",
    /// A field holds a value of the wrong type.
    WrongType = error "kustomization" "wrong-type",
    /// A field that is needed is missing, or two fields exclude each other.
    InvalidEntry = error "kustomization" "invalid-entry",
    /// A field is deprecated.
    DeprecatedField = warn "kustomization" "deprecated-field",
    /// A field is written twice; the last one counts.
    DuplicateField = warn "kustomization" "duplicate-field",
    /// An option is not known and does nothing.
    UnknownOption = warn "kustomization" "unknown-option",
    /// A kustomization file has more documents than the one that counts.
    DocumentIgnored = warn "kustomization" "document-ignored",
    /// A text is not YAML.
    YamlSyntax = error "yaml" "syntax",
    /// A map has a key twice.
    YamlDuplicateKey = error "yaml" "duplicate-key",
    /// A key of a map is not a string.
    YamlKeyNotString = error "yaml" "key-not-string",
    /// A value does not fit its type.
    YamlTypeMismatch = error "yaml" "type-mismatch",
    /// A value cannot be written.
    YamlUnwritable = error "yaml" "unwritable",
    /// A text is nested too deeply.
    YamlTooDeep = error "yaml" "too-deep",
    /// Aliases make a text grow beyond measure.
    YamlTooManyAliases = error "yaml" "too-many-aliases",
    /// Writing a text changes it.
    YamlTextChanged = warn "yaml" "text-changed",
    /// A text is not JSON.
    JsonSyntax = error "json" "syntax",
    /// A document is not an object.
    ResourceNotAnObject = error "resource" "not-an-object",
    /// An object has no kind.
    ResourceMissingKind = error "resource" "missing-kind",
    /// An object has no name.
    ResourceMissingName = error "resource" "missing-name",
    /// Two objects have the same id.
    ResourceDuplicateId = error "resource" "duplicate-id",
    /// A list object's items are not a list.
    ResourceItemsNotAList = error "resource" "items-not-a-list",
    /// A file of resources holds no object.
    ResourceNone = warn "resource" "none",
    /// A generator is faulty.
    GeneratorInvalid = error "generator" "invalid",
    /// A generator repeats a key.
    GeneratorDuplicateKey = error "generator" "duplicate-key",
    /// A generator's object exists already.
    GeneratorExists = error "generator" "exists",
    /// A generator merges into an object that does not exist.
    GeneratorNothingToMerge = error "generator" "nothing-to-merge",
    /// An env file ends, without a word, at a line that is too long.
    GeneratorLineTooLong = warn "generator" "line-too-long",
    /// A line of an env file has a key and no value.
    GeneratorNoValue = warn "generator" "no-value",
    /// A generated key is none that Kubernetes accepts.
    GeneratorInvalidKey = warn "generator" "invalid-key",
    /// A `behavior` is not known and counts for nothing.
    GeneratorUnknownBehavior = warn "generator" "unknown-behavior",
    /// An option that `generatorOptions` turns on cannot be turned off in a generator.
    GeneratorOptionStaysOn = warn "generator" "option-stays-on",
    /// A kustomization has `generatorOptions` and no generator.
    GeneratorOptionsUnused = warn "generator" "options-unused",
    /// A patch's text is neither a strategic merge patch nor a JSON patch.
    PatchUnreadable = error "patch" "unreadable",
    /// A patch's target does not exist.
    PatchTargetMissing = error "patch" "target-missing",
    /// A patch fits several objects.
    PatchTargetAmbiguous = error "patch" "target-ambiguous",
    /// A patch cannot be merged into its target.
    PatchConflict = error "patch" "conflict",
    /// An operation of a JSON patch cannot be applied.
    PatchOperation = error "patch" "operation",
    /// A patch's target selects no object.
    PatchNoMatch = warn "patch" "no-match",
    /// A directive that kustomize does not know ends up in the object as a field.
    PatchDirectiveLeaks = warn "patch" "directive-leaks",
    /// A `$patch: replace` stands where it has no effect.
    PatchDirectiveIgnored = warn "patch" "directive-ignored",
    /// Elements of a list vanish while a patch is merged.
    PatchElementDropped = warn "patch" "element-dropped",
    /// An empty list in a patch empties nothing.
    PatchEmptyList = warn "patch" "empty-list",
    /// A null in a patch becomes the text `null`.
    PatchNullBecomesText = warn "patch" "null-becomes-text",
    /// A JSON patch replaces a field that is not there, and so adds it.
    PatchReplaceAdds = warn "patch" "replace-adds",
    /// A JSON patch rounds a number it does not touch.
    PatchNumberRounded = warn "patch" "number-rounded",
    /// A JSON patch has more documents than the one that counts.
    PatchDocumentIgnored = warn "patch" "document-ignored",
    /// A selector is faulty.
    SelectorInvalid = error "selector" "invalid",
    /// A field path crosses a value that has no fields.
    FieldPathConflict = error "field-path" "conflict",
    /// Two field specifications contradict each other.
    FieldSpecConflict = error "field-spec" "conflict",
    /// A `replicas` entry fits no object.
    ReplicasNoMatch = error "replicas" "no-match",
    /// An entry of `replicas` has no `count`, and so scales to zero.
    ReplicasNoCount = warn "replicas" "no-count",
    /// A replacement's source is missing or ambiguous.
    ReplacementSource = error "replacement" "source",
    /// A replacement's target field is missing.
    ReplacementTarget = error "replacement" "target",
    /// A target of a replacement selects no object.
    ReplacementNoMatch = warn "replacement" "no-match",
    /// A `[key=value]` of a field path, read as a regular expression, fits other elements.
    ReplacementMatchedAsPattern = warn "replacement" "matched-as-pattern",
    /// A list or map is copied onto a text and leaves it empty.
    ReplacementValueLost = warn "replacement" "value-lost",
    /// An option of a replacement is known and does nothing.
    ReplacementOptionIgnored = warn "replacement" "option-ignored",
    /// The name of an entry of `images` is no regular expression.
    ImageInvalid = error "image" "invalid",
    /// An entry of `images` names an image that no object has.
    ImageNoMatch = warn "image" "no-match",
    /// An entry of `images` says nothing about what to change.
    ImageNoChange = warn "image" "no-change",
    /// A `tagSuffix` is added twice.
    ImageSuffixTwice = warn "image" "suffix-twice",
    /// The name of an image, read as a regular expression, fits other images.
    ImageMatchedAsPattern = warn "image" "matched-as-pattern",
    /// A namespace change makes two objects the same.
    NamespaceConflict = error "namespace" "conflict",
    /// An object of a cluster-scoped kind is given a namespace.
    NamespaceClusterScoped = warn "namespace" "cluster-scoped",
    /// A reference fits several objects.
    NameReferenceAmbiguous = error "name-reference" "ambiguous",
    /// A reference is not a name.
    NameReferenceInvalid = error "name-reference" "invalid",
    /// A variable is faulty.
    VarInvalid = error "var" "invalid",
    /// A variable is never used.
    VarUnused = warn "var" "unused",
    /// A plugin is not one of those built in.
    PluginExternal = error "plugin" "external",
    /// A plugin's configuration is faulty.
    PluginInvalid = error "plugin" "invalid",
    /// A transformer without `fieldSpecs` changes nothing.
    PluginNoFieldSpecs = warn "plugin" "no-field-specs",
    /// Helm charts are not supported.
    HelmUnsupported = error "helm" "unsupported",
    /// A schema file is faulty.
    OpenapiInvalid = error "openapi" "invalid",
    /// A schema was chosen before, and this one does not count.
    OpenapiIgnored = warn "openapi" "ignored",
    /// A schema file replaces the built-in schema and knows nothing of the objects in it.
    OpenapiLacksBuiltin = warn "openapi" "lacks-builtin",
    /// The sort options are faulty.
    SortInvalid = error "sort" "invalid",
    /// Only the target's `sortOptions` count.
    SortIgnored = warn "sort" "ignored",
    /// A build yields no object.
    BuildEmpty = warn "build" "empty",
    /// A file of `crds` holds no definition that is used.
    CrdsNoDefinition = warn "crds" "no-definition",
    /// Labels give a Service a selector that it did not have.
    LabelsSelectorCreated = warn "labels" "selector-created",
    /// A comment names a code that does not exist.
    LintUnknownCode = warn "lint" "unknown-code",
    /// A comment allows a finding and gives no reason.
    LintNoReason = warn "lint" "no-reason",
    /// The project file does not exist.
    ProjectMissing = error "project" "missing",
    /// A field of the project file is not known.
    ProjectUnknownField = error "project" "unknown-field",
    /// A field of the project file holds a value of the wrong type.
    ProjectWrongType = error "project" "wrong-type",
    /// The project file sets the level of a code that is not known, or of an error.
    ProjectUnknownCode = error "project" "unknown-code",
    /// A name is no environment of the project.
    EnvironmentUnknown = error "environment" "unknown",
    /// Two environments have one name, or a directory belongs to several.
    EnvironmentAmbiguous = error "environment" "ambiguous",
    /// The path of an environment is no directory.
    EnvironmentMissing = error "environment" "missing",
    /// The pattern of an environment fits no directory.
    EnvironmentPatternUnmatched = warn "environment" "pattern-unmatched",
    /// A file of values does not exist.
    ValuesMissing = error "values" "missing",
    /// Values, or a value on the command line, are not written as values are.
    ValuesInvalid = error "values" "invalid",
    /// A value contradicts the schema of the values.
    ValuesSchema = error "values" "schema",
    /// The schema of the values is none.
    ValuesSchemaInvalid = error "values" "schema-invalid",
    /// No template uses a value.
    ValuesUnused = warn "values" "unused",
    /// A value overrides another with the same value.
    ValuesOverrideSame = warn "values" "override-same",
    /// A secret value reaches something else than the data of a Secret.
    ValuesSecretLeak = error "values" "secret-leak",
    /// A template is not written in the language of templates.
    TemplateSyntax = error "template" "syntax",
    /// A template uses a value that is not defined.
    TemplateUndefined = error "template" "undefined",
    /// A template could not be rendered.
    TemplateFailed = error "template" "failed",
    /// A template does more than any useful one.
    TemplateEndless = error "template" "endless",
    /// A template reads a file outside the project.
    TemplateOutsideProject = error "template" "outside-project",
    /// A string becomes a number, a boolean or a null once it is rendered.
    TemplateRetyped = error "template" "retyped",
    /// A Secret would be in the rendered tree.
    RenderSecret = error "render" "secret",
    /// A file that kiln did not write is in the way.
    RenderForeignFile = error "render" "foreign-file",
    /// Two objects would be rendered to one file.
    RenderConflict = error "render" "conflict",
    /// An environment that had objects has none any more.
    RenderEmptied = error "render" "emptied",
    /// Another render is at work.
    RenderLocked = error "render" "locked",
    /// The git index does not hold rendered files as they are.
    RenderNotStaged = error "render" "not-staged",
    /// A file that was compiled for the rendered tree is not known to git.
    RenderSourceUntracked = error "render" "source-untracked",
    /// The parameters or the path of an Argo CD Application cannot be used.
    ArgocdParameters = error "argocd" "parameters",
    /// It is not clear which environment an Argo CD Application means.
    ArgocdEnvironment = error "argocd" "environment",
    /// Argo CD has handed over a part of the repository, without the project file.
    ArgocdIncomplete = error "argocd" "incomplete",
    /// An Argo CD Application would have no object.
    ArgocdEmpty = error "argocd" "empty",
    /// A Secret that is encrypted with SOPS would be applied as it is.
    ArgocdEncrypted = error "argocd" "encrypted",
    /// A field is not known to the schema of its object.
    SchemaUnknownField = deny "schema" "unknown-field",
    /// A field that the schema requires is missing.
    SchemaMissingField = deny "schema" "missing-field",
    /// A value has another type than the schema says.
    SchemaWrongType = deny "schema" "wrong-type",
    /// A value is none that Kubernetes accepts.
    SchemaInvalidValue = deny "schema" "invalid-value",
    /// Two elements of a list have the same key.
    SchemaDuplicateKey = deny "schema" "duplicate-key",
    /// Two elements of a list have the same key, which Kubernetes accepts in most cases.
    SchemaRepeatedEntry = warn "schema" "repeated-entry",
    /// Kubernetes serves no such kind.
    SchemaNoSuchKind = deny "schema" "no-such-kind",
    /// The chosen version of Kubernetes does not serve an API version.
    SchemaRemovedVersion = deny "schema" "removed-version",
    /// An API version is deprecated.
    SchemaDeprecatedVersion = warn "schema" "deprecated-version",
    /// No schema is known for a kind.
    SchemaUnknownKind = warn "schema" "unknown-kind",
    /// No version of Kubernetes is chosen.
    SchemaNoVersion = warn "schema" "no-version",
    /// The types of the chosen version of Kubernetes are not known.
    SchemaUnknownVersion = error "schema" "unknown-version",
    /// Two objects of one file are the same object.
    SchemaDuplicateObject = deny "schema" "duplicate-object",
    /// A Windows container runs in the namespaces of its node.
    PolicyHostProcess = deny "policy" "host-process",
    /// A pod shares a namespace of its node.
    PolicyHostNamespaces = deny "policy" "host-namespaces",
    /// A container is privileged.
    PolicyPrivileged = deny "policy" "privileged",
    /// A container has capabilities that it must not have, or does not drop those that it need not have.
    PolicyCapabilities = deny "policy" "capabilities",
    /// A pod mounts a directory of its node.
    PolicyHostPath = deny "policy" "host-path",
    /// A container takes a port of its node.
    PolicyHostPort = deny "policy" "host-port",
    /// A probe or a hook names a host.
    PolicyHostProbe = deny "policy" "host-probe",
    /// A container has another AppArmor profile than that of the runtime.
    PolicyApparmor = deny "policy" "apparmor",
    /// A pod chooses its SELinux user, role or type.
    PolicySelinux = deny "policy" "selinux",
    /// A container sees all of `/proc`.
    PolicyProcMount = deny "policy" "proc-mount",
    /// A container runs without a seccomp profile.
    PolicySeccomp = deny "policy" "seccomp",
    /// A pod sets a kernel parameter that is not its own.
    PolicySysctl = deny "policy" "sysctl",
    /// A pod has a volume of a kind that it must not have.
    PolicyVolumeType = deny "policy" "volume-type",
    /// A process of a container may gain privileges.
    PolicyPrivilegeEscalation = deny "policy" "privilege-escalation",
    /// A container may run as root.
    PolicyRunAsNonRoot = deny "policy" "run-as-non-root",
    /// A container runs as user 0.
    PolicyRunAsRoot = deny "policy" "run-as-root",
    /// An image has no tag, or the tag `latest`.
    PolicyLatestImage = allow "policy" "latest-image",
    /// An image has no digest.
    PolicyUnpinnedImage = allow "policy" "unpinned-image",
    /// A container requests no processor time or no memory.
    PolicyMissingRequests = allow "policy" "missing-requests",
    /// The memory of a container has no limit.
    PolicyMissingLimits = allow "policy" "missing-limits",
    /// A container has no readiness probe.
    PolicyMissingReadinessProbe = allow "policy" "missing-readiness-probe",
    /// A container has no liveness probe.
    PolicyMissingLivenessProbe = allow "policy" "missing-liveness-probe",
    /// A Secret holds text that is not encrypted.
    PolicyPlainSecret = allow "policy" "plain-secret",
    /// An entry of a baseline is about nothing that is still found.
    BaselineStale = warn "baseline" "stale",
    /// A baseline cannot be read.
    BaselineInvalid = error "baseline" "invalid",
    /// A file that is imported holds no definition of a custom resource.
    SchemaNoDefinition = error "schema" "no-definition",
    /// Another file defines a custom resource that is imported.
    SchemaDefinitionExists = error "schema" "definition-exists",
    /// A ConfigMap that an object names is not there.
    ReferenceMissingConfigMap = warn "reference" "missing-config-map",
    /// A Secret that an object names is not there.
    ReferenceMissingSecret = warn "reference" "missing-secret",
    /// A ConfigMap or Secret has not the key that an object names.
    ReferenceMissingKey = warn "reference" "missing-key",
    /// A ServiceAccount that pods are to run as is not there.
    ReferenceMissingServiceAccount = warn "reference" "missing-service-account",
    /// A claim that a volume names is not there.
    ReferenceMissingClaim = warn "reference" "missing-claim",
    /// A PriorityClass that pods name is not there.
    ReferenceMissingPriorityClass = warn "reference" "missing-priority-class",
    /// A Service that a route, a workload or a webhook names is not there.
    ReferenceMissingService = warn "reference" "missing-service",
    /// A Service has not the port that a route or a monitor names.
    ReferenceMissingPort = warn "reference" "missing-port",
    /// A Gateway that a route names is not there.
    ReferenceMissingGateway = warn "reference" "missing-gateway",
    /// A workload that an autoscaler names is not there.
    ReferenceMissingScaleTarget = warn "reference" "missing-scale-target",
    /// A role that a binding names is not there.
    ReferenceMissingRole = warn "reference" "missing-role",
    /// A ServiceAccount that a binding names is not there.
    ReferenceMissingSubject = warn "reference" "missing-subject",
    /// No container has the port that a probe or a Service names.
    ReferenceMissingContainerPort = warn "reference" "missing-container-port",
    /// A Service selects no pod.
    ReferenceServiceWithoutPods = warn "reference" "service-without-pods",
    /// A PodDisruptionBudget or NetworkPolicy selects no pod.
    ReferencePolicyWithoutPods = warn "reference" "policy-without-pods",
    /// A ServiceMonitor or PodMonitor selects nothing.
    ReferenceMonitorWithoutTargets = warn "reference" "monitor-without-targets",
    /// A directory is in no git repository.
    GitNoRepository = error "git" "no-repository",
    /// A revision is no commit of the repository.
    GitUnknownRevision = error "git" "unknown-revision",
    /// Two revisions have no common ancestor that is there.
    GitNoMergeBase = error "git" "no-merge-base",
    /// An object of a revision is not in the clone.
    GitMissingObject = error "git" "missing-object",
    /// A file of a submodule is read from a revision.
    GitSubmodule = error "git" "submodule",
    /// A file is a git LFS pointer, and its content is not there.
    GitLfsPointer = error "git" "lfs-pointer",
    /// The git repository cannot be read.
    GitUnreadable = error "git" "unreadable",
    /// No object of a build has a name that was asked for.
    BlameNoObject = error "blame" "no-object",
    /// A name that was asked for is that of several objects.
    BlameAmbiguous = error "blame" "ambiguous",
    /// An object has no field that was asked for, and never had it.
    BlameNoField = error "blame" "no-field",
    /// A kustomization does not allow the change that is asked for.
    EditRefused = error "edit" "refused",
    /// The way a kustomization is written does not allow a change in place.
    EditNotInPlace = error "edit" "not-in-place",
    /// The command line is wrong.
    Usage = error "cli" "usage",
    /// Output could not be written.
    Output = error "cli" "output",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_kebab_case() {
        let mut names: Vec<&str> = Code::ALL.iter().map(|c| c.name()).collect();
        for name in &names {
            let (room, fault) = name.split_once("::").unwrap();
            let kebab = |s: &str| {
                !s.is_empty()
                    && s.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b.is_ascii_digit())
            };
            assert!(kebab(room) && kebab(fault), "{name}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
