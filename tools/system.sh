#!/usr/bin/env bash
# Installs the programs that tests drive (a browser, a database, Redis, curl), where it may; otherwise names what will be skipped.
set -uo pipefail

missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium fonts-dejavu-core)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v curl >/dev/null || missing+=(curl)
# Playwright brings a Node.js that is linked with it; a bare Debian has none.
[ "$(uname)" != Linux ] || compgen -G '/usr/lib/*/libatomic.so.1*' >/dev/null || missing+=(libatomic1)
[ ${#missing[@]} = 0 ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]} ..."
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null && exit 0
fi
printf '\n%s\n' "######## MISSING: ${missing[*]}. Tests that need them are SKIPPED."
printf '%s\n\n' "######## On Debian: apt-get install ${missing[*]}"
