//! `xom recover`: a node of its own for as long as it takes, on a folder where no node runs.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use xom_node::recovery::{Stage, Wish};
use xom_node::{CommandError, Multiaddr, Node, Recovering};
use xom_protocol::invite::Invite;
use xom_protocol::phrase::Phrase;
use xom_protocol::{DeviceId, Did, Network};

use super::super::secret::{ask, is_interactive, read};
use super::super::{Call, CliError, Output, output};
use crate::run::forget_address;
use crate::settings::{RunFlags, Settings};

/// Between two steps.
const STEP: Duration = Duration::from_millis(250);
/// Between two questions to guardians.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// How long is waited at the end until somebody has heard of the new device and of those that were removed.
const TELL_MAX: Duration = Duration::from_secs(20);
/// How long nodes are asked for an identity that none of them knows.
const SEARCH_MAX: Duration = Duration::from_secs(60);

/// Get an identity back on a machine that has nothing of it: by its 24 words, or by its guardians.
///
/// It makes a new device key, fetches from the nodes that you name what they hold, and names what nobody
/// had. It can be stopped at any time, and goes on when it is called again; without --phrase or --guardians
/// it goes on with what was begun.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom recover --phrase --from 'xom:did:xom:…?a=…'\n  xom recover --phrase \
    --words-file words.txt --from /ip4/192.0.2.7/udp/7767/quic-v1 --lost all\n  xom recover --guardians did:xom:… \
    --from 'xom:did:xom:…?a=…'")]
pub struct Args {
    /// By the 24 words; the terminal asks for them, or --words-file names a file
    #[arg(long, conflicts_with = "guardians")]
    phrase: bool,
    /// By the guardians of this identity: a DID, or an invite to it
    #[arg(long, value_name = "DID")]
    guardians: Option<String>,
    /// The file with the 24 words
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
    /// A node to ask: its multiaddress, or an invite; may be given several times
    #[arg(long, value_name = "MULTIADDR")]
    from: Vec<String>,
    /// Whom, where the words are newer than the identity
    #[arg(long, value_name = "DID", conflicts_with = "guardians")]
    did: Option<Did>,
    /// The user name on this node [default: that of the profile]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// A device that is lost and ends: its id, or `all` for all others; may be given several times
    #[arg(long, value_name = "DEVICE", visible_alias = "remove-device")]
    lost: Vec<String>,
    /// Forget the recovery that was begun here
    #[arg(long, conflicts_with_all = ["phrase", "guardians"])]
    forget: bool,
    /// Where to listen for peers; may be given several times
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<Multiaddr>,
    /// The file with the key of a closed network [env: XOM_SWARM_KEY]
    #[arg(long, value_name = "FILE")]
    swarm_key: Option<PathBuf>,
    /// The network [default: main] [env: XOM_NETWORK]
    #[arg(long, value_name = "NAME")]
    network: Option<Network>,
}

/// Addresses, and the DID where an invite names it.
#[derive(Debug, Default)]
struct Named {
    addresses: Vec<Multiaddr>,
    did: Option<Did>,
}

