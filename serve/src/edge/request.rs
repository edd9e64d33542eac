//! The op `http/request`: asking another server.
//!
//! Who asks for an address that a visitor has given asks as the server, from inside its network. So
//! addresses that are not public are refused, after the name was looked up and again at each
//! redirect, unless they are allowed. A connection lasts for one request, so what was looked up is
//! what is connected to.
//!
//! Deliberately absent: cookies, proxies, connections that are kept, compression.

use super::{Answer, Edge, Refusal, Request};
use crate::networks::Networks;
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION};
use hyper::{Method, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use sx::{Code, FromSx, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What a program asks for.
struct Wanted {
    uri: Uri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    time: Duration,
    bytes_max: usize,
    redirects: u32,
}

/// The time a request may take, with all its redirects.
const TIME: Duration = Duration::from_secs(30);
/// The largest body that is taken.
const BYTES_MAX: usize = 10 << 20;
/// Redirects that are followed.
const REDIRECTS: u32 = 5;

fn io(message: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Io, format!("http/request: {message}"))
}

fn wrong(message: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Type, format!("http/request: {message}"))
}

pub(super) fn http_request(edge: &Edge, request: &Request<'_>) -> Result<Answer, Refusal> {
    let wanted = Wanted::of(request)?;
    let reachable = Rc::clone(&edge.reachable);
    Ok(Answer::Later(Box::pin(async move {
        let time = wanted.time;
        let asked = tokio::time::timeout(time, ask(wanted, &reachable)).await;
        asked.unwrap_or_else(|_| Err(io(format!("no answer within {} ms", time.as_millis()))))
    })))
}

impl Wanted {
    fn of(request: &Request<'_>) -> Result<Wanted, Refusal> {
        let url = request.text(0, "a url")?;
        let mut wanted = Wanted {
            uri: url.parse().map_err(|_| wrong(format!("{url} is no url")))?,
            method: Method::GET,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            time: TIME,
            bytes_max: BYTES_MAX,
            redirects: REDIRECTS,
        };
        let options = match request.optional(1) {
            None => &[][..],
            Some(Value::Dict(options)) => options,
            Some(other) => return Err(request.wrong("a dict of options", Some(other))),
        };
        for (key, value) in options {
            wanted.set(key, value)?;
        }
        Ok(wanted)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), Refusal> {
        let count = u64::from_sx(value.clone());
        let unknown = || wrong(format!("no option :{key} with the value {value}"));
        match (key, value) {
            ("method", Value::String(name)) => {
                self.method = Method::from_bytes(name.as_bytes()).map_err(|_| unknown())?;
            }
            ("headers", Value::Dict(headers)) => {
                for (name, value) in headers {
                    self.add_header(name, value)?;
                }
            }
            ("body", Value::String(text)) => self.body = text.clone().into(),
            ("body", Value::Bytes(bytes)) => self.body = bytes.clone().into(),
            ("timeout-ms", _) => self.time = Duration::from_millis(count.map_err(|_| unknown())?),
            ("max-bytes", _) => {
                self.bytes_max = usize::try_from(count.map_err(|_| unknown())?).unwrap_or(usize::MAX);
            }
            ("redirects", _) => {
                self.redirects = u32::try_from(count.map_err(|_| unknown())?).unwrap_or(u32::MAX);
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn add_header(&mut self, name: &str, value: &Value) -> Result<(), Refusal> {
        let text = value.as_str();
        let field = HeaderName::from_bytes(name.as_bytes()).ok();
        let value = text.and_then(|text| HeaderValue::from_str(text).ok());
        let (Some(field), Some(value)) = (field, value) else {
            return Err(wrong(format!(
                ":headers: {name} has a name or a value that cannot be sent"
            )));
        };
        // What ends a message, and whom it is for, is said here.
        if !matches!(
            field.as_str(),
            "host" | "content-length" | "transfer-encoding" | "connection"
        ) {
            self.headers.append(field, value);
        }
        Ok(())
    }
}

/// Asks, and follows redirects.
async fn ask(mut wanted: Wanted, reachable: &Networks) -> Result<Value, Refusal> {
    loop {
        let (parts, body) = exchange(&wanted, reachable).await?;
        let is_read = matches!(wanted.method, Method::GET | Method::HEAD);
        let to = parts.headers.get(LOCATION).filter(|_| wanted.redirects > 0 && is_read);
        let to = match (parts.status, to) {
            (
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT,
                Some(to),
            ) => to,
            _ => return Ok(answer(&wanted.uri, &parts, body)),
        };
        let next = to.to_str().ok().and_then(|to| joined(&wanted.uri, to));
        let next = next.ok_or_else(|| io(format!("{} redirects to what is no url", wanted.uri)))?;
        if next.authority() != wanted.uri.authority() || next.scheme() != wanted.uri.scheme() {
            // What was meant for one server is not for another.
            wanted.headers.remove(AUTHORIZATION);
            wanted.headers.remove(COOKIE);
        }
        wanted.redirects -= 1;
        wanted.uri = next;
    }
}

fn answer(uri: &Uri, parts: &hyper::http::response::Parts, body: Vec<u8>) -> Value {
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    let text = String::from_utf8(body.clone()).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::String);
    Value::Dict(vec![
        entry("status", Value::from(i64::from(parts.status.as_u16()))),
        entry("url", Value::String(uri.to_string())),
        entry("headers", crate::http::headers_dict(&parts.headers)),
        entry("body", text),
        entry("body-bytes", Value::Bytes(body)),
    ])
}

/// Where a redirect leads.
fn joined(base: &Uri, to: &str) -> Option<Uri> {
    // What stands behind a `#` is not sent.
    let to = to.split('#').next()?;
    if let Ok(uri) = to.parse::<Uri>()
        && uri.scheme().is_some()
    {
        return Some(uri);
    }
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let whole = match to {
        _ if to.starts_with("//") => format!("{scheme}:{to}"),
        _ if to.starts_with('/') => format!("{scheme}://{authority}{to}"),
        _ if to.starts_with('?') => format!("{scheme}://{authority}{}{to}", base.path()),
        _ => {
            let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{to}")
        }
    };
    whole.parse().ok()
}

/// One request and its answer.
async fn exchange(wanted: &Wanted, reachable: &Networks) -> Result<(hyper::http::response::Parts, Vec<u8>), Refusal> {
    let uri = &wanted.uri;
    let host = uri.host().filter(|host| !host.is_empty());
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
    let (Some(host), Some(authority)) = (host, authority) else {
        return Err(io(format!("{uri} names no host, or a user")));
    };
    let is_tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(io(format!("{uri} is neither http nor https"))),
    };
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = connect(host, port, reachable).await?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = hyper::Request::new(Whole(Some(wanted.body.clone())));
    *request.method_mut() = wanted.method.clone();
    *request.uri_mut() = target.parse().map_err(|_| io(format!("{uri} cannot be sent")))?;
    *request.headers_mut() = wanted.headers.clone();
    let host_value = HeaderValue::from_str(authority.as_str()).map_err(|_| io(format!("{uri} cannot be sent")))?;
    request.headers_mut().insert(HOST, host_value);
    if is_tls {
        let stream = super::tls::connect(host, stream)
            .await
            .map_err(|error| io(format!("{host}: {error}")))?;
        send(request, stream, wanted.bytes_max).await
    } else {
        send(request, stream, wanted.bytes_max).await
    }
}

/// A connection to one of the addresses of a host that may be reached.
async fn connect(host: &str, port: u16, reachable: &Networks) -> Result<TcpStream, Refusal> {
    let name = host.trim_matches(['[', ']']);
    let found = tokio::net::lookup_host((name, port)).await;
    let all: Vec<SocketAddr> = found.map_err(|error| io(format!("{host}: {error}")))?.collect();
    let mut last = io(format!("{host}: no address"));
    for address in all {
        if !is_public(address.ip()) && !reachable.contains(address.ip()) {
            last = io(format!(
                "{host} is {}, which is not public; SX_HTTP_REACHABLE may allow it",
                address.ip()
            ));
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = io(format!("{address}: {error}")),
        }
    }
    Err(last)
}

async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    request: hyper::Request<Whole>,
    stream: S,
    bytes_max: usize,
) -> Result<(hyper::http::response::Parts, Vec<u8>), Refusal> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io)?;
    let exchanged = async move {
        let response = sender.send_request(request).await.map_err(io)?;
        read(response, bytes_max).await
    };
    let mut exchanged = std::pin::pin!(exchanged);
    tokio::select! {
        biased;
        result = exchanged.as_mut() => result,
        // What has arrived is read though the connection is over.
        _ = connection => exchanged.await,
    }
}

