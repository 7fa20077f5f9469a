#!/bin/sh
# usage: environment.sh VENV EXTRA
# Makes the virtual environment VENV, if there is none, and installs this project there with EXTRA.
# PYTHON names the interpreter to make it from; else the first that is new enough is taken.
set -eu
venv=$1
extra=$2

fail() {
    echo "napari-framewise: $*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or later is needed and ${PYTHON:-python3} is not one;" \
        "install it, or name it: make PYTHON=/path/to/python3.12 ..."
}

make_venv() {
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Making $venv with Python $version"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv --clear "$venv"
    else
        # Debian keeps ensurepip in a package of its own; a pip outside can do the same.
        "$python" -m venv --clear --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install -q pip ||
            fail "this Python cannot make virtual environments with pip in them;" \
                "on Debian and Ubuntu: apt-get install python$version-venv"
    fi
}

cd "$(dirname "$0")/.."
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || make_venv
echo "Installing napari-framewise[$extra] into $venv (the first time takes some minutes)"
"$venv/bin/python" -m pip install -q --disable-pip-version-check -e ".[$extra]"
