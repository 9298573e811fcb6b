#!/usr/bin/env bash
# Draws a picture from words, on a machine that has nothing but this folder. The second time it takes seconds.
# Usage: ./quickstart.sh ["a slice of pizza"] [options of `ldm generate`]
set -euo pipefail
cd "$(dirname "$0")"
source scripts/setup.sh
ldm_setup
ldm_build ldm_cli
if [ $# -eq 0 ]; then set -- "a slice of pizza"; fi
case " $* " in *" -o "* | *" --out"*) ;; *) set -- "$@" -o quickstart.png --force ;; esac
build/bin/ldm generate "$@"
cat <<'TEXT'

What to try next:
  build/bin/ldm generate "a green frog" -n 9 -o frogs.png     nine pictures
  build/bin/ldm generate --help                               seeds, steps, samplers, guidance
  build/bin/ldm reconstruct PICTURE.png                       what the autoencoder keeps of a picture
  build/bin/ldm train configs/emoji/diffusion.yaml            train it yourself (see README.md)
  ./test.sh                                                   every test
TEXT