async fn read(
    response: Response<Incoming>,
    bytes_max: usize,
) -> Result<(hyper::http::response::Parts, Vec<u8>), Refusal> {
    let (parts, mut body) = response.into_parts();
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(io)?.into_data() else {
            continue;
        };
        if read.len() + data.len() > bytes_max {
            return Err(io(format!("the answer has more than {bytes_max} bytes")));
        }
        read.extend_from_slice(&data);
    }
    Ok((parts, read))
}

/// A body that is at hand.
struct Whole(Option<Bytes>);

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.get_mut().0.take().filter(|bytes| !bytes.is_empty());
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, Bytes::len) as u64)
    }
    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Bytes::is_empty)
    }
}

/// May everybody reach an address? What is set aside for private networks, machines themselves, links,
/// groups, documents and the future is not public, in whatever form it is written.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || matches!(
            (a, b, c),
            (0 | 240..=255, _, _) | (100, 64..=127, _) | (192, 0, 0) | (198, 18 | 19, _)
        ))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b, c, d] = [high >> 8, high & 255, low >> 8, low & 255].map(|part| part as u8);
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // An address of the older kind behind a translator, or in 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] | [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] => false,
        // What is given out so far.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_known_in_every_form() {
        for (address, public) in [
            ("93.184.216.34", true),
            ("2606:2800:220:1::1", true),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.1.2.3", false),
            ("172.31.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("192.0.0.8", false),
            ("198.19.1.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:93.184.216.34", true),
            ("::127.0.0.1", false),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::93.184.216.34", true),
            ("2002:7f00:1::", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("2001::1", false),
        ] {
            assert_eq!(is_public(address.parse().expect(address)), public, "{address}");
        }
    }

    #[test]
    fn redirects_are_joined_to_where_they_come_from() {
        let base: Uri = "http://a:8080/b/c?d".parse().expect("a uri");
        for (to, wanted) in [
            ("http://x/y", "http://x/y"),
            ("//x/y", "http://x/y"),
            ("/y#z", "http://a:8080/y"),
            ("y", "http://a:8080/b/y"),
            ("?y", "http://a:8080/b/c?y"),
        ] {
            assert_eq!(
                joined(&base, to).map(|uri| uri.to_string()).as_deref(),
                Some(wanted),
                "{to}"
            );
        }
    }
}
