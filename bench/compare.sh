#!/usr/bin/env bash
# Pairs ldm with the same modules in PyTorch eager on the same torch version: A B A B ..., the ratio of each pair and its median.
# Usage: bench/compare.sh autoencoder|diffusion|sampling [PAIRS] [THREADS]; PYTHON names one that has torch and pyyaml.
# Needs data/emoji (ldm data emoji data/emoji) for the two trainings.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?autoencoder, diffusion or sampling}
pairs=${2:-5}
threads=${3:-$(nproc)}
python=${PYTHON:-python3}
ldm=${LDM:-build/bin/ldm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number() { sed -n "s/.*\"$1\": *\([0-9.e+-]*\).*/\1/p"; }

quiet=(train.validate_every=0 train.sample_every=0 train.checkpoint_every=0)
ours() {
  case $what in
    autoencoder)  # The reference step has pixels and KL alone; so has this one. No loader threads, no flips: both get ready pictures.
      "$ldm" train configs/emoji/autoencoder.yaml "${quiet[@]}" train.steps=60 data.batch_size=8 model.params.perceptual= \
        'model.params.lossconfig.params={disc_start: 1000, perceptual_weight: 0, pixel_loss: l1, lazy_discriminator: true}' \
        train.clip_grad_norm=1.0 -q --json --threads "$threads" -o "$work/a$RANDOM" | sed 's/":/": /g' | number images_per_second ;;
    diffusion)
      "$ldm" train configs/emoji/diffusion.yaml "${quiet[@]}" train.steps=40 data.batch_size=32 -q --json --threads "$threads" \
        -o "$work/d$RANDOM" | sed 's/":/": /g' | number images_per_second ;;
    sampling)
      seconds=$("$ldm" generate "red heart" -n 16 --batch 16 --steps 30 --seed 1 -q --json --threads "$threads" --force \
        -o "$work/s.png" --grid | sed 's/":/": /g' | number seconds)
      awk "BEGIN {print 16 * 30 / $seconds}" ;;
  esac
}
theirs() {
  local batch=32 steps=30
  if [ "$what" = autoencoder ]; then batch=8 steps=60; fi
  if [ "$what" = sampling ]; then batch=16 steps=30; fi
  "$python" bench/torch_eager.py "$what" --batch "$batch" --steps "$steps" --threads "$threads"
}
ratios=()
for _ in $(seq "$pairs"); do
  a=$(ours)
  b=$(theirs)
  ratio=$(awk "BEGIN {printf \"%.3f\", $a / $b}")
  ratios+=("$ratio")
  echo "$what: ldm $a/s, PyTorch eager $b/s, ratio $ratio"
done
printf '%s\n' "${ratios[@]}" | sort -n | awk -v what="$what" '{r[NR] = $1} END {print what ": median ratio " r[int((NR + 1) / 2)] " of " NR " pairs"}'
