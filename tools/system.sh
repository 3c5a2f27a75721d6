#!/usr/bin/env bash
# Installs the programs that tests drive (a browser, databases, Redis, nginx, curl), where it may; otherwise names what will be skipped.
# `system.sh bench` adds what benchmarks alone drive.
set -uo pipefail

missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium fonts-dejavu-core)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
PATH=$PATH:/usr/sbin command -v mariadbd >/dev/null || missing+=(mariadb-server)
PATH=$PATH:/usr/sbin command -v nginx >/dev/null || missing+=(nginx-light)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v curl >/dev/null || missing+=(curl)
# Playwright brings a Node.js that is linked with it; a bare Debian has none.
[ "$(uname)" != Linux ] || compgen -G '/usr/lib/*/libatomic.so.1*' >/dev/null || missing+=(libatomic1)
[ "${1:-}" != bench ] || command -v wrk >/dev/null || missing+=(wrk)
[ ${#missing[@]} = 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]} ..."
    # Tests start servers of their own: the machine's need not run for them.
    hold=/usr/sbin/policy-rc.d
    [ -e $hold ] || { printf '#!/bin/sh\nexit 101\n' >$hold && chmod 755 $hold && trap 'rm -f $hold' EXIT; }
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null && exit 0
fi
printf '\n%s\n' "######## MISSING: ${missing[*]}. Tests that need them are SKIPPED."
printf '%s\n\n' "######## On Debian: apt-get install ${missing[*]}"
