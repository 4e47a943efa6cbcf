#!/usr/bin/env python3
"""Write catalogue.txt: the schemas of the custom resources of well-known operators.

usage: generate-catalogue.py [--definitions DIR] > catalogue.txt

The input are the CustomResourceDefinitions of the releases in RELEASES. Most projects keep them as YAML in their Go module, which is fetched with
`go mod download`; those of Flux are made from the Go types of its API modules with `controller-gen`, as Flux itself makes them. The checksum of
each module, as `go.sum` writes it, stands in RELEASES and is checked. With `--definitions` the definitions are written to a folder, too, one file for
each release, unchanged. Needs Go and PyYAML.

Only facts are taken: groups, versions, kinds, scopes, and of the schemas what decides whether a value is accepted. Descriptions and examples are dropped; of
a default it is kept that there is one, and of CEL rules how many there are. Lists of values that installations extend (EXTENDED) are left out. Of older releases only those versions of a kind are taken that the newest
release of the project no longer has.

Output:
  release NAME                             what messages name; numbered from 0
  kind GROUP/VERSION KIND SCOPE RELEASE STATE SCHEMA
                                           sorted; SCOPE is Namespaced or Cluster; STATE is `-`, `deprecated`, or `gone`: the newest release no longer
                                           serves it
  schemas
  NAME JSON                                sorted by name; an OpenAPI schema, less what is dropped. Where a schema stands in another, a text is the name of
                                           one that has a line of its own; `NAME[]` is a list and `NAME{}` a map of them
A schema has a line of its own if it has properties, or if it occurs more than once. Its name is made from its content, so that a line changes only with
what it says, and with what it leads to.
"""
import argparse
import collections
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

import yaml

Module = collections.namedtuple("Module", "path version sum files")
Release = collections.namedtuple("Release", "name modules tool is_older", defaults=(None, False))

CONTROLLER_TOOLS = {
    "v0.18.0": "h1:rGxGZCZTV2wJreeRgqVoWab/mfcumTMmSwKzoM9xrsE=",
    "v0.21.0": "h1:KXDQza3bgjlPY6xLR63tI/40gzjhyUAvkCrwzd2/6cs=",
}
FLUX = "github.com/fluxcd/"


def flux(name, version, total):
    return Module(FLUX + name, version, total, None)


