#!/usr/bin/env bash
# In a bundle made by scripts/bundle.sh: golden cases, both trainings, timings, on a machine with a torch and nothing else.
# Each call takes --minutes and goes on where the last one stopped; no command inside runs longer than 9 minutes.
# Usage: ./run-all.sh [--minutes 8] [--stage-one 10] [--stage-two 20] [--out results] [--device auto]
#                     [--precision bf16] [--batch-one 64] [--batch-two 256] [--skip-golden]
#   --minutes    time of this call, at most 9
#   --stage-one, --stage-two   minutes of training each stage gets over all calls; their step counts are measured to fill them
#   --out        folder of what is to be copied back: weights in half precision, timings.txt, golden.txt, pictures
# Environment: LDM_LIBTORCH names the torch folder, otherwise python3's is taken.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
started=$(date +%s)
minutes=8 one_minutes=10 two_minutes=20 out=$here/results device=auto precision=bf16 batch_one=64 batch_two=256 golden=1
say() { printf -- '-- %s\n' "$*"; }
die() {
  printf 'run-all: %s\n' "$*" >&2
  exit 1
}
while [ $# -gt 0 ]; do
  if [ "$1" = --skip-golden ]; then
    golden=0
    shift
    continue
  fi
  [ $# -ge 2 ] || die "$1: expected a value"
  case $1 in
    --minutes) minutes=$2 ;;
    --stage-one) one_minutes=$2 ;;
    --stage-two) two_minutes=$2 ;;
    --out) out=$(realpath -m "$2") ;;
    --device) device=$2 ;;
    --precision) precision=$2 ;;
    --batch-one) batch_one=$2 ;;
    --batch-two) batch_two=$2 ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
awk -v m="$minutes" 'BEGIN {exit !(m > 0 && m <= 9)}' || die "--minutes: expected more than 0 and at most 9, got $minutes"
work=$here/work
mkdir -p "$work" "$out"
cd "$here"

# torch
torch_dir=${LDM_LIBTORCH:-$(python3 -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])" 2>/dev/null || true)}
[ -f "$torch_dir/version.py" ] || die "no torch found; set LDM_LIBTORCH to its folder (built for torch $(cat torch-version))"
export LD_LIBRARY_PATH=$torch_dir/lib:$here/lib LDM_MODELS=$here/models
bin/ldm doctor --quiet >"$out/doctor.txt" 2>&1 || die "the program does not start here: $(head -c 600 "$out/doctor.txt") $(ldd bin/ldm | grep 'not found' || true)"
grep -E '^(LibTorch|CUDA|CPU)' "$out/doctor.txt"
if [ "$device" = auto ]; then
  device=cpu
  if grep -q '^CUDA *cuda:0' "$out/doctor.txt"; then device=cuda; fi
fi
timings=$out/timings.txt
note() { printf '%s\n' "$*" | tee -a "$timings"; }
left() { echo $((started + $(awk -v m="$minutes" 'BEGIN {print int(60 * m)}') - $(date +%s))); }
number() { sed -nE "s/.*\"$2\": ?([0-9.e+-]+).*/\1/p" "$1" | tail -1; }
whole() { awk "BEGIN {print int($1)}"; }

# 1. Golden cases, once.
if [ "$golden" = 1 ] && [ ! -f "$work/golden.done" ]; then
  if [ ! -d "$work/golden" ]; then
    for set in math models; do
      mkdir -p "$work/unpack/$set"
      tar -C "$work/unpack/$set" -xJf "golden/$set.tar.xz" 2>/dev/null ||
        python3 -c "import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])" "golden/$set.tar.xz" "$work/unpack/$set"
    done
    mv "$work/unpack" "$work/golden"
  fi
  say "golden cases on $device"
  begin=$(date +%s) code=0
  timeout "$(whole "$(left) < 520 ? $(left) : 520")" bin/golden_test --device "$device" --root "$work/golden/math" --root "$work/golden/models" \
    --data "$work/golden/math" --data "$work/golden/models" --data golden --pending golden/pending.txt >"$out/golden.txt" 2>&1 || code=$?
  note "golden on $device: exit code $code, $(($(date +%s) - begin)) s, $(grep -c ' ok$' "$out/golden.txt" || true) ok, $(grep -c ' FAIL' "$out/golden.txt" || true) failed; $(tail -1 "$out/golden.txt")"
  touch "$work/golden.done"
fi

# train NAME LOG SECONDS ARGUMENTS...: SECONDS of training; what comes before it (encoding the pictures) is not counted, but near
# the end of this call it is asked to save and end.
train() {
  local log=$2 seconds=$3 name=$1
  shift 3
  timeout --preserve-status --signal=TERM --kill-after=30 $(($(left) > 45 ? $(left) - 25 : 20)) bin/ldm train "configs/emoji/$name.yaml" --device "$device" --json --quiet \
    data.path=data/emoji train.precision="$precision" train.max_minutes="$(awk "BEGIN {print $seconds / 60}")" "$@" >"$log" 2>"$log.err" ||
    die "training $name failed: $(tail -c 500 "$log.err")"
}

