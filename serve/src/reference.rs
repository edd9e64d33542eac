//! The page `docs/host.md`: prose around the tables that the code itself is made from.

use crate::http::limits;
use crate::{edge, epoch};

/// The page.
pub fn reference() -> String {
    [
        HEAD,
        &epoch::reference(),
        HTTP,
        &limits::reference(),
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
line instead of the answer, or the end of the input, fails the command with `no io-response`, and the line is obeyed then. An
answer nobody waits for is dropped. `(io-response N value)` is taken too and dropped if N is not the epoch. What a program
prints goes to standard error. The transcripts in [serve/tests/epoch](../serve/tests/epoch) are tests.

";

const HTTP: &str = "
## HTTP

`(http-listen port handler)` answers requests on a port of the address `SX_HTTP_HOST` (127.0.0.1) until the process gets
SIGTERM or Ctrl-C; requests under way are finished then. Port 0 is any free one. The handler is called with a dict:

| key | value |
|---|---|
| `\"method\"` | as sent |
| `\"path\"` | raw, without the query |
| `\"query\"` | what follows `?`, without it; empty if there is none |
| `\"headers\"` | a dict, names in lower case, repeats joined by `, ` |
| `\"body\"` | a string if it is UTF-8, else a bytevector |
| `\"body-bytes\"` | the same as a bytevector, always |

and answers one:

| key | value |
|---|---|
| `:status` | 200 to 599; 200 if left out |
| `:headers` | a dict of strings, or of lists of strings for repeated fields |
| `:set-cookies` | a list of strings, a `set-cookie` field each |
| `:body` | a string, a bytevector, or a function that is called with `write` and writes the body piece by piece |

A string is sent as `text/html; charset=utf-8`, bytes as `application/octet-stream`, unless `:headers` has a `content-type`.
Line ends in a header and any other shape are errors of the handler. An error in a handler is a 500 with a request id for
that client and a report on standard error; nothing else notices. A client that leaves ends no handler; a function that
writes a body gets an error from its next `write`.

One handler runs to its end before the next begins, so a program with counters is right unmodified. Options, a dict as
third argument:

| option | what |
|---|---|
| `:concurrent true` | handlers take turns at their performs and after each slice of time |
| `:workers N` | N isolates, each on a thread of its own with the same program; `(on-boot thunk)` runs once for all of them |

`GET /_sx/health` answers `ok` without the program. Requests that are not as RFC 9112 says get 400 (501 for codings and
tunnels we do not do, 505 for other versions, 417 for other expectations) and the connection ends
([serve/tests/malformed.rs](../serve/tests/malformed.rs)). Limits, each an option too (times in milliseconds):

";

const OPS: &str = "
`SX_LOG=info` logs each request on standard error.

## Ops

`(perform {:op name :args (…)})`, answered by the host wherever no handler of the program takes the op first. `[x]` may be
left out. An op without a row here is the error `Unhandled effect: name`. The ops of the store need one: `sx serve` opens
`SX_PERSIST_DIR` (default `persist-data`), other commands do if the variable is set. Reads of the embedded store are answered
at once; a program that waits for anything else is put aside meanwhile.

";

const TAIL: &str = "
A program that serves also has `(perform (list \"persist/on-change\" prefix f))`: from then on `(f {:op :key :seq :revision})` is
called for every change to a key or stream that begins with the prefix, in whatever worker it was made, in order, after it is
durable. `:op` is put, delete, append, truncate, or everything when changes were missed.

Values are kept as they are: every number, string, symbol, list, vector, bytevector, set and dict comes back equal, dicts in
their order. Procedures and other objects are refused.
";
