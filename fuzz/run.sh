#!/bin/sh
# Builds the fuzz targets with clang and runs each for so many seconds:  fuzz/run.sh [SECONDS] [NAME...]
# What reaches new code is kept in build-fuzz/corpus/NAME, findings in build-fuzz/findings. Prints one line a target:
# executions, executions per second, edges covered, inputs kept, findings.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- safetensors zip torch_file npz gguf yaml tokenizer
build=${LDM_FUZZ_BUILD:-build-fuzz}
[ -f "$build/build.ninja" ] || cmake --preset fuzz -B "$build" >/dev/null
cmake --build "$build" --parallel "${JOBS:-2}" >/dev/null
mkdir -p "$build/findings"
for name in "$@"; do
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  "$build/bin/fuzz_$name" -max_total_time="$seconds" -max_len=8192 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$name-" "$corpus" "fuzz/corpus/$name" >"$build/$name.log" 2>&1 || true
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")
  speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$build/$name.log")
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$build/$name.log" | tail -1)
  echo "$name: $runs executions, $speed/s, $edges edges, $(ls "$corpus" | wc -l) inputs, $(find "$build/findings" -name "$name-*" | wc -l) findings"
done
