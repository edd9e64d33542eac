//! Heads of requests, checked byte by byte as RFC 9112 and RFC 9110 ask before anyone else reads
//! them.
//!
//! A head that passes means one thing to every reader: one target, one host, one way to find the
//! end of the body. Deliberately absent: what recipients may forgive. A line ends in CRLF, a field
//! has no space before its colon and is not folded.

use super::limits::Limits;
use std::net::Ipv6Addr;

/// How the body of a request is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; 0 for no body.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// What the rest of a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The body.
    pub framing: Framing,
    /// The client asks for a WebSocket, so what follows may not be HTTP.
    pub is_upgrade: bool,
}

/// The status of a head that is refused.
pub type Status = u16;

const BAD: Status = 400;
const TARGET_TOO_LONG: Status = 414;
const EXPECTATION: Status = 417;
const HEAD_TOO_LARGE: Status = 431;
const NOT_IMPLEMENTED: Status = 501;
const VERSION: Status = 505;

/// Where the head that `bytes` begin with ends: one past its empty line. An error as soon as what
/// is there cannot become a head that is taken.
pub fn find_end(bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Status> {
    let window = &bytes[..bytes.len().min(limits.head_bytes_max)];
    if let Some(end) = window.windows(4).position(|four| four == b"\r\n\r\n") {
        return Ok(Some(end + 4));
    }
    let line = window.iter().position(|byte| *byte == b'\n');
    if let Some(end) = line {
        // A request line that is wrong is refused before the fields come.
        request_line(window[..end].strip_suffix(b"\r").ok_or(BAD)?, limits)?;
    } else if window
        .iter()
        .skip_while(|byte| **byte != b' ')
        .skip(1)
        .take_while(|byte| **byte != b' ')
        .count()
        > limits.target_bytes_max
    {
        return Err(TARGET_TOO_LONG);
    }
    if bytes.len() >= limits.head_bytes_max {
        return Err(HEAD_TOO_LARGE);
    }
    Ok(None)
}

/// Checks a whole head, its empty line included.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<Head, Status> {
    let text = bytes.strip_suffix(b"\r\n\r\n").ok_or(BAD)?;
    let mut lines = Lines(Some(text));
    let line = lines.next().ok_or(BAD)??;
    let line = request_line(line, limits)?;
    let mut fields = Fields::default();
    for (count, line) in lines.enumerate() {
        if count >= limits.fields_max {
            return Err(HEAD_TOO_LARGE);
        }
        fields.add(line?)?;
    }
    fields.finish(line)
}

/// Lines that end in CRLF; a lone CR or LF in one is an error.
struct Lines<'b>(Option<&'b [u8]>);

impl<'b> Iterator for Lines<'b> {
    type Item = Result<&'b [u8], Status>;
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0?;
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let Some(end) = end else {
            self.0 = None;
            return Some(Ok(rest));
        };
        if rest[end] != b'\r' || rest.get(end + 1) != Some(&b'\n') {
            self.0 = None;
            return Some(Err(BAD));
        }
        self.0 = Some(&rest[end + 2..]);
        Some(Ok(&rest[..end]))
    }
}

/// What a request line says that matters for framing.
#[derive(Clone, Copy)]
struct Line {
    is_1_1: bool,
    is_get: bool,
}

/// Checks `method SP target SP version`.
fn request_line(line: &[u8], limits: &Limits) -> Result<Line, Status> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (method, target, version) = (parts.next(), parts.next(), parts.next());
    let (Some(method), Some(target), Some(version), None) = (method, target, version, parts.next()) else {
        return Err(BAD);
    };
    if !is_token(method) {
        return Err(BAD);
    }
    if target.len() > limits.target_bytes_max {
        return Err(TARGET_TOO_LONG);
    }
    let is_1_1 = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            return Err(VERSION);
        }
        _ => return Err(BAD),
    };
    if method == b"CONNECT" {
        return Err(NOT_IMPLEMENTED);
    }
    check_target(method, target)?;
    let is_get = method == b"GET";
    Ok(Line { is_1_1, is_get })
}

fn check_target(method: &[u8], target: &[u8]) -> Result<(), Status> {
    // Browsers leave more as it is than RFC 3986 allows; what could end a target early is refused, and
    // so is a backtick in a path, which hyper would refuse without a word.
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let visible = target
        .iter()
        .all(|byte| byte.is_ascii_graphic() && !b"#\"<>".contains(byte))
        && !path.contains(&b'`');
    let has_form = match target {
        [b'/', ..] => true,
        b"*" => method == b"OPTIONS",
        _ => {
            let absolute = [&b"http://"[..], b"https://"].into_iter().find_map(|scheme| {
                target
                    .get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
                    .then(|| &target[scheme.len()..])
            });
            let authority = absolute.and_then(|rest| rest.split(|byte| matches!(byte, b'/' | b'?')).next());
            authority.is_some_and(|authority| !authority.is_empty() && is_host(authority))
        }
    };
    if visible && has_form && has_whole_escapes(target) {
        Ok(())
    } else {
        Err(BAD)
    }
}

