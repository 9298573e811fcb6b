#!/bin/sh
# Line coverage of each parser by what the fuzz runs have kept:  fuzz/coverage.sh [NAME...]
# Reads fuzz/corpus/NAME and build-fuzz/corpus/NAME once with programs built by clang for source coverage; prints one row
# a target: the parser's files, their lines, how many of them ran. Wants llvm-cov of clang's version (LLVM_COV,
# LLVM_PROFDATA).
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- safetensors zip torch_file npz gguf yaml tokenizer
build=${LDM_COVERAGE_BUILD:-build-coverage}
kept=${LDM_FUZZ_BUILD:-build-fuzz}/corpus
cov=${LLVM_COV:-llvm-cov} profdata=${LLVM_PROFDATA:-$(command -v llvm-profdata || echo llvm-profdata-14)}
[ -f "$build/build.ninja" ] || cmake --preset lint -B "$build" -DCMAKE_BUILD_TYPE=Debug -DLDM_UNITY=OFF \
  -DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping -O1" >/dev/null

files_of() {
  case $1 in
    safetensors) echo ldm/io/safetensors.cpp ldm/io/json.cpp ldm/io/strided.cpp ;;
    zip) echo ldm/io/zip.cpp ldm/io/zip_inflate.cpp ;;
    torch_file) echo ldm/io/torch_file.cpp ldm/io/torch_tree.cpp ldm/io/torch_globals.cpp ldm/io/pickle.cpp ;;
    npz) echo ldm/io/npy.cpp ;;
    gguf) echo ldm/io/gguf.cpp ldm/io/gguf_blocks.cpp ;;
    yaml) echo ldm/config/yaml.cpp ;;
    tokenizer) echo ldm/text/wordpiece.cpp ldm/text/clip_tokenizer.cpp ldm/text/byte_pairs.cpp ldm/text/clip_words.cpp ;;
  esac
}

echo "| target | files | lines | covered |"
echo "|---|---|---|---|"
for name in "$@"; do
  cmake --build "$build" --parallel "${JOBS:-2}" --target "fuzz_${name}_replay" >/dev/null
  corpora=fuzz/corpus/$name
  [ ! -d "$kept/$name" ] || corpora="$corpora $kept/$name"
  # shellcheck disable=SC2086 # Several folders, several files.
  LLVM_PROFILE_FILE="$build/$name.profraw" "$build/bin/fuzz_${name}_replay" $corpora >/dev/null
  "$profdata" merge -sparse "$build/$name.profraw" -o "$build/$name.profdata"
  files=$(files_of "$name")
  # shellcheck disable=SC2086
  "$cov" report "$build/bin/fuzz_${name}_replay" -instr-profile="$build/$name.profdata" $files |
    awk -v name="$name" -v files="$files" '$1 == "TOTAL" {
      count = split(files, list, " ")
      for (i = 1; i <= count; ++i) {sub(/.*\//, "", list[i]); shown = shown (i > 1 ? ", " : "") "`" list[i] "`"}
      printf "| %s | %s | %d | %s |\n", name, shown, $8, $10}'
done
