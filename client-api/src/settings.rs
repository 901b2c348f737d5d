//! The settings of `xom run`: from flags, environment variables and a TOML file, in this order.
//!
//! Pure: what the environment and the file hold comes in, so that the precedence can be tested.

mod file;
mod layer;
mod rate;
mod size;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use file::read_file;
pub use layer::{Layer, RunFlags};
pub use rate::{Rate, RateError};
pub use size::{Size, Span};
pub(crate) use tls::every_address;
pub use tls::{HTTPS_PORT, OutgoingTable, TlsSettings, TlsTable};
use xom_node::keep::AUTHOR_QUOTA_BYTES;
use xom_node::{MEDIA_ROOM_BYTES, Multiaddr, NodeConfig, RECOVERY_DELAY};
use xom_protocol::Network;
use xom_protocol::body::is_username;

use crate::oauth::limits::REQUESTS_MAX;
use crate::outgoing::IpRange;
use crate::people::Terms;
use crate::people::limits::REGISTRATIONS_HOUR_MAX;
use crate::tls::TlsFolder;

/// The port of the client API and the page.
pub const HTTP_PORT: u16 = 7766;
/// The port for peers, over QUIC and TCP.
pub const PEER_PORT: u16 = 7767;
/// The name of the settings file in the data folder.
pub const CONFIG_FILE: &str = "config.toml";

/// What a systemd service calls the credential with the passphrase of a sealed device key.
pub const CREDENTIAL: &str = "xom-passphrase";
/// Shortens the delay of guardians for trials on a network of their own; without effect on `main`.
const DELAY_VARIABLE: &str = "XOM_RECOVERY_DELAY_SECS";

/// The settings of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Everything that the node keeps.
    pub data_dir: PathBuf,
    /// Where the client API and the page are served.
    pub http: SocketAddr,
    /// Names beside the loopback ones under which the page may be reached, through a proxy that adds TLS.
    pub hosts: Vec<String>,
    /// The second listener, over TLS; none where nothing is set up.
    pub tls: Option<TlsSettings>,
    /// The proxies whose `X-Forwarded-Proto` counts.
    pub trusted_proxies: Vec<IpRange>,
    /// What may be asked beyond the public internet.
    pub outgoing: OutgoingTable,
    /// Where to listen for peers.
    pub listen: Vec<Multiaddr>,
    /// Peers to dial at the start.
    pub bootstrap: Vec<Multiaddr>,
    /// Announce the node on the local network, and dial those who do.
    pub mdns: bool,
    /// The file with the key of a closed network.
    pub swarm_key: Option<PathBuf>,
    /// Ask the router of the local network to let peers in.
    pub upnp: bool,
    /// Most that is sent to peers a second.
    pub upload: Option<Rate>,
    /// Most that is taken from peers a second.
    pub download: Option<Rate>,
    /// Serve `/metrics` under names of proxies too.
    pub metrics: bool,
    /// The network.
    pub network: Network,
    /// The user name of the identity that is made where there is none.
    pub name: String,
    /// The file with the passphrase that opens a sealed device key.
    pub passphrase_file: Option<PathBuf>,
    /// How much of the disk an author may take who is followed, bytes.
    pub author_quota_bytes: u64,
    /// How much others' pictures may take, bytes.
    pub media_room_bytes: u64,
    /// Who may register on this node, and how many in an hour.
    pub people: Terms,
    /// Requests that the tokens of one app for one identity may make in five minutes.
    pub requests_per_5_min: u32,
    /// How long guardians who live here wait. Always 72 hours on the network `main`.
    pub recovery_delay: Duration,
}

/// A setting that can't be used. Nothing has been changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A file that can't be read.
    #[error("can't read the settings file {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// A line of the file that can't be used: an unknown key, a wrong value.
    #[error("{path}, line {line}: {cause}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        cause: String,
    },
    /// An environment variable that can't be used.
    #[error("environment variable {name}: {cause}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// Neither a folder was named nor does the user have a home.
    #[error("no home folder is known; name a data folder with --data-dir or XOM_DATA_DIR")]
    NoHome,
    /// The page and the client API are for this machine only.
    #[error(
        "{0} is open to others; the page is served on 127.0.0.1 or [::1] only; for other machines there is `xom tls setup`"
    )]
    NotLoopback(SocketAddr),
    /// The part about TLS does not fit together.
    #[error("[tls] {0}")]
    Tls(&'static str),
    /// Not a user name.
    #[error("{0:?} is not a user name; use 1 to 30 of a-z, 0-9 and _")]
    Username(String),
}

