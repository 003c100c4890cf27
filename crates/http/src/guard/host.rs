//! Whom a request was meant for.
//!
//! A name that anybody can make point to this machine (DNS rebinding) must not reach it; so only names that are known do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::problem::{Kind, Problem};

/// A host and, where it is given, a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// In small letters.
    Name(String),
    Address(IpAddr),
}

impl Authority {
    /// Takes a text apart; none where it is no host, or has more than a host and a port.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(inner) => {
                let (address, rest) = inner.split_once(']')?;
                (Host::Address(address.parse::<Ipv6Addr>().ok()?.into()), rest)
            }
            None => {
                let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
                if name.is_empty() || name.len() > 253 || !name.bytes().all(plain) {
                    return None;
                }
                let address = name.parse::<Ipv4Addr>().ok().map(|address| Host::Address(address.into()));
                (address.unwrap_or_else(|| Host::Name(name.to_ascii_lowercase())), rest)
            }
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Self { host, port })
    }

    /// Whether both mean the same place when `default` is the port that is meant by none.
    pub(super) fn same(&self, other: &Self, default: u16) -> bool {
        self.host == other.host && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }

    /// Whether only this machine can be meant.
    pub(super) fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost",
            Host::Address(address) => *address == Ipv4Addr::LOCALHOST || *address == Ipv6Addr::LOCALHOST,
        }
    }
}

/// The names, beside those of the loopback, that a request may be addressed to.
#[derive(Debug)]
pub(super) struct Names(Vec<Authority>);

impl Names {
    /// Those that `texts` give: with a port for that port alone, without one for any. What is no name is passed over.
    pub(super) fn new(texts: &[String]) -> Self {
        Self(texts.iter().filter_map(|text| Authority::parse(text)).collect())
    }

    fn has(&self, asked: &Authority) -> bool {
        let is = |name: &Authority| name.host == asked.host && (name.port.is_none() || name.port == asked.port);
        asked.is_loopback() || self.0.iter().any(is)
    }
}

/// Whether `text` is a host with or without a port, as [`Settings::allowed_hosts`](crate::Settings::allowed_hosts) has them.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    Authority::parse(text).is_some()
}

/// The host that the request was addressed to, in `Host` and, where it is there, in the target.
pub(super) fn check(head: &Parts, names: &Names) -> Result<Authority, Problem> {
    let refuse = |text: &str| Err(Problem::new(Kind::BadRequest, text));
    let mut given = head.headers.get_all(HOST).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return refuse("a request has one Host header, no less and no more");
    };
    let Some(host) = value.to_str().ok().and_then(Authority::parse) else {
        return refuse("the Host header is no host with or without a port");
    };
    if let Some(target) = head.uri.authority() {
        match Authority::parse(target.as_str()) {
            Some(target) if target.same(&host, 80) => {}
            _ => return refuse("the target and the Host header name different hosts"),
        }
    }
    if names.has(&host) {
        return Ok(host);
    }
    Err(Problem::new(
        Kind::Misdirected,
        "this server does not go by the name in the Host header; --allow-host adds one",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_hosts_with_or_without_a_port() {
        for text in ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[0:0:0:0:0:0:0:1]:8080"] {
            assert!(Authority::parse(text).is_some_and(|host| host.is_loopback()), "{text}");
        }
        for text in ["example.org", "localhost.example.org", "localhost.", "127.0.0.2", "[::2]", "0.0.0.0", "[::]:1"] {
            assert!(Authority::parse(text).is_some_and(|host| !host.is_loopback()), "{text}");
        }
        for text in [
            "",
            ":80",
            "a:b",
            "a:",
            "a:65536",
            "a:1:2",
            "a b",
            "user@localhost",
            "[::1",
            "::1",
            "[::1]x",
            "[127.0.0.1]",
            "localhost/",
            "localhost:8o",
            "a,b",
            "é",
            "[::1%25lo]",
            "localhost\0",
        ] {
            // An empty port is what some clients send; it is refused with the rest.
            assert!(Authority::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_name_with_a_port_is_good_for_that_port() {
        let names = Names::new(&["Data.example:8443".to_owned(), "pdp.example".to_owned(), "not a name".to_owned()]);
        let has = |text: &str| Authority::parse(text).is_some_and(|asked| names.has(&asked));
        assert!(has("data.example:8443") && has("pdp.example") && has("PDP.example:1") && has("localhost:1"));
        assert!(!has("data.example") && !has("data.example:80") && !has("x.pdp.example") && !has("pdp.example.org"));
    }
}
