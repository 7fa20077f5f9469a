#!/bin/sh
# usage: xvfb.sh [COMMAND ...]
# Sees to it that Xvfb and the system libraries of Qt 6 are there, then runs COMMAND under Xvfb.
# On Debian and Ubuntu it gets what is missing with apt-get, and changes nothing else.
set -eu

packages="xvfb xauth x11-utils libegl1 libgl1 libglx-mesa0 libgl1-mesa-dri libopengl0 libdbus-1-3
libglib2.0-0 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0 libxcb1 libx11-xcb1 libxcb-cursor0
libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render0 libxcb-render-util0
libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xinerama0 libxcb-xinput0
libxcb-xkb1"

installed() {
    dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i'
}

# Debian 13 and Ubuntu 24.04 renamed some libraries, libglib2.0-0 for one, to a name with t64.
missing_packages() {
    for package in $packages; do
        installed "$package" || installed "${package}t64" || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@" </dev/null
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@" </dev/null
    fi
}

if command -v apt-get >/dev/null 2>&1; then
    missing=$(missing_packages)
    if [ -z "$missing" ]; then
        :
    elif [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; then
        echo "No display here: installing Xvfb and the libraries that Qt needs, with apt-get: $missing"
        as_root apt-get -qq update
        # The list must become words.
        # shellcheck disable=SC2086
        as_root apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $missing
    else
        echo "napari-framewise: there is no display, and only root may install what is missing;" \
            "ask for: apt-get install --no-install-recommends $missing" >&2
    fi
fi
command -v xvfb-run >/dev/null 2>&1 || {
    echo "napari-framewise: there is no display; install Xvfb (the command xvfb-run) and" \
        "the libraries that Qt 6 needs with this system's package manager, or run this on a desktop." >&2
    exit 1
}
[ $# -eq 0 ] || exec xvfb-run -a -s "-screen 0 1920x1200x24 +extension GLX" "$@"
