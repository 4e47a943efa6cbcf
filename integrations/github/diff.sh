#!/usr/bin/env bash
# Compares the environments with a revision. Reads KILN_SINCE (a revision) and KILN_TARGET (words); writes the outputs `file`
# (Markdown), `report` (HTML) and `differs`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=paths.sh
. "$(dirname "$0")/paths.sh"

work=$(mktemp -d "$RUNNER_TEMP/kiln-diff.XXXXXX")
since=${KILN_SINCE:-}
# What GitHub calls the commit before a branch was there.
if [ -z "${since//0/}" ]; then
  echo "::error::there is nothing to compare with: set \`since\` to a revision"
  exit 2
fi
read -r -a targets <<<"${KILN_TARGET:-}"
if [ ${#targets[@]} -gt 0 ]; then targets=(-- "${targets[@]}"); fi

status=0
kiln diff "$since" --format markdown "${targets[@]}" >"$work/diff.md" 2>"$work/errors" || status=$?
cat "$work/errors" >&2
echo "file=$work/diff.md" >>"$GITHUB_OUTPUT"
if [ $status -ne 0 ]; then
  {
    echo "**kiln could not compare the environments.** The log of the job has the whole message."
    echo
    echo '````text'
    head -c 20000 "$work/errors"
    echo '````'
  } >"$work/diff.md"
  echo "differs=true" >>"$GITHUB_OUTPUT"
  cat "$work/diff.md" >>"$GITHUB_STEP_SUMMARY"
  # Once more for the annotations beside the lines at fault.
  kiln diff "$since" --error-format github "${targets[@]}" >/dev/null 2>"$work/annotations" || true
  from_root <"$work/annotations"
  exit $status
fi
cat "$work/diff.md" >>"$GITHUB_STEP_SUMMARY"
kiln diff "$since" --format html -q "${targets[@]}" >"$work/diff.html"
echo "report=$work/diff.html" >>"$GITHUB_OUTPUT"
differs=false
kiln diff "$since" --exit-code -q "${targets[@]}" >/dev/null || differs=true
echo "differs=$differs" >>"$GITHUB_OUTPUT"
