//! The page `docs/host.md`: prose around the tables that the code itself is made from.
//!
//! Deliberately absent: the rows of the tables; each stands beside the code that obeys it.
//! Invariant: `cargo run -p xtask -- docs` writes this page, nobody else does.

use crate::http::limits;
use crate::{edge, epoch, metrics};

/// The page.
pub fn reference() -> String {
    [
        HEAD,
        &epoch::reference(),
        HTTP,
        &limits::reference(),
        AROUND,
        &metrics::reference(),
        OPS,
        &edge::reference(),
        TAIL,
    ]
    .concat()
}

const HEAD: &str = "\
# The host: serving, ops, the epoch protocol

Made from the tables of the crate `serve` (`cargo run -p xtask -- docs`).

## `sx server`: the epoch protocol

One command a line on standard input; `(ready)` is printed first. Each command gets one reply, tagged with the epoch, which
`(epoch N)` sets (0 before that; a smaller number than the present one is dropped) and which itself gets no reply:

| reply | when |
|---|---|
| `(ok N)` | done |
| `(ok N value)` | a value that is no string, as `inspect` prints it |
| `(ok-len N BYTES)`, a line end, so many bytes, a line end | a string, unescaped |
| `(error N \"message\")` | anything that went wrong; the session goes on |
| `(io-request N \"op\" argument…)` | the program performs an op of the parent's; the next line has to be `(io-response value)` |

To the parent go `query action request-arg request-method ctx helper` and the ops named by `(io-enable \"op\" …)`. Any other
line instead of the answer, one without a value among them, or the end of the input, fails the command with `no io-response`, and the line is obeyed then. An
answer nobody waits for is dropped. `(io-response N value)` is taken too and dropped if N is not the epoch. What a program
prints goes to standard error. The transcripts in [serve/tests/epoch](../serve/tests/epoch) are tests.

";

const HTTP: &str = "
## HTTP

`(http-listen port handler)` answers requests on a port of the address `SX_HTTP_HOST` (127.0.0.1) until the process gets
SIGTERM or Ctrl-C. Connections that were made until then are answered, requests under way are finished, and later ones are
refused. Port 0 is any free one. The handler is called with a dict:

| key | value |
|---|---|
| `\"method\"` | as sent |
| `\"path\"` | raw, without the query |
| `\"query\"` | what follows `?`, without it; empty if there is none |
| `\"headers\"` | a dict, names in lower case, repeats joined by `, ` |
| `\"body\"` | a string if it is UTF-8, else a bytevector |
| `\"body-bytes\"` | the same as a bytevector, always |
| `\"client\"` | `address:port` of who asks |
| `\"scheme\"` | `http` or `https` |

and answers one:

| key | value |
|---|---|
| `:status` | 200 to 599; 200 if left out; 101 with `:websocket` |
| `:headers` | a dict of strings, or of lists of strings for repeated fields |
| `:set-cookies` | a list of strings, a `set-cookie` field each |
| `:body` | a string, a bytevector, or a function that is called with `write` and writes the body piece by piece |
| `:websocket` | a function of an open WebSocket, with 101 under `:status` |

A string is sent as `text/html; charset=utf-8`, bytes as `application/octet-stream`, unless `:headers` has a `content-type`.
Line ends in a header and any other shape are errors of the handler. An error in a handler is a 500 with a request id for
that client and a report on standard error; nothing else notices. A client that leaves ends no handler; a function that
writes a body gets an error from its next `write`, which waits as long as the client has no room for more. A response to HEAD, and one
with 204, 205 or 304, has no body; the function is not called then.

A request's body above `:spool-bytes` lies in a file without a name, where the system keeps temporary ones (`TMPDIR`), until it is
whole, so that slow and large uploads take disk and not memory; 507 if there is no room. The handler is called once all of it is
there.

Behind a proxy the client is whoever the proxy says. `SX_TRUSTED_PROXIES` names the proxies that are believed, addresses or
networks (`10.0.0.0/8`) with commas between them: what such a peer says in `X-Forwarded-For` or `Forwarded`, read from the end as
long as trusted ones said it, is the client, and the last of `X-Forwarded-Proto` or `proto=` the scheme. If both headers are
there and name different clients, the proxy has passed one of them on unread, and neither counts.

