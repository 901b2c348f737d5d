//! One source of settings: flags, variables or a file. Every value is optional.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use xom_node::Multiaddr;
use xom_protocol::Network;

use super::{OutgoingTable, Rate, SettingsError, Size, TlsTable};
use crate::outgoing::IpRange;
use crate::people::Registration;

/// What one source sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    /// Where the client API is served.
    pub http: Option<SocketAddr>,
    /// Names under which the page may be reached.
    pub hosts: Option<Vec<String>>,
    /// The second listener.
    pub tls: Option<TlsTable>,
    /// The proxies whose word on the scheme counts.
    pub trusted_proxies: Option<Vec<IpRange>>,
    /// What may be asked beyond the public internet.
    pub outgoing: Option<OutgoingTable>,
    /// Where to listen for peers.
    pub listen: Option<Vec<Multiaddr>>,
    /// Peers to dial at the start.
    pub bootstrap: Option<Vec<Multiaddr>>,
    /// Announce the node on the local network, and dial those who do.
    pub mdns: Option<bool>,
    /// The file with the key of a closed network.
    pub swarm_key: Option<PathBuf>,
    /// Ask the router of the local network to let peers in.
    pub upnp: Option<bool>,
    /// Most that is sent to peers a second.
    pub upload: Option<Rate>,
    /// Most that is taken from peers a second.
    pub download: Option<Rate>,
    /// Serve `/metrics` under names of proxies too.
    pub metrics: Option<bool>,
    /// The network.
    pub network: Option<Network>,
    /// The first user name.
    pub name: Option<String>,
    /// How much of the disk an author may take who is followed.
    pub author_quota: Option<Size>,
    /// How much others' pictures may take.
    pub media_room: Option<Size>,
    /// Who may register on this node.
    pub registration: Option<Registration>,
    /// How many may register in an hour.
    pub registrations_per_hour: Option<u32>,
    /// Requests that the tokens of one app for one identity may make in five minutes.
    pub requests_per_5_min: Option<u32>,
}

/// The flags of `xom run`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct RunFlags {
    /// Where to serve the page and the client API [default: 127.0.0.1:7766] [env: XOM_HTTP]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// A name under which a proxy with TLS serves the page, such as `https://xom.example`; may be given several
    /// times [env: XOM_HOSTS]
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
    /// A proxy whose X-Forwarded-Proto counts, by its number or network; may be given several times; what others
    /// forward is not read [env: XOM_TRUSTED_PROXIES]
    #[arg(long = "trusted-proxy", value_name = "ADDR")]
    pub trusted_proxies: Vec<IpRange>,
    /// Where to listen for peers; may be given several times [default: QUIC and TCP on 7767] [env: XOM_LISTEN]
    #[arg(long, value_name = "MULTIADDR")]
    pub listen: Vec<Multiaddr>,
    /// A peer to dial at the start; may be given several times [env: XOM_BOOTSTRAP]
    #[arg(long, value_name = "MULTIADDR")]
    pub bootstrap: Vec<Multiaddr>,
    /// Neither announce this node on the local network nor look for others there [env: XOM_MDNS=false]
    #[arg(long)]
    pub no_mdns: bool,
    /// A file with the key of a closed network, made by `xom swarm-key new`: only nodes that have it can connect, over
    /// TCP alone [env: XOM_SWARM_KEY]
    #[arg(long, value_name = "FILE")]
    pub swarm_key: Option<PathBuf>,
    /// Do not ask the router of the local network to let peers in (UPnP) [env: XOM_UPNP=false]
    #[arg(long)]
    pub no_upnp: bool,
    /// Most that is sent to peers a second, such as 2MB/s; posts wait for their turn [env: XOM_UPLOAD]
    #[arg(long, value_name = "RATE")]
    pub upload: Option<Rate>,
    /// Most that is taken from peers a second, such as 10MB/s [env: XOM_DOWNLOAD]
    #[arg(long, value_name = "RATE")]
    pub download: Option<Rate>,
    /// Serve /metrics under the names of --host too, for whoever has the token in the file `metrics.token` of the data
    /// folder; this machine gets them anyway [env: XOM_METRICS=true]
    #[arg(long)]
    pub metrics: bool,
    /// The network [default: main] [env: XOM_NETWORK]
    #[arg(long, value_name = "NAME")]
    pub network: Option<Network>,
    /// The user name of a new identity [default: user] [env: XOM_NAME]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How much of the disk each author may take whom you follow, such as 500MB; nothing more of theirs is taken
    /// then [default: 2GB] [env: XOM_AUTHOR_QUOTA]
    #[arg(long, value_name = "SIZE")]
    pub author_quota: Option<Size>,
    /// How much of the disk the pictures and films of all whom you follow may take, such as 5GB; those that nobody
    /// looked at longest make room, and come again when you open them [default: 20GB] [env: XOM_MEDIA_ROOM]
    #[arg(long, value_name = "SIZE")]
    pub media_room: Option<Size>,
    /// Who may register on this node through apps: closed, invite or open [default: closed] [env: XOM_REGISTRATION]
    #[arg(long, value_name = "WHO")]
    pub registration: Option<Registration>,
    /// How many may register in an hour [default: 20] [env: XOM_REGISTRATIONS_PER_HOUR]
    #[arg(long, value_name = "COUNT")]
    pub registrations_per_hour: Option<u32>,
    /// How many requests an app may make for one identity in five minutes [default: 300] [env: XOM_REQUESTS_PER_5_MIN]
    #[arg(long, value_name = "COUNT")]
    pub requests_per_5_min: Option<u32>,
    /// A file with the passphrase that opens a sealed device key [default: `xom-passphrase` among the credentials
    /// of a systemd service]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// A settings file [default: config.toml in the data folder, if it exists] [env: XOM_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl RunFlags {
    /// The flags given after `run`, and those before it where they are missing.
    #[must_use]
    pub fn or(self, before: Self) -> Self {
        fn longer<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
            if first.is_empty() { second } else { first }
        }
        Self {
            http: self.http.or(before.http),
            hosts: longer(self.hosts, before.hosts),
            trusted_proxies: longer(self.trusted_proxies, before.trusted_proxies),
            listen: longer(self.listen, before.listen),
            bootstrap: longer(self.bootstrap, before.bootstrap),
            no_mdns: self.no_mdns || before.no_mdns,
            swarm_key: self.swarm_key.or(before.swarm_key),
            no_upnp: self.no_upnp || before.no_upnp,
            upload: self.upload.or(before.upload),
            download: self.download.or(before.download),
            metrics: self.metrics || before.metrics,
            network: self.network.or(before.network),
            name: self.name.or(before.name),
            author_quota: self.author_quota.or(before.author_quota),
            media_room: self.media_room.or(before.media_room),
            registration: self.registration.or(before.registration),
            registrations_per_hour: self.registrations_per_hour.or(before.registrations_per_hour),
            requests_per_5_min: self.requests_per_5_min.or(before.requests_per_5_min),
            passphrase_file: self.passphrase_file.or(before.passphrase_file),
            config: self.config.or(before.config),
        }
    }
}

