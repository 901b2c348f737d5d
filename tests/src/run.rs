//! `xom run` as a user starts it: with arguments, an environment of its own, and nothing else.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::home::{DEADLINE, binary};
use crate::wait_until;

/// A run that serves.
pub struct Run {
    child: Child,
    greeting: Value,
    log: Option<JoinHandle<String>>,
}

/// An address on loopback that was free a moment ago.
///
/// # Panics
/// If there is none.
pub fn free_address() -> SocketAddr {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    taken.local_addr().expect("it is bound")
}

impl Run {
    /// Starts it, with these variables alone in its environment, and waits until it serves.
    ///
    /// # Panics
    /// If it does not serve.
    pub fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::begin("run", arguments, variables)
    }

    /// The same for a node to try apps on, `xom dev`.
    ///
    /// # Panics
    /// If it does not serve.
    pub fn dev(arguments: &[&str]) -> Self {
        Self::begin("dev", arguments, &[])
    }

    fn begin(what: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = command(what, arguments, variables).spawn().expect("xom can be run");
        let mut errors = child.stderr.take().expect("piped");
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            // What is no text any more is told by what lacks.
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("the first line");
        if !line.starts_with('{') {
            let status = child.wait();
            panic!("xom run did not start: {line:?}, {status:?}, {:?}", log.join());
        }
        let greeting = serde_json::from_str(&line).expect("JSON");
        let run = Self { child, greeting, log: Some(log) };
        wait_until("the node serves", DEADLINE, || ureq::get(run.url("/health")).call().ok());
        run
    }

    /// Starts one that must be refused, and gives what it says.
    ///
    /// # Panics
    /// If it is not refused.
    pub fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let output = command("run", arguments, variables).output().expect("xom can be run");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{said}");
        said
    }

    /// What it printed once it served.
    pub fn greeting(&self) -> &Value {
        &self.greeting
    }

    /// Gets JSON from its API.
    ///
    /// # Panics
    /// If the answer is not 200 with JSON.
    pub fn get(&self, path: &str) -> Value {
        let folder = std::path::Path::new(self.greeting["data_dir"].as_str().expect("a folder"));
        let token = std::fs::read_to_string(folder.join("token")).expect("a token");
        let answer = ureq::get(self.url(path)).header("Authorization", format!("Bearer {}", token.trim())).call();
        let mut answer = answer.unwrap_or_else(|e| panic!("GET {path}: {e}"));
        answer.body_mut().read_json().unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    /// The code of its answer to a request under another name.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn code_under(&self, host: &str) -> u16 {
        let request = ureq::get(self.url("/health")).config().http_status_as_error(false).build();
        request.header("Host", host).call().expect("an answer").status().as_u16()
    }

    /// Ends it, and gives what it has logged.
    ///
    /// # Panics
    /// If it does not end well.
    pub fn end(mut self) -> String {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill failed");
        let status = wait_until("the process ends", DEADLINE, || self.child.try_wait().expect("a child"));
        assert!(status.success(), "{status}");
        self.log.take().map(|log| log.join().expect("the reader ends")).unwrap_or_default()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.greeting["http"].as_str().expect("an address"))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // The test has ended; whether the process still runs no longer matters.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(what: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary());
    command.args([what, "--json"]).args(arguments).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
