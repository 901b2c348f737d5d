//! Where an app may be sent back to with a code: the one place where a code could reach somebody else.
//!
//! Compared as text, byte by byte. Nothing is normalised, so that no two readings of one address can differ; only the
//! port of a loopback address may be another one (RFC 8252 section 7.3).

use std::fmt;

use super::limits::REDIRECT_BYTES_MAX;

/// The address that stands for "show the code".
pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";
/// The names of this machine itself.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];
/// Schemes that browsers act on by themselves, or that lead to files, and our own.
const FORBIDDEN: [&str; 19] = [
    "javascript",
    "data",
    "vbscript",
    "blob",
    "filesystem",
    "file",
    "about",
    "view-source",
    "ws",
    "wss",
    "ftp",
    "mailto",
    "tel",
    "sms",
    "intent",
    "chrome",
    "resource",
    "content",
    "xom",
];

/// An address that an app may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri(String);

/// An address that no app may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// Too long, blank, or with characters that no address has.
    #[error("a redirect URI is not a plain address of at most {REDIRECT_BYTES_MAX} bytes")]
    Form,
    /// Without a scheme, or with one that is never an app's.
    #[error("a redirect URI has a scheme that is not allowed")]
    Scheme,
    /// A fragment, which browsers would keep over a redirect.
    #[error("a redirect URI must not have a fragment")]
    Fragment,
    /// Names a user, no host, or a port that is none.
    #[error("a redirect URI must name a plain host")]
    Host,
    /// Plain http to another machine: whoever listens on the way gets the code.
    #[error("a redirect URI with http:// must name this machine; use https://")]
    Plain,
}

/// The parts of an address with a host.
struct Web<'u> {
    /// With its brackets, if it has some.
    host: &'u str,
    /// Everything after host and port.
    rest: &'u str,
}

