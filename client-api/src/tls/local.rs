//! A certificate authority of the node's own, for names that no public authority can prove: those of a home network.
//!
//! Whoever trusts its root trusts it for the names of the node and for no other: that is written into the root
//! (name constraints, RFC 5280 section 4.2.1.10). So the key, which lies unsealed in the folder because certificates
//! are renewed without anybody there, is worth no more to a thief than the node's own names.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use data_encoding::HEXUPPER;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Certificate, Name, TlsError, TlsFolder};

/// How long the root is good. It is installed by hand, so it lasts.
const AUTHORITY_DAYS: u32 = 3_650;
/// How long a certificate is good; no device takes one of more than 825 days, and this one is renewed by itself.
const CERTIFICATE_DAYS: u32 = 90;
/// How much earlier than now both begin, for devices whose clocks are slow.
const SLACK_DAYS: u32 = 1;
const DAY: Duration = Duration::from_secs(86_400);

/// The root that devices are made to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The certificate.
    pub der: CertificateDer<'static>,
}

impl Root {
    /// Reads the root of a folder.
    pub fn read(folder: &TlsFolder) -> Result<Self, TlsError> {
        let path = folder.authority();
        match CertificateDer::from_pem_file(&path) {
            Ok(der) => Ok(Self { der }),
            Err(_) if !path.exists() => Err(TlsError::NotSetUp),
            Err(_) => Err(TlsError::Form { path, wanted: "certificate" }),
        }
    }

    /// Its SHA-256, as devices show it.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(&self.der);
        let pairs: Vec<String> = digest.iter().map(|byte| HEXUPPER.encode(&[*byte])).collect();
        pairs.join(":")
    }
}

/// Makes an authority for these names, its first certificate, and the settings by which the next run uses them.
/// An earlier authority is replaced, and devices must be made to trust the new one.
pub fn set_up(folder: &TlsFolder, names: &[Name], listen: SocketAddr, now: SystemTime) -> Result<Root, TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = from_until(now, AUTHORITY_DAYS);
    let first = names.first().map(ToString::to_string).unwrap_or_default();
    params.distinguished_name.push(DnType::CommonName, format!("xom of {first}"));
    params.distinguished_name.push(DnType::OrganizationName, "xom local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(constraints(names));
    let root = params.self_signed(&key)?;
    // In this order: what is there after a cut is either the old authority, or one that gets a certificate at the
    // next start.
    folder.remove(&folder.local())?;
    folder.write(&folder.authority_key(), Zeroizing::new(key.serialize_pem()).as_bytes())?;
    folder.write(&folder.authority(), root.pem().as_bytes())?;
    issue(folder, names, now)?;
    folder.write(&folder.settings(), settings_text(names, listen).as_bytes())?;
    Root::read(folder)
}

/// Ends what `set_up` began: the next run has no TLS, and the authority can make no more certificates.
pub fn take_down(folder: &TlsFolder) -> Result<(), TlsError> {
    [folder.settings(), folder.authority_key(), folder.local(), folder.authority()]
        .iter()
        .try_for_each(|path| folder.remove(path))
}

/// The certificate of the authority for these names: the one that is there, or a new one where it is due.
pub(super) fn current(folder: &TlsFolder, names: &[Name], now: SystemTime) -> Result<Certificate, TlsError> {
    let path = folder.local();
    let kept = if path.exists() { Some(Certificate::read(&path, &path)?) } else { None };
    match kept {
        Some(certificate) if !certificate.is_due(now) => Ok(certificate),
        _ => issue(folder, names, now),
    }
}

fn issue(folder: &TlsFolder, names: &[Name], now: SystemTime) -> Result<Certificate, TlsError> {
    let (path, key_path) = (folder.authority(), folder.authority_key());
    if !path.exists() {
        return Err(TlsError::NotSetUp);
    }
    let root = fs::read_to_string(&path).map_err(|cause| TlsError::file(&path, cause))?;
    let secret = fs::read_to_string(&key_path).map(Zeroizing::new);
    let secret = secret.map_err(|cause| TlsError::file(&key_path, cause))?;
    let issuer = Issuer::from_ca_cert_pem(&root, KeyPair::from_pem(&secret)?)?;
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = from_until(now, CERTIFICATE_DAYS);
    params.distinguished_name.push(DnType::CommonName, "xom");
    params.subject_alt_names = names.iter().map(alternative).collect::<Result<_, _>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    let both = Zeroizing::new(format!("{}{}", certificate.pem(), *Zeroizing::new(key.serialize_pem())));
    folder.write(&folder.local(), both.as_bytes())?;
    Certificate::read(&folder.local(), &folder.local())
}

fn from_until(now: SystemTime, days: u32) -> (time::OffsetDateTime, time::OffsetDateTime) {
    let from = now.checked_sub(SLACK_DAYS * DAY).unwrap_or(now);
    (from.into(), (now + days * DAY).into())
}

fn alternative(name: &Name) -> Result<SanType, rcgen::Error> {
    Ok(match name {
        Name::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
        Name::Ip(ip) => SanType::IpAddress(*ip),
    })
}

/// The names and no others. A kind of name of which there is none must be shut out whole, or it would be free.
fn constraints(names: &[Name]) -> NameConstraints {
    let permitted_subtrees: Vec<GeneralSubtree> = names
        .iter()
        .map(|name| match name {
            Name::Dns(name) => GeneralSubtree::DnsName(name.clone()),
            Name::Ip(ip) => {
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*ip, if ip.is_ipv4() { 32 } else { 128 }))
            }
        })
        .collect();
    let mut excluded_subtrees = Vec::new();
    if !names.iter().any(|name| matches!(name, Name::Dns(_))) {
        excluded_subtrees.push(GeneralSubtree::DnsName(String::new()));
    }
    if !names.iter().any(|name| matches!(name, Name::Ip(_))) {
        for all in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            excluded_subtrees.push(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(all, 0)));
        }
    }
    NameConstraints { permitted_subtrees, excluded_subtrees }
}

/// The part of the settings that a run reads where its own settings have none.
fn settings_text(names: &[Name], listen: SocketAddr) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{:?}", name.to_string())).collect();
    format!(
        "# Written by `xom tls setup`; the part [tls] of config.toml comes before it.\n[tls]\nlisten = \"{listen}\"\nnames = [{}]\n",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests;
