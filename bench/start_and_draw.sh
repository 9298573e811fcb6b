#!/usr/bin/env bash
# Start-up time (best of five) and wall time and memory of one picture with the default settings (best of five).
# Usage: bench/start_and_draw.sh; wants a quiet machine and GNU time.
set -euo pipefail
cd "$(dirname "$0")/.."
ldm=${LDM:-build/bin/ldm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
best() {  # NAME COMMAND...
  local name=$1
  shift
  for _ in 1 2 3 4 5; do /usr/bin/time -f '%e %M' -o "$work/t" "$@" >/dev/null; cat "$work/t"; done | sort -n |
    awk -v name="$name" 'NR == 1 {print name ": " $1 " s wall, " $2 / 1024 " MiB"}'
}
best "ldm --version" "$ldm" --version
best "ldm generate, default settings" "$ldm" generate "a slice of pizza" --seed 1 -o "$work/p.png" --force -q
best "ldm generate, one thread" "$ldm" generate "a slice of pizza" --seed 1 --threads 1 -o "$work/p.png" --force -q
best "ldm generate -n 16" "$ldm" generate "a slice of pizza" --seed 1 -n 16 --grid -o "$work/p.png" --force -q
