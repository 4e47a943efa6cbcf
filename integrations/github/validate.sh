#!/usr/bin/env bash
# Validates the environments; findings become annotations, and a SARIF file if KILN_SARIF is `true`. Reads KILN_TARGET (words)
# and KILN_STRICT; writes the output `sarif` (a path).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$(dirname "$0")/paths.sh"

flags=()
if [ "${KILN_STRICT:-}" = true ]; then flags+=(--strict); fi
read -r -a targets <<<"${KILN_TARGET:-}"

if [ "${KILN_SARIF:-}" = true ]; then
  file=$(mktemp "$RUNNER_TEMP/kiln-validate.XXXXXX")
  kiln "${flags[@]}" validate --format sarif "${targets[@]}" >"$file" 2>/dev/null || true
  # What does not compile has no findings; the run below says why.
  if [ -s "$file" ]; then
    prefix=$(git rev-parse --show-prefix)
    if [ -z "$prefix" ]; then
      cp "$file" "$file.sarif"
    else
      # shellcheck disable=SC2016
      jq --arg prefix "$prefix" '(.. | .artifactLocation? | select(.uri?) | .uri) |= $prefix + .' "$file" >"$file.sarif"
    fi
    echo "sarif=$file.sarif" >>"$GITHUB_OUTPUT"
  fi
fi
kiln "${flags[@]}" --error-format github validate --format github "${targets[@]}" 2>&1 | from_root
