#!/usr/bin/env bash
# The browser in which the console is tested: there, installed where this user may, or named with the way to get it.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
[ -n "${FRAUDSTREAM_CHROMIUM:-}" ] && [ -x "$FRAUDSTREAM_CHROMIUM" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "setup: installing Chromium for the browser tests" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install --no-install-recommends --yes -qq chromium >/dev/null && exit 0
fi
echo "missing: Chromium, in which the console is tested; get it with: apt-get install chromium" \
  "(or name another in FRAUDSTREAM_CHROMIUM)" >&2
exit 2