impl Layer {
    /// What the flags set.
    pub fn from_flags(flags: &RunFlags) -> Self {
        fn given<T: Clone>(list: &[T]) -> Option<Vec<T>> {
            (!list.is_empty()).then(|| list.to_vec())
        }
        Self {
            http: flags.http,
            hosts: given(&flags.hosts),
            tls: None,
            trusted_proxies: given(&flags.trusted_proxies),
            outgoing: None,
            listen: given(&flags.listen),
            bootstrap: given(&flags.bootstrap),
            mdns: flags.no_mdns.then_some(false),
            swarm_key: flags.swarm_key.clone(),
            upnp: flags.no_upnp.then_some(false),
            upload: flags.upload,
            download: flags.download,
            metrics: flags.metrics.then_some(true),
            network: flags.network,
            name: flags.name.clone(),
            author_quota: flags.author_quota,
            media_room: flags.media_room,
            registration: flags.registration,
            registrations_per_hour: flags.registrations_per_hour,
            requests_per_5_min: flags.requests_per_5_min,
        }
    }

    /// What the environment sets; addresses of a list are separated by commas, empty is unset.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Self {
            http: parse("XOM_HTTP", get("XOM_HTTP"))?,
            hosts: parse_list("XOM_HOSTS", get("XOM_HOSTS"))?,
            tls: None,
            trusted_proxies: parse_list("XOM_TRUSTED_PROXIES", get("XOM_TRUSTED_PROXIES"))?,
            outgoing: None,
            listen: parse_list("XOM_LISTEN", get("XOM_LISTEN"))?,
            bootstrap: parse_list("XOM_BOOTSTRAP", get("XOM_BOOTSTRAP"))?,
            mdns: parse("XOM_MDNS", get("XOM_MDNS"))?,
            swarm_key: get("XOM_SWARM_KEY").map(PathBuf::from),
            upnp: parse("XOM_UPNP", get("XOM_UPNP"))?,
            upload: parse("XOM_UPLOAD", get("XOM_UPLOAD"))?,
            download: parse("XOM_DOWNLOAD", get("XOM_DOWNLOAD"))?,
            metrics: parse("XOM_METRICS", get("XOM_METRICS"))?,
            network: parse("XOM_NETWORK", get("XOM_NETWORK"))?,
            name: get("XOM_NAME"),
            author_quota: parse("XOM_AUTHOR_QUOTA", get("XOM_AUTHOR_QUOTA"))?,
            media_room: parse("XOM_MEDIA_ROOM", get("XOM_MEDIA_ROOM"))?,
            registration: parse("XOM_REGISTRATION", get("XOM_REGISTRATION"))?,
            registrations_per_hour: parse("XOM_REGISTRATIONS_PER_HOUR", get("XOM_REGISTRATIONS_PER_HOUR"))?,
            requests_per_5_min: parse("XOM_REQUESTS_PER_5_MIN", get("XOM_REQUESTS_PER_5_MIN"))?,
        })
    }
}

fn parse<T>(name: &'static str, value: Option<String>) -> Result<Option<T>, SettingsError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    value
        .map(|text| text.parse().map_err(|error| SettingsError::Variable { name, cause: format!("{text:?}: {error}") }))
        .transpose()
}

fn parse_list<T>(name: &'static str, value: Option<String>) -> Result<Option<Vec<T>>, SettingsError>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    let Some(text) = value else { return Ok(None) };
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let parsed: Result<Vec<Option<T>>, _> = parts.map(|part| parse(name, Some(part.to_owned()))).collect();
    Ok(Some(parsed?.into_iter().flatten().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_hold_lists_separated_by_commas() {
        let layer = Layer::from_variables(|name| match name {
            "XOM_LISTEN" => Some("/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2".to_owned()),
            "XOM_NAME" => Some(String::new()),
            _ => None,
        })
        .unwrap();
        assert_eq!(layer.listen.unwrap().len(), 2);
        assert_eq!(layer.name, None);
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_named() {
        let error = Layer::from_variables(|name| (name == "XOM_HTTP").then(|| "nowhere".to_owned())).unwrap_err();
        assert!(error.to_string().starts_with("environment variable XOM_HTTP: \"nowhere\": "), "{error}");
    }
}
