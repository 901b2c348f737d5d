//! An app that is registered, and what it may call itself.

use super::limits::{NAME_CHARS_MAX, REDIRECTS_MAX, WEBSITE_BYTES_MAX};
use super::redirect::{RedirectError, RedirectUri};
use super::scope::{Scopes, UnknownScope};
use super::secret;

/// An app, called a client as OAuth calls it.
pub struct Client {
    /// Its public id.
    pub id: String,
    /// Its id for those who want a number.
    pub number: u64,
    /// What it calls itself.
    pub name: String,
    /// Where it says to live.
    pub website: Option<String>,
    /// Where it may be sent back to; at least one.
    pub redirects: Vec<RedirectUri>,
    /// The most that it may ask for.
    pub scopes: Scopes,
    /// The hash of its secret.
    pub(super) secret: [u8; 32],
    /// When it was registered, milliseconds since 1970.
    pub registered_ms: u64,
}

/// What an app says of itself when it registers.
#[derive(Debug)]
pub struct Registration {
    /// What it calls itself.
    pub name: String,
    /// Where it says to live.
    pub website: Option<String>,
    /// Where it may be sent back to.
    pub redirects: Vec<RedirectUri>,
    /// The most that it may ask for.
    pub scopes: Scopes,
}

/// A registration that is refused.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// No name, or nothing of it can be shown.
    #[error("client_name can't be blank")]
    Name,
    /// Not an address of the web.
    #[error("website must be an http or https address of at most {WEBSITE_BYTES_MAX} bytes")]
    Website,
    /// None, or too many.
    #[error("redirect_uris must name 1 to {REDIRECTS_MAX} addresses")]
    Redirects,
    /// One of them is not allowed.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// A scope that there is not.
    #[error(transparent)]
    Scope(#[from] UnknownScope),
}

impl Registration {
    /// Checks what an app says. `redirects` may hold several in one text, with white space between them.
    pub fn read(
        name: &str,
        website: Option<&str>,
        redirects: &[String],
        scopes: &str,
    ) -> Result<Self, RegistrationError> {
        let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let name: String = name.chars().filter(|c| is_shown(*c)).take(NAME_CHARS_MAX).collect();
        if name.trim().is_empty() {
            return Err(RegistrationError::Name);
        }
        let fits = |address: &&str| {
            let is_web = address.starts_with("https://") || address.starts_with("http://");
            is_web && address.len() <= WEBSITE_BYTES_MAX && address.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let website = match website {
            Some(address) => Some(Some(address).filter(fits).ok_or(RegistrationError::Website)?.to_owned()),
            None => None,
        };
        let mut uris: Vec<RedirectUri> = Vec::new();
        for text in redirects.iter().flat_map(|several| several.split_whitespace()) {
            let uri = RedirectUri::parse(text)?;
            if !uris.contains(&uri) {
                uris.push(uri);
            }
            if uris.len() > REDIRECTS_MAX {
                return Err(RegistrationError::Redirects);
            }
        }
        if uris.is_empty() {
            return Err(RegistrationError::Redirects);
        }
        Ok(Self { name: name.trim().to_owned(), website, redirects: uris, scopes: Scopes::parse(scopes)? })
    }
}

impl Client {
    /// True if this is its secret.
    pub fn has_secret(&self, secret: &str) -> bool {
        secret::is_same(&self.secret, &secret::hash(secret))
    }

    /// The address of a request, if the app may be sent back there.
    pub fn redirect(&self, asked: &str) -> Option<RedirectUri> {
        let admitted = self.redirects.iter().any(|registered| registered.admits(asked));
        // What is admitted beside what is registered is checked once more: it has a port of its own.
        if admitted { RedirectUri::parse(asked).ok() } else { None }
    }
}

/// False for what has no shape of its own: controls, and marks that turn the direction of text or hide in it. With them
/// a name could look like something else.
fn is_shown(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        name: &str,
        website: Option<&str>,
        redirects: &[&str],
        scopes: &str,
    ) -> Result<Registration, RegistrationError> {
        let redirects: Vec<String> = redirects.iter().map(|uri| (*uri).to_owned()).collect();
        Registration::read(name, website, &redirects, scopes)
    }

    #[test]
    fn several_addresses_come_as_a_list_or_in_lines() {
        let both = ["urn:ietf:wg:oauth:2.0:oob\nhttps://a.example/cb", "app:/x", "app:/x"];
        let registration = read("Elk", None, &both, "read write").unwrap();
        let uris: Vec<&str> = registration.redirects.iter().map(RedirectUri::as_str).collect();
        assert_eq!(uris, ["urn:ietf:wg:oauth:2.0:oob", "https://a.example/cb", "app:/x"]);
    }

    #[test]
    fn r_api_7_a_name_has_one_line_and_nothing_that_hides_or_turns_text() {
        let name = |text: &str| read(text, None, &["app:/x"], "").unwrap().name;
        assert_eq!(name(" Elk \r\n  for\tyou "), "Elk for you");
        assert_eq!(name("a\u{202e}b\u{200b}c\u{2066}d\0e\u{feff}f"), "abcdef");
        assert_eq!(name(&"ế".repeat(100)).chars().count(), NAME_CHARS_MAX);
        for blank in ["", "  ", "\u{200b}\u{202e}"] {
            assert!(matches!(read(blank, None, &["app:/x"], ""), Err(RegistrationError::Name)), "{blank:?}");
        }
    }

    #[test]
    fn what_an_app_says_has_bounds() {
        assert!(matches!(read("a", None, &[], ""), Err(RegistrationError::Redirects)));
        let many: Vec<String> = (0..=REDIRECTS_MAX).map(|number| format!("app:/{number}")).collect();
        assert!(matches!(Registration::read("a", None, &many, ""), Err(RegistrationError::Redirects)));
        assert!(matches!(read("a", None, &["app:/x"], "root"), Err(RegistrationError::Scope(_))));
        for site in ["javascript:alert(1)", "elk.example", "https://a b", &format!("https://{}", "x".repeat(2_000))] {
            assert!(matches!(read("a", Some(site), &["app:/x"], ""), Err(RegistrationError::Website)), "{site}");
        }
    }
}
