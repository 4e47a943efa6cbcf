#!/bin/sh
# Compares kiln with kustomize and kubectl, where they are installed, on synthetic projects and on real directories.
# usage: benches/compare.sh [DIRECTORY...]     each a kustomization to build as well
#
# The commands run in turn, RUNS times each (default 10), and their output is thrown away. Printed are the median wall
# times in milliseconds and how many times slower than kiln each other tool is.
set -eu
cd "$(dirname "$0")/.."
RUNS=${RUNS:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet
cargo build --release --quiet --example generate-project
kiln=$(pwd)/target/release/kiln

# time_once COMMAND...: wall time in microseconds; `-` if the command fails.
time_once() {
    start=$(date +%s%N)
    if "$@" >/dev/null 2>&1; then
        end=$(date +%s%N)
        echo $(((end - start) / 1000))
    else
        echo -
    fi
}

# median FILE: the middle line, by number.
median() {
    sort -n "$1" | awk '{ line[NR] = $1 } END { print line[int((NR + 1) / 2)] }'
}

# slow tools run fewer times on large projects
compare() {
    name=$1 target=$2 others=$3
    : >"$work/kiln" && : >"$work/kustomize" && : >"$work/kubectl"
    run=0
    while [ "$run" -lt "$RUNS" ]; do
        time_once "$kiln" build --no-project "$target" >>"$work/kiln"
        if [ "$run" -lt "$others" ]; then
            if command -v kustomize >/dev/null; then time_once kustomize build "$target" >>"$work/kustomize"; fi
            if command -v kubectl >/dev/null; then time_once kubectl kustomize "$target" >>"$work/kubectl"; fi
        fi
        run=$((run + 1))
    done
    own=$(median "$work/kiln")
    printf '| %s | %s |' "$name" "$(awk -v t="$own" 'BEGIN { printf "%.1f ms", t / 1000 }')"
    for tool in kustomize kubectl; do
        if [ -s "$work/$tool" ] && ! grep -q -- - "$work/$tool"; then
            printf ' %s |' "$(awk -v t="$(median "$work/$tool")" -v own="$own" \
                'BEGIN { printf "%.0f ms, %.0f times", t / 1000, t / own }')"
        else
            printf ' - |'
        fi
    done
    printf '\n'
}

echo "| project | kiln | kustomize | kubectl kustomize |"
echo "| --- | --- | --- | --- |"
for objects in 4 400 1000 4000; do
    target/release/examples/generate-project "$objects" "$work/$objects"
    case $objects in
    4 | 400) others=$RUNS ;;
    1000) others=${RUNS_1000:-3} ;;
    *) others=${RUNS_4000:-0} ;;
    esac
    compare "$objects objects" "$work/$objects/overlay" "$others"
done
for directory in "$@"; do
    compare "$directory" "$directory" "$RUNS"
done