# stage NAME MINUTES BATCH FILE OVERRIDES...: measures the speed once and fixes the step count that fills MINUTES, trains for
# what is left of this call, and leaves the weights as FILE. Returns 1 while the stage is not finished. %STEPS in an override
# stands for a share of the steps: 0.75%STEPS.
stage() {
  local name=$1 total=$2 batch=$3 file=$4 overrides=() plain=() steps override seconds every
  shift 4
  for override in "$@"; do
    case $override in *%STEPS) ;; *) plain+=("$override") ;; esac
  done
  [ ! -f "$work/$name.done" ] || return 0
  if [ ! -f "$work/$name.steps" ]; then
    seconds=$(($(left) - 60))
    if [ "$seconds" -lt 20 ]; then return 1; fi
    say "measuring $name"
    rm -rf "$work/$name.probe"
    train "$name" "$work/$name.probe.json" $((seconds < 30 ? seconds : 30)) -o "$work/$name.probe" data.batch_size="$batch" \
      train.steps=1000000 train.validate_every=0 train.sample_every=0 train.checkpoint_every=0 "${plain[@]}"
    note "$name: $(number "$work/$name.probe.json" images_per_second) images/s at first ($device, $precision, batch $batch)"
    whole "0.9 * $(number "$work/$name.probe.json" images_per_second) * 60 * $total / $batch + 1" >"$work/$name.steps"
    rm -rf "$work/$name.probe"
  fi
  steps=$(cat "$work/$name.steps")
  for override in "$@"; do
    case $override in
      *%STEPS) override=${override%\%STEPS}; overrides+=("${override%=*}=$(whole "$steps * ${override#*=}")") ;;
      *) overrides+=("$override") ;;
    esac
  done
  seconds=$(($(left) - 45))
  if [ "$seconds" -lt 15 ]; then return 1; fi
  every=$((steps / 20 + 1))
  say "$name: training for up to $seconds s towards step $steps"
  train "$name" "$work/$name.json" "$seconds" -o "$work/$name" --resume auto data.batch_size="$batch" train.steps="$steps" \
    train.validate_every=$every train.sample_every=$every train.checkpoint_every=$every "${overrides[@]}"
  note "$name: step $(number "$work/$name.json" steps) of $steps, $(number "$work/$name.json" images_per_second) images/s"
  cp "$work/$name/log.jsonl" "$out/$name.log.jsonl"
  find "$work/$name/samples" -name '*.png' | sort | tail -1 | xargs -r -I{} cp {} "$out/$name.png"
  bin/ldm convert "$work/$name/model.safetensors" "$out/$file" --dtype f16 --force --quiet >/dev/null || die "$name: no weights were written"
  grep -q '"finished": *true' "$work/$name.json" || return 1
  touch "$work/$name.done"
}

# sample SECONDS_OF STEPS: wall seconds of 64 pictures in one batch.
sample() {
  local begin
  begin=$(date +%s.%N)
  bin/ldm generate "a slice of pizza" -m "$out/emoji.safetensors" -n 64 --batch 64 --grid --seed 1 --steps "$1" --device "$device" \
    -o "$out/pizza.png" --force --quiet >/dev/null
  awk "BEGIN {print $(date +%s.%N) - $begin}"
}

finish() {
  find "$out" -type f -size +15000k -exec echo "run-all: larger than 15 MB: {}" \; >&2
  say "results in $out; $1"
  exit 0
}

# 2. Stage one. 3. Stage two on top of it.
stage autoencoder "$one_minutes" "$batch_one" emoji-first-stage.safetensors model.params.lossconfig.params.disc_start=0.75%STEPS ||
  finish "stage one goes on in the next call"
code=0
stage diffusion "$two_minutes" "$batch_two" emoji.safetensors train.latent_cache=memory \
  model.params.first_stage_config.params.path="$out/emoji-first-stage.safetensors" || code=1

# 4. Sampling speed: the time of 40 more steps, so that loading does not count.
if [ -f "$out/emoji.safetensors" ] && [ ! -f "$work/sampling.done" ] && [ "$(left)" -gt 30 ]; then
  short=$(sample 10)
  long=$(sample 50)
  note "sampling: $(awk "BEGIN {print 40 / ($long - $short)}") it/s at batch 64 with guidance ($device); 64 pictures of 50 steps in $long s, start included"
  touch "$work/sampling.done"
fi
if [ "$code" = 1 ]; then finish "stage two goes on in the next call"; fi
finish "all is done"
