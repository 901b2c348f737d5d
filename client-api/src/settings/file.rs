//! The settings file: TOML. An unknown key or a wrong value is refused with its line.

use std::fmt::Display;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use xom_node::Multiaddr;
use xom_protocol::Network;

use super::{Layer, OutgoingTable, Rate, SettingsError, Size, TlsTable};
use crate::outgoing::IpRange;
use crate::people::Registration;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    #[serde(deserialize_with = "one")]
    http: Option<SocketAddr>,
    hosts: Option<Vec<String>>,
    tls: Option<TlsTable>,
    #[serde(deserialize_with = "many")]
    trusted_proxies: Option<Vec<IpRange>>,
    outgoing: Option<OutgoingTable>,
    #[serde(deserialize_with = "many")]
    listen: Option<Vec<Multiaddr>>,
    #[serde(deserialize_with = "many")]
    bootstrap: Option<Vec<Multiaddr>>,
    mdns: Option<bool>,
    swarm_key: Option<PathBuf>,
    upnp: Option<bool>,
    #[serde(deserialize_with = "one")]
    upload: Option<Rate>,
    #[serde(deserialize_with = "one")]
    download: Option<Rate>,
    metrics: Option<bool>,
    #[serde(deserialize_with = "one")]
    network: Option<Network>,
    name: Option<String>,
    #[serde(deserialize_with = "one")]
    author_quota: Option<Size>,
    #[serde(deserialize_with = "one")]
    media_room: Option<Size>,
    #[serde(deserialize_with = "one")]
    registration: Option<Registration>,
    registrations_per_hour: Option<u32>,
    requests_per_5_min: Option<u32>,
}

/// A text that is parsed in place, so that the error knows its line.
struct Parsed<T>(T);

/// Reads a settings file.
pub fn read_file(path: &Path) -> Result<Layer, SettingsError> {
    let text = fs::read_to_string(path)
        .map_err(|error| SettingsError::File { path: path.to_owned(), cause: error.to_string() })?;
    let file: File = toml::from_str(&text).map_err(|error| SettingsError::Line {
        path: path.to_owned(),
        line: line_of(&text, error.span().map_or(0, |span| span.start)),
        cause: error.message().to_owned(),
    })?;
    // A path in a file is seen from where the file is, wherever xom is started.
    let from_here = |key: PathBuf| path.parent().map_or_else(|| key.clone(), |folder| folder.join(&key));
    Ok(Layer {
        tls: file.tls.map(|tls| tls.seen_from(&from_here)),
        trusted_proxies: file.trusted_proxies,
        outgoing: file.outgoing.map(|outgoing| outgoing.seen_from(&from_here)),
        swarm_key: file.swarm_key.map(from_here),
        http: file.http,
        hosts: file.hosts,
        listen: file.listen,
        bootstrap: file.bootstrap,
        mdns: file.mdns,
        upnp: file.upnp,
        upload: file.upload,
        download: file.download,
        metrics: file.metrics,
        network: file.network,
        name: file.name,
        author_quota: file.author_quota,
        media_room: file.media_room,
        registration: file.registration,
        registrations_per_hour: file.registrations_per_hour,
        requests_per_5_min: file.requests_per_5_min,
    })
}

/// The line, counted from 1, in which a byte lies.
fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

impl<'de, T> Deserialize<'de> for Parsed<T>
where
    T: FromStr,
    T::Err: Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| de::Error::custom(format_args!("{text:?}: {error}")))
    }
}

pub(super) fn one<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    Parsed::deserialize(deserializer).map(|Parsed(value)| Some(value))
}

pub(super) fn many<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    let list = Vec::<Parsed<T>>::deserialize(deserializer)?;
    Ok(Some(list.into_iter().map(|Parsed(value)| value).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Layer, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        read_file(&path)
    }

    fn refused_at(text: &str, expected_line: usize, part: &str) {
        match read(text) {
            Err(SettingsError::Line { line, cause, .. }) => {
                assert_eq!(line, expected_line, "{cause}");
                assert!(cause.contains(part), "{cause}");
                assert!(!cause.contains('\n'), "{cause}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_sets_what_it_names() {
        let layer = read(
            "# my node\nhttp = \"127.0.0.1:8000\"\nlisten = [\"/ip4/127.0.0.1/tcp/1\"]\nnetwork = \"test\"\nname = \"lan\"\n",
        )
        .unwrap();
        assert_eq!(layer.http.unwrap().port(), 8000);
        assert_eq!(layer.listen.unwrap().len(), 1);
        assert_eq!(layer.bootstrap, None);
        assert_eq!(layer.network.unwrap().as_str(), "test");
        assert_eq!(layer.name.as_deref(), Some("lan"));
    }

    #[test]
    fn a_swarm_key_is_looked_for_beside_the_file_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let named = |text: &str| {
            fs::write(&path, text).unwrap();
            read_file(&path).unwrap().swarm_key
        };
        assert_eq!(named("swarm_key = \"swarm.key\"\n"), Some(folder.path().join("swarm.key")));
        assert_eq!(named("swarm_key = \"/keys/swarm.key\"\n"), Some("/keys/swarm.key".into()));
        assert_eq!(named(""), None);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        refused_at("name = \"lan\"\n\nhtpp = \"127.0.0.1:1\"\n", 3, "htpp");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_line() {
        refused_at("name = \"lan\"\nhttp = \"nowhere\"\n", 2, "nowhere");
        refused_at("name = \"lan\"\nlisten = [\"tcp:1\"]\n", 2, "tcp:1");
        refused_at("network = 5\n", 1, "string");
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line() {
        refused_at("name = \"lan\"\nthis is no setting\n", 2, "");
    }
}
