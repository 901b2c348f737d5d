//! The second listener: HTTPS for other machines, beside the plain one of this machine.

use std::net::SocketAddr;

use axum::Router;
use tokio_util::sync::CancellationToken;

use super::bind;
use crate::cli::CliError;
use crate::http::{self, Listener};
use crate::outgoing::Outgoing;
use crate::settings::{Settings, TlsSettings};
use crate::tls::local::Root;
use crate::tls::{Keeper, Name, Source, TlsError, TlsFolder, server_config};

/// A listener that is bound, with its certificate.
pub(super) struct Https {
    listener: Listener,
    keeper: Keeper,
    names: Vec<Name>,
    root: Option<Root>,
}

impl Https {
    /// Takes the port and the first certificate, before the node starts.
    pub(super) async fn bind(tls: &TlsSettings, settings: &Settings) -> Result<Self, CliError> {
        let listener = bind(tls.listen).await?;
        let folder = TlsFolder::of(&settings.data_dir);
        let root = match &tls.source {
            Source::Local => Some(Root::read(&folder).map_err(|error| failed(&error))?),
            Source::Files { .. } | Source::Acme(_) => None,
        };
        let keeper = Keeper::open(tls.source.clone(), folder, tls.names.clone()).map_err(|error| failed(&error))?;
        Ok(Self { listener, keeper, names: tls.names.clone(), root })
    }

    /// Its port and its names.
    pub(super) fn named(&self) -> (u16, Vec<Name>) {
        (self.listener.port(), self.names.clone())
    }

    /// The root that devices can be made to trust.
    pub(super) fn root(&self) -> Option<Root> {
        self.root.clone()
    }

    /// Where other machines reach it, as far as this one knows.
    pub(super) fn urls(&self) -> Vec<String> {
        self.names.iter().map(|name| name.url(self.listener.port())).collect()
    }

    /// Serves until `shutdown`, and keeps the certificate fresh meanwhile.
    pub(super) async fn serve(self, router: Router, outgoing: Outgoing, shutdown: CancellationToken) {
        let config = server_config(self.keeper.certificates());
        let kept = self.keeper.run(outgoing, shutdown.clone());
        tokio::join!(http::serve_tls(self.listener, config, router, shutdown), kept);
    }
}

/// The one client for what the node asks of others over HTTPS.
pub(super) fn outgoing(settings: &Settings) -> Result<Outgoing, CliError> {
    let acme_roots = settings.tls.as_ref().and_then(|tls| tls.acme_roots.as_ref());
    let permissions = settings.outgoing.permissions(acme_roots).map_err(|error| failed(&error))?;
    Ok(Outgoing::new(&permissions))
}

fn failed(error: &TlsError) -> CliError {
    CliError::Failed(format!("can't serve over TLS: {error}"))
}

/// The address of the machine on its local network, as far as it knows; nothing is sent to find it.
pub(crate) fn address_on_network() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // An address of documentation (RFC 5737): it only chooses the way out.
    socket.connect(SocketAddr::from(([192, 0, 2, 1], 9))).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}
