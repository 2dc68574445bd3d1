#!/usr/bin/env bash
# Fails when clang-format would change a file. usage: check_format.sh SOURCE_DIR
set -euo pipefail
cd "$1"
git ls-files '*.h' '*.cpp' | xargs clang-format-14 --dry-run -Werror
