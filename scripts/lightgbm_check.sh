#!/usr/bin/env bash
# Trees go both ways between `bist` and Python's LightGBM: trees that LightGBM trained on the table of
# `bist models table` serve and are explained here with LightGBM's own answers, and LightGBM answers
# with the trees of `bist train` as `bist` does.
# usage: lightgbm_check.sh BIST PYTHON [OUT_DIR]; PYTHON has lightgbm and pandas
set -euo pipefail
bist=$(realpath "$1")
python=$2
cd "$(dirname "$0")/.."
out=${3:-target/lightgbm-check}
rm -rf "$out"
mkdir -p "$out"
data=$out/data
known_until=2025-06-30
models=("$bist" models --data-dir "$data" --quiet)
"$bist" sample --data-dir "$data" --symbols 12 --years 6 --until 2026-06-30 --quiet

echo "-- trees of LightGBM serve here"
"${models[@]}" table --horizon 5 --out "$out/table.csv"
"$python" - "$out" "$known_until" <<'PY'
import sys

import lightgbm
import pandas

out, known_until = sys.argv[1:]
table = pandas.read_csv(f"{out}/table.csv")
features = list(table.columns[3:-2])
rows = table[table.known_on.notna() & (table.known_on <= known_until)]
params = dict(objective="huber", alpha=0.05, num_leaves=7, learning_rate=0.05, seed=1, deterministic=True, verbose=-1)
booster = lightgbm.train(params, lightgbm.Dataset(rows[features], rows.target), num_boost_round=80)
booster.save_model(f"{out}/theirs.txt")
newest = table[table.day == table.day.max()]
shares = booster.predict(newest[features], pred_contrib=True)
answers = pandas.DataFrame({"symbol": newest.symbol.values, "answer": booster.predict(newest[features])})
for j, feature in enumerate(features):
    answers[feature] = shares[:, j]
answers.to_csv(f"{out}/answers.csv", index=False)
print(f"LightGBM {lightgbm.__version__} learned from {len(rows)} rows")
PY
"${models[@]}" import "$out/theirs.txt" --horizon 5 --known-until "$known_until" \
    --reason "trained by LightGBM" --json >"$out/version.json"
id=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["id"])' "$out/version.json")
"${models[@]}" promote "$id" --horizon 5 --reason "beside LightGBM" >"$out/promoted.txt"
"${models[@]}" reproduce "$id" --json >"$out/reproduced.json"
"$bist" signals --data-dir "$data" --horizon 5 --json --quiet >"$out/signals.json"
for symbol in $("$python" -c 'import json, sys; print(*[i["symbol"] for i in json.load(open(sys.argv[1]))["items"]])' "$out/signals.json"); do
    "$bist" explain "$symbol" --data-dir "$data" --horizon 5 --json --quiet >"$out/explain-$symbol.json"
done
"$python" - "$out" <<'PY'
import json
import sys

import pandas

out = sys.argv[1]
assert json.load(open(f"{out}/reproduced.json"))["items"][0]["reproduced"] is True
answers = pandas.read_csv(f"{out}/answers.csv").set_index("symbol")
drifts, apart = [], 0.0
for symbol, answer in answers.iterrows():
    explained = json.load(open(f"{out}/explain-{symbol}.json"))
    drifts.append(explained["forecast"] - answer.answer)
    ours = {part["feature"]: part["contribution"] for part in explained["features"]}
    for feature, share in answer.drop("answer").items():
        apart = max(apart, abs(ours.get(feature, 0.0) - share))
# What is added to the answer of the trees is the drift, the same for all.
spread = max(drifts) - min(drifts)
assert spread < 1e-12, drifts
assert apart < 1e-9, apart
print(f"{len(answers)} forecasts serve with LightGBM's answers: {spread:.1e} apart, contributions {apart:.1e}")
PY

echo "-- our trees in LightGBM"
"$bist" train --data-dir "$data" --horizon 5 --quiet >"$out/trained.txt"
"${models[@]}" export champion --horizon 5 --format lightgbm --out "$out/ours.txt"
"$bist" signals --data-dir "$data" --horizon 5 --json --quiet >"$out/signals.json"
"$bist" explain "$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["items"][0]["symbol"])' "$out/signals.json")" \
    --data-dir "$data" --horizon 5 --json --quiet >"$out/ours.json"
"$python" - "$out" <<'PY'
import json
import sys

import lightgbm
import pandas

out = sys.argv[1]
table = pandas.read_csv(f"{out}/table.csv")
explained = json.load(open(f"{out}/ours.json"))
row = table[(table.day == table.day.max()) & (table.symbol == explained["symbol"])]
answer = lightgbm.Booster(model_file=f"{out}/ours.txt").predict(row[list(table.columns[3:-2])])[0]
trees = next(member for member in explained["members"] if member["kind"] == "gbdt")
apart = abs(trees["forecast"] - answer)
assert apart < 1e-12, (trees, answer)
print(f"LightGBM answers with our trees as we do: {apart:.1e} apart")
PY
