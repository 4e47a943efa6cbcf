#!/bin/sh
# Compares `kiln validate` with kubeconform, on 20,000 generated objects in 5,000 files, in one file, and on folders of manifests.
# usage: benches/validate.sh SCHEMAS [DIRECTORY...]
#
# SCHEMAS is a folder with the JSON schemas of Kubernetes 1.34 (VERSION, if another is wanted) as kubeconform names them:
# `deployment-apps-v1.json`. Both commands run in turn, RUNS times each (default 5); their output is thrown away. Printed are the
# medians of wall time and of peak memory. GNU time is needed.
set -eu
cd "$(dirname "$0")/.."
schemas=$(cd "$1" && pwd)
shift
RUNS=${RUNS:-5}
VERSION=${VERSION:-1.34}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet
cargo build --release --quiet --example generate-project
kiln=$(pwd)/target/release/kiln

# Deployments, Services, ConfigMaps and ServiceAccounts; each Deployment names a key that a Secret lacks, which only kiln reports.
target/release/examples/generate-project 20000 "$work/project"
mkdir -p "$work/one" "$work/many"
"$kiln" build --no-project "$work/project/overlay" >"$work/one/all.yaml"
awk -v into="$work/many" '
    /^---$/ { documents++; if (documents % 4 == 0) { close(file); file = ""; next } }
    file == "" { file = sprintf("%s/%05d.yaml", into, documents / 4) }
    { print >file }' "$work/one/all.yaml"

# measure FILE COMMAND...: adds the wall time in seconds and the peak memory in KB of one run.
measure() {
    into=$1
    shift
    # Findings end with 1.
    command time -f '%e %M' -o "$work/measured" "$@" >/dev/null 2>&1 || true
    tail -n 1 "$work/measured" >>"$into"
}

# median FILE COLUMN
median() {
    awk -v column="$2" '{ print $column }' "$1" | sort -n |
        awk '{ line[NR] = $1 } END { print line[int((NR + 1) / 2)] }'
}

compare() {
    : >"$work/kiln" && : >"$work/kubeconform"
    run=0
    while [ "$run" -lt "$RUNS" ]; do
        measure "$work/kiln" "$kiln" --no-project validate --kubernetes-version "$VERSION" --format short "$2"
        measure "$work/kubeconform" kubeconform -strict -summary \
            -schema-location "$schemas/{{.ResourceKind}}{{.KindSuffix}}.json" "$2"
        run=$((run + 1))
    done
    own=$(median "$work/kiln" 1)
    other=$(median "$work/kubeconform" 1)
    printf '| %s | %s s, %s KB | %s s, %s KB | %s |\n' "$1" "$own" "$(median "$work/kiln" 2)" \
        "$other" "$(median "$work/kubeconform" 2)" \
        "$(awk -v own="$own" -v other="$other" 'BEGIN { printf "%.1f times", other / own }')"
}

echo "| objects | kiln | kubeconform | throughput |"
echo "| --- | --- | --- | --- |"
compare "20,000 in 5,000 files" "$work/many"
compare "20,000 in one file" "$work/one"
for directory in "$@"; do
    compare "$directory" "$directory"
done
