//! A home: one `xom` process with its data folder, driven through its command line and its API.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use ureq::RequestBuilder;
use ureq::typestate::WithBody;

use crate::{Dialog, wait_until};

/// How long a start, a stop or one command may take before the test fails.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// One person's node.
pub struct Home {
    folder: TempDir,
    name: String,
    ip: Ipv4Addr,
    peer_port: u16,
    tcp_alone: bool,
    bootstrap: Vec<String>,
    file_bytes_max: Option<u64>,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    log: Option<PathBuf>,
    /// The network namespace in which everything of it runs, if that is not the test's own.
    namespace: Option<String>,
    child: Option<Child>,
}

impl Home {
    /// A home with an empty data folder and a free port for peers; not started.
    ///
    /// # Panics
    /// If the system has no room or no port.
    pub fn new(name: &str) -> Self {
        Self::at(name, Ipv4Addr::LOCALHOST)
    }

    /// The same, where peers reach it at another address of this machine.
    pub fn at(name: &str, ip: Ipv4Addr) -> Self {
        Self::with(name, ip, free_port(ip), None)
    }

    /// The same in another network namespace: there is no talking to its API but through its command line.
    pub(crate) fn within(name: &str, ip: Ipv4Addr, port: u16, namespace: &str) -> Self {
        Self::with(name, ip, port, Some(namespace.to_owned()))
    }

    fn with(name: &str, ip: Ipv4Addr, peer_port: u16, namespace: Option<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("xom-test-").tempdir().expect("a temporary folder");
        Self {
            folder,
            name: name.to_owned(),
            ip,
            peer_port,
            tcp_alone: false,
            bootstrap: Vec::new(),
            file_bytes_max: None,
            arguments: Vec::new(),
            variables: Vec::new(),
            log: None,
            namespace,
            child: None,
        }
    }

    /// A home that listens over TCP alone; not started.
    pub fn over_tcp(name: &str) -> Self {
        let mut home = Self::new(name);
        home.tcp_alone = true;
        home
    }

    /// A home that runs.
    pub fn started(name: &str) -> Self {
        let mut home = Self::new(name);
        home.start();
        home
    }

    /// Names an address to dial at each start.
    pub fn bootstrap(&mut self, address: &str) {
        self.bootstrap.push(address.to_owned());
    }

    /// Lets no file of the next start grow beyond so many bytes: writes fail then, as on a full disk.
    pub fn limit_files(&mut self, bytes: Option<u64>) {
        self.file_bytes_max = bytes;
    }

    /// Gives `xom run` these arguments too at its next starts, instead of those given before.
    pub fn arguments(&mut self, arguments: &[&str]) {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    }

    /// Sets a variable for everything that this home runs.
    pub fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Has everything logged, into a file.
    pub fn log_all(&mut self, file: &Path) {
        self.log = Some(file.to_owned());
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the test's own files.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// An address where peers reach this home over QUIC.
    pub fn address(&self) -> String {
        format!("/ip4/{}/udp/{}/quic-v1", self.ip, self.peer_port)
    }

    fn tcp_address(&self) -> String {
        format!("/ip4/{}/tcp/{}", self.ip, self.peer_port)
    }

    /// Starts the process and waits until it serves.
    ///
    /// # Panics
    /// If it does not serve within [`DEADLINE`].
    pub fn start(&mut self) {
        let mut command = self.command(&["run", "--http", "127.0.0.1:0", "--name", &self.name, "--json"]);
        if !self.tcp_alone {
            command.args(["--listen", &self.address()]);
        }
        command.args(["--listen", &self.tcp_address()]);
        for address in &self.bootstrap {
            command.args(["--bootstrap", address]);
        }
        command.args(&self.arguments).envs(self.variables.iter().cloned()).stdin(Stdio::null());
        if let Some(log) = &self.log {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(log).expect("a log file");
            command.env("XOM_LOG", "trace").stderr(file);
        }
        if let Some(bytes) = self.file_bytes_max {
            command = limited(&command, bytes);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("xom can be run");
        let stdout = child.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the first line of xom run");
        assert!(line.starts_with('{'), "{} did not start: {line:?}, {:?}", self.name, child.wait());
        self.child = Some(child);
        wait_until("the node serves", DEADLINE, || match self.namespace {
            None => ureq::get(self.url("/health")).call().ok().map(drop),
            Some(_) => self.run(&["status"]).status.success().then_some(()),
        });
    }

    /// Starts a command that asks on its way.
    pub fn dialog(&self, arguments: &[&str]) -> Dialog {
        Dialog::start(&mut self.command(arguments))
    }

    /// Starts to join the identity of an offer, under the home's name as that of the device.
    pub fn joining(&mut self, offer: &str) -> Dialog {
        let listen = [self.address(), self.tcp_address()];
        let mut command = self.command(&["join", offer, "--http", "127.0.0.1:0", "--name", &self.name, "--json"]);
        command.args(["--listen", &listen[0], "--listen", &listen[1]]);
        Dialog::start(&mut command)
    }

    /// From now on the home runs by a command that has joined and serves.
    pub fn runs(&mut self, joined: Dialog) {
        self.child = Some(joined.into_child());
        wait_until("the node serves", DEADLINE, || ureq::get(self.url("/health")).call().ok());
    }

    /// Ends the process as a system does, and waits.
    ///
    /// # Panics
    /// If it does not end within [`DEADLINE`] or not with code 0.
    pub fn stop(&mut self) {
        let status = self.signal("TERM");
        assert!(status.success(), "{} ended with {status}", self.name);
    }

    /// Kills the process without warning, and waits.
    pub fn kill(&mut self) {
        self.signal("KILL");
    }

    /// Kills the process in the very moment, and waits.
    ///
    /// # Panics
    /// If it does not run.
    pub fn kill_at_once(&mut self) {
        let mut child = self.child.take().expect("the home runs");
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// The process id, while it runs.
    ///
    /// # Panics
    /// If it does not run.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the home runs").id()
    }

    fn signal(&mut self, signal: &str) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("the home runs");
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill failed");
        wait_until("the process ends", DEADLINE, || child.try_wait().expect("a child can be waited for"))
    }

    /// Runs a command and gives what it did.
    ///
    /// # Panics
    /// If the program can't be run.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("xom can be run")
    }

