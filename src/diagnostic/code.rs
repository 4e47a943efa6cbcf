//! The registry of codes.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $code:ident = $name:literal,)*) => {
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
                match self { $(Self::$code => $name,)* }
            }

            /// Returns what the code means.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc, "\n",)+),)* }
            }
        }
    };
}

codes! {
    /// A file that an entry names does not exist.
    FileMissing = "file::missing",
    /// A directory or a device stands where a file is needed.
    FileNotAFile = "file::not-a-file",
    /// A file lies outside the directory of the kustomization that names it.
    FileOutsideRoot = "file::outside-root",
    /// A file could not be read.
    FileUnreadable = "file::unreadable",
    /// A file is not UTF-8 text.
    FileNotUtf8 = "file::not-utf8",
    /// The input of one run is too large.
    FileTooLarge = "file::too-large",
    /// A base or component does not exist.
    BaseMissing = "base::missing",
    /// A base or component is not a directory.
    BaseNotADirectory = "base::not-a-directory",
    /// A base is named by an absolute path.
    BaseAbsolute = "base::absolute",
    /// A base leads back to a kustomization that is being built.
    BaseCycle = "base::cycle",
    /// A base is a remote repository or URL.
    BaseRemote = "base::remote",
    /// A Component stands in `resources`, or a Kustomization in `components`.
    BaseWrongKind = "base::wrong-kind",
    /// A directory holds no kustomization file.
    KustomizationMissing = "kustomization::missing",
    /// A directory holds several kustomization files.
    KustomizationAmbiguous = "kustomization::ambiguous",
    /// A kustomization says nothing.
    KustomizationEmpty = "kustomization::empty",
    /// A kustomization has a kind or version that is not known.
    KustomizationVersion = "kustomization::version",
    /// A field is not known.
    UnknownField = "kustomization::unknown-field",
    /// A field holds a value of the wrong type.
    WrongType = "kustomization::wrong-type",
    /// A field that is needed is missing, or two fields exclude each other.
    InvalidEntry = "kustomization::invalid-entry",
    /// A field is deprecated.
    DeprecatedField = "kustomization::deprecated-field",
    /// A text is not YAML.
    YamlSyntax = "yaml::syntax",
    /// A map has a key twice.
    YamlDuplicateKey = "yaml::duplicate-key",
    /// A key of a map is not a string.
    YamlKeyNotString = "yaml::key-not-string",
    /// A value does not fit its type.
    YamlTypeMismatch = "yaml::type-mismatch",
    /// A value cannot be written.
    YamlUnwritable = "yaml::unwritable",
    /// A text is not JSON.
    JsonSyntax = "json::syntax",
    /// A document is not an object.
    ResourceNotAnObject = "resource::not-an-object",
    /// An object has no kind.
    ResourceMissingKind = "resource::missing-kind",
    /// An object has no name.
    ResourceMissingName = "resource::missing-name",
    /// Two objects have the same id.
    ResourceDuplicateId = "resource::duplicate-id",
    /// A list object's items are not a list.
    ResourceItemsNotAList = "resource::items-not-a-list",
    /// A generator is faulty.
    GeneratorInvalid = "generator::invalid",
    /// A generator repeats a key.
    GeneratorDuplicateKey = "generator::duplicate-key",
    /// A generator's object exists already.
    GeneratorExists = "generator::exists",
    /// A generator merges into an object that does not exist.
    GeneratorNothingToMerge = "generator::nothing-to-merge",
    /// A patch's text is neither a strategic merge patch nor a JSON patch.
    PatchUnreadable = "patch::unreadable",
    /// A patch's target does not exist.
    PatchTargetMissing = "patch::target-missing",
    /// A patch fits several objects.
    PatchTargetAmbiguous = "patch::target-ambiguous",
    /// A patch cannot be merged into its target.
    PatchConflict = "patch::conflict",
    /// An operation of a JSON patch cannot be applied.
    PatchOperation = "patch::operation",
    /// A selector is faulty.
    SelectorInvalid = "selector::invalid",
    /// A field path crosses a value that has no fields.
    FieldPathConflict = "field-path::conflict",
    /// Two field specifications contradict each other.
    FieldSpecConflict = "field-spec::conflict",
    /// A `replicas` entry fits no object.
    ReplicasNoMatch = "replicas::no-match",
    /// A replacement's source is missing or ambiguous.
    ReplacementSource = "replacement::source",
    /// A replacement's target field is missing.
    ReplacementTarget = "replacement::target",
    /// An image cannot be rewritten.
    ImageInvalid = "image::invalid",
    /// A namespace change makes two objects the same.
    NamespaceConflict = "namespace::conflict",
    /// A reference fits several objects.
    NameReferenceAmbiguous = "name-reference::ambiguous",
    /// A reference is not a name.
    NameReferenceInvalid = "name-reference::invalid",
    /// A variable is faulty.
    VarInvalid = "var::invalid",
    /// A plugin is not one of those built in.
    PluginExternal = "plugin::external",
    /// A plugin's configuration is faulty.
    PluginInvalid = "plugin::invalid",
    /// Helm charts are not supported.
    HelmUnsupported = "helm::unsupported",
    /// A schema file is faulty.
    OpenapiInvalid = "openapi::invalid",
    /// The sort options are faulty.
    SortInvalid = "sort::invalid",
    /// The command line is wrong.
    Usage = "cli::usage",
    /// Output could not be written.
    Output = "cli::output",
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
