#!/usr/bin/env bash
# Fetches LibTorch (the PyPI wheel of torch, headers and CPU libraries only) into .deps/libtorch. Does nothing when it is there.
# Nothing is installed into Python, and Python is not needed afterwards.
# Usage: scripts/get_torch.sh [VERSION]
set -euo pipefail
version=${1:-2.13.0}
root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/.deps/libtorch
die() {
  echo "get_torch: $*" >&2
  exit 1
}

if [ -f "$target/torch/version.py" ] && grep -q "'$version[+']" "$target/torch/version.py"; then
  echo "LibTorch $version is in $target/torch"
  exit 0
fi
python3 -m pip --version >/dev/null 2>&1 || die "pip is missing; please run: sudo apt-get install -y python3-pip"
command -v unzip >/dev/null || die "unzip is missing; please run: sudo apt-get install -y unzip"

mkdir -p "$root/.deps"
download=$(mktemp -d "$root/.deps/download.XXXXXX")
trap 'rm -rf "$download" "$target.new"' EXIT
# The wheel's Python version does not matter, since its Python part is left out; this one exists for every torch.
fetch() { python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 -d "$download" "$@"; }

echo "Fetching torch $version (200 to 550 MB) ..."
fetch "torch==$version" || die "torch $version could not be fetched; is there a network? Otherwise set LDM_LIBTORCH to a torch folder"
wheel=$(echo "$download"/torch-*.whl)
rm -rf "$target.new"
mkdir -p "$target.new"
leave_out=(torch/lib/libtorch_python.so)
cuda=$(unzip -Z1 "$wheel" | grep -c 'lib/libtorch_cuda' || true)
if [ "$cuda" -gt 0 ]; then leave_out+=('torch/lib/libtorch_cuda*'); fi
unzip -q "$wheel" torch/version.py 'torch/lib/*.so*' 'torch/include/*' -x "${leave_out[@]}" -d "$target.new"

# A CUDA build's libtorch_cpu names two small CUDA libraries even when it runs on the CPU alone.
if [ "$cuda" -gt 0 ]; then
  mapfile -t small < <(unzip -p "$wheel" '*.dist-info/METADATA' |
    sed -nE 's/^Requires-Dist: (nvidia-cuda-(runtime|cupti)[a-z0-9-]*) ?\(?(==[0-9.]+).*/\1\3/p')
  if [ ${#small[@]} -eq 0 ]; then small=(nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85); fi
  fetch "${small[@]}" || die "${small[*]} could not be fetched"
  for package in "$download"/nvidia_*.whl; do unzip -q -o "$package" 'nvidia/*' -d "$target.new"; done
fi

[ -f "$target.new/torch/lib/libtorch_cpu.so" ] || die "the wheel of torch $version holds no libtorch_cpu.so"
rm -rf "$target"
mv "$target.new" "$target"
echo "LibTorch $version is in $target/torch"