    /// Runs a command none of whose files can grow beyond so many bytes, as on a full disk.
    ///
    /// # Panics
    /// If the program can't be run.
    pub fn run_on_a_full_disk(&self, arguments: &[&str], bytes: u64) -> Output {
        limited(&self.command(arguments), bytes).stdin(Stdio::null()).output().expect("xom can be run")
    }

    /// Starts a command and leaves it running.
    ///
    /// # Panics
    /// If the program can't be run.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("xom can be run")
    }

    /// Runs a command that must succeed, and reads its `--json`.
    ///
    /// # Panics
    /// If it fails or does not print JSON.
    pub fn xom(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let output = self.run(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "xom {arguments:?} ended with {}: {stderr}", output.status);
        let stdout = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("xom {arguments:?} printed no JSON ({e}): {stdout}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.namespace {
            None => Command::new(binary()),
            Some(path) => {
                let mut entering = Command::new("nsenter");
                entering.arg(format!("--net={path}")).arg(binary());
                entering
            }
        };
        command.args(arguments).arg("--data-dir").arg(self.data_dir());
        command.envs(self.variables.iter().cloned());
        command
    }

    /// Begins a command that takes its time; whoever begins it ends it.
    ///
    /// # Panics
    /// If the program can't be run.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("xom can be run")
    }

    /// Writes the 24 words, which lie in the folder until they are confirmed, into a file of the test.
    ///
    /// # Panics
    /// If they are not there.
    pub fn save_words(&self, to: &Path) {
        let words = self.data_dir().join("identities").join(&self.name).join("phrase");
        std::fs::copy(words, to).expect("the words are there until they are confirmed");
    }

    /// Loses everything: the process and the folder.
    ///
    /// # Panics
    /// If the folder can't be removed.
    pub fn lose(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
        std::fs::remove_dir_all(self.data_dir()).expect("the folder goes");
    }

    /// The address of a path of the API.
    ///
    /// # Panics
    /// If the home does not run.
    pub fn url(&self, path: &str) -> String {
        let address = std::fs::read_to_string(self.data_dir().join("http.addr")).expect("a running home has http.addr");
        format!("http://{}{path}", address.trim())
    }

    /// The bearer token.
    ///
    /// # Panics
    /// If there is none.
    pub fn token(&self) -> String {
        let token = std::fs::read_to_string(self.data_dir().join("token")).expect("a home has a token");
        token.trim().to_owned()
    }

    /// Gets JSON from the API.
    ///
    /// # Panics
    /// If the answer is not 200 with JSON.
    pub fn get(&self, path: &str) -> Value {
        let authorization = format!("Bearer {}", self.token());
        let answer = ureq::get(self.url(path)).header("Authorization", authorization).call();
        let mut answer = answer.unwrap_or_else(|e| panic!("GET {path}: {e}"));
        answer.body_mut().read_json().unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    /// Gets bytes, without a token.
    ///
    /// # Panics
    /// If the answer is not 200.
    pub fn get_bytes(&self, url: &str) -> Vec<u8> {
        let mut answer = ureq::get(url).call().unwrap_or_else(|e| panic!("GET {url}: {e}"));
        let mut bytes = Vec::new();
        answer.body_mut().as_reader().read_to_end(&mut bytes).unwrap_or_else(|e| panic!("GET {url}: {e}"));
        bytes
    }

    /// Posts JSON to the API: the answer's code and JSON.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.try_post(path, body).unwrap_or_else(|e| panic!("POST {path}: {e}"))
    }

    /// Posts JSON to the API under an idempotency key: the answer's code and JSON.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn post_under(&self, key: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = self.posting(path).header("Idempotency-Key", key);
        send(request, body).unwrap_or_else(|e| panic!("POST {path}: {e}"))
    }

    /// Posts JSON to an API that may be gone at any moment.
    ///
    /// # Errors
    /// If there is no whole answer.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<(u16, Value), String> {
        send(self.posting(path), body)
    }

    fn posting(&self, path: &str) -> RequestBuilder<WithBody> {
        let request = ureq::post(self.url(path)).config().http_status_as_error(false).build();
        request.header("Authorization", format!("Bearer {}", self.token()))
    }

    /// The DID of the first identity.
    pub fn did(&self) -> String {
        text(&self.xom(&["id"])["did"])
    }

    /// An invite.
    pub fn invite(&self) -> String {
        text(&self.xom(&["invite"])["invite"])
    }

    /// Publishes a post and gives its status id.
    pub fn publish(&self, post: &str) -> String {
        if self.namespace.is_some() {
            return text(&self.xom(&["post", post])["id"]);
        }
        let (code, status) = self.post("/api/v1/statuses", &serde_json::json!({ "status": post }));
        assert_eq!(code, 200, "{status}");
        text(&status["id"])
    }

    /// Follows by invite or DID.
    pub fn follow(&self, whom: &str) {
        self.xom(&["follow", whom]);
    }

    /// The texts of the home timeline, newest first, without markup.
    pub fn timeline(&self) -> Vec<String> {
        let page = match self.namespace {
            None => self.get("/api/v1/timelines/home?limit=40"),
            Some(_) => self.xom(&["timeline", "--limit", "40"]),
        };
        let statuses = page.as_array().expect("a timeline is a list");
        statuses.iter().map(|status| plain(&text(&status["content"]))).collect()
    }

    /// The heads of all logs of a DID, as `xom verify` lists them; panics on any fault.
    ///
    /// # Panics
    /// If something is wrong with what is stored.
    pub fn heads(&self, did: &str) -> Vec<Value> {
        let report = self.xom(&["verify"]);
        assert_eq!(report["faults"], serde_json::json!([]), "{} has faults", self.name);
        let logs = report["logs"].as_array().expect("logs are a list");
        let mut heads: Vec<Value> = logs.iter().filter(|log| log["did"] == did).cloned().collect();
        heads.retain(|log| log["height"] != 0);
        heads.sort_by_key(|log| text(&log["log"]));
        heads
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The test has ended; whether the process still runs no longer matters.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The same command by way of a shell that limits its files and has it told so by errors, not by a signal.
fn limited(command: &Command, bytes: u64) -> Command {
    let blocks = bytes / 512;
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

fn send(request: RequestBuilder<WithBody>, body: &Value) -> Result<(u16, Value), String> {
    let mut answer = request.send_json(body).map_err(|e| e.to_string())?;
    let value = answer.body_mut().read_json().map_err(|e| e.to_string())?;
    Ok((answer.status().as_u16(), value))
}

/// The program under test, built by the same `cargo` in the same profile.
pub(crate) fn binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its own path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push("xom");
    assert!(path.exists(), "{} is missing: cargo build -p xom-client-api", path.display());
    path
}

/// A port that is free for TCP and UDP.
fn free_port(ip: Ipv4Addr) -> u16 {
    let free = || {
        let tcp = TcpListener::bind((ip, 0)).ok()?;
        let port = tcp.local_addr().ok()?.port();
        UdpSocket::bind((ip, port)).ok().map(|_| port)
    };
    (0..100).find_map(|_| free()).expect("a free port")
}

/// The text of a JSON string.
///
/// # Panics
/// If it is something else.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

/// HTML without its tags.
pub fn plain(html: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => kept.push(letter),
            _ => {}
        }
    }
    kept.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}
