#!/usr/bin/env bash
# The real binary beside a real server that speaks S3 (moto, from PyPI): artefacts are put into the
# bucket, come back from it, are healed by it, and are refused when it gives wrong bytes; a backup is
# copied there, and restored from its copy.
# usage: s3_check.sh BIST PYTHON [OUT_DIR]; PYTHON has moto with its server, and awscli
set -euo pipefail
bist=$(realpath "$1")
python=$2
cd "$(dirname "$0")/.."
out=${3:-target/s3-check}
rm -rf "$out"
mkdir -p "$out"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

began=$(date +%s)
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$(dirname "$python")/moto_server" -H 127.0.0.1 -p "$port" >"$out/moto.log" 2>&1 &
server=$!
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=AKIAOFTHECHECK
export AWS_SECRET_ACCESS_KEY=secret-of-the-check AWS_REGION=us-east-1
export BIST_DATA_DIR=$out/data BIST_OBJECT_STORE_URL=s3://bist-check/team/one
curl -fsS --retry 50 --retry-delay 1 --retry-all-errors -X PUT "$AWS_ENDPOINT_URL/bist-check" >"$out/bucket.xml" 2>>"$out/moto.log"

# Asks the server for what the arguments of curl say.
s3() {
    curl -fsS --aws-sigv4 "aws:amz:$AWS_REGION:s3" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@"
}

ok() { printf 'ok: %s\n' "$1"; }
failed() { printf 'failed: %s\n' "$1" >&2; exit 1; }

# Changes one byte of FILE.
flip() {
    "$python" - "$1" <<'PY'
import sys

with open(sys.argv[1], "r+b") as file:
    file.seek(100)
    byte = file.read(1)[0]
    file.seek(100)
    file.write(bytes([byte ^ 1]))
PY
}

# Says what the model in force says, into the file NAME, and shows that these are the signals of the first time.
signals() {
    "$bist" signals --json --quiet >"$out/$1.json"
    "$python" - "$out/first.json" "$out/$1.json" <<'PY'
import json
import sys

first, now = ([item["id"] for item in json.load(open(name))["items"]] for name in sys.argv[1:])
assert first and first == now, (first, now)
PY
}

"$bist" sample --symbols 10 --years 4 --quiet
"$bist" validate --all --quiet >"$out/validate.txt"
RUST_LOG=trace "$bist" train --horizon 5 --json >"$out/train.json" 2>"$out/train.log"
sha256=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["items"][0]["artifact_sha256"])' "$out/train.json")
file=$BIST_DATA_DIR/models/$sha256.json
object=$AWS_ENDPOINT_URL/bist-check/team/one/models/$sha256.json
s3 "$object" >"$out/object.json"
cmp "$file" "$out/object.json"
ok "a trained model is in the data directory and in the bucket ($(stat -c %s "$file") bytes)"

! grep -q "$AWS_SECRET_ACCESS_KEY" "$out/train.log" || failed "the secret key is in the log"
grep -q '"target":"hyper' "$out/train.log" || failed "the log does not tell of the network"
ok "the secret key is in no line of the log, at its most talkative"

signals first
rm -r "$BIST_DATA_DIR/models"
signals again
cmp "$file" "$out/object.json"
ok "signals come without the local copy, and it is back"

flip "$file"
signals healed
cmp "$file" "$out/object.json"
ok "a local copy with a byte changed is healed"

cp "$out/object.json" "$out/flipped.json"
flip "$out/flipped.json"
s3 -T "$out/flipped.json" "$object"
s3 "$object" | cmp - "$out/flipped.json"
rm "$file"
if "$bist" signals --quiet >"$out/refused.txt" 2>&1; then failed "wrong bytes of the bucket are taken"; fi
grep -q "the object s3://bist-check/team/one/models/$sha256.json is not the one that was trained" "$out/refused.txt"
[ ! -e "$file" ] || failed "wrong bytes were kept"
ok "wrong bytes of the bucket are refused: $(cut -c 1-60 "$out/refused.txt")..."

s3 -T "$out/object.json" "$object"
signals back

s3 -X DELETE "$object"
by_hand=$(grep -o 'aws s3 cp [^`]*' docs/OPERATIONS.md)
by_hand=${by_hand/DIR/"$BIST_DATA_DIR"}
by_hand=${by_hand/BUCKET\/PREFIX/bist-check/team/one}
# shellcheck disable=SC2086
"$(dirname "$python")"/$by_hand >"$out/aws.txt"
rm -r "$BIST_DATA_DIR/models"
signals by_hand
cmp "$file" "$out/object.json"
ok "what the runbook types puts models of before into the bucket: $by_hand"

"$bist" backup generate-key --out "$out/identity.txt" --json --quiet >"$out/key.json"
field() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$@"; }
printf '[backup]\nrecipients = ["%s"]\nobject_store_url = "s3://bist-check/backups"\n' \
    "$(field "$out/key.json" recipient)" >"$out/bist.toml"
"$bist" --config "$out/bist.toml" backup create --json --quiet >"$out/backup.json"
backup=$(field "$out/backup.json" backup)
s3 "$AWS_ENDPOINT_URL/bist-check/backups/$backup" >"$out/$backup"
cmp "$BIST_DATA_DIR/backups/$backup" "$out/$backup"
ok "a backup is in the bucket as it is on the disk ($(stat -c %s "$out/$backup") bytes)"
mkdir "$out/restored"
cp "$BIST_DATA_DIR/master.key" "$out/restored/"
"$bist" --data-dir "$out/restored" backup restore "$out/$backup" --identity "$out/identity.txt" --quiet >/dev/null
"$bist" --data-dir "$out/restored" audit verify --quiet >/dev/null
BIST_DATA_DIR=$out/restored signals restored
ok "restored on an empty place, it says the same signals"
kill "$server"
wait "$server" || true
server=
signals alone
ok "signals come while the server is away, from the local copy"

rm "$file"
if "$bist" signals --quiet >"$out/away.txt" 2>&1; then failed "signals come from nowhere"; fi
grep -q "the object s3://bist-check/team/one/models/$sha256.json cannot be read: Connection refused" "$out/away.txt"
ok "without either it is said which object cannot be had, and why"
printf 'all of it in %d s\n' $(($(date +%s) - began))
