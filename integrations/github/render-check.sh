#!/usr/bin/env bash
# Fails if the rendered tree is not what its sources render to. Reads KILN_STRICT.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$(dirname "$0")/paths.sh"

flags=()
if [ "${KILN_STRICT:-}" = true ]; then flags+=(--strict); fi
kiln "${flags[@]}" --error-format github render --check 2>&1 | from_root