The function under `:websocket` is called once the client has been answered, and the socket is closed when it returns: with 1000,
or 1011 after an error. It is given a dict of three functions:

| key | what it does |
|---|---|
| `:send` | sends a string or a bytevector; answers whether the socket was open. Any handler may call it |
| `:receive` | the next message, a string or a bytevector; nil when there are no more |
| `:close` | closes the socket, with a code (1000) and a reason |

The op `ws/send`, `ws/receive` or `ws/close` is behind each, with the number of the socket. Handlers that run one after the other
(below) do so here too: one message is handled to its end, up to the next `:receive`, before another handler runs. A request that
names `websocket` under `Upgrade` but is no handshake as RFC 6455 says gets 400, and 426 if it speaks another version than 13.

A socket or a written body lasts as long as its client; `:cpu-ms` counts between two waits. Where handlers run one after the other,
`:receive` and `write` are where the others have their turn, even if there is nothing to wait for, and `:cpu-ms` and `:wall-ms` count
from one of them to the next: a function that only sleeps keeps the others waiting, and is told `deadline exceeded` like a handler.
`(write \"\")` sends nothing and gives way.

One handler runs to its end before the next begins, so a program with counters is right unmodified. Options, a dict as
third argument:

| option | what |
|---|---|
| `:concurrent true` | handlers take turns at their performs and after each slice of time |
| `:workers N` | N isolates, each on a thread of its own with the same program; `(on-boot thunk)` runs once for all of them |

Programs keep things in memory, so one isolate is what they get unless they or `sx serve --workers N` say otherwise. The blog,
which is `sx serve` without a program, keeps everything in the store and has a worker for each core.

`GET /_sx/health` answers `ok` without the program. Requests that are not as RFC 9112 says get 400 (501 for codings and
tunnels we do not do, 505 for other versions, 417 for other expectations) and the connection ends
([requests.txt](../serve/tests/requests.txt)). Where the target names a host, that is `host` among the headers. Limits, each an option too (times in milliseconds):

";

