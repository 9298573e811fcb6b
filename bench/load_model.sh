#!/usr/bin/env bash
# Loading a model of Stable Diffusion 1.5's size from a checkpoint, a safetensors file and a folder of diffusers: wall
# time against reading the file once (both from the page cache, best of three), and the most memory taken. Makes the
# files (random weights, 12 GB) in FOLDER if they are not there; that needs a Python with torch (PYTHON).
# Usage: bench/load_model.sh FOLDER [f32|f16]; prints the table of docs/formats.md.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: bench/load_model.sh FOLDER [f32|f16]}
dtype=${2:-f32}
bin=${LDM_BIN:-build/bin}
config=configs/zoo/stable-diffusion/v1-inference.yaml
mkdir -p "$folder"
if [ ! -e "$folder/model-f32.ckpt" ]; then
  "$bin/ldm" info "$config" --keys --json | "${PYTHON:-python3}" bench/random_checkpoint.py "$folder/model-f32.ckpt.part"
  mv "$folder/model-f32.ckpt.part" "$folder/model-f32.ckpt"
fi
file=$folder/model-$dtype
[ -e "$file.safetensors" ] || "$bin/ldm" convert "$folder/model-f32.ckpt" "$file.safetensors" --to original --dtype "$dtype" >&2
[ -e "$file" ] || "$bin/ldm" convert "$folder/model-f32.ckpt" "$file" --to diffusers --dtype "$dtype" >&2

best() { sort -n | head -1; }
read_once() { find "$1" -type f -size +1M -print0 | xargs -0 cat | wc -c >/dev/null; }
timed_read() {
  for _ in 1 2 3; do
    local begin=$EPOCHREALTIME
    read_once "$1"
    awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.2f\n", b - a}'
  done | best
}
echo "| layout | on disk, MiB | read once, s | loaded, s | weights, MiB | RssAnon, peak | all resident, peak |"
echo "|---|---|---|---|---|---|---|"
for model in "$file.ckpt" "$file.safetensors" "$file"; do
  [ -e "$model" ] || continue
  size=$(du -sm --apparent-size "$model" | cut -f1)
  once=$(timed_read "$model")
  read -r seconds weights anon total < <(for _ in 1 2 3; do "$bin/bench_load_model" "$model"; done | best)
  awk -v name="$(basename "$model")" -v size="$size" -v once="$once" -v s="$seconds" -v w="$weights" -v a="$anon" -v t="$total" \
    'BEGIN {printf "| %s | %d | %.2f | %.2f | %d | %d (%.2f x) | %d (%.2f x) |\n", name, size, once, s, w, a, a / w, t, t / w}'
done
