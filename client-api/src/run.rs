//! One run of the node: its tasks, the client API and the page, from start to stop.
//!
//! The address is taken before the data folder is touched, so a busy port changes nothing.

mod files;
mod greeting;
mod hint;
mod https;
mod join;
mod logging;
mod unlock;

use std::io;
use std::net::SocketAddr;

pub use files::ADDRESS_FILE;
use files::AddressFile;
pub(crate) use files::{forget_address, replace_private};
use greeting::Greeting;
use hint::Hint;
use https::Https;
pub(crate) use https::address_on_network;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use xom_node::{Handle, Node};
use xom_protocol::Did;

use crate::api::scheduled;
use crate::cli::{CliError, Output};
use crate::demo;
use crate::http::auth::METRICS_TOKEN_FILE;
use crate::http::{self, Access, App, HttpConfig, ListenError, Listener, Token};
use crate::push::{Pusher, VapidKey};
use crate::settings::{Layer, Settings};
use crate::web::{self, Web};

/// Where a node to try apps on listens for peers: somewhere on this machine.
const DEV_LISTEN: &str = "/ip4/127.0.0.1/tcp/0";
/// Its network.
const DEV_NETWORK: &str = "dev";

/// Runs until SIGINT or SIGTERM.
pub fn run(settings: &Settings, output: &Output) -> Result<(), CliError> {
    logging::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed("can't start", &error))?;
    runtime.block_on(run_node(settings, output, Begin::Own))
}

/// Runs a node to try an app on until SIGINT or SIGTERM: in a folder that goes with it, on a network of its own,
/// where nobody is dialled. With `demo` people live there already.
pub fn dev(http: Option<SocketAddr>, demo: bool, output: &Output) -> Result<(), CliError> {
    logging::start();
    let folder = tempfile::Builder::new().prefix("xom-dev-").tempdir();
    let folder = folder.map_err(|error| failed("can't make a folder", &error))?;
    let layer = Layer {
        http,
        listen: DEV_LISTEN.parse().ok().map(|address| vec![address]),
        mdns: Some(false),
        upnp: Some(false),
        network: DEV_NETWORK.parse().ok(),
        name: Some(demo::first_name().to_owned()),
        ..Layer::default()
    };
    let settings = Settings::resolve(folder.path().join("data"), &[layer])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed("can't start", &error))?;
    let ended = runtime.block_on(run_node(&settings, output, Begin::Dev { demo }));
    folder.close().map_err(|error| failed("can't take the folder away", &error))?;
    ended
}

/// Joins the identity of an offer, then runs until SIGINT or SIGTERM.
pub fn join(settings: &Settings, output: &Output, offer: &str, name: Option<&str>) -> Result<(), CliError> {
    logging::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed("can't start", &error))?;
    runtime.block_on(run_node(settings, output, Begin::Join { offer, name }))
}

/// What comes before a node serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin<'a> {
    /// Nothing: it is the owner's own.
    Own,
    /// The identity of an offer is joined, under this user name.
    Join { offer: &'a str, name: Option<&'a str> },
    /// It is there to try apps on, maybe with people in it.
    Dev { demo: bool },
}

async fn run_node(settings: &Settings, output: &Output, begin: Begin<'_>) -> Result<(), CliError> {
    let stop = stop_signal().map_err(|error| failed("can't hear signals", &error))?;
    let listener = bind(settings.http).await?;
    let https = match &settings.tls {
        Some(tls) => Some(Https::bind(tls, settings).await?),
        None => None,
    };
    let config = match begin {
        Begin::Join { .. } => join::without_identity(settings.node()),
        Begin::Own | Begin::Dev { .. } => settings.node(),
    };
    let node = Node::start(config).await?;
    forget_address(&settings.data_dir);
    let handle = node.handle();
    let mut stop = Box::pin(stop);
    let begun = async {
        unlock::open_devices(&handle, settings).await?;
        let prepared = async {
            match begin {
                Begin::Join { offer, name } => join::join(&handle, output, offer, name).await,
                Begin::Dev { demo: true } => {
                    let filled = demo::fill(&handle, settings.network).await;
                    filled.map_err(|error| failed("can't fill the node", &error))
                }
                Begin::Own | Begin::Dev { demo: false } => Ok(()),
            }
        };
        tokio::select! {
            prepared = prepared => prepared.map(|()| true),
            () = &mut stop => Ok(false),
        }
    };
    let ended = match begun.await {
        Ok(true) => serve(settings, output, (listener, https), node.handle(), stop, begin).await,
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    };
    node.stop().await;
    ended
}

