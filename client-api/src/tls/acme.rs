//! A certificate from an ACME authority (RFC 8555), proven over TLS itself (tls-alpn-01, RFC 8737): so no plain port is
//! opened for it. The authority must reach the TLS listener as port 443 of every name.

use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use instant_acme::{
    Account, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, HttpClient, Identifier, NewAccount,
    NewOrder, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::{Certificate, Certificates, Name, TlsError, TlsFolder, provider};
use crate::outgoing::Outgoing;

/// The directory of Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// Most bytes of what is said to an authority; the longest is a request for a certificate.
const SAID_BYTES_MAX: usize = 64 << 10;
/// How long an authority may take to look, and to make a certificate.
const WORK: RetryPolicy = RetryPolicy::new();

/// Which authority, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The address of its directory.
    pub directory: String,
    /// Where it writes to when something is wrong, such as `mailto:lan@xom.example`.
    pub contact: Vec<String>,
}

/// The one client for outgoing requests, as the library wants it.
struct Asking(Outgoing);

impl HttpClient for Asking {
    fn request(
        &self,
        request: axum::http::Request<BodyWrapper<bytes::Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let outgoing = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let failed = |cause| instant_acme::Error::Other(cause);
            let body = axum::body::to_bytes(Body::new(body), SAID_BYTES_MAX).await;
            let body = body.map_err(|cause| failed(Box::new(cause)))?;
            let asked = axum::http::Request::from_parts(parts, Body::from(body));
            let answer = outgoing.send(asked).await.map_err(|cause| failed(Box::new(cause)))?;
            Ok(BytesResponse { parts: answer.parts, body: Box::new(answer.body) })
        })
    }
}

/// Proves the names, gets a certificate for them and writes it down.
pub(super) async fn obtain(
    settings: &AcmeSettings,
    folder: &TlsFolder,
    names: &[Name],
    certificates: &Certificates,
    outgoing: &Outgoing,
) -> Result<Certificate, TlsError> {
    let account = account(settings, folder, outgoing).await?;
    let identifiers: Vec<Identifier> = names
        .iter()
        .map(|name| match name {
            Name::Dns(name) => Identifier::Dns(name.clone()),
            Name::Ip(ip) => Identifier::Ip(*ip),
        })
        .collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut shown = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let mut challenge =
            authorization.challenge(ChallengeType::TlsAlpn01).ok_or(TlsError::NoChallenge(name.clone()))?;
        let proof = proof(&name, challenge.key_authorization().digest().as_ref())?;
        shown.push(certificates.show(&asked_as(&name), proof));
        challenge.set_ready().await?;
    }
    if order.poll_ready(&WORK).await? != OrderStatus::Ready {
        return Err(TlsError::NotProven(names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    drop(shown);
    let key = KeyPair::generate()?;
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    order.finalize_csr(params.serialize_request(&key)?.der()).await?;
    let chain = order.poll_certificate(&WORK).await?;
    let both = Zeroizing::new(format!("{}\n{}", chain.trim_end(), *Zeroizing::new(key.serialize_pem())));
    let path = folder.acme();
    folder.write(&path, both.as_bytes())?;
    Certificate::read(&path, &path)
}

/// The account that is kept, or a new one.
async fn account(settings: &AcmeSettings, folder: &TlsFolder, outgoing: &Outgoing) -> Result<Account, TlsError> {
    let path = folder.account();
    let asking = || Account::builder_with_http(Box::new(Asking(outgoing.clone())));
    if let Ok(kept) = fs::read(&path).map(Zeroizing::new) {
        let kept: Kept =
            serde_json::from_slice(&kept).map_err(|_| TlsError::Form { path: path.clone(), wanted: "account" })?;
        if kept.directory == settings.directory {
            return Ok(asking().from_credentials(kept.credentials).await?);
        }
    }
    let contact: Vec<&str> = settings.contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = asking().create(&new, settings.directory.clone(), None).await?;
    let kept = Kept { directory: settings.directory.clone(), credentials };
    let kept = Zeroizing::new(serde_json::to_vec(&kept).map_err(instant_acme::Error::Json)?);
    folder.write(&path, &kept)?;
    Ok(account)
}

/// An account as it lies on disk: at another authority it is none.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    directory: String,
    credentials: instant_acme::AccountCredentials,
}

/// The self-signed certificate that carries the proof (RFC 8737 section 3).
fn proof(name: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| TlsError::Interrupted)?;
    let key = provider().key_provider.load_private_key(secret);
    let key = key.map_err(|cause| TlsError::Key { path: "proof".into(), cause })?;
    // Not checked against each other: the extension is one that only authorities read.
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}

/// The server name by which the authority asks: of a number its name for the way back (RFC 8738 section 6).
fn asked_as(name: &str) -> String {
    let Ok(ip) = name.parse::<std::net::IpAddr>() else { return name.to_owned() };
    match ip {
        std::net::IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        std::net::IpAddr::V6(ip) => {
            let nibbles = format!("{:032x}", ip.to_bits());
            nibbles.chars().rev().map(|nibble| format!("{nibble}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_asked_for_by_the_name_of_its_way_back() {
        assert_eq!(asked_as("home.example"), "home.example");
        assert_eq!(asked_as("192.0.2.7"), "7.2.0.192.in-addr.arpa");
        assert!(
            asked_as("2001:db8::1").starts_with("1.0.0.0.")
                && asked_as("2001:db8::1").ends_with("8.b.d.0.1.0.0.2.ip6.arpa")
        );
    }
}
