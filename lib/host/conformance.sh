#!/bin/bash
# The suites of lib/host/tests and a site served for real, in every way they are run: {epoch eval, real HTTP} x
# {JIT off, JIT on}, and with every function native before its first call. Then the first hit of every page on a
# fresh process, over a durable store, and what an operator asks of a running blog. Prints one table; exit code 1 if
# any test failed, a suite is missing, or something could not be loaded.
#   usage: lib/host/conformance.sh [--stress]      --stress adds a column for each stress mode
#   SX_SERVER names the binary (default target/release/sx), SX_CONFORMANCE_OUT a folder that keeps what was printed
set -u
cd "$(dirname "$0")/../.." || exit 2
export SX_SERVER=${SX_SERVER:-target/release/sx} SX_PROJECT_DIR=${SX_PROJECT_DIR:-$PWD}
suites="handler middleware sxtp router feed relations blog page server session ledger"
least=271
pages="/ /welcome/ /writing-posts/ /tags /language/ /welcome/source /login /feed /feed.atom /posts /posts/welcome"
functions="get put! exists? seed! use-store! slugs home post types-of is-a? instances-of tags tagged-with out in relate!
  load-edges! relate-options -edges-block -edge-key -edges-for -relation-blocks"
ways="epoch-0 epoch-1 http-0 http-1 jit-sync"
case ${1:-} in
  '') ;;
  --stress) ways="$ways interp+gc-stress interp+suspend interp+seal jit-sync+gc-stress jit-sync+suspend jit-sync+seal" ;;
  *) sed -n '2,7s/^# \?//p' "$0" >&2; exit 2 ;;
esac
[ -x "$SX_SERVER" ] || { echo "$SX_SERVER is no program; SX_SERVER names one" >&2; exit 2; }
unset SX_STORE
work=$(mktemp -d) || exit 2
server=
trap 'stop; [ -n "${SX_CONFORMANCE_OUT:-}" ] && mkdir -p "$SX_CONFORMANCE_OUT" && cp -r "$work"/. "$SX_CONFORMANCE_OUT"; rm -rf "$work"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAILED: $*" >&2; }

# --- the ways ---------------------------------------------------------------------------------

# Each leaves lines `suite passed failed`, and one for each failure, in WAY.out.

epoch() { # JIT
  printf '%s\n' '(epoch 1)' '(load "lib/host/tests/conformance.sx")' '(epoch 2)' '(eval "(conformance-report)")' \
    '(epoch 3)' '(jit-stats)' |
    SX_SERVING_JIT=$1 timeout 600 "$SX_SERVER" server >"$work/answers" 2>"$work/printed"
  sed -n '/^(ok-len 2 /,/^(ok 3 /p' "$work/answers" | sed '1d'
  grep '^(error' "$work/answers"
}

serve() { # JIT COMMAND…: starts a server; it listens at a port that was free, $port
  local jit=$1
  shift
  # What the last server said is gone before this one's is looked at.
  : >"$work/served.err"
  PORT=0 SX_PERSIST_DIR=$work/store SX_SERVING_JIT=$jit "$@" >>"$work/served.out" 2>"$work/served.err" &
  server=$!
  for _ in $(seq 600); do
    port=$(sed -nE 's/^(\[sx\] )?listening on .*:([0-9]+)$/\2/p' "$work/served.err")
    [ -n "$port" ] && return 0
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/served.err" >&2
  stop
  fail "the server did not start, JIT $jit: $*"
  return 1
}

stop() { [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; server=; }

http() { # JIT; with it, pages are asked for until they are hot, and then what of the site is not native
  serve "$1" "$SX_SERVER" serve lib/host/tests/served.sx || return
  curl -s --max-time 600 "http://127.0.0.1:$port/conformance"
  echo
  if [ "$1" = 1 ]; then
    for _ in $(seq 100); do for path in $pages; do
      printf 'url = http://127.0.0.1:%s%s\noutput = /dev/null\n' "$port" "$path"
    done; done | curl -s --config -
    # A compile is under way for a moment.
    for _ in $(seq 100); do
      curl -s "http://127.0.0.1:$port/native" >"$work/native"
      grep -q '^native: NOT .* being compiled$' "$work/native" || break
      sleep 0.1
    done
    echo "native $(grep -c '^native: of' "$work/native") $(grep -c '^native: NOT' "$work/native")"
    cat "$work/native"
    echo
  fi
  stop
}

mode() { # NAME: the suites in one isolate of that mode, then whether all of it was native, if it was to be
  local file=native.sx
  [ "${1#interp}" = "$1" ] || file=conformance.sx
  timeout 600 "$SX_SERVER" test --config "$1" --junit "$work/junit" "lib/host/tests/$file" >"$work/printed" 2>&1
  for suite in $suites native; do
    echo "$suite $(grep -c "<testcase .* name=\"$suite .*/>\$" "$work/junit") $(grep -c "<testcase .* name=\"$suite .*[^/]>\$" "$work/junit")"
  done
  cat "$work/printed"
}

