#!/usr/bin/env bash
# Installs everything into .venv/ from constraints.txt, or says which system package is missing and how to get it.
# Run by `make setup`; PYTHON names the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
missing=0

need() { # what is missing, how to get it on Debian and Ubuntu
  echo "missing: $1; get it with: $2" >&2
  missing=1
}

if ! command -v "$python" >/dev/null; then
  need "$python (3.11 or newer)" "apt-get install python3 python3-venv"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  need "Python 3.11 or newer ($python is $("$python" -V 2>&1 | cut -d' ' -f2))" \
    "apt-get install python3.11-venv, then make setup PYTHON=python3.11"
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  need "Python's venv module" "apt-get install python3-venv"
fi

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
if ! command -v "$java" >/dev/null; then
  need "Java 17 or newer, which runs Kafka${JAVA_HOME:+ (none in JAVA_HOME=$JAVA_HOME)}" "apt-get install openjdk-17-jre-headless"
else
  version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  if [ "${version:-0}" -lt 17 ]; then
    need "Java 17 or newer, which runs Kafka ($java is Java ${version:-of an unknown version})" \
      "apt-get install openjdk-17-jre-headless, then set JAVA_HOME to it"
  fi
fi
if [ "$(uname)" = Linux ] && command -v "$python" >/dev/null &&
  ! "$python" -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null; then
  need "OpenMP's run-time library (libgomp.so.1), which LightGBM loads" "apt-get install libgomp1"
fi
command -v mvn >/dev/null || need "Maven, which fetches Kafka" "apt-get install maven"
[ "$missing" = 0 ] || exit 2

if ! .venv/bin/python -c '' 2>/dev/null; then
  rm -rf .venv
  "$python" -m venv .venv
fi
echo "setup: installing into .venv (a minute or two the first time)" >&2
pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)
"${pip[@]}" install --no-compile --require-hashes --requirement constraints.txt
"${pip[@]}" install --no-deps --no-build-isolation --editable .
# On all cores, which pip does not: a process that finds no bytecode, or may write none, takes twice as long to start.
.venv/bin/python -m compileall -q -j 0 -x '/tests?/' .venv/lib models producers stream_app >/dev/null || true
touch .venv/.ready
echo "setup: done" >&2
