//! Who sent a request: the peer of its connection, or whom a proxy says it speaks for, if the proxy
//! is trusted.
//!
//! A proxy adds its peer at the end of what it was told, so what counts is read from the end, as
//! long as those who said it are trusted. Invariant: nothing that a client writes changes who it is:
//! where `X-Forwarded-For` and `Forwarded` say different things, the proxy has passed one of them
//! on, and neither counts.

use crate::networks::Networks;
use hyper::header::{FORWARDED, HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Proxies that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted(pub Networks);

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// `address:port`; without a port if a proxy did not say it.
    pub client: String,
    /// `http` or `https`.
    pub scheme: &'static str,
}

/// The other end of a connection.
pub struct Direct {
    address: IpAddr,
    sender: Sender,
}

impl Direct {
    /// A peer at an address; is the connection encrypted?
    pub fn new(peer: SocketAddr, is_secure: bool) -> Direct {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        Direct {
            address: peer.ip(),
            sender: Sender {
                client: peer.to_string(),
                scheme: if is_secure { "https" } else { "http" },
            },
        }
    }
}

impl Trusted {
    /// Who sent a request with these headers over a connection.
    pub fn sender(&self, connection: &Direct, headers: &HeaderMap) -> Sender {
        let direct = connection.sender.clone();
        if !self.0.contains(connection.address) {
            return direct;
        }
        let listed = values(headers, &X_FORWARDED_FOR).map(|text| self.outermost(&text, Some));
        let forwarded = values(headers, &FORWARDED);
        let named = forwarded
            .as_deref()
            .map(|text| self.outermost(text, |element| parameter(element, "for")));
        let client = match (listed, named) {
            (Some(listed), Some(named)) if listed != named => return direct,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => None,
        };
        let proto = values(headers, &X_FORWARDED_PROTO);
        let proto = proto.as_deref().and_then(|text| text.rsplit(',').next()).map(str::trim);
        let proto = proto.or_else(|| parameter(forwarded.as_deref()?.rsplit(',').next()?, "proto"));
        Sender {
            client: client.unwrap_or(direct.client),
            scheme: match proto {
                Some(proto) if proto.eq_ignore_ascii_case("https") => "https",
                Some(_) => "http",
                None => direct.scheme,
            },
        }
    }

    /// The last in a list who is not trusted, or the first of all. Nothing if the one that counts is
    /// no address.
    fn outermost<'t>(&self, list: &'t str, name: impl Fn(&'t str) -> Option<&'t str>) -> Option<String> {
        let mut found = None;
        for element in list.rsplit(',') {
            let (address, port) = address_of(name(element.trim())?)?;
            found = Some(shown(address, port));
            if !self.0.contains(address) {
                break;
            }
        }
        found
    }
}

/// The values of a field, repeats joined.
fn values(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let all: Option<Vec<&str>> = headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
    all.filter(|all| !all.is_empty()).map(|all| all.join(","))
}

/// A parameter of an element of `Forwarded`, without quotes.
fn parameter<'t>(element: &'t str, name: &str) -> Option<&'t str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

/// `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]`, `[::1]:5`.
fn address_of(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(whole) = text.parse::<SocketAddr>() {
        return Some((whole.ip().to_canonical(), Some(whole.port())));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(text).parse().ok()?;
    Some((address.to_canonical(), None))
}

fn shown(address: IpAddr, port: Option<u16>) -> String {
    match (address, port) {
        (address, Some(port)) => SocketAddr::new(address, port).to_string(),
        (IpAddr::V6(address), None) => format!("[{address}]"),
        (address, None) => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn sender(trusted: &str, peer: &str, fields: &[(&'static str, &'static str)]) -> Sender {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let trusted = Trusted(trusted.parse().expect("networks"));
        trusted.sender(&Direct::new(peer.parse().expect("an address"), false), &headers)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        const LB: &str = "10.0.0.1, 192.168.0.0/16, fd00::/8";
        for (trusted, peer, fields, client, scheme) in [
            ("", "10.0.0.1:9", &[][..], "10.0.0.1:9", "http"),
            (
                "",
                "10.0.0.1:9",
                &[("x-forwarded-for", "1.2.3.4")][..],
                "10.0.0.1:9",
                "http",
            ),
            (
                LB,
                "10.0.0.2:9",
                &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")],
                "10.0.0.2:9",
                "http",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")],
                "1.2.3.4",
                "https",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("x-forwarded-for", "6.6.6.6, 1.2.3.4")],
                "1.2.3.4",
                "http",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("x-forwarded-for", "6.6.6.6, 1.2.3.4,192.168.7.7")],
                "1.2.3.4",
                "http",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4:55")],
                "1.2.3.4:55",
                "http",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("x-forwarded-for", "192.168.0.9, 192.168.7.7")],
                "192.168.0.9",
                "http",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("x-forwarded-for", "1.2.3.4, unknown")],
                "10.0.0.1:9",
                "http",
            ),
            (LB, "10.0.0.1:9", &[("x-forwarded-for", "")], "10.0.0.1:9", "http"),
            (
                LB,
                "[::ffff:10.0.0.1]:9",
                &[("x-forwarded-for", "::1")],
                "[::1]",
                "http",
            ),
            (
                LB,
                "[fd12::3]:9",
                &[("forwarded", "for=6.6.6.6, For=\"[2001:db8::1]:47\";proto=HTTPS")],
                "[2001:db8::1]:47",
                "https",
            ),
            (
                LB,
                "[fd12::3]:9",
                &[("forwarded", "proto=https")],
                "[fd12::3]:9",
                "https",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "1.2.3.4")],
                "1.2.3.4",
                "http",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "1.2.3.4")],
                "10.0.0.1:9",
                "http",
            ),
            (
                LB,
                "10.0.0.1:9",
                &[("x-forwarded-proto", "https, http")],
                "10.0.0.1:9",
                "http",
            ),
        ] {
            let wanted = Sender {
                client: client.to_owned(),
                scheme,
            };
            assert_eq!(sender(trusted, peer, fields), wanted, "{trusted} {peer} {fields:?}");
        }
    }
}