const AROUND: &str = "
A heap has a limit (`SX_MEMORY_LIMIT`, 1 GB), and what all workers may take together has one (`SX_PROCESS_MEMORY`, 80 % of what the
machine or the process's control group has): each worker has an equal part of it, half of that with `--watch`, and more workers than
there is memory for are refused. When a heap is full and everything in it is in use, the collector has counted what each handler
holds that nothing else does. If one that waits, or waits for its turn, holds more than the one that asks for memory, and more than
a sixteenth of the limit, it is ended: its client gets a 500, nothing more of it runs, and the other one goes on. Else the one that
asks is told `memory limit`, which it can catch; its client gets a 500 if it does not.

A handler that uses up its slice gives way, and from then on each time after a tenth of it, so that those who come meanwhile hardly
notice. Ops that are answered at once do not begin a new slice.

What a program prints is seen at the latest when it waits, or when a handler ends.

`SX_LOG=info` logs each request on standard error: its id, method, path, status and time; what a handler logs with the op `log`
names the same id, and so do an error's 500 and its report. An event is one line: control characters in it are escaped.
`SX_LOG_FORMAT=json` makes each line an object.

If Rust code panics in an isolate, which is a bug, the requests it has get 503 with Retry-After, the isolate is made anew, and the
other workers do not notice.

`sx serve --watch` looks for changes to the program and the files it has loaded. It then runs the new program beside the old one,
on the same socket; when the new one listens, the old one finishes its requests and ends. If the new one fails, its error is
printed and the old one goes on.

The admin listener tells how the server is. `sx serve` listens at `SX_ADMIN_ADDR`, `host:port` or the path of a unix socket; by
default that is `admin.sock` in the directory of the store, which only its user may open (`curl --unix-socket
persist-data/admin.sock http://sx/_sx/metrics`). Where that path is too long for a socket, it is in a directory of its own below
`XDG_RUNTIME_DIR` or `TMPDIR` and `admin.sock` is a link to it, which is said at the start. It has `/_sx/health`, `/_sx/metrics` in the format of OpenMetrics, and `/_sx/jit`,
the text of `(jit-report)` for each worker. Each figure carries the number of its worker; those of an isolate are missing while it
is busy for longer than half a second.

";

const OPS: &str = "
## Ops

`(perform {:op name :args (…)})`, answered by the host wherever no handler of the program takes the op first. `[x]` may be
left out; any other number of arguments is an error of the code `arity`, and nothing is done. An op without a row here is the
error `Unhandled effect: name`. The ops of the store need one: `sx serve` opens
`SX_PERSIST_DIR` (default `persist-data`), other commands do if the variable is set. Reads of the embedded store are answered
at once; a program that waits for anything else is put aside meanwhile.

";

const TAIL: &str = "
`(perform (list \"http/request\" url options))` asks another server; the options are `:method`, `:headers` (a dict), `:body` (text or
bytes), `:timeout-ms` (30000, with all redirects), `:max-bytes` (10 MB), `:redirects` (5, followed for GET and HEAD). Addresses of private
networks, of the machine itself and others that are not public are refused, after the name was looked up and at each redirect, but
for those `SX_HTTP_REACHABLE` names. `https` needs a build with the feature `tls`.

A program that serves also has `(perform (list \"persist/on-change\" prefix f))`: from then on `(f {:op :key :seq :revision})` is
called for every change to a key or stream that begins with the prefix, in whatever worker it was made, in order, after it is
durable. `:op` is put, delete, append, truncate, or everything when changes were missed or more than 10,000 wait to be told. The
calls take turns with handlers that run one after the other.

Values are kept as they are: every number, string, symbol, list, vector, bytevector, set and dict comes back equal, dicts in
their order, unless they nest some 500 deep, which is refused. Procedures and other objects are refused.

## The blog's conformance

`lib/host/conformance.sh`, a stage of `tests/run`, runs the blog's suites through the epoch protocol and over HTTP, each without
and with native code, and once with every function compiled before its first call; it also asks each page of a fresh
`lib/host/serve.sh` first, and inspects its functions. A release build on two cores shared with other work, 2026-11-30:

| suite | epoch | epoch, JIT | HTTP | HTTP, JIT | `jit-sync` |
|---|---:|---:|---:|---:|---:|
| handler | 25/25 | 25/25 | 25/25 | 25/25 | 25/25 |
| middleware | 33/33 | 33/33 | 33/33 | 33/33 | 33/33 |
| sxtp | 41/41 | 41/41 | 41/41 | 41/41 | 41/41 |
| router | 70/70 | 70/70 | 70/70 | 70/70 | 70/70 |
| feed | 31/31 | 31/31 | 31/31 | 31/31 | 31/31 |
| relations | 46/46 | 46/46 | 46/46 | 46/46 | 46/46 |
| blog | 130/130 | 130/130 | 130/130 | 130/130 | 130/130 |
| page | 82/82 | 82/82 | 82/82 | 82/82 | 82/82 |
| server | 15/15 | 15/15 | 15/15 | 15/15 | 15/15 |
| session | 38/38 | 38/38 | 38/38 | 38/38 | 38/38 |
| ledger | 9/9 | 9/9 | 9/9 | 9/9 | 9/9 |
| native | – | – | – | 1/1 | 6/6 |
| time | 14.6 s | 14.3 s | 14.3 s | 15.6 s | 18.6 s |

First hits without and with native code: 22 pages, all 200; functions inspected: 22.

The row `native` is about native code itself ([native.sx](../lib/host/tests/native.sx)). Compiled before the first call, all
1,741 functions of the site that were called run natively, those with a `perform` in the callback of a `map` among them, and
nothing is excluded. Served, after the suites and a hundred requests for each page, none that was called 60 times or more is
left to the machine; below the table stands how many that are, and how often code was left at which instruction.
";
