#!/usr/bin/env bash
# Gets all that a build needs: packages, LibTorch, a configured build folder. Does nothing where all is there.
# Usage: scripts/setup.sh [PRESET]; from another script: source scripts/setup.sh, then ldm_setup.
# Environment: LDM_LIBTORCH names the torch folder of an unpacked wheel, LDM_APT=0 forbids apt.
set -euo pipefail
ldm_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

ldm_say() { printf '%s\n' "-- $*" >&2; }
ldm_die() {
  printf 'ldm set-up: %s\n' "$*" >&2
  exit 1
}

# Packages of the given groups of scripts/packages.txt that are not installed, on one line.
ldm_missing_packages() {
  local package group
  while read -r package group; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^.i' || printf '%s ' "$package"
  done < <(grep -v '^#' "$ldm_root/scripts/packages.txt")
}

# Installs with apt where it may without asking; otherwise names the one line to type.
ldm_install_packages() {
  command -v dpkg-query >/dev/null || {
    ldm_say "no dpkg here: these packages (Debian's names) are expected: $(awk '!/^#/ && $2 != "lint" && $2 != "extra" {printf "%s ", $1}' "$ldm_root/scripts/packages.txt")"
    return 0
  }
  local missing
  missing=$(ldm_missing_packages "$@")
  [ -n "$missing" ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
  if [ "${LDM_APT:-1}" = 0 ] || { [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; }; then
    ldm_die "packages are missing; please run: sudo apt-get install -y --no-install-recommends $missing"
  fi
  ldm_say "installing $missing"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  # shellcheck disable=SC2086  # One word a package.
  "${apt[@]}" install -y --no-install-recommends $missing >/dev/null 2>&1 ||
    { "${apt[@]}" update >/dev/null && "${apt[@]}" install -y --no-install-recommends $missing >/dev/null; } ||
    ldm_die "apt-get failed; please run: sudo apt-get install -y --no-install-recommends $missing"
}

# The torch folder of a Python that can import torch 2.11 to 2.14, or nothing. Does not import it.
ldm_python_torch() {
  command -v python3 >/dev/null || return 0
  python3 - <<'PYTHON' 2>/dev/null || true
import importlib.util, os, re
spec = importlib.util.find_spec("torch")
folder = spec.submodule_search_locations[0]
version = re.search(r"__version__ = '2\.(\d+)", open(os.path.join(folder, "version.py")).read())
headers = os.path.exists(os.path.join(folder, "include/torch/types.h")) or os.path.exists(
    os.path.join(folder, "include/torch/csrc/api/include/torch/types.h"))
if version and 11 <= int(version[1]) <= 14 and headers and os.path.exists(os.path.join(folder, "lib/libtorch_cpu.so")):
    print(folder)
PYTHON
}

# Prints the torch folder to build against; fetches it where there is none.
ldm_find_torch() {
  if [ -n "${LDM_LIBTORCH:-}" ]; then
    [ -f "$LDM_LIBTORCH/version.py" ] || ldm_die "LDM_LIBTORCH=$LDM_LIBTORCH: expected the torch folder of an unpacked wheel (with version.py, include, lib)"
    printf '%s\n' "$LDM_LIBTORCH"
    return
  fi
  local own=$ldm_root/.deps/libtorch/torch python_torch
  if [ ! -f "$own/version.py" ]; then
    python_torch=$(ldm_python_torch)
    if [ -n "$python_torch" ]; then
      printf '%s\n' "$python_torch"
      return
    fi
    ldm_install_packages torch
    "$ldm_root/scripts/get_torch.sh" >&2
  fi
  printf '%s\n' "$own"
}

# Configures a preset unless that was done with the same LibTorch.
ldm_configure() {
  local preset=$1 folder=$2 torch_dir=$3
  if [ -f "$folder/build.ninja" ] && grep -qx "TORCH_DIR:PATH=$torch_dir" "$folder/CMakeCache.txt"; then return; fi
  (cd "$ldm_root" && cmake --preset "$preset" -DTORCH_DIR="$torch_dir" >&2)
}

# Compilers that this machine's memory can take: LibTorch's headers need 1.5 GB each.
ldm_jobs() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  if [ "$gigabytes" -lt "$cores" ]; then cores=$gigabytes; fi
  if [ "$cores" -lt 1 ]; then cores=1; fi
  printf '%s\n' "$cores"
}

ldm_setup() {
  ldm_install_packages build data
  local torch_dir
  torch_dir=$(ldm_find_torch)
  ldm_configure "${1:-release}" "$ldm_root/build" "$torch_dir"
}

# ldm_build [TARGET ...]: builds the release preset; ninja shows how far it is.
ldm_build() {
  local targets=()
  if [ $# -gt 0 ]; then targets=(--target "$@"); fi
  NINJA_STATUS='[%f/%t, %es] ' cmake --build "$ldm_root/build" --parallel "$(ldm_jobs)" "${targets[@]}" >&2
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then ldm_setup "$@"; fi
