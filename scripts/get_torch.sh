#!/usr/bin/env bash
# Fetches LibTorch (the PyPI wheel of torch, headers and CPU libraries only) into .deps/libtorch. Does nothing when it is there.
# Usage: scripts/get_torch.sh [VERSION]
set -euo pipefail
version=${1:-2.13.0}
root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/.deps/libtorch
if [ -f "$target/torch/version.py" ] && grep -q "'$version" "$target/torch/version.py"; then
  echo "LibTorch $version is in $target/torch"
  exit 0
fi
mkdir -p "$root/.deps"
download=$(mktemp -d "$root/.deps/download.XXXXXX")
trap 'rm -rf "$download"' EXIT
echo "Fetching torch $version (about 200 to 550 MB) ..."
python3 -m pip download --quiet --no-deps --only-binary=:all: -d "$download" "torch==$version"
rm -rf "$target.new"
mkdir -p "$target.new"
unzip -q "$download"/torch-*.whl torch/version.py 'torch/lib/*.so*' 'torch/include/*' -x 'torch/lib/libtorch_python.so' 'torch/lib/libtorch_cuda*' -d "$target.new"
# A CUDA build's libtorch_cpu names two small CUDA libraries even when it runs on the CPU alone.
if unzip -l "$download"/torch-*.whl | grep -q libtorch_cuda; then
  python3 -m pip download --quiet --no-deps --only-binary=:all: -d "$download" nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
  for wheel in "$download"/nvidia_*.whl; do unzip -q -o "$wheel" 'nvidia/*' -d "$target.new"; done
fi
rm -rf "$target"
mv "$target.new" "$target"
echo "LibTorch $version is in $target/torch"
