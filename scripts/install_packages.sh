#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, where some are missing. Needs root or sudo only then.
set -euo pipefail

packages=(
  build-essential cmake ninja-build ca-certificates git
  libdnnl-dev ocl-icd-opencl-dev libxbyak-dev libonnx-dev libprotobuf-dev protobuf-compiler
  libgflags-dev libgoogle-glog-dev libunwind-dev libutf8proc-dev libyaml-cpp-dev nlohmann-json3-dev
)
case "${1:-}" in
  "") ;;
  --tests) packages+=(libgtest-dev libbenchmark-dev libzydis-dev clang-14 libclang-rt-14-dev clang-format-14 python3 python3-venv python3-pip pkg-config) ;;
  *) echo "usage: $0 [--tests]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "missing packages: ${missing[*]}; install them as root" >&2; exit 1; }
  sudo=(sudo)
fi
echo "installing ${missing[*]}" >&2
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