impl Settings {
    /// Joins the layers, the first that has a value wins, and fills in the defaults.
    pub fn resolve(data_dir: PathBuf, layers: &[Layer]) -> Result<Self, SettingsError> {
        let first = |pick: fn(&Layer) -> Option<&Vec<Multiaddr>>| layers.iter().find_map(pick).cloned();
        let name = layers.iter().find_map(|layer| layer.name.clone()).unwrap_or_else(|| "user".to_owned());
        if !is_username(&name) {
            return Err(SettingsError::Username(name));
        }
        let http = layers.iter().find_map(|layer| layer.http).unwrap_or_else(default_http);
        if !http.ip().is_loopback() {
            return Err(SettingsError::NotLoopback(http));
        }
        let swarm_key = layers.iter().find_map(|layer| layer.swarm_key.clone());
        Ok(Self {
            data_dir,
            http,
            hosts: layers.iter().find_map(|layer| layer.hosts.clone()).unwrap_or_default(),
            tls: layers.iter().find_map(|layer| layer.tls.clone()).map(TlsTable::settings).transpose()?,
            trusted_proxies: layers.iter().find_map(|layer| layer.trusted_proxies.clone()).unwrap_or_default(),
            outgoing: layers.iter().find_map(|layer| layer.outgoing.clone()).unwrap_or_default(),
            listen: first(|layer| layer.listen.as_ref()).unwrap_or_else(|| default_listen(swarm_key.is_some())),
            bootstrap: first(|layer| layer.bootstrap.as_ref()).unwrap_or_default(),
            mdns: layers.iter().find_map(|layer| layer.mdns).unwrap_or(true),
            swarm_key,
            upnp: layers.iter().find_map(|layer| layer.upnp).unwrap_or(true),
            upload: layers.iter().find_map(|layer| layer.upload),
            download: layers.iter().find_map(|layer| layer.download),
            metrics: layers.iter().find_map(|layer| layer.metrics).unwrap_or(false),
            network: layers.iter().find_map(|layer| layer.network).unwrap_or(Network::MAIN),
            name,
            passphrase_file: None,
            author_quota_bytes: layers
                .iter()
                .find_map(|layer| layer.author_quota)
                .map_or(AUTHOR_QUOTA_BYTES, |size| size.0),
            media_room_bytes: layers.iter().find_map(|layer| layer.media_room).map_or(MEDIA_ROOM_BYTES, |size| size.0),
            people: Terms {
                registration: layers.iter().find_map(|layer| layer.registration).unwrap_or_default(),
                per_hour: layers
                    .iter()
                    .find_map(|layer| layer.registrations_per_hour)
                    .unwrap_or(REGISTRATIONS_HOUR_MAX),
            },
            requests_per_5_min: layers.iter().find_map(|layer| layer.requests_per_5_min).unwrap_or(REQUESTS_MAX),
            recovery_delay: RECOVERY_DELAY,
        })
    }

