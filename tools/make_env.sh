#!/usr/bin/env bash
# Copyright (c) mmfmwsss contributors. Licensed under the Apache License 2.0.
# Makes a virtual environment, or leaves it when nothing has changed.
#
#   tools/make_env.sh DIR default|openmmlab    makes or updates DIR
#   tools/make_env.sh --key default|openmmlab  prints what DIR depends on
#   tools/make_env.sh --lock DIR               locks DIR's versions (make lock)
#
# PYTHON names the interpreter; without it, the one that DIR was made with, or
# else python3. The package itself is installed into the checkout's own .venv
# only, as a link: other environments may serve several checkouts, which the
# Makefile puts on PYTHONPATH.
set -euo pipefail

usage='Usage: tools/make_env.sh DIR|--key default|openmmlab, or --lock DIR'
target=${1:?$usage}
kind=${2:?$usage}
python=${PYTHON:-}
checkout=$(cd "$(dirname "$0")/.." && pwd)
requirements=$checkout/requirements
unset PYTHONPATH  # nothing of the caller's may leak into a build

if [ "$target" = --lock ]; then
    lock_of=$kind python=$kind/bin/python
    kind=default
fi
case $kind in
    default) files=(torch mminstall runtime optional tests lint docs) ;;
    openmmlab) files=(torch openmmlab runtime optional tests) ;;
    *) echo "$usage" >&2; exit 2 ;;
esac

fail() { echo "tools/make_env.sh: $*" >&2; exit 1; }

if [ -z "$python" ]; then
    python=$target/bin/python
    "$python" -c '' 2> /dev/null || python=python3
fi
command -v "$python" > /dev/null \
    || fail "no \`$python\` found. Install Python >= 3.10, or name one: make PYTHON=/path/to/python3 ..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
    || fail "Python >= 3.10 is needed, but \`$python\` is $("$python" -V 2>&1). Name another: make PYTHON=/path/to/python3 ..."
"$python" -c 'import ensurepip, venv' 2> /dev/null \
    || fail "\`$python\` cannot make virtual environments. Install its venv module (Debian, Ubuntu: apt-get install python3-venv)."

# The exact versions of the default environment, where they are known for this
# Python and machine; elsewhere the newest that the requirement files allow.
lock=$requirements/lock-$("$python" -c 'import platform, sys, sysconfig
print(sys.implementation.name, *sys.version_info[:2], sysconfig.get_platform(),
      sep="-")').txt
if [ -n "${lock_of:-}" ]; then
    {
        echo '# Written by `make lock`, not by hand.'
        # OpenCV without a screen stands in for the one that is asked for.
        "$python" -m pip freeze | grep -v '^opencv-python-headless='
    } > "$lock.new"
    mv "$lock.new" "$lock"
    echo "$lock"
    exit 0
fi

# Hash of the requirement files and of the interpreter's version.
paths=() constraints=()
for file in "${files[@]}"; do paths+=("$requirements/$file.txt"); done
if [ "$kind" = default ] && [ -f "$lock" ]; then constraints=("$lock"); fi
key=$("$python" - "$kind" "${paths[@]}" \
    ${constraints[@]+"${constraints[@]}"} <<'PY'
import hashlib
import pathlib
import platform
import sys

text = platform.python_version() + platform.machine() + sys.argv[1]
digest = hashlib.sha256(text.encode())
for path in sys.argv[2:]:
    digest.update(pathlib.Path(path).read_bytes())
print(digest.hexdigest()[:16])
PY
)
if [ "$target" = --key ]; then echo "$key"; exit 0; fi

step() {  # step WHAT COMMAND...: says what is done, and how long it took
    local what=$1 begin=$SECONDS log=$target/install.log
    shift
    printf '  %-52s' "$what"
    if "$@" > "$log" 2>&1; then
        printf '%4d s\n' $((SECONDS - begin))
    else
        printf 'failed\n' >&2
        tail -n 40 "$log" >&2
        fail "this failed: $*"
    fi
}

# Links the package into the checkout's own environment, when it is new there
# or its metadata have changed.
link_package() {
    local link=$target/.package-key new
    [ "$(cd "$target" && pwd)" = "$checkout/.venv" ] || return 0
    new=$(cat "$checkout/pyproject.toml" "$checkout/setup.py" | cksum)
    [ "$(cat "$link" 2> /dev/null)" != "$new" ] || return 0
    step 'this package, as a link to the checkout' \
        "$target/bin/python" -m pip install --disable-pip-version-check \
        --no-deps -e "$checkout"
    rm -f "$target/install.log"
    echo "$new" > "$link"
}

stamp=$target/.requirements-key
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ] \
    && "$target/bin/python" -c '' 2> /dev/null; then
    link_package
    exit 0
fi

started=$SECONDS
version='import sys; print(sys.version_info[:2])'
if [ -e "$target" ]; then
    [ -f "$target/pyvenv.cfg" ] || [ -z "$(ls -A "$target")" ] \
        || fail "$target is there and is no virtual environment; name another folder with VENV=."
    rm -f "$stamp"
    if [ "$("$target/bin/python" -c "$version" 2> /dev/null)" \
        != "$("$python" -c "$version")" ]; then
        rm -rf "$target"  # made by another Python, or moved
    fi
fi
echo "Making the environment $target ($("$python" -V), $kind packages)"
[ -f "$target/pyvenv.cfg" ] && [ -x "$target/bin/pip" ] \
    || "$python" -m venv "$target"

pip=("$target/bin/python" -m pip install --disable-pip-version-check)
for path in ${constraints[@]+"${constraints[@]}"}; do pip+=(-c "$path"); done

step 'torch, torchvision (largest; minutes by network)' \
    "${pip[@]}" -r "$requirements/torch.txt"
# Without cache: pip would hand out mmcv as once compiled for another torch.
# In its isolated build there is no torch, so no compiler is needed.
if [ "$kind" = default ]; then
    step 'onedl packages: mmcv without ops, mmseg, mmdet' \
        "${pip[@]}" --no-cache-dir -r "$requirements/mminstall.txt"
else
    step 'OpenMMLab packages: mmcv-lite, mmseg, mmdet' \
        "${pip[@]}" --no-cache-dir -r "$requirements/openmmlab.txt"
fi
rest=()
for path in "${paths[@]}"; do rest+=(-r "$path"); done
step 'everything else' "${pip[@]}" "${rest[@]}"

# opencv-python needs libGL, which servers and containers may lack. mmcv asks
# for it by name; the headless build of the same version has the same files.
if ! "$target/bin/python" -c 'import cv2' 2> /dev/null; then
    release=$("$target/bin/python" -c \
        'from importlib.metadata import version; print(version("opencv-python"))')
    step 'OpenCV without a screen, as this machine lacks libGL' \
        "${pip[@]}" --force-reinstall --no-deps "opencv-python-headless==$release"
fi

rm -f "$target/install.log"
echo "$key" > "$stamp"
link_package
echo "The environment is ready ($((SECONDS - started)) s)."
