#!/usr/bin/env bash
# Pairs one UNet step or one decode of published shapes with PyTorch eager on the same torch version: A B A B ..., for each
# side the fastest run of each turn, the ratio of each pair and the median of the ratios.
# Usage: bench/compare_zoo.sh MODEL SIZE THREADS [PAIRS] [RUNS]; MODEL: sd15, celeba, cin256-v2 (UNets), kl-f8, vq-f4 (decoders).
# SIZE: of the latents. Wants quiet cores. BENCH: the built bench_zoo; PYTHON: one that has torch.
set -euo pipefail
cd "$(dirname "$0")/.."
model=${1:?model} size=${2:?size of the latents} threads=${3:?threads} pairs=${4:-3} runs=${5:-3}
bench=${BENCH:-build/bin/bench_zoo}
python=${PYTHON:-python3}
export OMP_NUM_THREADS=$threads
fastest() { awk '{best = $2; for (i = 3; i <= NF; ++i) if ($i < best) best = $i; print $1, best}'; }

ratios=()
for _ in $(seq "$pairs"); do
  read -r count a < <("$bench" "$model" --size "$size" --threads "$threads" --runs "$runs" 2>/dev/null | fastest)
  read -r count_eager b < <("$python" bench/zoo_eager.py "$model" --size "$size" --threads "$threads" --runs "$runs" | fastest)
  # A first stage of ours holds its encoder too; the rest must have the same parameters.
  if [[ $model != *-f* && $count != "$count_eager" ]]; then
    echo "$model: $count parameters here, $count_eager there" >&2
    exit 1
  fi
  ratio=$(awk "BEGIN {printf \"%.3f\", $b / $a}")
  ratios+=("$ratio")
  echo "$model $size x $size, $threads thread(s): ldm $a s, PyTorch eager $b s, ratio $ratio"
done
printf '%s\n' "${ratios[@]}" | sort -n |
  awk -v what="$model $size $threads" '{r[NR] = $1} END {print what ": median ratio " r[int((NR + 1) / 2)] " of " NR " pairs"}'