impl RedirectUri {
    /// Checks an address that an app wants to register.
    pub fn parse(text: &str) -> Result<Self, RedirectError> {
        if text == OUT_OF_BAND {
            return Ok(Self(text.to_owned()));
        }
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if text.len() > REDIRECT_BYTES_MAX || !text.bytes().all(is_plain) {
            return Err(RedirectError::Form);
        }
        let (scheme, rest) = text.split_once(':').ok_or(RedirectError::Scheme)?;
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
        let is_scheme = scheme.bytes().all(named) && scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_scheme || FORBIDDEN.contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(RedirectError::Scheme);
        }
        if text.contains('#') {
            return Err(RedirectError::Fragment);
        }
        match scheme {
            "https" => web(rest).map(drop)?,
            "http" if LOOPBACK.contains(&web(rest)?.host) => {}
            "http" => return Err(RedirectError::Plain),
            // Another spelling of a scheme that the web has: browsers would follow it.
            other if other.eq_ignore_ascii_case("http") || other.eq_ignore_ascii_case("https") => {
                return Err(RedirectError::Scheme);
            }
            // `urn:` names things, and leads nowhere.
            other if other.eq_ignore_ascii_case("urn") => return Err(RedirectError::Scheme),
            _ if rest.is_empty() => return Err(RedirectError::Form),
            _ => {}
        }
        Ok(Self(text.to_owned()))
    }

    /// True if a request may name `asked` where this was registered.
    pub fn admits(&self, asked: &str) -> bool {
        if self.0 == asked {
            return true;
        }
        // Asked for has to be an address that could be registered itself: no user, no odd host, no fragment.
        let (Some(own), Ok(Self(asked))) = (self.loopback(), Self::parse(asked)) else { return false };
        let asked = asked.strip_prefix("http:").and_then(|rest| web(rest).ok());
        asked.is_some_and(|asked| asked.host == own.host && asked.rest == own.rest)
    }

    fn loopback(&self) -> Option<Web<'_>> {
        web(self.0.strip_prefix("http:")?).ok()
    }

    /// True if the code is shown instead.
    pub fn is_out_of_band(&self) -> bool {
        self.0 == OUT_OF_BAND
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it leads, for people, and as a source in a content security policy: scheme, host and port; of an app on
    /// the same machine its scheme alone.
    pub fn origin(&self) -> &str {
        let Some((scheme, rest)) = self.0.split_once(':') else { return &self.0 };
        match (scheme, rest.strip_prefix("//")) {
            ("http" | "https", Some(after)) => {
                let end = after.find(['/', '?']).unwrap_or(after.len());
                &self.0[..scheme.len() + 3 + end]
            }
            _ => &self.0[..=scheme.len()],
        }
    }

    /// The address with these parameters added to its query.
    pub fn with(&self, pairs: &[(&str, &str)]) -> String {
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        let mark = if self.0.contains('?') { '&' } else { '?' };
        format!("{}{mark}{query}", self.0)
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes what follows `http:` or `https:` apart.
fn web(rest: &str) -> Result<Web<'_>, RedirectError> {
    let after = rest.strip_prefix("//").ok_or(RedirectError::Host)?;
    let (authority, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
    let (host, port) = match authority.strip_prefix('[') {
        Some(inner) => {
            let (number, port) = inner.split_once(']').ok_or(RedirectError::Host)?;
            number.parse::<std::net::Ipv6Addr>().map_err(|_| RedirectError::Host)?;
            (&authority[..number.len() + 2], port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let fits = host.starts_with('[') || (!host.is_empty() && host.bytes().all(is_name));
    let port_fits = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    if fits && port_fits { Ok(Web { host, rest }) } else { Err(RedirectError::Host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(registered: &str, asked: &str) -> bool {
        RedirectUri::parse(registered).unwrap().admits(asked)
    }

    #[test]
    fn addresses_of_real_apps_are_taken() {
        for text in [
            OUT_OF_BAND,
            "https://elk.example/api/oauth?x=1",
            "http://127.0.0.1/callback",
            "http://localhost:8080",
            "http://[::1]:7000/",
            "com.tapbots.Ivory.10217:/request_token",
            "oauth2redirect://com.keylesspalace.tusky/",
            "mastodon-android-auth://callback",
            "https://[2001:db8::1]:8443/cb",
        ] {
            assert_eq!(RedirectUri::parse(text).map(|uri| uri.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn r_api_5_addresses_that_no_app_may_name_are_refused() {
        for (text, expected) in [
            ("", RedirectError::Scheme),
            ("/callback", RedirectError::Scheme),
            ("javascript:alert(1)", RedirectError::Scheme),
            ("JavaScript:alert(1)", RedirectError::Scheme),
            ("data:text/html,x", RedirectError::Scheme),
            ("file:///etc/passwd", RedirectError::Scheme),
            ("HTTPS://app.example/", RedirectError::Scheme),
            ("xom:follow", RedirectError::Scheme),
            ("urn:ietf:wg:oauth:2.0:oob:auto", RedirectError::Scheme),
            ("https://app.example/#x", RedirectError::Fragment),
            ("app://x#", RedirectError::Fragment),
            ("https://user@app.example/", RedirectError::Host),
            ("https://localhost:80@evil.example/", RedirectError::Host),
            ("https://App.example/", RedirectError::Host),
            ("https:///cb", RedirectError::Host),
            ("https:app.example", RedirectError::Host),
            ("https://app.example:0/", RedirectError::Host),
            ("https://app.example:x/", RedirectError::Host),
            ("https://app.example:+1/", RedirectError::Host),
            ("https://app%2eexample/", RedirectError::Host),
            ("http://app.example/cb", RedirectError::Plain),
            ("http://127.0.0.1.evil.example/cb", RedirectError::Plain),
            ("http://127.1/cb", RedirectError::Plain),
            ("https://app.example/\r\nSet-Cookie: a=b", RedirectError::Form),
            ("https://app.example\\@evil.example/", RedirectError::Form),
            ("https://xóm.example/", RedirectError::Form),
            ("app:", RedirectError::Form),
        ] {
            assert_eq!(RedirectUri::parse(text), Err(expected), "{text}");
        }
        assert_eq!(RedirectUri::parse(&format!("https://a/{}", "x".repeat(2_000))), Err(RedirectError::Form));
    }

    #[test]
    fn r_api_5_an_address_is_compared_byte_by_byte() {
        let registered = "https://app.example/cb";
        assert!(admits(registered, registered));
        for asked in [
            "https://app.example/cb/",
            "https://app.example/cb/more",
            "https://app.example/c",
            "https://app.example/cb?x=1",
            "https://app.example/CB",
            "https://app.example/%63b",
            "https://app.example/a/../cb",
            "https://app.example:443/cb",
            "https://app.example:8443/cb",
            "https://user@app.example/cb",
            "https://app.example.evil.example/cb",
            "https://evil.example/cb",
            "http://app.example/cb",
            "HTTPS://app.example/cb",
            "https://app.example/cb#x",
            " https://app.example/cb",
            "",
        ] {
            assert!(!admits(registered, asked), "{asked}");
        }
        assert!(!admits("app://callback", "app://callback/x"));
        assert!(!admits("app://callback", "APP://callback"));
        assert!(!admits(OUT_OF_BAND, "https://app.example/"));
    }

    #[test]
    fn r_api_5_only_the_port_of_a_loopback_address_may_be_another() {
        for asked in ["http://127.0.0.1:5000/cb", "http://127.0.0.1/cb", "http://127.0.0.1:1/cb"] {
            assert!(admits("http://127.0.0.1/cb", asked), "{asked}");
            assert!(admits("http://127.0.0.1:9/cb", asked), "{asked}");
        }
        for asked in [
            "http://127.0.0.1:5000/cb/",
            "http://127.0.0.1:5000/other",
            "http://127.0.0.1:5000@evil.example/cb",
            "http://evil.example:5000/cb",
            "http://localhost:5000/cb",
            "https://127.0.0.1:5000/cb",
            "http://127.0.0.1:99999/cb",
            "http://user@127.0.0.1:5000/cb",
        ] {
            assert!(!admits("http://127.0.0.1/cb", asked), "{asked}");
        }
        assert!(admits("http://[::1]/cb", "http://[::1]:5000/cb"));
        assert!(!admits("https://127.0.0.1/cb", "https://127.0.0.1:5000/cb"));
    }

    #[test]
    fn the_code_is_added_to_the_query_and_the_origin_is_shown() {
        let uri = |text: &str| RedirectUri::parse(text).unwrap();
        assert_eq!(uri("https://a.example/cb").with(&[("code", "x y&z")]), "https://a.example/cb?code=x+y%26z");
        assert_eq!(uri("https://a.example/?v=1").with(&[("code", "x")]), "https://a.example/?v=1&code=x");
        assert_eq!(uri("https://a.example:8443?v=1").origin(), "https://a.example:8443");
        assert_eq!(uri("https://a.example/cb").origin(), "https://a.example");
        assert_eq!(uri("com.app.X:/cb").origin(), "com.app.X:");
    }
}
