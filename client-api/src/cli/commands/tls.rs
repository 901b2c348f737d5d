//! `xom tls`: HTTPS for phones and other machines, by an authority of the node's own.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::SystemTime;

use qrcode::QrCode;
use serde_json::json;

use super::super::{Call, CliError, Output};
use super::invite::draw;
use crate::run::address_on_network;
use crate::settings::{RunFlags, Settings, TlsSettings, every_address};
use crate::tls::local::{Root, set_up, take_down};
use crate::tls::{Name, Source, TlsError, TlsFolder};
use crate::web::ROOT_PATH;

/// Let phones and other machines reach this node over HTTPS.
///
/// Most apps want https:// and a name. Where you have a domain, set `[tls]` in config.toml with `acme` or with a
/// certificate of yours. Everywhere else `xom tls setup` makes an authority of your own for your names.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  xom tls setup --name home.local\n  xom tls show\n\nWith a domain, in config.toml:\n  [tls]\n  \
    names = [\"xom.example\"]\n  listen = \"[::]:443\"\n  acme = { agree_to_terms = true }"
)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make an authority and a certificate for the names of this machine
    #[command(after_help = "Example:\n  xom tls setup\n  xom tls setup --name home.local --name 192.168.1.7")]
    Setup(Setup),
    /// Show where the node is reached, and the code by which a phone gets the authority
    #[command(after_help = "Example:\n  xom tls show")]
    Show,
    /// Take the authority and its certificate away
    #[command(after_help = "Example:\n  xom tls remove")]
    Remove,
}

#[derive(Debug, clap::Args)]
struct Setup {
    /// A name or number under which others reach this machine; may be given several times [default: the machine's
    /// name with .local, and its number on the local network]
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<Name>,
    /// Where to listen [default: port 7443 of every address]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Args {
    /// Carries it out, on the data folder.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let folder = TlsFolder::of(&call.data_dir);
        match &self.what {
            What::Setup(setup) => setup.execute(call, &folder),
            What::Show => show(call, &folder),
            What::Remove => remove(call, &folder),
        }
    }
}

impl Setup {
    fn execute(&self, call: &Call, folder: &TlsFolder) -> Result<(), CliError> {
        // A folder that is not one of a node yet would not become one with files in it.
        let is_begun = fs::read_dir(&call.data_dir).is_ok_and(|mut files| files.next().is_some());
        if !is_begun {
            return Err(CliError::NotFound(format!(
                "there is no data folder {}; begin with `xom run`",
                call.data_dir.display()
            )));
        }
        let names = if self.names.is_empty() { names_of_machine() } else { self.names.clone() };
        if names.is_empty() {
            return Err(CliError::Usage("this machine has no name that others know; name one with --name".to_owned()));
        }
        let listen = self.listen.unwrap_or_else(every_address);
        let root = set_up(folder, &names, listen, SystemTime::now()).map_err(|error| failed(&error))?;
        let value = json!({
            "names": names.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "listen": listen.to_string(),
            "root": folder.authority(),
            "fingerprint": root.fingerprint(),
        });
        call.output.show(&value, |output| explain(output, &names, listen, &root, folder))
    }
}

fn show(call: &Call, folder: &TlsFolder) -> Result<(), CliError> {
    let settings = Settings::load(call.data_dir.clone(), &RunFlags::default(), |name| std::env::var(name).ok())?;
    let tls = settings.tls.ok_or_else(|| CliError::NotFound(TlsError::NotSetUp.to_string()))?;
    let root = match tls.source {
        Source::Local => Some(Root::read(folder).map_err(|error| failed(&error))?),
        Source::Files { .. } | Source::Acme(_) => None,
    };
    let url = address(&tls).ok_or_else(|| CliError::NotFound(TlsError::NotSetUp.to_string()))?;
    let link = if root.is_some() { format!("{url}{ROOT_PATH}") } else { url.clone() };
    let code = QrCode::new(&link).map_err(|error| CliError::Failed(format!("can't make a QR code: {error}")))?;
    let fingerprint = root.as_ref().map(Root::fingerprint);
    let value = json!({
        "url": url,
        "names": tls.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "listen": tls.listen.to_string(),
        "code": link,
        "fingerprint": fingerprint,
    });
    call.output.show(&value, |output| {
        let mut rows = vec![("address", url.clone()), ("the code leads to", link.clone())];
        rows.extend(fingerprint.iter().map(|print| ("SHA-256 of the root", print.clone())));
        let rows = output.table(&rows);
        let how = match root {
            Some(_) => {
                "Open it on the phone, go on where it warns this once, install the file, and compare the SHA-256 that the \
                 phone shows with the one above before you trust it."
            }
            None => "Every browser trusts this certificate; give the address to your app.",
        };
        format!("{}{rows}{how}", draw(output, &code))
    })
}

fn remove(call: &Call, folder: &TlsFolder) -> Result<(), CliError> {
    take_down(folder).map_err(|error| failed(&error))?;
    call.output.show(&json!({ "removed": true }), |_| {
        "Taken away; the next start serves this machine alone. Remove the root from your devices too.".to_owned()
    })
}

/// One screen: what was made, and how devices come to trust it.
fn explain(output: &Output, names: &[Name], listen: SocketAddr, root: &Root, folder: &TlsFolder) -> String {
    let urls: Vec<String> = names.iter().map(|name| name.url(listen.port())).collect();
    let mut text = output.table(&[
        ("addresses", urls.join("  ")),
        ("root", folder.authority().display().to_string()),
        ("its SHA-256", root.fingerprint()),
    ]);
    // Writing to a String can't fail.
    let _ = write!(
        text,
        "
Start the node again, and each device that shall reach it must trust the root once.
It is good for the names above and for no others. `xom tls show` has a code for phones.

Android   open the code, Settings > Security > Encryption & credentials > Install a
          certificate > CA certificate, choose the file. Browsers trust it; other apps
          only if their makers let them.
iPhone    open the code in Safari, allow the profile, Settings > General > VPN & Device
          Management > install it, then General > About > Certificate Trust Settings >
          switch it on. All apps trust it.
Firefox   Settings > Privacy & Security > Certificates > View > Authorities > Import.
Chrome    Settings > Privacy and security > Security > Manage certificates > Import.
Linux     copy it to /usr/local/share/ca-certificates/xom.crt, run update-ca-certificates.
macOS     open it in Keychain Access, and set it to Always Trust.
Windows   open it, Install Certificate > Trusted Root Certification Authorities.

Compare the SHA-256 that the device shows with the one above before you trust it. The
key of the root lies beside it, readable by you alone; the certificate renews itself."
    );
    text
}

/// Where it is reached: a number is surest on a local network, where not every phone finds names.
fn address(tls: &TlsSettings) -> Option<String> {
    let number = tls.names.iter().find(|name| matches!(name, Name::Ip(_)));
    number.or_else(|| tls.names.first()).map(|name| name.url(tls.listen.port()))
}

fn names_of_machine() -> Vec<Name> {
    let host = fs::read_to_string(PathBuf::from("/proc/sys/kernel/hostname")).unwrap_or_default();
    let host = host.trim().split('.').next().map(|host| format!("{host}.local"));
    let host = host.and_then(|host| host.parse().ok());
    host.into_iter().chain(address_on_network().map(Name::Ip)).collect()
}

fn failed(error: &TlsError) -> CliError {
    CliError::Failed(error.to_string())
}
