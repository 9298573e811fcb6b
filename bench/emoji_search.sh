#!/usr/bin/env bash
# What gives most per CPU second on the emoji set: short runs of both stages with one thread and one change each. All
# variants get the same CPU time (not wall time: other work on the machine may be in the way).
# Usage: bench/emoji_search.sh first-stage|diffusion CPU_MINUTES [FIRST_STAGE]; needs data/emoji. Prints one line a variant.
set -euo pipefail
cd "${LDM_RUN_DIR:-$(dirname "$0")/..}"
what=${1:?first-stage or diffusion}
minutes=${2:?CPU minutes for each variant}
first_stage=${3:-models/emoji-first-stage.safetensors}
ldm=${LDM:-build/bin/ldm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# CPU seconds of so many steps, start included: cpu_seconds STEPS CONFIG [key=value ...]
cpu_seconds() {
  local steps=$1
  shift
  rm -rf "$work/speed"
  (TIMEFORMAT='%U %S'
   time "$ldm" train "$@" train.steps="$steps" train.validate_every=0 train.sample_every=0 train.checkpoint_every=0 -q --threads 1 \
     -o "$work/speed" >/dev/null 2>&1) 2>&1 | awk '{print $1 + $2}'
}

run() {  # NAME CONFIG [key=value ...]
  local name=$1 config=$2 out
  shift 2
  out=$work/${name//[^a-z0-9]/_}
  # The cosine must end with the time, so the speed is measured first: the difference leaves the start out.
  local speed steps batch
  batch=$(printf '%s\n' "$@" | sed -n 's/^data.batch_size=//p')
  speed=$(awk "BEGIN {print 30 * $batch / ($(cpu_seconds 32 "$config" "$@") - $(cpu_seconds 2 "$config" "$@"))}")
  steps=$(awk "BEGIN {print int($speed * 60 * $minutes / $batch)}")
  "$ldm" train "$config" "$@" train.steps="$steps" train.validate_every="$steps" train.sample_every=0 train.checkpoint_every=0 -q --threads 1 \
    -o "$out" >/dev/null
  printf '%s: %s images/CPU s, %s images, %s\n' "$name" "$speed" $((steps * batch)) "$(grep '"validation"' "$out/log.jsonl" | tail -n 1)"
}

ae=configs/emoji/autoencoder.yaml dm=configs/emoji/diffusion.yaml
dd=model.params.ddconfig
loss=model.params.lossconfig.params
case $what in
  first-stage)
    run "patch 8, ch 192 (shipped)" $ae data.batch_size=8 $loss.disc_start=1000000
    run "patch 4, ch 96 (1,2)" $ae data.batch_size=8 $loss.disc_start=1000000 $dd.patch_size=4 $dd.ch=96 "$dd.ch_mult=[1, 2]"
    run "patch 8, ch 192, L1 + gradient" $ae data.batch_size=8 $loss.disc_start=1000000 $loss.pixel_loss=l1 $loss.gradient_weight=0.5 $loss.perceptual_weight=0.1
    run "patch 8, ch 192, batch 16" $ae data.batch_size=16 $loss.disc_start=1000000
    run "patch 8, ch 128, 2 blocks" $ae data.batch_size=8 $loss.disc_start=1000000 $dd.ch=128 $dd.num_res_blocks=2
    ;;
  diffusion)
    set -- "model.params.first_stage_config.params.path=$first_stage"
    unet=model.params.unet_config.params
    text=model.params.cond_stage_config.params
    run "width 64, batch 32 (shipped)" $dm "$@" data.batch_size=32
    run "width 96, batch 32" $dm "$@" data.batch_size=32 $unet.model_channels=96
    run "width 64, batch 16" $dm "$@" data.batch_size=16
    run "width 64, batch 64" $dm "$@" data.batch_size=64
    run "width 64, one text layer" $dm "$@" data.batch_size=32 $text.n_layer=1
    run "width 64, no pooled text" $dm "$@" data.batch_size=32 model.params.conditioning_key=crossattn "$unet.num_classes=null" "$unet.adm_in_channels=null"
    ;;
esac
