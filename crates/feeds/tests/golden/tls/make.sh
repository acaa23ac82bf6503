#!/bin/sh
# Makes the certificate that nobody trusts, and its key. They protect nothing: the key is public.
set -eu
cd "$(dirname "$0")"
openssl genpkey -algorithm ed25519 -outform DER -out untrusted.key.der
openssl req -x509 -new -key untrusted.key.der -keyform DER -days 36500 -subj "/CN=bist test certificate that nobody trusts" \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -addext basicConstraints=critical,CA:FALSE -outform DER -out untrusted.cert.der