# The newest release of a project comes before its older ones.
RELEASES = [
    Release("Argo CD 3.6.1", [Module("github.com/argoproj/argo-cd/v3", "v3.6.1", "h1:OmhqeKiR3C//awbFrhQqFdtRI+Qiv17j8vqm3UkMj/g=", r"manifests/crds/.*-crd\.yaml")]),
    Release("Argo Rollouts 1.10.2", [Module("github.com/argoproj/argo-rollouts", "v1.10.2", "h1:sEPWsY+HUvnXj3Vh0ejb+GDTceQ/palqhFo2FVQJMk0=", r"manifests/crds/.*-crd\.yaml")]),
    Release("cert-manager 1.21.2", [Module("github.com/cert-manager/cert-manager", "v1.21.2", "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=", r"deploy/crds/.*\.yaml")]),
    Release("CloudNativePG 1.30.0", [Module("github.com/cloudnative-pg/cloudnative-pg", "v1.30.0", "h1:fnhVq44xXx97MNiuvJsPrX1vSjYbgdyBK5MSGfdHdp0=", r"config/crd/bases/.*\.yaml")]),
    Release("External Secrets 1.3.2", [Module("github.com/external-secrets/external-secrets", "v1.3.2", "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=", r"config/crds/bases/.*\.yaml")]),
    Release("Flux 2.9", [
        flux("helm-controller/api", "v1.6.5", "h1:ElqM5KIpdUwVK1VSi1fXcMwOlf0LghuqwM2SwqaTyNs="),
        flux("image-automation-controller/api", "v1.2.5", "h1:dermKv30IuWWOUwGK8Y4T3V2UX8pvRt6E8BZTP0uipI="),
        flux("image-reflector-controller/api", "v1.2.5", "h1:3lUBpBuefeO1UtVmGnvJOP5iSI2B2Lm6+CnPRdb8F54="),
        flux("kustomize-controller/api", "v1.9.6", "h1:7XiuW+l3YYXWeIwLJ8w34zHlJyMUEKosBIxLIki9J3I="),
        flux("notification-controller/api", "v1.9.4", "h1:vuBufiFTkgysHUorjgsfgMOMQgCWDjZ10KA4uJl2oNM="),
        flux("source-controller/api", "v1.9.6", "h1:h9+CsJVw4CNbMEsnEb11SGEhLfKzVTkWC0w7M8VX4Hk="),
        flux("source-watcher/api/v2", "v2.2.4", "h1:qOopJmIjzw530VLDMqCqgFSQKX1NDQ2lRV4NJ6InAIA="),
    ], "v0.21.0"),
    Release("Flux 2.6", [
        flux("helm-controller/api", "v1.3.0", "h1:PupXPuQbksmU0g2Lc6NjIYal2HJGL+6xohsf82eGVjo="),
        flux("image-automation-controller/api", "v0.41.2", "h1:miYjID4Mg51xcObVLQPRGkiWFYGpBSgItTXfQ4jVUVI="),
        flux("image-reflector-controller/api", "v0.35.2", "h1:EzjtUpyx8kbTFx7ugdi5LRMaCpQW4kX/vjFCIPpPD38="),
        flux("kustomize-controller/api", "v1.6.1", "h1:8AOD+BWQwCLT+u5jgtGryZWkCeslgr+cnQAfUzgWmGk="),
        flux("notification-controller/api", "v1.6.0", "h1:t0k662zxnUZlnDvFrk4DBDl6iivFmJxbwuRdyhH9Ot4="),
        flux("source-controller/api", "v1.6.2", "h1:UmodAeqLIeF29HdTqf2GiacZyO+hJydJlepDaYsMvhc="),
    ], "v0.18.0", is_older=True),
    Release("Gateway API 1.7.0", [Module("sigs.k8s.io/gateway-api", "v1.7.0", "h1:duVnm7nO6oXfMMUWfcDoBph47CYR/ME3NGxccOVglaY=", r"config/crd/experimental/gateway\..*\.yaml")]),
    Release("Istio 1.31.1", [Module("istio.io/api", "v1.31.1", "h1:5Yb5ihcz4YQsCkciusK7DnFpBMwRB6EFWeUKH1Atuyk=", r"kubernetes/customresourcedefinitions\.gen\.yaml")]),
    Release("KEDA 2.21.0", [Module("github.com/kedacore/keda/v2", "v2.21.0", "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=", r"config/crd/(?:bases|patches)/.*\.yaml")]),
    Release("Prometheus Operator 0.93.1", [Module("github.com/prometheus-operator/prometheus-operator", "v0.93.1", "h1:4Juk8v93RdG1DSGD/mGp+SeQKPmnlLIj2iq3blLZgFY=", r"example/prometheus-operator-crd-full/.*\.yaml")]),
    Release("Sealed Secrets 0.40.0", [Module("github.com/bitnami-labs/sealed-secrets", "v0.40.0", "h1:rvCP35JL8ZV5LNA2SrwNR6iLyoM3ulrSFWN0lBtYEYI=", r"helm/sealed-secrets/crds/.*\.yaml")]),
]

# What a schema may have. What stands for nothing here is dropped; a word that is in none of the lists is a fault.
KEPT = {
    "type", "format", "nullable", "required", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems", "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys",
}
DROPPED = {"description", "title", "example", "externalDocs", "x-kubernetes-map-type"}
SCHEMAS = ("items", "not")
LISTS = ("allOf", "anyOf", "oneOf")
# Lists of values that installations extend, as the documentation of Flux tells them to for the kinds of other controllers.
EXTENDED = {
    ("notification.toolkit.fluxcd.io", "Alert"): ("spec", "eventSources", "kind"),
    ("notification.toolkit.fluxcd.io", "Receiver"): ("spec", "resources", "kind"),
}
# Schemas that everything has; their names say what they are.
NAMES = {
    '{"type":"boolean"}': "boolean",
    '{"type":"string"}': "string",
    '{"type":"integer"}': "integer",
    '{"type":"number"}': "number",
    '{"type":"object"}': "object",
    '{"format":"int32","type":"integer"}': "int32",
    '{"format":"int64","type":"integer"}': "int64",
}


