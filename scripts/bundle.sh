#!/usr/bin/env bash
# Packs a build for a machine that has a torch (with CUDA, say) but no compiler, no packages and no network: program, golden
# cases, training data, configurations, and run-all.sh that uses them (scripts/bundle_run_all.sh).
# Usage: scripts/bundle.sh --torch DIR [--out FILE.tar.gz] [--size 64]
#   --torch DIR   the torch folder of the version that the other machine has; `pip download --no-deps` and unzip is enough
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/setup.sh

torch_dir='' out=$PWD/build-bundle/ldm-bundle.tar.gz size=64 most_bytes=40000000
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || ldm_die "$1: expected a value"
  case $1 in
    --torch) torch_dir=$(cd "$2" && pwd) ;;
    --out) out=$(realpath -m "$2") ;;
    --size) size=$2 ;;
    *) ldm_die "bundle: unknown option $1 (--torch, --out, --size)" ;;
  esac
  shift 2
done
[ -f "$torch_dir/version.py" ] || ldm_die "bundle: --torch DIR: expected the torch folder of an unpacked wheel, got '$torch_dir'"

# The program against the other torch.
ldm_install_packages build data
if ! grep -qsx "TORCH_DIR:PATH=$torch_dir" build-bundle/CMakeCache.txt; then
  cmake -S . -B build-bundle -G Ninja -DCMAKE_BUILD_TYPE=Release -DTORCH_DIR="$torch_dir" >&2
fi
NINJA_STATUS='[%f/%t, %es] ' cmake --build build-bundle --parallel "$(ldm_jobs)" --target ldm_cli golden_test >&2

folder=build-bundle/ldm-bundle
rm -rf "$folder"
mkdir -p "$folder"/{bin,lib,golden,data,models}
strip -o "$folder/bin/ldm" build-bundle/bin/ldm
strip -o "$folder/bin/golden_test" build-bundle/bin/golden_test

# Shared libraries that the other machine may lack; the C library is its own, torch's come from its torch.
ldd build-bundle/bin/ldm build-bundle/bin/golden_test | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
  grep -Ev "^$torch_dir/|/(ld-linux[^/]*|libc|libm|libdl|libpthread|librt|libutil|libgomp)\.so|cuda|cupti" |
  while read -r library; do cp -L "$library" "$folder/lib/"; done

# Training data: made with the ordinary build, whose torch surely runs here.
ldm_setup
ldm_build ldm_cli
build/bin/ldm data emoji "$folder/data/emoji" --size "$size" --quiet >&2

cp -r configs "$folder/"
cp models/perceptual_* "$folder/models/"
cp -r tests/golden/pending.txt tests/golden/reference "$folder/golden/"
for set in math models; do cp "tests/golden/$set/cases.tar.xz" "$folder/golden/$set.tar.xz"; done
cp scripts/bundle_run_all.sh "$folder/run-all.sh"
sed -n "s/^__version__ = '\([^']*\)'.*/\1/p" "$torch_dir/version.py" >"$folder/torch-version"
chmod -R u+w "$folder"

tar -C build-bundle -czf "$out" ldm-bundle
bytes=$(stat -c %s "$out")
[ "$bytes" -le "$most_bytes" ] || ldm_die "bundle: $out has $bytes bytes, at most $most_bytes were wanted"
ldm_say "$out: $bytes bytes, for torch $(cat "$folder/torch-version")"
ldm_say "there: tar xzf ${out##*/} && ldm-bundle/run-all.sh --minutes 8 (again and again: it goes on where it stopped)"