impl Args {
    /// Recovers.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let flags = RunFlags {
            listen: self.listen.clone(),
            network: self.network,
            swarm_key: self.swarm_key.clone(),
            ..RunFlags::default()
        };
        let settings = Settings::load(call.data_dir.clone(), &flags, |name| std::env::var(name).ok())?;
        let words = self.words()?;
        let wish = self.wish(settings.network, words.as_ref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| CliError::Failed(format!("can't start: {error}")))?;
        runtime.block_on(async {
            let mut config = settings.node();
            config.first_username = None;
            let node = Node::start(config).await?;
            forget_address(&settings.data_dir);
            let done = self.recover(call, &node, wish, words.as_ref()).await;
            node.stop().await;
            done
        })
    }

    async fn recover(
        &self,
        call: &Call,
        node: &Node,
        wish: Option<Wish>,
        words: Option<&Phrase>,
    ) -> Result<(), CliError> {
        let handle = node.handle();
        let mut recovering = match wish {
            Some(wish) => handle.recover(wish).await.map_err(failed)?,
            None => handle.recovering().await.map_err(failed)?.ok_or_else(nothing_begun)?,
        };
        if self.forget {
            recovering.forget().map_err(|e| CliError::Failed(e.to_string()))?;
            return call.output.show(&json!({ "forgotten": true }), |_| "Forgotten.".to_owned());
        }
        let stage = self.until_done(&mut recovering, words).await?;
        let Stage::Done { username, device, others, missing } = stage else { return Err(nothing_begun()) };
        let mut removed = Vec::new();
        for other in others.iter().filter(|other| self.is_lost(other)) {
            recovering.remove_device(*other, words).await.map_err(failed)?;
            removed.push(*other);
        }
        let told = told(&recovering).await?;
        let others: Vec<DeviceId> = others.into_iter().filter(|other| !removed.contains(other)).collect();
        let texts = |list: &[DeviceId]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let lost = missing.sentences(&username);
        let value = json!({
            "did": recovering.did().to_string(),
            "username": username,
            "device": device.to_string(),
            "removed": texts(&removed),
            "others": texts(&others),
            "lost": lost,
            "told": told,
        });
        let by_guardians = recovering.is_by_guardians();
        recovering.forget().map_err(|e| CliError::Failed(e.to_string()))?;
        call.output.show(&value, |output| summary(output, call, &value, by_guardians))
    }

    /// Takes steps until everything is here; tells what changes on stderr.
    async fn until_done(&self, recovering: &mut Recovering, words: Option<&Phrase>) -> Result<Stage, CliError> {
        let (mut told, began) = (String::new(), tokio::time::Instant::now());
        loop {
            let stage = recovering.step(words).await.map_err(failed)?;
            let said = say(&stage);
            if said != told {
                output::tell(&said);
                told = said;
            }
            let wait = match &stage {
                Stage::Done { .. } => return Ok(stage),
                Stage::WordsNeeded => return Err(CliError::Usage("give the 24 words: --phrase".to_owned())),
                Stage::Searching { found: false, connected } if began.elapsed() > SEARCH_MAX => {
                    let did = recovering.did();
                    let said = match connected {
                        0 => format!("no node could be reached to ask for {did}; name others with --from"),
                        _ => format!("nobody who was reached knows {did}; name other nodes with --from"),
                    };
                    return Err(CliError::NotFound(said));
                }
                Stage::Asking { .. } | Stage::Waiting { .. } => ASK_EVERY,
                Stage::Searching { .. } | Stage::Fetching { .. } => STEP,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = tokio::signal::ctrl_c() => {
                    return Err(CliError::Failed("stopped; call `xom recover` again to go on".to_owned()));
                }
            }
        }
    }

    /// The words, where they are to recover.
    fn words(&self) -> Result<Option<Phrase>, CliError> {
        let text = match (&self.words_file, self.phrase) {
            (Some(file), _) => read(file)?,
            (None, false) => return Ok(None),
            (None, true) if is_interactive() => ask("The 24 words: ")?,
            (None, true) => return Err(CliError::Usage("there is no terminal to ask; give --words-file FILE".into())),
        };
        Phrase::parse(&text).map(Some).map_err(|error| CliError::Usage(error.to_string()))
    }

    fn wish(&self, network: Network, words: Option<&Phrase>) -> Result<Option<Wish>, CliError> {
        let mut named = Named::default();
        for text in &self.from {
            named.take(network, text)?;
        }
        let did = match (&self.guardians, words) {
            (Some(text), _) => match text.parse() {
                Ok(did) => did,
                Err(_) => named
                    .take(network, text)?
                    .ok_or_else(|| CliError::Usage(format!("{text:?} is neither a DID nor an invite")))?,
            },
            (None, Some(words)) => self.did.unwrap_or_else(|| Did(words.genesis(network).id().0)),
            (None, None) => return Ok(None),
        };
        let guardians = self.guardians.is_some();
        Ok(Some(Wish { did, username: self.name.clone(), guardians, from: named.addresses }))
    }

    fn is_lost(&self, device: &DeviceId) -> bool {
        self.lost.iter().any(|lost| lost == "all" || *lost == device.to_string())
    }
}