class Loader(yaml.CSafeLoader):
    """Reads `=` and times as text, as Kubernetes does."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in ("tag:yaml.org,2002:value", "tag:yaml.org,2002:timestamp")]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def go(*arguments, folder="/", **more):
    env = dict(os.environ, GOFLAGS="-mod=mod", GOTOOLCHAIN="local")
    return subprocess.run(["go", *arguments], env=env, cwd=folder, stdout=subprocess.PIPE, text=True, **more)


def archive(path, version, total):
    """Returns the archive of a module."""
    # The command fails for a module that asks for a newer Go, and says all the same where it is.
    found = json.loads(go("mod", "download", "-json", f"{path}@{version}").stdout)
    if found.get("Sum") != total:
        sys.exit(f"{path}@{version}: its checksum is {found.get('Sum')}, not {total}: {found.get('Error')}")
    return found["Zip"]


def read_files(module):
    """Returns the YAML documents of a module's files, by path."""
    root = f"{module.path}@{module.version}/"
    with zipfile.ZipFile(archive(*module[:3])) as found:
        names = [name for name in found.namelist() if re.fullmatch(module.files, name[len(root):])]
        return {name[len(root):]: list(yaml.load_all(found.read(name), Loader=Loader)) for name in sorted(names)}


def generate(release):
    """Returns the definitions that `controller-gen` makes from the types of modules."""
    tools = ("sigs.k8s.io/controller-tools", release.tool, CONTROLLER_TOOLS[release.tool])
    for path, version, total in [tools, *(module[:3] for module in release.modules)]:
        archive(path, version, total)
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/go.mod", "w") as file:
            file.write("module catalogue\n\ngo 1.26\n")
        wanted = [f"{path}@{version}" for path, version, _ in [tools, *(module[:3] for module in release.modules)]]
        go("get", *wanted, folder=folder, check=True, stderr=subprocess.DEVNULL)
        paths = [f"paths={module.path}/..." for module in release.modules]
        command = "sigs.k8s.io/controller-tools/cmd/controller-gen"
        go("run", command, "crd:crdVersions=v1", *paths, f"output:crd:dir={folder}/out", folder=folder, check=True, stderr=subprocess.DEVNULL)
        for name in sorted(os.listdir(folder + "/out")):
            with open(f"{folder}/out/{name}") as file:
                yield yaml.load(file, Loader=Loader)


def patched(files):
    """Applies the JSON patches that a module keeps for its definitions (KEDA)."""
    definitions = {document["metadata"]["name"]: document for documents in files.values() for document in documents if is_definition(document)}
    for path, documents in files.items():
        for operations in documents if "/patches/" in path else ():
            name = re.search(r"(\w+)_patch\.yaml", path)[1]
            target = next(one for key, one in definitions.items() if key.startswith(name))
            for operation in operations:
                *way, last = operation["path"].lstrip("/").split("/")
                at = target
                for step in way:
                    at = at[int(step) if isinstance(at, list) else step]
                match operation["op"], isinstance(at, list):
                    case "add", True:
                        assert last == "-", operation
                        at.append(operation["value"])
                    case "add", False:
                        at[last] = operation["value"]
                    case "remove", False:
                        del at[last]
                    case _:
                        sys.exit(f"{path}: {operation}")
    return definitions.values()


def is_definition(document):
    return isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition"


def definitions(release):
    if release.tool:
        yield from generate(release)
    else:
        for module in release.modules:
            yield from patched(read_files(module))


def reduced(schema):
    """Returns what decides about values."""
    out = {}
    for word, value in schema.items():
        if word in KEPT:
            # Zero is a bound, and equal to False.
            if value is not False and value != []:
                out[word] = value
        elif word == "properties" or word == "additionalProperties" and isinstance(value, dict) and word not in out:
            if word == "properties":
                out[word] = {name: reduced(one) for name, one in value.items()}
            else:
                out[word] = reduced(value)
        elif word == "additionalProperties":
            out[word] = value
        elif word in SCHEMAS:
            out[word] = reduced(value)
        elif word in LISTS:
            out[word] = [reduced(one) for one in value]
        elif word == "default":
            out[word] = True
        elif word == "x-kubernetes-validations":
            out[word] = len(value)
        elif word == "x-kubernetes-list-type":
            # `map` says no more than the keys do.
            if value == "set":
                out[word] = value
        elif word not in DROPPED:
            sys.exit(f"no word of a schema: {word}")
    return out


