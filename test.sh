#!/usr/bin/env bash
# Sets up, builds and runs every test but the slow ones. Further arguments go to ctest, e.g. ./test.sh -R nn
set -euo pipefail
cd "$(dirname "$0")"
source scripts/setup.sh
ldm_setup
ldm_build
ctest --preset release --no-tests=error -LE slow --parallel "$(nproc)" "$@"
