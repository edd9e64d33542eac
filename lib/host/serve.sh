#!/bin/sh
# Serves the blog, for scripts. What it looks at:
#   SX_SERVER       the binary (default: target/release/sx of this repository, else sx in PATH)
#   SX_PROJECT_DIR  where lib/ is (default: this repository)
#   SX_PERSIST_DIR  the directory of the store (default: persist-data)
#   SX_HTTP_HOST    the address to listen at (default 127.0.0.1)
#   SX_PORT PORT    the port (default 8000)
#   SX_SERVING_JIT  1 or 0: native compilation on or off
#   SX_ADMIN_PASSWORD  the password of admin on an empty store, 10 characters or more; one is made up without it
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
SX_PROJECT_DIR=${SX_PROJECT_DIR:-$here}
SX_PERSIST_DIR=${SX_PERSIST_DIR:-persist-data}
export SX_PROJECT_DIR SX_PERSIST_DIR
if [ -z "${SX_SERVER:-}" ]; then
  if [ -x "$here/target/release/sx" ]; then SX_SERVER=$here/target/release/sx; else SX_SERVER=sx; fi
fi
exec "$SX_SERVER" serve