    /// Reads all layers for a folder: flags, variables, then the named file or else the folder's own.
    pub fn load(
        data_dir: PathBuf,
        flags: &RunFlags,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let variables = Layer::from_variables(variable)?;
        let named = flags.config.clone().or_else(|| variable("XOM_CONFIG").map(PathBuf::from));
        let file = match named {
            Some(path) => read_file(&path)?,
            None => read_own_file(&data_dir)?,
        };
        let made = TlsFolder::of(&data_dir).settings();
        let made = if made.exists() { read_file(&made)? } else { Layer::default() };
        let mut settings = Self::resolve(data_dir, &[Layer::from_flags(flags), variables, file, made])?;
        let credential = || variable("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(CREDENTIAL));
        settings.passphrase_file = flags.passphrase_file.clone().or_else(|| credential().filter(|path| path.exists()));
        let shorter = variable(DELAY_VARIABLE).filter(|_| settings.network != Network::MAIN);
        if let Some(secs) = shorter {
            let secs = secs.parse().map_err(|_| SettingsError::Variable {
                name: DELAY_VARIABLE,
                cause: "is not a number of seconds".to_owned(),
            })?;
            settings.recovery_delay = Duration::from_secs(secs);
        }
        Ok(settings)
    }

    /// What the node is told.
    pub fn node(&self) -> NodeConfig {
        NodeConfig {
            data_dir: self.data_dir.clone(),
            network: self.network,
            listen: self.listen.clone(),
            bootstrap: self.bootstrap.clone(),
            mdns: self.mdns,
            swarm_key: self.swarm_key.clone(),
            upnp: self.upnp,
            upload_max: self.upload.map(|rate| rate.0),
            download_max: self.download.map(|rate| rate.0),
            first_username: Some(self.name.clone()),
            recovery_delay: self.recovery_delay,
            author_quota_bytes: self.author_quota_bytes,
            media_room_bytes: self.media_room_bytes,
        }
    }
}

/// The data folder: the flag, `XOM_DATA_DIR`, else `xom` in the user's data folder (XDG).
pub fn data_dir(flag: Option<PathBuf>, variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf, SettingsError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    flag.or_else(|| set("XOM_DATA_DIR"))
        .or_else(|| set("XDG_DATA_HOME").filter(|path| path.is_absolute()).map(|path| path.join("xom")))
        .or_else(|| set("HOME").map(|home| home.join(".local").join("share").join("xom")))
        .map(|path| std::path::absolute(&path).unwrap_or(path))
        .ok_or(SettingsError::NoHome)
}

fn read_own_file(data_dir: &Path) -> Result<Layer, SettingsError> {
    let path = data_dir.join(CONFIG_FILE);
    if path.exists() { read_file(&path) } else { Ok(Layer::default()) }
}

fn default_http() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, HTTP_PORT))
}