def open_values(schema, way):
    """Lets the value at a path be any, of those of its type."""
    at = schema
    for name in way:
        at = at["properties"][name]
        at = at.get("items", at)
    if way:
        del at["enum"]


def written(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def below(schema, change):
    """Returns the schema with those that it has below it changed. What stands in combinations stays."""
    out = dict(schema)
    for word in ("items", "additionalProperties"):
        if isinstance(out.get(word), (dict, str)):
            out[word] = change(out[word])
    if "properties" in out:
        out["properties"] = {name: change(one) for name, one in out["properties"].items()}
    return out


class Table:
    def __init__(self, roots):
        self.count = collections.Counter()
        self.lines = {}
        self.seen = set()
        for root in roots:
            self.visit(root)

    def visit(self, schema):
        text = written(schema)
        self.count[text] += 1
        if self.count[text] == 1:
            below(schema, self.visit)

    def name(self, schema):
        """Returns what stands for a schema where it occurs: a name, or its own text."""
        text = written(schema)
        if text in NAMES:
            self.lines[NAMES[text]] = text
            return NAMES[text]
        inner = below(schema, self.name)
        for word, kind, suffix in (("items", "array", "[]"), ("additionalProperties", "object", "{}")):
            if set(inner) == {"type", word} and inner["type"] == kind and isinstance(inner[word], str):
                return inner[word] + suffix
        if "properties" not in inner and self.count[text] == 1:
            return inner
        return self.add(inner)

    def expanded(self, name):
        """Returns the schema that a name stands for, as it was."""
        if isinstance(name, str):
            for kind, word in (("[]", "items"), ("{}", "additionalProperties")):
                if name.endswith(kind):
                    return {"type": "array" if kind == "[]" else "object", word: self.expanded(name[:-2])}
            name = json.loads(self.lines[name])
        return below(name, self.expanded)

    def add(self, schema):
        text = written(schema)
        digest = hashlib.sha256(text.encode()).digest()
        name = "".join("abcdefghijklmnopqrstuvwxyz234567"[byte & 31] for byte in digest[:6])
        assert self.lines.setdefault(name, text) == text, f"two schemas have the name {name}"
        return name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--definitions")
    arguments = parser.parse_args()
    kinds = {}
    newest = [release.name for release in RELEASES if not release.is_older]
    for release in RELEASES:
        # Of what an older release has, messages say that the newest has it no longer.
        number = newest.index(release.name) if not release.is_older else number
        found = list(definitions(release))
        assert found, release.name
        if arguments.definitions:
            os.makedirs(arguments.definitions, exist_ok=True)
            with open(f"{arguments.definitions}/{release.name.replace(' ', '-')}.yaml", "w") as file:
                yaml.dump_all(found, file, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
        for definition in found:
            spec = definition["spec"]
            assert "preserveUnknownFields" not in spec or spec["preserveUnknownFields"] is False, spec["names"]
            group, kind = spec["group"], spec["names"]["kind"]
            for version in spec["versions"]:
                if (group, version["name"], kind) in kinds:
                    assert release.is_older, (release.name, kind)
                    continue
                state = "gone" if release.is_older or not version["served"] else "deprecated" if version.get("deprecated") else "-"
                schema = reduced(version["schema"]["openAPIV3Schema"])
                open_values(schema, EXTENDED.get((group, kind), ()))
                kinds[group, version["name"], kind] = (spec["scope"], number, state, schema)
    table = Table([entry[3] for entry in kinds.values()])
    lines = []
    for (group, version, kind), (scope, number, state, schema) in sorted(kinds.items()):
        name = table.add(below(schema, table.name))
        assert table.expanded(name) == schema, kind
        lines.append(f"kind {group}/{version} {kind} {scope} {number} {state} {name}")
    for name in newest:
        print("release " + name)
    print("\n".join(lines))
    print("schemas")
    for name, text in sorted(table.lines.items()):
        print(name, text)


main()
