#!/usr/bin/env bash
# A Debian package of a program that is built: the program, units of systemd, the scripts that switch
# versions, configurations to begin with, a manual page and the documents. dpkg-deb is all that it needs;
# lintian looks at it where it is there.
# usage: package_deb.sh BIST [OUT_DIR]
set -euo pipefail
bist=$(realpath "$1")
out=$(mkdir -p "${2:-target/deb}" && realpath "${2:-target/deb}")
cd "$(dirname "$0")/.."
told=$("$bist" --version)
version=$(cut -d' ' -f2 <<<"$told")
[[ $told == *'('* ]] || echo "the program does not tell its commit: build it by env \$(scripts/build_facts.sh) cargo build" >&2
architecture=${DEB_ARCHITECTURE:-$(dpkg --print-architecture)}
# The same sources give the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
day=$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
umask 022
chmod 755 "$tree"

install -D -m 755 "$bist" "$tree/usr/bin/bist"
strip --strip-unneeded "$tree/usr/bin/bist" 2>/dev/null || echo "the program keeps its symbols: strip is not here for $architecture" >&2
for script in deploy start stop; do install -D -m 755 "scripts/$script" "$tree/usr/lib/bist/$script"; done
install -D -m 644 scripts/deploy_parts.sh "$tree/usr/lib/bist/deploy_parts.sh"
for unit in deploy/systemd/*.service; do install -D -m 644 "$unit" "$tree/lib/systemd/system/$(basename "$unit")"; done

doc=$tree/usr/share/doc/bist
for document in docs/OPERATIONS.md docs/OPERATIONS.tr.md docs/CONFIGURATION.md docs/SCALING.md docs/API.md docs/SECURITY.md; do
    install -D -m 644 "$document" "$doc/$(basename "$document")"
done
for example in deploy/systemd/deploy.conf deploy/haproxy/haproxy.cfg deploy/nginx/bist.conf; do
    install -D -m 644 "$example" "$doc/examples/$(basename "$example")"
done
cat >"$doc/copyright" <<COPYRIGHT
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: bist
License: MIT or Apache-2.0

Files: *
Copyright: 2026 The authors of BIST AI Smart Trader
License: MIT or Apache-2.0

License: MIT
$(sed 's/^$/./; s/^/ /' LICENSE-MIT)

License: Apache-2.0
 On Debian systems, the text is in /usr/share/common-licenses/Apache-2.0.
COPYRIGHT
gzip -9n >"$doc/changelog.gz" <CHANGELOG.md
gzip -9n >"$doc/changelog.Debian.gz" <<CHANGES
bist ($version-1) stable; urgency=medium

  * What changed stands in changelog.gz. The program is $told.

 -- The authors of BIST AI Smart Trader <bist@bist.example>  $day
CHANGES

mkdir -p "$tree/usr/share/man/man1"
{
    cat <<'ROFF'
.TH BIST 1 "" "" "User Commands"
.SH NAME
bist \- market data, forecasts and signals of Borsa Istanbul
.SH SYNOPSIS
.B bist
.RI [ options ]
.I command
.RI [ arguments ]
.SH DESCRIPTION
Turns market data into checked bars, forecasts, and signals that say what they are worth.
.B bist help
.I command
tells the rest of each command.
.SH COMMANDS
ROFF
    "$bist" --help | sed -n '/^Commands:/,/^$/p' | awk '
        /^  [a-z]/ { name = $1; sub(/^  [a-z-]+ +/, ""); print ".TP\n.B " name; print; next }
        /^   +[^ ]/ { sub(/^ +/, ""); print }'
    cat <<'ROFF'
.SH FILES
.TP
.I /etc/bist/bist.toml
Settings of the services; other commands read what
.B \-\-config
or BIST_CONFIG names.
.TP
.I /etc/bist/master.key
The master key of the secrets.
.TP
.I /etc/bist/deploy.conf
Settings of
.IR /usr/lib/bist/deploy ,
which switches from one version to the next.
.TP
.I /var/lib/bist
The data of the services.
.SH SEE ALSO
The documents in
.IR /usr/share/doc/bist .
ROFF
} | gzip -9n >"$tree/usr/share/man/man1/bist.1.gz"

# The file is the operator's, and stays as they leave it.
install -d -m 755 "$tree/etc/bist"
cat >"$tree/etc/bist/bist.toml" <<'TOML'
# Settings of the services: /usr/share/doc/bist/CONFIGURATION.md has all of them.
[server]
bind = "127.0.0.1:8080"
# public_url = "https://bist.example"
# trusted_proxies = ["127.0.0.1"]
TOML

mkdir "$tree/DEBIAN"
echo /etc/bist/bist.toml >"$tree/DEBIAN/conffiles"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: bist
Version: $version-1
Architecture: $architecture
Maintainer: The authors of BIST AI Smart Trader <bist@bist.example>
Installed-Size: $(du -sk --exclude DEBIAN "$tree" | cut -f1)
Depends: libc6 (>= 2.36), libgcc-s1, adduser
Recommends: haproxy | nginx, socat, curl, jq
Suggests: postgresql, redis-server
Section: net
Priority: optional
Description: market data, forecasts and signals of Borsa Istanbul
 Turns market data into checked bars, forecasts, and signals that say what
 they are worth. Every model stands beside simple baselines, out of sample
 and after costs; one that shows no skill gives no signal.
 .
 One program serves the pages and the API, on SQLite alone or as several
 processes on PostgreSQL and Redis.
CONTROL
cat >"$tree/DEBIAN/postinst" <<'SH'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    if ! getent passwd bist >/dev/null; then
        adduser --system --group --home /var/lib/bist --no-create-home --quiet bist
    fi
    # Commands and the first switch look there before systemd has made it for a unit.
    install -d -o bist -g bist -m 700 /var/lib/bist
    # A key that nobody else may read; it is never made anew.
    if [ ! -e /etc/bist/master.key ]; then
        bist secrets generate-key --out /etc/bist/master.key --quiet
        chown bist:bist /etc/bist/master.key
        chmod 600 /etc/bist/master.key
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
    fi
fi
SH
cat >"$tree/DEBIAN/postrm" <<'SH'
#!/bin/sh
# Data, the master key and the account stay: they cannot be had back.
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
SH
cat >"$tree/DEBIAN/prerm" <<'SH'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl stop bist.service 'bist@*.service' bist-worker.service bist-scheduler.service
fi
SH
chmod 755 "$tree"/DEBIAN/{postinst,postrm,prerm}
(cd "$tree" && find usr lib etc -type f ! -path etc/bist/bist.toml -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)

package=$out/bist_$version-1_$architecture.deb
dpkg-deb --root-owner-group --build "$tree" "$package" >/dev/null
if command -v lintian >/dev/null; then
    lintian "$package" || true
fi
echo "$package"
