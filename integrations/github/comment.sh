#!/usr/bin/env bash
# Keeps one comment of a pull request: writes it, or changes the one that an earlier run wrote. Reads KILN_FILE (Markdown),
# KILN_DIFFERS, KILN_PULL_REQUEST (a number) and KILN_COMMENT_ID. Where nothing differs and nothing ever did, there is none.
set -euo pipefail

marker="<!-- kiln diff: $KILN_COMMENT_ID -->"
comments="repos/$GITHUB_REPOSITORY/issues/$KILN_PULL_REQUEST/comments"
# Only what a program wrote counts, or whoever the token belongs to: anyone can write a comment that begins like one.
login=$(gh api user --jq .login 2>/dev/null) || login=
# shellcheck disable=SC2016
query='.[] | select((.user.type == "Bot" or .user.login == $ENV.KILN_LOGIN) and (.body | startswith($ENV.KILN_MARKER))) | .id'
export KILN_LOGIN=$login KILN_MARKER=$marker
found=$(gh api --paginate "$comments?per_page=100" --jq "$query") || {
  echo "::warning::the comments of the pull request cannot be read; the comparison is in the summary of the job"
  exit 0
}
# The first of several.
found=${found%%$'\n'*}
if [ -z "$found" ] && [ "$KILN_DIFFERS" != true ]; then
  echo "nothing differs: no comment"
  exit 0
fi
body=$(mktemp "$RUNNER_TEMP/kiln-comment.XXXXXX")
{
  echo "$marker"
  cat "$KILN_FILE"
} >"$body"
if [ -n "$found" ]; then
  set -- --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$found"
else
  set -- --method POST "$comments"
fi
# The token of a pull request from a fork cannot write.
gh api "$@" --field "body=@$body" --jq .html_url || {
  echo "::warning::the comment cannot be written (the job needs the permission \`pull-requests: write\`, which a fork never has); the comparison is in the summary of the job"
}
