#!/usr/bin/env bash
# Resolves the dependencies of pyproject.toml anew into constraints.txt, without the tools into constraints.runtime.txt,
# and those of the benches' peers, with hashes. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "missing: uv; get it with: python3 -m pip install uv" >&2; exit 2; }
uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet \
  --output-file constraints.txt
pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
grep -E '^[a-z0-9-]+==' constraints.txt | sed 's/ *\\$//' > "$pins"
# What the image installs: the same versions without the tools, and nothing that would need a compiler.
uv pip compile pyproject.toml --constraint "$pins" --universal --python-version 3.11 --only-binary :all: \
  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet \
  --output-file constraints.runtime.txt
# The benches' peers: the same versions, but for confluent-kafka, which Quix Streams wants older.
uv pip compile bench/peers/requirements.in --constraint <(grep -v '^confluent-kafka==' "$pins") --universal --python-version 3.11 \
  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet \
  --output-file bench/peers/requirements.txt
