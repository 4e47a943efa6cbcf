#!/usr/bin/env python3
"""Write kubernetes-types.txt: the fields of every Kubernetes type, for each minor version from 1.25 to 1.37.

usage: generate-kubernetes-types.py [WHEEL] > kubernetes-types.txt

The input is the wheel of kubernetes-validate 1.37.0, which holds the OpenAPI definitions of these versions as JSON Schema.
Without an argument it is fetched with `pip download`; its SHA-256 is checked either way. Only facts are taken from it: names,
types, which fields are required, the keys of lists, and the versions that have them.

Output, sorted:
  versions FIRST LAST                  minor versions of Kubernetes 1
  kind APIVERSION KIND TYPE [MINORS]   the type of an object
  type NAME                            a type, and below it its fields:
   NAME[!] SHAPE [MINORS]              `!`: required
A SHAPE is int32, int64, number, string, bool, time, bytes, quantity, int-or-string, object (any map), any, the NAME of a type, or
one of these behind `{}` (a map of), `[]` (a list of), `[set]` or `[map:KEY,KEY]`. MINORS says which minor versions have the line, if not all:
`27-`, `-30`, `26-28`, several joined by commas.
"""
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "kubernetes-validate==1.37.0"
SHA256 = "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9"
FIRST, LAST = 25, 37
PREFIXES = ("io.k8s.api.", "io.k8s.apimachinery.pkg.", "io.k8s.apiextensions-apiserver.pkg.apis.", "io.k8s.kube-aggregator.pkg.apis.")
WELL_KNOWN = {
    "api.resource.Quantity": "quantity",
    "util.intstr.IntOrString": "int-or-string",
    "apis.meta.v1.Time": "time",
    "apis.meta.v1.MicroTime": "time",
}
PRIMITIVE = {
    ("string", None): "string",
    ("string", "byte"): "bytes",
    ("string", "date-time"): "time",
    ("integer", "int32"): "int32",
    ("integer", "int64"): "int64",
    ("integer", None): "int64",
    ("number", "double"): "number",
    ("number", None): "number",
    ("boolean", None): "bool",
}
# Objects that no manifest holds; they have a kind in every API group.
NOT_MANIFESTS = {"DeleteOptions", "WatchEvent"}
ANNOTATIONS = {"description", "default", "x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key", "x-kubernetes-map-type", "x-kubernetes-unions"}


def fetch(folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder, PACKAGE], check=True)
    return folder + "/" + PACKAGE.replace("-", "_").replace("==", "-") + "-py3-none-any.whl"


def short(name):
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix):]
    return name


class Version:
    def __init__(self, text):
        whole = json.loads(text)
        self.types = {short(name): schema for name, schema in whole.get("$defs", whole).items()}

    def shape(self, schema):
        known = set(schema) - ANNOTATIONS
        if "$ref" in schema:
            name = short(schema["$ref"].rsplit("/", 1)[1])
            if name in WELL_KNOWN:
                return WELL_KNOWN[name]
            return name if "properties" in self.types[name] else self.shape(self.types[name])
        if "type" not in schema:
            assert not known, schema
            return "any"
        kind = schema["type"]
        kind = [one for one in kind if one != "null"][0] if isinstance(kind, list) else kind
        if kind == "array":
            how = schema.get("x-kubernetes-list-type", "atomic")
            if how == "map":
                how = "map:" + ",".join(schema["x-kubernetes-list-map-keys"])
            return ("[]" if how == "atomic" else f"[{how}]") + self.shape(schema["items"])
        if kind == "object":
            assert "properties" not in schema, schema
            return "{}" + self.shape(schema["additionalProperties"]) if "additionalProperties" in schema else "object"
        assert known <= {"type", "format", "enum", "x-kubernetes-list-type"}, schema
        return PRIMITIVE[kind, schema.get("format")]

    def lines(self):
        """Yields (section, line) of this version."""
        for name, schema in self.types.items():
            for gvk in schema.get("x-kubernetes-group-version-kind", ()):
                if gvk["kind"] not in NOT_MANIFESTS:
                    version = "/".join(filter(None, (gvk["group"], gvk["version"])))
                    yield None, f"kind {version} {gvk['kind']} {name}"
            if "properties" not in schema:
                continue
            required = set(schema.get("required", ()))
            for field, of in schema["properties"].items():
                if "$ref" not in of and "type" in of:
                    # Null stands for absence, except where the field is required.
                    assert ("null" in of["type"] and isinstance(of["type"], list)) != (field in required), (name, field)
                yield name, f" {field}{'!' if field in required else ''} {self.shape(of)}"


def ranges(minors):
    """`27-`, `-30`, `26-28`; nothing for all."""
    parts, run = [], []
    for minor in sorted(minors) + [None]:
        if run and minor != run[-1] + 1 if minor is not None else run:
            parts.append((run[0], run[-1]))
            run = []
        run.append(minor)
    if parts == [(FIRST, LAST)]:
        return ""
    return " " + ",".join(f"{'' if a == FIRST else a}-{'' if b == LAST else b}" for a, b in parts)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[1] if len(sys.argv) > 1 else fetch(folder)
        with open(path, "rb") as file:
            found = hashlib.sha256(file.read()).hexdigest()
        if found != SHA256:
            sys.exit(f"{path}: its SHA-256 is {found}, not {SHA256}")
        sections = {}
        with zipfile.ZipFile(path) as wheel:
            for minor in range(FIRST, LAST + 1):
                definitions = f"kubernetes_validate/kubernetes-json-schema/v1.{minor}.0-local/_definitions.json"
                for section, line in Version(wheel.read(definitions)).lines():
                    sections.setdefault(section, {}).setdefault(line, []).append(minor)
    print(f"versions {FIRST} {LAST}")
    for line, minors in sorted(sections.pop(None).items()):
        print(line + ranges(minors))
    for name, lines in sorted(sections.items()):
        print("type " + name)
        for line, minors in sorted(lines.items()):
            print(line + ranges(minors))


main()