async fn bind(address: SocketAddr) -> Result<Listener, CliError> {
    Listener::bind(address).await.map_err(|error| match error {
        ListenError::Busy { .. } => CliError::PortBusy(address),
        ListenError::Refused { .. } => CliError::Failed(error.to_string()),
    })
}

async fn serve(
    settings: &Settings,
    output: &Output,
    (listener, https): (Listener, Option<Https>),
    node: Handle,
    stop: impl Future<Output = ()>,
    begin: Begin<'_>,
) -> Result<(), CliError> {
    let address = listener.addr();
    let did = first_identity(&node).await?;
    let token = Token::load_or_create(&settings.data_dir).map_err(|error| failed("can't use the token", &error))?;
    let web = Web::open(&settings.data_dir, listener.port()).map_err(|error| failed("can't keep logins", &error))?;
    let login = web.login_path(did).map_err(|error| failed("can't make a login link", &error))?;
    let mut names = settings.hosts.clone();
    // A number of our own is no name that somebody else could point at us.
    names.extend((!address.ip().is_unspecified()).then(|| address.to_string()));
    let metrics = || Token::load_or_create_at(&settings.data_dir, METRICS_TOKEN_FILE);
    let metrics = settings.metrics.then(metrics).transpose().map_err(|error| failed("can't use the token", &error))?;
    let hint = matches!(begin, Begin::Dev { .. }).then(|| Hint::new(address, token.text()));
    let outgoing = https::outgoing(settings)?;
    let access = Access {
        tls: https.as_ref().map(Https::named),
        root: https.as_ref().and_then(Https::root),
        proxies: settings.trusted_proxies.clone(),
    };
    let vapid = VapidKey::load_or_create(&settings.data_dir).map_err(|error| failed("can't use the key", &error))?;
    let config = HttpConfig {
        port: listener.port(),
        names,
        token,
        metrics,
        people: settings.people,
        requests_per_5_min: settings.requests_per_5_min,
        access,
        vapid: Some(vapid.clone()),
    };
    let app = App::new(node.clone(), config);
    let router = http::router(app.clone(), web::router(web));
    let shutdown = CancellationToken::new();
    let pushing = tokio::spawn(Pusher::new(app, vapid, outgoing.clone()).run(shutdown.clone()));
    let over_tls_at = https.as_ref().map(Https::urls).unwrap_or_default();
    let over_tls = https.map(|https| tokio::spawn(https.serve(router.clone(), outgoing, shutdown.clone())));
    let scheduled = tokio::spawn(scheduled::run(node.clone(), shutdown.clone()));
    let server = tokio::spawn(http::serve(listener, router, shutdown.clone()));
    let greeted = async {
        let mut greeting = Greeting::of(&node, did, format!("http://{address}{login}"), address).await?;
        greeting.https = over_tls_at;
        let file = AddressFile::write(&settings.data_dir, address);
        let file = file.map_err(|cause| CliError::file(&settings.data_dir.join(ADDRESS_FILE), cause))?;
        greeting.print(settings, output, hint.as_ref())?;
        stop.await;
        Ok(file)
    };
    // The address goes before the server does, so that no client comes in vain.
    let ended = greeted.await.map(drop);
    shutdown.cancel();
    server.await.map_err(|error| failed("the server broke", &error))?;
    pushing.await.map_err(|error| failed("the server broke", &error))?;
    if let Some(over_tls) = over_tls {
        over_tls.await.map_err(|error| failed("the server broke", &error))?;
    }
    scheduled.await.map_err(|error| failed("scheduled posts broke", &error))?;
    ended
}

async fn first_identity(node: &Handle) -> Result<Did, CliError> {
    let identities = node.read(|reader| reader.owned_identities()).await;
    let identities = identities.map_err(|error| failed("can't read the identity", &error))?;
    let first = identities.first().map(|identity| identity.did);
    first.ok_or_else(|| CliError::Failed("the data folder holds no identity".to_owned()))
}

fn failed(what: &str, error: &dyn std::error::Error) -> CliError {
    CliError::Failed(format!("{what}: {error}"))
}

/// Ends at SIGINT or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
