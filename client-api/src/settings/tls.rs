//! The parts `[tls]` and `[outgoing]` of the settings file: how other machines come in, and what is asked of others.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

use super::SettingsError;
use super::file::{many, one};
use crate::outgoing::{IpRange, Permissions};
use crate::tls::{AcmeSettings, LETS_ENCRYPT, Name, Source, TlsError, read_roots};

/// The port of the TLS listener where none is named.
pub const HTTPS_PORT: u16 = 7443;

/// The second listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The names and numbers under which it may be reached.
    pub names: Vec<Name>,
    /// Where its certificate comes from.
    pub source: Source,
    /// A file with authorities that are believed when the ACME authority is asked, beside those of browsers.
    pub acme_roots: Option<PathBuf>,
}

/// `[tls]` as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsTable {
    #[serde(deserialize_with = "one")]
    listen: Option<SocketAddr>,
    #[serde(deserialize_with = "many")]
    names: Option<Vec<Name>>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    acme: Option<AcmeTable>,
}

/// `[tls.acme]` as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AcmeTable {
    agree_to_terms: bool,
    directory: Option<String>,
    contact: Vec<String>,
    roots: Option<PathBuf>,
}

/// `[outgoing]`: what may be asked beyond the public internet; nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutgoingTable {
    #[serde(deserialize_with = "many")]
    allow: Option<Vec<IpRange>>,
    roots: Option<PathBuf>,
}

impl TlsTable {
    /// With its files as seen from where it was written.
    pub(super) fn seen_from(mut self, from_here: &impl Fn(PathBuf) -> PathBuf) -> Self {
        self.certificate = self.certificate.map(from_here);
        self.key = self.key.map(from_here);
        if let Some(acme) = &mut self.acme {
            acme.roots = acme.roots.take().map(from_here);
        }
        self
    }

    /// What it means.
    pub(super) fn settings(self) -> Result<TlsSettings, SettingsError> {
        let names = self.names.filter(|names| !names.is_empty());
        let names = names.ok_or(SettingsError::Tls("names no names; write names = [\"home.example\"]"))?;
        let acme_roots = self.acme.as_ref().and_then(|acme| acme.roots.clone());
        let source = match (self.certificate, self.key, self.acme) {
            (Some(certificate), Some(key), None) => Source::Files { certificate, key },
            (None, None, Some(acme)) => {
                if !acme.agree_to_terms {
                    let refused = "asks an ACME authority; say agree_to_terms = true once you have read its terms";
                    return Err(SettingsError::Tls(refused));
                }
                let directory = acme.directory.unwrap_or_else(|| LETS_ENCRYPT.to_owned());
                Source::Acme(AcmeSettings { directory, contact: acme.contact })
            }
            (None, None, None) => Source::Local,
            (Some(_), Some(_), Some(_)) => {
                return Err(SettingsError::Tls("has both a certificate and an ACME authority"));
            }
            _ => return Err(SettingsError::Tls("needs a certificate and its key, each in its file")),
        };
        let listen = self.listen.unwrap_or_else(every_address);
        Ok(TlsSettings { listen, names, source, acme_roots })
    }
}

impl OutgoingTable {
    /// With its files as seen from where it was written.
    pub(super) fn seen_from(mut self, from_here: &impl Fn(PathBuf) -> PathBuf) -> Self {
        self.roots = self.roots.map(from_here);
        self
    }

    /// What it allows, its files read, with the authorities of another file where there is one.
    pub fn permissions(&self, more_roots: Option<&PathBuf>) -> Result<Permissions, TlsError> {
        let files = self.roots.iter().chain(more_roots);
        let roots = files.map(|path| read_roots(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Permissions { allow: self.allow.clone().unwrap_or_default(), roots: roots.concat() })
    }
}

/// Every address of this machine.
pub(crate) fn every_address() -> SocketAddr {
    let has_ipv6 = std::net::UdpSocket::bind("[::]:0").is_ok();
    match has_ipv6 {
        // Takes IPv4 too.
        true => (Ipv6Addr::UNSPECIFIED, HTTPS_PORT).into(),
        false => (Ipv4Addr::UNSPECIFIED, HTTPS_PORT).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TlsSettings, String> {
        let table: TlsTable = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        table.settings().map_err(|error| error.to_string())
    }

    #[test]
    fn a_certificate_comes_from_files_from_an_authority_or_from_ones_own() {
        let settings = read("names = [\"Home.example\"]\nlisten = \"127.0.0.1:443\"").unwrap();
        assert_eq!((settings.source, settings.listen.port()), (Source::Local, 443));
        assert_eq!(settings.names, [Name::Dns("home.example".into())]);
        let settings = read("names = [\"a.example\"]\ncertificate = \"a.pem\"\nkey = \"a.key\"").unwrap();
        assert!(matches!(settings.source, Source::Files { .. }));
        assert_eq!(settings.listen.port(), HTTPS_PORT);
        let settings = read("names = [\"a.example\"]\nacme = { agree_to_terms = true }").unwrap();
        assert!(matches!(settings.source, Source::Acme(acme) if acme.directory == LETS_ENCRYPT));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_with_what_to_do() {
        for (text, said) in [
            ("", "names no names"),
            ("names = []", "names no names"),
            ("names = [\"http://a\"]", "is no name"),
            ("names = [\"a\"]\nkey = \"a.key\"", "needs a certificate and its key"),
            ("names = [\"a\"]\nacme = {}", "agree_to_terms"),
            ("names = [\"a\"]\ncertificate = \"a\"\nkey = \"a\"\nacme = { agree_to_terms = true }", "both"),
            ("names = [\"a\"]\nplain = true", "unknown field"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn nothing_beyond_the_public_internet_is_asked_by_default() {
        let permissions = OutgoingTable::default().permissions(None).unwrap();
        assert_eq!(permissions, Permissions::default());
        let table: OutgoingTable = toml::from_str("allow = [\"10.0.0.0/8\"]").unwrap();
        assert_eq!(table.permissions(None).unwrap().allow.len(), 1);
        assert!(toml::from_str::<OutgoingTable>("allow = [\"localhost\"]").is_err());
    }
}
