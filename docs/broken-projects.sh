#!/bin/sh
# Builds every project of examples/broken with kustomize and with kiln, and writes what they say to docs/broken-projects.md.
# usage: docs/broken-projects.sh KUSTOMIZE KILN
set -eu
kustomize=$1 kiln=$2
cd "$(dirname "$0")/.."
here=$(pwd)
{
    cat <<'HEAD'
# Ten broken projects

What kustomize 5.8.1 and kiln say about the projects in [`examples/broken`](../examples/broken), whose target is `overlays/prod`. This page is
written by `docs/broken-projects.sh KUSTOMIZE KILN`, which runs both; the tests compare kiln's half.
HEAD
    for project in examples/broken/*/; do
        name=$(basename "$project")
        printf '\n## %s\n' "$name"
        for tool in kustomize kiln; do
            [ "$tool" = kustomize ] && program=$kustomize || program=$kiln
            status=0
            said=$(cd "$project" && "$program" build overlays/prod 2>&1 >/dev/null) || status=$?
            said=$(printf '%s' "$said" | sed "s|$here/$project|/|g; s|$here/|/|g; s|$kustomize|kustomize|g")
            printf '\n`%s build overlays/prod` ends with %s' "$tool" "$status"
            if [ -z "$said" ]; then
                printf ' and says nothing.\n'
            else
                printf ':\n\n```text\n%s\n```\n' "$said"
            fi
        done
    done
} >docs/broken-projects.md
