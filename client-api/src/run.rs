//! One run of the node: its tasks, the client API and the page, from start to stop.
//!
//! The address is taken before the data folder is touched, so a busy port changes nothing.

mod files;
mod greeting;
mod join;
mod logging;
mod unlock;

use std::io;

pub use files::ADDRESS_FILE;
use files::AddressFile;
pub(crate) use files::{forget_address, replace_private};
use greeting::Greeting;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use xom_node::{Handle, Node};
use xom_protocol::Did;

use crate::cli::{CliError, Output};
use crate::http::auth::METRICS_TOKEN_FILE;
use crate::http::{self, App, HttpConfig, ListenError, Listener, Token};
use crate::settings::Settings;
use crate::web::{self, Web};

/// Runs until SIGINT or SIGTERM.
pub fn run(settings: &Settings, output: &Output) -> Result<(), CliError> {
    logging::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed("can't start", &error))?;
    runtime.block_on(run_node(settings, output, None))
}

/// Joins the identity of an offer, then runs until SIGINT or SIGTERM.
pub fn join(settings: &Settings, output: &Output, offer: &str, name: Option<&str>) -> Result<(), CliError> {
    logging::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed("can't start", &error))?;
    runtime.block_on(run_node(settings, output, Some((offer, name))))
}

async fn run_node(settings: &Settings, output: &Output, offer: Option<(&str, Option<&str>)>) -> Result<(), CliError> {
    let stop = stop_signal().map_err(|error| failed("can't hear signals", &error))?;
    let listener = Listener::bind(settings.http).await.map_err(|error| match error {
        ListenError::Busy { .. } => CliError::PortBusy(settings.http),
        ListenError::Refused { .. } => CliError::Failed(error.to_string()),
    })?;
    let config = if offer.is_some() { join::without_identity(settings.node()) } else { settings.node() };
    let node = Node::start(config).await?;
    forget_address(&settings.data_dir);
    let handle = node.handle();
    let mut stop = Box::pin(stop);
    let begun = async {
        unlock::open_devices(&handle, settings).await?;
        let Some((offer, name)) = offer else { return Ok(true) };
        tokio::select! {
            joined = join::join(&handle, output, offer, name) => joined.map(|()| true),
            () = &mut stop => Ok(false),
        }
    };
    let ended = match begun.await {
        Ok(true) => serve(settings, output, listener, node.handle(), stop).await,
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    };
    node.stop().await;
    ended
}

async fn serve(
    settings: &Settings,
    output: &Output,
    listener: Listener,
    node: Handle,
    stop: impl Future<Output = ()>,
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
    let config = HttpConfig { port: listener.port(), names, token, metrics };
    let router = http::router(App::new(node.clone(), config), web::router(web));
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(http::serve(listener, router, shutdown.clone()));
    let greeted = async {
        let greeting = Greeting::of(&node, did, format!("http://{address}{login}"), address).await?;
        let file = AddressFile::write(&settings.data_dir, address);
        let file = file.map_err(|cause| CliError::file(&settings.data_dir.join(ADDRESS_FILE), cause))?;
        greeting.print(settings, output)?;
        stop.await;
        Ok(file)
    };
    // The address goes before the server does, so that no client comes in vain.
    let ended = greeted.await.map(drop);
    shutdown.cancel();
    server.await.map_err(|error| failed("the server broke", &error))?;
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
