#!/usr/bin/env bash
# Runs every `ldm` command of README.md, in its order, in an empty folder; trainings with their steps cut to two.
# Usage: readme.sh SOURCE_DIR PROGRAM
set -euo pipefail
source_dir=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
ln -s "$source_dir/configs" configs
ln -s "$source_dir/models" models
mkdir -p build/bin bin my/pictures
ln -s "$program" build/bin/ldm
ln -s "$program" bin/ldm
export PATH="$work/bin:$PATH" LDM_MODELS="$source_dir/models"

# Pictures "of the user": some emoji with a caption beside each.
ldm data emoji own --colour-copies 0 -q
for number in 34f 355 400 419 436 430 697 98e; do
  cp "own/images/1f$number.png" "my/pictures/$number.png"
  echo "picture $number" >"my/pictures/$number.txt"
done

# Indented lines that begin with ldm or build/bin/ldm; a backslash at the end joins the next.
count=0
while read -r line; do
  case $line in
    *" train "*) line="$line train.steps=2 train.sample_every=2 train.validate_every=2 train.checkpoint_every=2" ;;
  esac
  echo "+ $line"
  bash -euc "$line" </dev/null
  count=$((count + 1))
done < <(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$source_dir/README.md" | sed -nE 's/^    +((build\/bin\/)?ldm .*)$/\1/p')
[ "$count" -ge 8 ] || { echo "expected at least 8 commands in README.md, found $count"; exit 1; }
echo "$count commands of README.md ran"
