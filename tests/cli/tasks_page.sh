#!/usr/bin/env bash
# Makes every picture of docs/tasks.md anew with the page's commands (scripts/tasks_page.sh) in an empty folder; the page's trainings
# before that, with their steps cut to two and fewer pictures.
# Usage: tasks_page.sh SOURCE_DIR PROGRAM
set -euo pipefail
source_dir=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LDM_MODELS="$source_dir/models"
ln -s "$source_dir/configs" "$source_dir/models" .
mkdir -p bin scripts docs/pictures/tasks
ln -s "$program" bin/ldm
cp "$source_dir/scripts/tasks_page.sh" scripts/
cp "$source_dir/docs/tasks.md" docs/
for given in boxes.json map.png mask.png small.png; do
  cp "$source_dir/docs/pictures/tasks/$given" docs/pictures/tasks/
done

PATH="$work/bin:$PATH"
few="--colour-copies 0"
cut="train.steps=2 train.sample_every=2 train.validate_every=2 train.checkpoint_every=2"
sed -nE -e "s/^    (ldm data emoji .*)$/\1 $few/p" -e 's/^    (ldm data scenes .*)-n 5000(.*)$/\1-n 60\2/p' \
  -e "s/^    (ldm train .*)$/\1 $cut/p" docs/tasks.md | while read -r line; do
  echo "+ $line"
  bash -euc "$line" </dev/null
done
scripts/tasks_page.sh "$program"

count=0
for picture in $(grep -o 'pictures/tasks/[a-z-]*\.[a-z]*' docs/tasks.md | sort -u); do
  [ -s "docs/$picture" ] || { echo "docs/tasks.md shows $picture, which none of its commands made"; exit 1; }
  count=$((count + 1))
done
[ "$count" -ge 20 ] || { echo "expected at least 20 pictures in docs/tasks.md, found $count"; exit 1; }
echo "$count pictures of docs/tasks.md made"