# All at the same time, each with a folder and a store of its own.
for way in $ways; do
  (
    out=$work/$way.out work=$work/$way begun=$(date +%s%N)
    trap stop EXIT
    mkdir "$work"
    case $way in
      epoch-*) epoch "${way#*-}" ;;
      http-*) http "${way#*-}" ;;
      *) mode "$way" ;;
    esac >"$out"
    echo "time $((($(date +%s%N) - begun) / 1000000))" >>"$out"
  ) &
done
wait
for way in $ways; do grep '^(error' "$work/$way.out" >&2 && fail "$way: an error"; done

# --- a site served for real -------------------------------------------------------------------

# Over one durable store, which the first start fills: each page at its first hit on a fresh process, twice alike.
masked() { sed -E 's/value="[0-9]+\.[^"]*"/TOKEN/g; s/20[0-9-]+T[0-9:]+Z/TIME/g; s/1[0-9]{12}/TIME/g' "$1"; }

first_hits() { # JIT
  local path status
  for path in $pages; do
    SX_ADMIN_PASSWORD="conformance test" serve "$1" lib/host/serve.sh || return
    status=$(curl -s -o "$work/one" -w '%{http_code}' "http://127.0.0.1:$port$path")
    curl -s -o "$work/two" "http://127.0.0.1:$port$path"
    stop
    if [ "$status" = 200 ] && [ "$(masked "$work/one")" = "$(masked "$work/two")" ]; then ok; else
      fail "first hit of $path, JIT $1: status $status"
    fi
    grep -vE '^(\[sx\] )?(listening on |The blog is at |Log in at )|cookies go without Secure' "$work/served.err" >&2 &&
      fail "$path, JIT $1: on standard error"
  done
}

hits=$passed
for jit in 0 1; do first_hits $jit; done
hits=$((passed - hits))

# What an operator asks about the functions of the blog: an epoch for each, two answers in each.
asked=$passed number=1
{
  echo '(load "lib/host/host.sx")'
  for name in $functions; do
    number=$((number + 1))
    printf '(epoch %s)\n(bytecode-inspect "host/blog-%s")\n(prim-check "host/blog-%s")\n' $number "$name" "$name"
  done
} | timeout 120 "$SX_SERVER" server >"$work/answers" 2>/dev/null
for name in $functions; do
  number=$((number + 1))
  if grep -q "^(ok $number {:arity " "$work/answers" && grep "^(ok $number (" "$work/answers" | grep -qv ' false}'; then ok; else
    fail "bytecode-inspect or prim-check of host/blog-$name: $(grep "^(error $number " "$work/answers")"
  fi
done
asked=$((passed - asked))

# --- the table --------------------------------------------------------------------------------

row() { printf '%-12s' "$1"; shift; printf ' %18s' "$@"; echo; }
row suite $ways
total=0
for suite in $suites native time; do
  cells=
  for way in $ways; do
    set -- $(grep "^$suite " "$work/$way.out" | head -1)
    case $suite-$way in
      native-epoch-* | native-http-0 | native-interp*) cells="$cells -"; continue ;;
      time-*) cells="$cells $((${2:-0} / 1000)).$((${2:-0} / 100 % 10))s"; continue ;;
    esac
    if [ $# != 3 ] || [ $(($2 + $3)) = 0 ]; then cells="$cells missing"; fail "$way: no suite $suite"; continue; fi
    cells="$cells $2/$(($2 + $3))"
    passed=$((passed + $2)) failed=$((failed + $3))
    [ $way = epoch-0 ] && total=$((total + $2))
  done
  row "$suite" $cells
done
echo "first hits over serve.sh, JIT off and on: $hits; functions inspected: $asked"
for way in $ways; do sed -n "/^native: /s/^/$way: /p;/^FAILED/s/^/$way: /p" "$work/$way.out"; done
[ "$total" -ge "$least" ] || fail "$total tests; there are to be $least"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
