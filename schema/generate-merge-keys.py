#!/usr/bin/env python3
"""Write merge-keys-v1.21.2.txt: how strategic merge patches treat the fields of Kubernetes 1.21.2 objects.

usage: generate-merge-keys.py [SWAGGER.pb] > merge-keys-v1.21.2.txt

The input is the OpenAPI document that kustomize 5.8.1 carries, in the Go module sigs.k8s.io/kustomize/kyaml v0.21.1 as
openapi/kubernetesapi/v1_21_2/swagger.pb (a gnostic `openapi.v2.Document`). Without an argument the module is fetched
with `go mod download`. Only facts are taken from it: which type has which fields, what they lead to, and the vendor
extensions x-kubernetes-patch-strategy, x-kubernetes-patch-merge-key and x-kubernetes-list-map-keys.

Output, one schema a line, numbered from 0 after the line `schemas`:
  o NAME:NUMBER ... [*:NUMBER]   an object: its properties, and the schema of any other property
  a NUMBER [STRATEGY[:KEY,...]]  a list: the schema of its elements
  s                              anything else
before that line, sorted: APIVERSION KIND NUMBER for each type; and after the schemas and the line `definitions`, sorted:
NAME NUMBER for each definition, which the documents of users refer to.
"""
import json
import os
import subprocess
import sys


def fetch():
    env = dict(os.environ, GOFLAGS="-mod=mod")
    out = subprocess.run(["go", "mod", "download", "-json", "sigs.k8s.io/kustomize/kyaml@v0.21.1"],
                         check=True, capture_output=True, env=env, cwd="/")
    return json.loads(out.stdout)["Dir"] + "/openapi/kubernetesapi/v1_21_2/swagger.pb"


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Yields (field number, value) of a protobuf message; values of length-delimited fields are bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        elif kind == 5:
            value, at = data[at:at + 4], at + 4
        else:
            raise ValueError(f"wire type {kind}")
        yield key >> 3, value


def named(data):
    """A message with a name (1) and a value (2)."""
    parts = dict(fields(data))
    return parts.get(1, b"").decode(), parts.get(2, b"")


# Field numbers of gnostic's openapi.v2.
DEFINITIONS, REF, ADDITIONAL, TYPE, ITEMS, PROPERTIES, EXTENSION = 9, 1, 21, 22, 23, 25, 31


def extension(any_message):
    """The YAML text of a vendor extension's value."""
    return dict(fields(any_message)).get(2, b"").decode().strip()


def schema(data):
    out = {"properties": {}, "extensions": {}, "types": []}
    for number, value in fields(data):
        if number == REF:
            out["ref"] = value.decode().removeprefix("#/definitions/")
        elif number == ADDITIONAL:
            for sub, item in fields(value):
                if sub == 1:
                    out["additional"] = schema(item)
        elif number == TYPE:
            out["types"] = [v.decode() for n, v in fields(value) if n == 1]
        elif number == ITEMS:
            items = [v for n, v in fields(value) if n == 1]
            out["items"] = schema(items[0])
        elif number == PROPERTIES:
            for _, pair in fields(value):
                name, body = named(pair)
                out["properties"][name] = schema(body)
        elif number == EXTENSION:
            name, body = named(value)
            out["extensions"][name] = extension(body)
    return out


def yaml_list(text):
    """A flat YAML list of words, or of maps with scalar values."""
    items = []
    for line in text.splitlines():
        if line.startswith("- "):
            items.append(line[2:])
        elif line.startswith("  "):
            items[-1] += "\n" + line[2:]
    out = []
    for item in items:
        if ":" in item:
            pairs = (l.split(":", 1) for l in item.splitlines())
            out.append({k.strip(): v.strip().strip('"') for k, v in pairs})
        else:
            out.append(item.strip())
    return out


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else fetch()
    document = open(path, "rb").read()
    definitions = {}
    for number, value in fields(document):
        if number == DEFINITIONS:
            for _, pair in fields(value):
                name, body = named(pair)
                definitions[name] = schema(body)

    lines, numbers, busy = [], {}, {}

    def number_of(s):
        if "ref" in s:
            name = s["ref"]
            if name not in busy:
                busy[name] = len(lines)
                lines.append(None)
                lines[busy[name]] = line_of(definitions[name])
            return busy[name]
        line = line_of(s)
        if line not in numbers:
            numbers[line] = len(lines)
            lines.append(line)
        return numbers[line]

    def line_of(s):
        if s["types"] == ["array"] and "items" in s:
            e = s["extensions"]
            strategy = e.get("x-kubernetes-patch-strategy", "")
            keys = yaml_list(e.get("x-kubernetes-list-map-keys", "")) or [e.get("x-kubernetes-patch-merge-key", "")]
            rule = f" {strategy}" if strategy else ""
            if rule and keys != [""]:
                rule += ":" + ",".join(keys)
            return f"a {number_of(s['items'])}{rule}"
        parts = [f"{name}:{number_of(s['properties'][name])}" for name in sorted(s["properties"])]
        if "additional" in s:
            parts.append(f"*:{number_of(s['additional'])}")
        return " ".join(["o", *parts]) if parts else "s"

    types = []
    for name in sorted(definitions):
        for gvk in yaml_list(definitions[name]["extensions"].get("x-kubernetes-group-version-kind", "")):
            api = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            types.append((api, gvk["kind"], number_of({"ref": name})))
    names = [(name, number_of({"ref": name})) for name in sorted(definitions)]
    for api, kind, number in sorted(types):
        print(api, kind, number)
    print("schemas")
    for line in lines:
        print(line)
    print("definitions")
    for name, number in names:
        print(name, number)


main()
