#!/usr/bin/env bash
# Puts a release of kiln on the PATH of the job. Reads KILN_VERSION (a tag, nothing for the newest release, or `none`).
# The archive is checked against the checksums of the release.
set -euo pipefail

if [ "${KILN_VERSION:-}" != none ]; then
  case "${RUNNER_OS:?}/${RUNNER_ARCH:?}" in
    Linux/X64) target=x86_64-unknown-linux-musl ;;
    Linux/ARM64) target=aarch64-unknown-linux-musl ;;
    macOS/X64) target=x86_64-apple-darwin ;;
    macOS/ARM64) target=aarch64-apple-darwin ;;
    Windows/X64) target=x86_64-pc-windows-msvc ;;
    *)
      echo "::error::there is no release of kiln for $RUNNER_OS on $RUNNER_ARCH"
      exit 2
      ;;
  esac
  # An action that is used as `./` has no repository of its own.
  repository=${GITHUB_ACTION_REPOSITORY:-$GITHUB_REPOSITORY}
  work=$(mktemp -d "$RUNNER_TEMP/kiln.XXXXXX")
  tag=()
  if [ -n "${KILN_VERSION:-}" ]; then tag=("$KILN_VERSION"); fi
  gh release download "${tag[@]}" --repo "$repository" --dir "$work" \
    --pattern "kiln-*-$target.*" --pattern SHA256SUMS
  cd "$work"
  archive=$(echo kiln-*-"$target".*)
  grep -F "  $archive" SHA256SUMS >wanted
  if command -v sha256sum >/dev/null; then sha256sum --check wanted; else shasum -a 256 --check wanted; fi
  case $archive in
    *.zip) unzip -q "$archive" ;;
    *) tar -xzf "$archive" ;;
  esac
  folder=$work/${archive%.tar.gz}
  folder=${folder%.zip}
  echo "$folder" >>"$GITHUB_PATH"
  PATH=$folder:$PATH
fi

version=$(kiln version)
version=${version%%$'\n'*}
echo "$version"
echo "version=${version#kiln }" >>"$GITHUB_OUTPUT"
