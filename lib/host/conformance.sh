#!/bin/bash
# Runs the suites of lib/host/tests four ways, {epoch eval, real HTTP} x {JIT off, JIT on}, and the first hit of
# every page on a fresh process; prints one table. Exit code 1 if any test failed, a suite is missing, or
# something could not be loaded.   usage: lib/host/conformance.sh   (SX_SERVER names the binary)
set -u
cd "$(dirname "$0")/../.." || exit 2
export SX_SERVER=${SX_SERVER:-target/release/sx} SX_PROJECT_DIR=${SX_PROJECT_DIR:-$PWD}
suites="handler middleware sxtp router feed relations blog page server session ledger"
least=271
work=$(mktemp -d) || exit 2
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
bad=0

fail() { echo "FAILED: $*" >&2; bad=1; }

epoch() { # JIT: the report, through the epoch protocol
  printf '%s\n' '(epoch 1)' '(load "lib/host/tests/conformance.sx")' '(epoch 2)' '(eval "(conformance-report)")' |
    SX_SERVING_JIT=$1 timeout 600 "$SX_SERVER" server 2>"$work/epoch$1.err" |
    tee "$work/epoch$1.all" | sed -n '/^(ok-len 2 /,$p' | sed 1d
  grep -q '^(error' "$work/epoch$1.all" && { grep '^(error' "$work/epoch$1.all" >&2; fail "epoch, JIT $1"; }
}

serve() { # JIT: a server of served.sx, at $port
  port=$((20000 + RANDOM % 20000))
  rm -rf "$work/store"
  SX_PERSIST_DIR=$work/store SX_SERVING_JIT=$1 "$SX_SERVER" serve --port $port lib/host/tests/served.sx >"$work/http$1.out" 2>"$work/http$1.err" &
  server=$!
  for _ in $(seq 600); do
    curl -s -o /dev/null "http://127.0.0.1:$port/health" && return 0
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/http$1.err" >&2
  stop
  fail "the server did not start, JIT $1"
  return 1
}

stop() { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; server=; }

http() { # JIT: the report, through a request
  serve "$1" || return
  curl -s --max-time 600 "http://127.0.0.1:$port/conformance"
  stop
}

first_hits() { # JIT: each page is right at its first hit on a fresh process
  for path in / /welcome/ /writing-posts/ /tags /language/ /welcome/source /login /feed /feed.atom /posts /posts/welcome; do
    serve "$1" || return
    curl -s -o "$work/one" -w '%{http_code}' "http://127.0.0.1:$port$path" >"$work/status"
    curl -s -o "$work/two" "http://127.0.0.1:$port$path"
    stop
    for file in "$work/one" "$work/two"; do sed -Ei 's/value="[0-9]+\.[^"]*"/TOKEN/g; s/20[0-9-]+T[0-9:]+Z/TIME/g; s/1[0-9]{12}/TIME/g' "$file"; done
    if [ "$(cat "$work/status")" = 200 ] && cmp -s "$work/one" "$work/two"; then echo "first-hit-$path 1 0"; else
      echo "first-hit-$path 0 1"; echo "FAILED first hit of $path: status $(cat "$work/status")"; fi
  done
  grep -qi 'handler error\|fall' "$work/http$1.err" && echo "FAILED first hits: $(cat "$work/http$1.err")"
}

for jit in 0 1; do
  epoch $jit >"$work/epoch-$jit"
  http $jit >"$work/http-$jit"
  first_hits $jit >"$work/hits-$jit"
done

printf '%-12s %14s %14s %14s %14s\n' suite 'epoch' 'epoch+JIT' 'HTTP' 'HTTP+JIT'
total=0
for suite in $suites; do
  printf '%-12s' "$suite"
  for way in epoch-0 epoch-1 http-0 http-1; do
    line=$(grep "^$suite " "$work/$way" | head -1)
    set -- $line
    if [ $# != 3 ]; then printf ' %14s' missing; fail "$way: no suite $suite"; continue; fi
    printf ' %14s' "$2/$(($2 + $3))"
    [ "$3" = 0 ] || bad=1
    [ $way = epoch-0 ] && total=$((total + $2))
  done
  echo
done
printf '%-12s' 'first hits'
for jit in 0 1; do printf ' %14s' '' "$(grep -c ' 1 0$' "$work/hits-$jit")/11"; [ "$(grep -c ' 1 0$' "$work/hits-$jit")" = 11 ] || bad=1; done
echo
grep -h '^FAILED' "$work"/epoch-? "$work"/http-? "$work"/hits-? | sort | uniq -c
[ "$total" -ge "$least" ] || fail "$total tests; there are to be $least"
echo "$total tests, four ways"
exit $bad
