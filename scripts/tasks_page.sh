#!/bin/sh
# Makes the pictures of docs/tasks.md by running the page's own commands: every indented line that begins with "ldm" and
# writes into docs/pictures/tasks, in their order, with its continuation lines. Models in runs/ have to be trained before, as the
# page says; without one its pictures stay as they are.
#   scripts/tasks_page.sh [PROGRAM]     PROGRAM: without it build/bin/ldm
#   scripts/tasks_page.sh -l            only list the commands
set -eu
cd "$(dirname "$0")/.."

commands() {
  awk '/^    ldm / { line = $0; while (line ~ /\\$/) { sub(/\\$/, "", line); getline more; line = line more }
                     if (line ~ /docs\/pictures\/tasks\//) { gsub(/  +/, " ", line); print line } }' docs/tasks.md
}

if [ "${1:-}" = -l ]; then
  commands
  exit
fi
program=$(realpath "${1:-build/bin/ldm}")
mkdir -p docs/pictures/tasks
commands | while IFS= read -r line; do
  model=$(echo "$line" | sed -n 's/.*-m \(runs[^ ]*\).*/\1/p')
  if [ -n "$model" ] && [ ! -f "$model" ]; then
    echo "left out, no $model: $line"
    continue
  fi
  echo "\$$line"
  # The page's lines are shell commands; "ldm" stands for the program.
  eval "ldm() { \"$program\" \"\$@\" --force --quiet; }; $line" </dev/null
done
