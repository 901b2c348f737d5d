//! Under which names the server is reached, and absolute addresses made from the name of a request.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use xom_protocol::{BlobId, Did};

use super::app::Access;
use super::arrival::Arrival;
use crate::outgoing::IpRange;

/// The values of `Host` that are answered; everything else is refused (DNS rebinding).
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Pairs of the exact `Host` value and the scheme under which clients reach it, on the plain listener.
    allowed: Vec<(String, Scheme)>,
    /// The values on the TLS listener.
    over_tls: Vec<String>,
    /// Whose word on the scheme counts.
    proxies: Vec<IpRange>,
}

/// How clients reach a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    /// The name was configured without a scheme, and a proxy may put TLS before it: each request tells.
    Either,
}

/// The scheme and authority under which a request came, such as `http://127.0.0.1:7766`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(Arc<str>);

impl Hosts {
    /// The loopback names with `port`, and the configured names, with `port` where they name none; for what comes over
    /// TLS the names of the certificate.
    pub fn new(port: u16, names: &[String], access: &Access) -> Self {
        let mut allowed = Vec::new();
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            allowed.push((format!("{name}:{port}"), Scheme::Http));
            if port == 80 {
                allowed.push((name.to_owned(), Scheme::Http));
            }
        }
        for name in names {
            let name = name.trim_end_matches('/').to_ascii_lowercase();
            if let Some(bare) = name.strip_prefix("https://") {
                allowed.push((bare.to_owned(), Scheme::Https));
                continue;
            }
            let (bare, scheme) = match name.strip_prefix("http://") {
                Some(bare) => (bare, Scheme::Http),
                None => (name.as_str(), Scheme::Either),
            };
            allowed.push((bare.to_owned(), scheme));
            allowed.push((format!("{bare}:{port}"), Scheme::Http));
        }
        let certified = access.tls.iter().flat_map(|(port, names)| names.iter().flat_map(|name| name.hosts(*port)));
        Self { allowed, over_tls: certified.collect(), proxies: access.proxies.clone() }
    }

    /// The base of a request, if its one `Host`, and the authority of its target where it has one, are allowed.
    pub fn check(&self, headers: &HeaderMap, target: &Uri, arrival: Option<&Arrival>) -> Option<Base> {
        let mut values = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (values.next(), values.next()) else { return None };
        let host = host.to_str().ok()?;
        if target.authority().is_some_and(|authority| authority.as_str() != host) {
            return None;
        }
        if arrival.is_some_and(|arrival| arrival.over_tls) {
            return self.over_tls.iter().find(|allowed| *allowed == host).map(|host| Base::new("https", host));
        }
        let (host, scheme) = self.allowed.iter().find(|(allowed, _)| allowed == host)?;
        let is_secure = match scheme {
            Scheme::Http => false,
            Scheme::Https => true,
            Scheme::Either => {
                let of_proxy =
                    arrival.is_some_and(|arrival| self.proxies.iter().any(|proxy| proxy.contains(arrival.peer.ip())));
                came_over_tls(headers, host, of_proxy)
            }
        };
        Some(Base::new(if is_secure { "https" } else { "http" }, host))
    }
}

/// Whether a request for one of our own names came over TLS as far as a proxy: one that the owner trusts says so, or the
/// browser that sends a form names our own page as its origin. A page of another name can claim neither.
fn came_over_tls(headers: &HeaderMap, host: &str, of_proxy: bool) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    (of_proxy && says("x-forwarded-proto", "https")) || says("origin", &format!("https://{host}"))
}

impl Base {
    /// A base of its parts.
    pub fn new(scheme: &str, host: &str) -> Self {
        Self(format!("{scheme}://{host}").into())
    }