/// QUIC and TCP on all interfaces, in a closed network TCP alone (`PNET-2`); IPv6 only where this machine has it.
fn default_listen(closed: bool) -> Vec<Multiaddr> {
    let has_ipv6 = std::net::UdpSocket::bind("[::]:0").is_ok();
    let hosts: &[&str] = if has_ipv6 { &["/ip4/0.0.0.0", "/ip6/::"] } else { &["/ip4/0.0.0.0"] };
    hosts
        .iter()
        .flat_map(|host| [format!("{host}/udp/{PEER_PORT}/quic-v1"), format!("{host}/tcp/{PEER_PORT}")])
        .filter(|text| !closed || !text.contains("/udp/"))
        .map(|text| text.parse().expect("a constant address"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn layer(http: &str, name: &str) -> Layer {
        Layer { http: Some(http.parse().unwrap()), name: Some(name.to_owned()), ..Layer::default() }
    }

    #[test]
    fn flags_win_over_variables_over_the_file() {
        let resolve = |layers: &[Layer]| Settings::resolve("/d".into(), layers).unwrap();
        let (flags, variables, file) =
            (layer("127.0.0.1:1", "flag"), layer("127.0.0.1:2", "variable"), layer("127.0.0.1:3", "file"));
        assert_eq!(resolve(&[flags, variables.clone(), file.clone()]).name, "flag");
        assert_eq!(resolve(&[Layer::default(), variables, file.clone()]).http.port(), 2);
        assert_eq!(resolve(&[Layer::default(), Layer::default(), file]).http.port(), 3);
        assert_eq!(resolve(&[]).http.to_string(), "127.0.0.1:7766");
        assert_eq!(resolve(&[]).name, "user");
    }

    #[test]
    fn by_default_peers_are_heard_over_quic_and_tcp_on_7767() {
        let listen: Vec<String> =
            Settings::resolve("/d".into(), &[]).unwrap().listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen[..2], ["/ip4/0.0.0.0/udp/7767/quic-v1", "/ip4/0.0.0.0/tcp/7767"]);
    }

    #[test]
    fn pnet_2_with_a_swarm_key_peers_are_heard_over_tcp_alone_by_default() {
        let layer = Layer { swarm_key: Some("/keys/swarm.key".into()), ..Layer::default() };
        let settings = Settings::resolve("/d".into(), &[layer]).unwrap();
        assert_eq!(settings.listen[0].to_string(), "/ip4/0.0.0.0/tcp/7767");
        assert!(!settings.listen.iter().any(|address| address.to_string().contains("/udp/")));
        assert_eq!(settings.node().swarm_key, Some("/keys/swarm.key".into()));
    }

    #[test]
    fn the_file_of_the_data_folder_is_read_if_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(CONFIG_FILE), "name = \"lan\"\n").unwrap();
        let load = |flags: &RunFlags| Settings::load(folder.path().into(), flags, nothing);
        assert_eq!(load(&RunFlags::default()).unwrap().name, "lan");

        let other = folder.path().join("other.toml");
        std::fs::write(&other, "name = \"minh\"\n").unwrap();
        let flags = RunFlags { config: Some(other), ..RunFlags::default() };
        assert_eq!(load(&flags).unwrap().name, "minh");

        let missing = RunFlags { config: Some(folder.path().join("none.toml")), ..RunFlags::default() };
        assert!(matches!(load(&missing), Err(SettingsError::File { .. })));
    }

    #[test]
    fn a_sealed_device_key_opens_by_passphrase_file_or_a_systemd_credential() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| folder.path().display().to_string());
        let load = |flags: &RunFlags| Settings::load(folder.path().into(), flags, named).unwrap().passphrase_file;
        assert_eq!(load(&RunFlags::default()), None, "a service without this credential");
        std::fs::write(folder.path().join(CREDENTIAL), "correct horse").unwrap();
        assert_eq!(load(&RunFlags::default()), Some(folder.path().join("xom-passphrase")));
        let flags = RunFlags { passphrase_file: Some("/flag".into()), ..RunFlags::default() };
        assert_eq!(load(&flags), Some("/flag".into()));
    }

    #[test]
    fn a_variable_that_is_empty_counts_as_unset() {
        let folder = tempfile::tempdir().unwrap();
        let empty = |_: &str| Some(String::new());
        let settings = Settings::load(folder.path().into(), &RunFlags::default(), empty).unwrap();
        assert_eq!(settings, Settings::load(folder.path().into(), &RunFlags::default(), nothing).unwrap());
    }

    #[test]
    fn the_data_folder_is_the_flag_or_the_variable_or_the_users_data_folder() {
        let env = |name: &str| match name {
            "HOME" => Some("/home/lan".to_owned()),
            "XDG_DATA_HOME" => Some("/xdg".to_owned()),
            _ => None,
        };
        assert_eq!(data_dir(Some("/flag".into()), env).unwrap(), PathBuf::from("/flag"));
        assert_eq!(data_dir(None, env).unwrap(), PathBuf::from("/xdg/xom"));
        let home = |name: &str| (name == "HOME").then(|| "/home/lan".to_owned());
        assert_eq!(data_dir(None, home).unwrap(), PathBuf::from("/home/lan/.local/share/xom"));
        let set = |name: &str| (name == "XOM_DATA_DIR").then(|| "/set".to_owned());
        assert_eq!(data_dir(None, set).unwrap(), PathBuf::from("/set"));
        assert_eq!(data_dir(None, nothing), Err(SettingsError::NoHome));
    }

    #[test]
    fn the_page_is_served_to_this_machine_only() {
        for open in ["0.0.0.0:7766", "192.168.1.2:7766", "[::]:7766"] {
            let flags = Layer { http: Some(open.parse().unwrap()), ..Layer::default() };
            assert!(matches!(Settings::resolve("/d".into(), &[flags]), Err(SettingsError::NotLoopback(_))), "{open}");
        }
    }

    #[test]
    fn the_delay_of_guardians_can_be_shortened_on_a_network_of_ones_own_only() {
        // REC-5
        let folder = tempfile::tempdir().unwrap();
        let load = |network: &'static str| {
            let variable = move |name: &str| match name {
                "XOM_NETWORK" => Some(network.to_owned()),
                "XOM_RECOVERY_DELAY_SECS" => Some("3".to_owned()),
                _ => None,
            };
            Settings::load(folder.path().into(), &RunFlags::default(), variable).unwrap().recovery_delay
        };
        assert_eq!(load("trial"), Duration::from_secs(3));
        assert_eq!(load("main"), Duration::from_secs(72 * 3_600));
    }

    #[test]
    fn a_name_that_is_no_user_name_is_refused() {
        let file = Layer { name: Some("Lan!".to_owned()), ..Layer::default() };
        assert_eq!(Settings::resolve("/d".into(), &[file]), Err(SettingsError::Username("Lan!".to_owned())));
    }
}