impl Named {
    /// Takes an address, or an invite with its addresses; answers whom an invite names.
    fn take(&mut self, network: Network, text: &str) -> Result<Option<Did>, CliError> {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            self.addresses.push(address);
            return Ok(None);
        }
        let invite = Invite::parse(network, text);
        let invite = invite.map_err(|error| CliError::Usage(format!("{text:?} is no multiaddress, and {error}")))?;
        self.addresses.extend(invite.addresses().iter().filter_map(|address| address.parse().ok()));
        self.did = Some(invite.did());
        Ok(self.did)
    }
}

fn failed(error: CommandError) -> CliError {
    match error {
        CommandError::Store(error) => CliError::Failed(error.to_string()),
        refused => CliError::Refused(refused.to_string()),
    }
}

fn nothing_begun() -> CliError {
    CliError::NotFound("no recovery was begun here; begin one with --phrase or --guardians DID".to_owned())
}

/// Waits until somebody holds what was done to the identity; false where nobody has it in time.
async fn told(recovering: &Recovering) -> Result<bool, CliError> {
    let began = tokio::time::Instant::now();
    while recovering.told().map_err(|e| CliError::Failed(e.to_string()))? == 0 {
        if began.elapsed() > TELL_MAX {
            return Ok(false);
        }
        tokio::time::sleep(STEP).await;
    }
    Ok(true)
}

/// How far it is, for people.
fn say(stage: &Stage) -> String {
    match stage {
        Stage::Searching { connected: 0, .. } => "looking for the nodes".to_owned(),
        Stage::Searching { found: false, .. } => "asking for the identity".to_owned(),
        Stage::Searching { .. } => "the identity is found; fetching what is known of it".to_owned(),
        Stage::WordsNeeded => "the words are needed".to_owned(),
        Stage::Asking { code, approved, need, refused } => {
            let refused = if *refused { "; one has refused" } else { "" };
            format!("tell your guardians this code by voice: {code}. {approved} of {need} have approved{refused}")
        }
        Stage::Waiting { code, approved, need, wait_secs, postponed } => {
            let wait = match (wait_secs, postponed) {
                (0, _) => "they can approve once more now".to_owned(),
                (secs, false) => format!("they wait about {} hours", secs.div_ceil(3_600)),
                (secs, true) => format!("a device asked them to wait once more: about {} hours", secs.div_ceil(3_600)),
            };
            format!("the recovery {code} has started; {wait}. {approved} of {need} have approved the finish")
        }
        Stage::Fetching { .. } => "this device is part of the identity; fetching what it wrote".to_owned(),
        Stage::Done { .. } => "everything that could be reached is here".to_owned(),
    }
}

fn summary(output: &Output, call: &Call, value: &Value, by_guardians: bool) -> String {
    let text = |name: &str| super::super::card::text(value, name);
    let mut rows = vec![("user name", text("username")), ("DID", text("did")), ("this device", text("device"))];
    let list = |name: &str| super::super::card::list(value, name).to_vec();
    let texts = |name| list(name).into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect::<Vec<_>>();
    rows.extend(texts("removed").into_iter().map(|device| ("removed", device)));
    rows.extend(texts("others").into_iter().map(|device| ("still a device", device)));
    rows.extend(texts("lost").into_iter().map(|sentence| ("lost", sentence)));
    rows.push(("data folder", call.data_dir.display().to_string()));
    let mut said = output.table(&rows);
    if by_guardians {
        said += "\nThere are new words. See and confirm them after `xom run`. Who has the old ones can still undo this \
            recovery: destroy them where you find them.";
    }
    if !texts("others").is_empty() {
        said += "\nEnd a device that is lost with `xom device remove DEVICE`.";
    }
    if value["told"] == false {
        said += "\nNobody who is connected has heard of this yet: until somebody has, removed devices go on for others. \
                 `xom run` tells them.";
    }
    said + "\nStart the node with `xom run`."
}
