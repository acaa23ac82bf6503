#!/usr/bin/env bash
# An authority of this check, and a certificate for localhost that it has signed for 60 days.
# usage: certificates.sh DIR
set -euo pipefail
mkdir -p "$1"
cd "$1"
curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
openssl req -x509 "${curve[@]}" -days 60 -subj "/CN=authority of a check" -keyout ca.key -out ca.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
openssl req "${curve[@]}" -subj "/CN=localhost" -keyout leaf.key -out leaf.csr 2>/dev/null
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 60 -out leaf.pem 2>/dev/null -extfile <(
    echo "subjectAltName=DNS:localhost"
    echo "basicConstraints=critical,CA:FALSE"
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=serverAuth"
)
cat leaf.pem ca.pem >chain.pem
chmod 600 leaf.key