/// Is every `%` followed by two hexadecimal digits?
fn has_whole_escapes(target: &[u8]) -> bool {
    target
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| {
            let digits = target.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        })
}

/// What the fields say that matters for framing.
#[derive(Default)]
struct Fields {
    hosts: usize,
    length: Option<u64>,
    codings: Vec<u8>,
    has_codings: bool,
    wants_socket: bool,
    connection_upgrade: bool,
}

impl Fields {
    fn add(&mut self, line: &[u8]) -> Result<(), Status> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(BAD)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !is_token(name) || value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(BAD);
        }
        // The names we look at differ in their lengths but for two.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                self.hosts += 1;
                if self.hosts > 1 || !is_host(value) {
                    return Err(BAD);
                }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => self.add_length(value)?,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.has_codings {
                    self.codings.push(b',');
                }
                self.has_codings = true;
                self.codings.extend_from_slice(value);
            }
            6 if name.eq_ignore_ascii_case(b"expect") && !value.eq_ignore_ascii_case(b"100-continue") => {
                return Err(EXPECTATION);
            }
            7 if name.eq_ignore_ascii_case(b"upgrade") => {
                self.wants_socket |= lists(value, b"websocket");
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                self.connection_upgrade |= lists(value, b"upgrade");
            }
            _ => {}
        }
        Ok(())
    }

    fn add_length(&mut self, value: &[u8]) -> Result<(), Status> {
        if self.length.is_some() || value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return Err(BAD);
        }
        let digits = std::str::from_utf8(value).map_err(|_| BAD)?;
        self.length = Some(digits.parse().map_err(|_| BAD)?);
        Ok(())
    }

    fn finish(self, line: Line) -> Result<Head, Status> {
        if line.is_1_1 && self.hosts == 0 {
            return Err(BAD);
        }
        let framing = match (self.has_codings, self.length) {
            (false, length) => Framing::Length(length.unwrap_or(0)),
            (true, Some(_)) => return Err(BAD),
            (true, None) if !line.is_1_1 => return Err(BAD),
            (true, None) => {
                let mut codings = self.codings.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                let last = codings.next_back().unwrap_or_default();
                if !last.eq_ignore_ascii_case(b"chunked") {
                    return Err(BAD);
                }
                match codings.next() {
                    None => Framing::Chunked,
                    Some(first) if first.eq_ignore_ascii_case(b"chunked") || !is_token(first) => return Err(BAD),
                    Some(_) => return Err(NOT_IMPLEMENTED),
                }
            }
        };
        let is_empty = framing == Framing::Length(0);
        Ok(Head {
            framing,
            is_upgrade: self.wants_socket && self.connection_upgrade && line.is_1_1 && line.is_get && is_empty,
        })
    }
}

/// Is this word in a list with commas, in whatever case?
pub fn lists(value: &[u8], word: &[u8]) -> bool {
    let mut words = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    words.any(|listed| listed.eq_ignore_ascii_case(word))
}

fn is_token(bytes: &[u8]) -> bool {
    let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_token_byte)
}

/// `host [":" port]`; the host may be empty.
fn is_host(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else {
                return false;
            };
            if !is_literal(&rest[..end]) {
                return false;
            }
            (&b""[..], &rest[end + 1..])
        }
        _ => {
            let colon = value.iter().position(|byte| *byte == b':').unwrap_or(value.len());
            value.split_at(colon)
        }
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    host.iter().all(|byte| is_name_byte(byte) || *byte == b'%') && has_whole_escapes(host) && is_port
}

/// `unreserved / sub-delims` of RFC 3986.
fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte)
}

/// `IPv6address / IPvFuture` of RFC 3986, what stands in brackets.
fn is_literal(text: &[u8]) -> bool {
    let [b'v' | b'V', future @ ..] = text else {
        return std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    };
    let Some(dot) = future.iter().position(|byte| *byte == b'.') else {
        return false;
    };
    let (version, address) = (&future[..dot], &future[dot + 1..]);
    let is_address_byte = |byte: &u8| is_name_byte(byte) || *byte == b':';
    !version.is_empty()
        && version.iter().all(u8::is_ascii_hexdigit)
        && !address.is_empty()
        && address.iter().all(is_address_byte)
}
