#!/bin/sh
# Writes docs/parity.md from what the built tests find: scripts/parity.sh [BUILD_FOLDER, default build]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=1 LDM_SOURCE_DIR="$PWD" LDM_BUILD_DIR="$build"
unset LDM_GOLDEN_ROOT

golden=0
"$build/bin/golden_test" --markdown "$work/golden.md" >"$work/golden.txt" || golden=$?
LDM_ZOO_TABLE="$work/zoo.md" "$build/bin/zoo_test" >"$work/zoo.txt" || { tail -40 "$work/zoo.txt"; exit 1; }

{
  cat scripts/parity_head.md
  echo
  tail -1 "$work/golden.txt"
  echo
  cat "$work/golden.md"
  cat scripts/parity_zoo.md
  echo
  cat "$work/zoo.md"
} >docs/parity.md
tail -1 "$work/golden.txt"
exit "$golden"
