//! Under which names the server is reached, and absolute addresses made from the name of a request.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use xom_protocol::{BlobId, Did};

/// The values of `Host` that are answered; everything else is refused (DNS rebinding).
#[derive(Debug, Clone)]
pub struct Hosts {
    /// Pairs of the exact `Host` value and the scheme under which clients reach it.
    allowed: Vec<(String, Scheme)>,
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
    /// The loopback names with `port`, and the configured names, with `port` where they name none.
    pub fn new(port: u16, names: &[String]) -> Self {
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
        Self { allowed }
    }

    /// The base of a request, if its one `Host`, and the authority of its target where it has one, are allowed.
    pub fn check(&self, headers: &HeaderMap, target: &Uri) -> Option<Base> {
        let mut values = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (values.next(), values.next()) else { return None };
        let host = host.to_str().ok()?;
        if target.authority().is_some_and(|authority| authority.as_str() != host) {
            return None;
        }
        let (host, scheme) = self.allowed.iter().find(|(allowed, _)| allowed == host)?;
        let is_secure = match scheme {
            Scheme::Http => false,
            Scheme::Https => true,
            Scheme::Either => came_over_tls(headers, host),
        };
        Some(Base::new(if is_secure { "https" } else { "http" }, host))
    }
}

/// Whether a request for one of our own names came over TLS as far as the proxy: it says so, or the browser that
/// sends a form names our own page as its origin. A page of another name can claim neither.
fn came_over_tls(headers: &HeaderMap, host: &str) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    says("x-forwarded-proto", "https") || says("origin", &format!("https://{host}"))
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

    /// True for a name of this machine alone.
    pub fn is_loopback(&self) -> bool {
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
        let allowed = Hosts::new(7766, &["https://xom.example".into(), "nhà.local".into(), "home.local".into()]);
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, axum::http::HeaderValue::from_str(host).unwrap());
        }
        let base = allowed.check(&headers, &target.parse().unwrap())?;
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

    #[test]
    fn a_name_without_a_scheme_is_reached_over_tls_where_the_proxy_or_the_browser_says_so() {
        let hosts = Hosts::new(7766, &["home.local".into(), "http://plain.local".into(), "https://xom.example".into()]);
        let base = |host: &'static str, more: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.append(header::HOST, axum::http::HeaderValue::from_static(host));
            for (name, value) in more {
                headers.append(*name, axum::http::HeaderValue::from_static(value));
            }
            hosts.check(&headers, &"/".parse().unwrap()).map(|base| base.as_str().to_owned())
        };
        let (forwarded, origin) = (("x-forwarded-proto", "https"), ("origin", "https://home.local"));
        assert_eq!(base("home.local", &[]).as_deref(), Some("http://home.local"));
        assert_eq!(base("home.local", &[forwarded]).as_deref(), Some("https://home.local"));
        assert_eq!(base("home.local", &[origin]).as_deref(), Some("https://home.local"));
        assert_eq!(base("home.local", &[("origin", "https://evil.example")]).as_deref(), Some("http://home.local"));
        assert_eq!(base("plain.local", &[forwarded]).as_deref(), Some("http://plain.local"));
        assert_eq!(base("localhost:7766", &[forwarded]).as_deref(), Some("http://localhost:7766"));
        assert_eq!(base("xom.example", &[]).as_deref(), Some("https://xom.example"));
        assert_eq!(base("evil.example", &[forwarded]), None);
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