    /// The base that the `Host` check found for this request.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        parts.extensions.get().cloned()
    }

    /// Without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An absolute address; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Where a blob is served.
    pub fn blob(&self, id: &BlobId) -> String {
        self.url(&format!("/media/{id}"))
    }

    /// Where the small picture of a blob is served.
    pub fn preview(&self, id: &BlobId) -> String {
        self.url(&format!("/media/{id}/preview"))
    }

    /// Where the picture of an account without one is served.
    pub fn placeholder_avatar(&self, did: &Did) -> String {
        self.url(&format!("/avatars/{did}.svg"))
    }

    /// Where the wide picture of an account without one is served.
    pub fn placeholder_header(&self, did: &Did) -> String {
        self.url(&format!("/headers/{did}.svg"))
    }

    /// The page of an account.
    pub fn account(&self, acct: &str) -> String {
        self.url(&format!("/@{acct}"))
    }

    /// The page of a status.
    pub fn status(&self, acct: &str, id: u64) -> String {
        self.url(&format!("/@{acct}/{id}"))
    }

    /// The page of a tag.
    pub fn tag(&self, name: &str) -> String {
        self.url(&format!("/tags/{}", encode_segment(name)))
    }

    /// True for a name of this machine alone. Under TLS there is none: whoever comes so may be anywhere.
    pub fn is_loopback(&self) -> bool {
        if !self.0.starts_with("http://") {
            return false;
        }
        let host = self.domain();
        let number = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || number.is_ok_and(|number| number.is_loopback())
    }

    /// The authority: host, and port if there is one.
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The host without its port.
    pub fn domain(&self) -> &str {
        let authority = self.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    /// The same authority with the scheme of a WebSocket.
    pub fn websocket(&self) -> String {
        let scheme = if self.0.starts_with("https:") { "wss" } else { "ws" };
        format!("{scheme}://{}", self.authority())
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub fn encode_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &[&str], target: &str) -> Option<String> {
        let allowed = Hosts::new(
            7766,
            &["https://xom.example".into(), "nhà.local".into(), "home.local".into()],
            &Access::default(),
        );
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, axum::http::HeaderValue::from_str(host).unwrap());
        }
        let base = allowed.check(&headers, &target.parse().unwrap(), None)?;
        Some(base.as_str().to_owned())
    }

    #[test]
    fn r_api_1_only_loopback_and_configured_names_are_answered() {
        for host in ["localhost:7766", "127.0.0.1:7766", "[::1]:7766", "home.local", "home.local:7766"] {
            assert_eq!(check(&[host], "/"), Some(format!("http://{host}")), "{host}");
        }
        assert_eq!(check(&["xom.example"], "/").as_deref(), Some("https://xom.example"));
        for host in ["evil.example:7766", "localhost", "localhost:80", "xom.example.evil.example", ""] {
            assert_eq!(check(&[host], "/"), None, "{host}");
        }
    }

    #[test]
    fn r_api_4_odd_spellings_of_the_host_are_refused() {
        for host in [
            "0.0.0.0:7766",
            "[::]:7766",
            "127.1:7766",
            "localhost.:7766",
            "user@localhost:7766",
            "LOCALHOST:7766",
            "2130706433:7766",
            "[::ffff:127.0.0.1]:7766",
            "localhost:07766",
            "localhost:7766, evil.example",
        ] {
            assert_eq!(check(&[host], "/"), None, "{host}");
        }
        assert_eq!(check(&[], "/"), None);
        assert_eq!(check(&["localhost:7766", "localhost:7766"], "/"), None);
        assert_eq!(check(&["localhost:7766", "evil.example"], "/"), None);
        assert_eq!(check(&["localhost:7766"], "http://evil.example/"), None);
        assert_eq!(check(&["localhost:7766"], "http://user@localhost:7766/"), None);
        assert!(check(&["localhost:7766"], "http://localhost:7766/").is_some());
    }

    /// The base of a request for `host` that came from `peer`.
    fn base(
        access: &Access,
        arrival: Option<Arrival>,
        host: &'static str,
        more: &[(&'static str, &'static str)],
    ) -> String {
        let names = ["home.local".into(), "http://plain.local".into(), "https://xom.example".into()];
        let hosts = Hosts::new(7766, &names, access);
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, axum::http::HeaderValue::from_static(host));
        for (name, value) in more {
            headers.append(*name, axum::http::HeaderValue::from_static(value));
        }
        let base = hosts.check(&headers, &"/".parse().unwrap(), arrival.as_ref());
        base.map_or_else(|| "refused".to_owned(), |base| base.as_str().to_owned())
    }

    fn from(peer: &str, over_tls: bool) -> Option<Arrival> {
        Some(Arrival { peer: peer.parse().unwrap(), over_tls })
    }

    #[test]
    fn a_name_without_a_scheme_is_reached_over_tls_where_a_trusted_proxy_or_the_browser_says_so() {
        let access = Access { proxies: vec!["127.0.0.2".parse().unwrap()], ..Access::default() };
        let base = |host, more: &[_]| base(&access, from("127.0.0.2:1", false), host, more);
        let (forwarded, origin) = (("x-forwarded-proto", "https"), ("origin", "https://home.local"));
        assert_eq!(base("home.local", &[]), "http://home.local");
        assert_eq!(base("home.local", &[forwarded]), "https://home.local");
        assert_eq!(base("home.local", &[origin]), "https://home.local");
        assert_eq!(base("home.local", &[("origin", "https://evil.example")]), "http://home.local");
        assert_eq!(base("plain.local", &[forwarded]), "http://plain.local");
        assert_eq!(base("localhost:7766", &[forwarded]), "http://localhost:7766");
        assert_eq!(base("xom.example", &[]), "https://xom.example");
        assert_eq!(base("evil.example", &[forwarded]), "refused");
    }

    #[test]
    fn r_api_11_what_is_forwarded_counts_from_trusted_proxies_only() {
        let trusting = Access { proxies: vec!["127.0.0.2".parse().unwrap()], ..Access::default() };
        let forwarded = ("x-forwarded-proto", "https");
        for (access, arrival) in [
            (&trusting, from("127.0.0.1:1", false)),
            (&trusting, None),
            (&Access::default(), from("127.0.0.2:1", false)),
        ] {
            assert_eq!(base(access, arrival, "home.local", &[forwarded]), "http://home.local", "{arrival:?}");
        }
    }

    #[test]
    fn r_api_1_over_tls_only_names_of_the_certificate_are_answered_and_never_as_this_machine() {
        let names = ["home.example".parse().unwrap(), "localhost".parse().unwrap(), "fd00::1".parse().unwrap()];
        let access = Access { tls: Some((7443, names.to_vec())), ..Access::default() };
        let over_tls = |host| base(&access, from("192.0.2.7:1", true), host, &[]);
        assert_eq!(over_tls("home.example:7443"), "https://home.example:7443");
        assert_eq!(over_tls("home.example"), "https://home.example");
        assert_eq!(over_tls("[fd00::1]:7443"), "https://[fd00::1]:7443");
        assert_eq!(over_tls("localhost:7443"), "https://localhost:7443");
        for host in
            ["localhost:7766", "127.0.0.1:7766", "home.local", "xom.example", "home.example:7766", "HOME.example"]
        {
            assert_eq!(over_tls(host), "refused", "{host}");
        }
        assert_eq!(base(&access, from("127.0.0.1:1", false), "home.example:7443", &[]), "refused");
        assert!(Base::new("http", "localhost:7443").is_loopback());
        assert!(!Base::new("https", "localhost:7443").is_loopback());
    }

    #[test]
    fn the_domain_is_the_host_without_its_port() {
        let domain = |host: &str| Base::new("http", host).domain().to_owned();
        assert_eq!(domain("127.0.0.1:7766"), "127.0.0.1");
        assert_eq!(domain("[::1]:7766"), "[::1]");
        assert_eq!(domain("[::1]"), "[::1]");
        assert_eq!(domain("xom.example"), "xom.example");
    }

    #[test]
    fn vietnamese_letters_of_a_tag_are_percent_encoded() {
        assert_eq!(Base::new("http", "localhost:7766").tag("xóm"), "http://localhost:7766/tags/x%C3%B3m");
    }
}
