#!/usr/bin/env bash
# Memory and time by the size of the picture: the tables of docs/sizes.md, as Markdown.
# Usage: bench/sizes.sh coding|unet|model|batch [PIXELS ...]
#   coding  KL-f8's shapes with random weights: one decode within a budget, and as a whole up to 1024 pixels
#   unet    Stable Diffusion 1.5's shape: one step, all latents at once up to 1024 pixels, and in crops of 64
#   model   the shipped model, 30 guided steps and all
#   batch   the shipped model: eight pictures at once against one by one
# BENCH: the built bench_sizes (-DLDM_BENCH=ON); LDM: the program; THREADS: 1.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?coding, unet, model or batch}
shift
sizes=("$@")
[[ ${#sizes[@]} -gt 0 ]] || sizes=(256 512 1024 2048)
bench=${BENCH:-build/bin/bench_sizes} ldm=${LDM:-build/bin/ldm} threads=${THREADS:-1}
export OMP_NUM_THREADS=$threads
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Megabytes that decoding gets: about a third of what the whole takes.
budget() { case $1 in 256) echo 64 ;; 512) echo 256 ;; 1024) echo 1024 ;; *) echo 4096 ;; esac; }

coding() {
  echo "| pixels | budget | in bands: s | MiB above the weights (of the pictures alone) | whole: s | MiB | difference in 1/255, mean (largest) |"
  echo "|---|---|---|---|---|---|---|"
  for size in "${sizes[@]}"; do
    compare=()
    [[ $size -le 1024 ]] && compare=(--compare)
    "$bench" kl-f8 "$size" --memory "$(budget "$size")M" --threads "$threads" "${compare[@]}" |
      awk '{printf "| %s | %s MiB | %s | %s (%s) | %s | %s | %s |\n", $2, $3, $4, $6, $7,
            (NF > 7 ? $8 : "-"), (NF > 7 ? $9 : "-"), (NF > 7 ? $10 " (" $11 ")" : "-")}'
  done
}

unet() {
  echo "| pixels | crops of | s a step | MiB above the weights, which the kernels pack anew |"
  echo "|---|---|---|---|"
  for size in "${sizes[@]}"; do
    for tile in 0 64; do
      [[ $tile == 0 && $size -gt 1024 ]] && continue
      [[ $tile == 64 && $size -le 512 ]] && continue
      "$bench" sd15 "$size" --tile "$tile" --threads "$threads" |
        awk -v tile="$tile" '{printf "| %s | %s | %s | %s |\n", $2, (tile ? tile " latents" : "all"), $4, $6}'
    done
  done
}

# Seconds and the largest resident MiB of a command.
timed() {
  /usr/bin/env time -f '%e %M' -o "$scratch/time" "$@" >/dev/null
  awk '{printf "%.1f s, %.0f MiB", $1, $2 / 1024}' "$scratch/time"
}

model() {
  echo "| pixels | all at once | crops of 16 latents |"
  echo "|---|---|---|"
  for size in "${sizes[@]}"; do
    draw=("$ldm" generate "red heart" --seed 1 --size "${size}x$size" --force -q -o "$scratch/a.png" --threads "$threads")
    whole="-"
    [[ $size -le 1024 ]] && whole=$(timed "${draw[@]}" --memory 0)
    echo "| $size | $whole | $(timed "${draw[@]}" --memory 0 --tile 16) |"
  done
}

batch() {
  together=$(timed "$ldm" generate "red heart" -n 8 --batch 8 --seed 1 --no-recipe --force -q -o "$scratch/together/" --threads "$threads")
  single=$(timed "$ldm" generate "red heart" -n 8 --batch 1 --seed 1 --no-recipe --force -q -o "$scratch/single/" --threads "$threads")
  same=0
  for file in "$scratch"/together/*.png; do
    cmp -s "$file" "$scratch/single/$(basename "$file")" && same=$((same + 1))
  done
  echo "eight at once: $together; one by one: $single; $same of 8 files are equal to the byte"
}

"$what"
