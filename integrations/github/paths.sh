# shellcheck shell=bash
# Sourced by the other scripts. GitHub takes paths from the root of the repository, kiln prints them from the working directory.

# Puts the working directory before the paths of annotations.
from_root() {
  local prefix
  prefix=$(git rev-parse --show-prefix)
  if [ -z "$prefix" ]; then
    cat
  else
    # `sub/../base` is `base`.
    sed -E -e "s|^(::[a-z]+ file=)|\\1${prefix//|/\\|}|" -e ':again' -e 's,(file=|/)[^/,]+/\.\./,\1,' -e 't again'
  fi
}
