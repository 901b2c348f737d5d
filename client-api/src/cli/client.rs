//! A client of the running node: finds its address and token in the data folder.
//!
//! The token goes nowhere but to that address, never through a proxy, and only while the node has the
//! folder: after a crash the address is stale, and somebody else may listen there.

mod multipart;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Response, StatusCode};
use ureq::typestate::WithBody;
use ureq::{Agent, Body, RequestBuilder, SendBody};
use xom_node::Offline;

use self::multipart::Multipart;
use super::CliError;
use crate::http::auth::TOKEN_FILE;
use crate::http::call::AS_HEADER;
use crate::run::ADDRESS_FILE;

/// How long to wait for the node to take the connection.
const CONNECT_SECS: u64 = 5;
/// How long a command may take; checking or exporting everything takes its time.
const ANSWER_SECS: u64 = 3600;
/// The largest JSON answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A client of one node.
pub struct Client {
    agent: Agent,
    data_dir: PathBuf,
    base: String,
    token: String,
    identity: Option<String>,
}

/// A file for an upload.
pub struct Upload<'a> {
    /// The name of the form field.
    pub field: &'a str,
    /// The name of the file.
    pub name: String,
    /// The file, read from where it stands.
    pub file: File,
    /// How many bytes of it are sent.
    pub bytes: u64,
}

impl Client {
    /// A client of the node that runs on a data folder.
    pub fn open(data_dir: &Path, identity: Option<String>) -> Result<Self, CliError> {
        let not_running = || CliError::NotRunning(data_dir.to_owned());
        let read = |name: &str| fs::read_to_string(data_dir.join(name)).map(|text| text.trim().to_owned());
        let address: SocketAddr = read(ADDRESS_FILE).ok().and_then(|text| text.parse().ok()).ok_or_else(not_running)?;
        let token = read(TOKEN_FILE).map_err(|_| not_running())?;
        if !Offline::is_in_use(data_dir) {
            return Err(not_running());
        }
        let agent = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(CONNECT_SECS)))
            .timeout_global(Some(Duration::from_secs(ANSWER_SECS)))
            .build()
            .new_agent();
        Ok(Self { agent, data_dir: data_dir.to_owned(), base: format!("http://{address}"), token, identity })
    }

    /// Reads.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CliError> {
        json(self.get_response(path, query)?)
    }

    /// Reads an answer of any length into `to`.
    pub fn download(&self, path: &str, to: &mut impl Write) -> Result<u64, CliError> {
        let mut response = self.get_response(path, &[])?;
        io::copy(&mut response.body_mut().as_reader(), to).map_err(|error| self.cut_off(&error))
    }

    /// Sends bytes and gives the answer, to be read piece by piece.
    pub fn exchange(&self, path: &str, body: &[u8]) -> Result<impl Read + use<>, CliError> {
        let request = self.signed(self.agent.post(self.url(path))).header("Content-Type", "application/octet-stream");
        Ok(self.checked(request.send(body))?.into_body().into_reader())
    }

    /// What ended the body of an answer before its end.
    fn cut_off(&self, error: &io::Error) -> CliError {
        match error.kind() {
            io::ErrorKind::StorageFull => CliError::Failed(error.to_string()),
            _ => CliError::Failed(format!("the node's answer was cut off ({error}); its log says why, try again")),
        }
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        let request = self.signed(self.agent.post(self.url(path)));
        json(self.checked(request.send_json(body))?)
    }

    /// Deletes.
    pub fn delete(&self, path: &str) -> Result<Value, CliError> {
        let request = self.signed(self.agent.delete(self.url(path)));
        json(self.checked(request.call())?)
    }

    /// Sends a form with files by POST.
    pub fn post_form(
        &self,
        path: &str,
        fields: &[(String, String)],
        files: Vec<Upload<'_>>,
    ) -> Result<Value, CliError> {
        self.send_form(self.agent.post(self.url(path)), fields, files)
    }

    /// Sends a form with files by PATCH.
    pub fn patch_form(
        &self,
        path: &str,
        fields: &[(String, String)],
        files: Vec<Upload<'_>>,
    ) -> Result<Value, CliError> {
        self.send_form(self.agent.patch(self.url(path)), fields, files)
    }

    /// The Mastodon id of a status named by its Mastodon id, its entry id or a unique prefix.
    pub fn find_status(&self, text: &str) -> Result<String, CliError> {
        let none = || CliError::NotFound(format!("this node holds no status {text:?}"));
        let found = self.get("/api/xom/v1/statuses/find", &[("q", text)]).map_err(|error| match error {
            CliError::NotFound(_) => none(),
            other => other,
        })?;
        found.get("id").and_then(Value::as_str).map(str::to_owned).ok_or_else(none)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn signed<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        let request = request.header("Authorization", format!("Bearer {}", self.token));
        match &self.identity {
            Some(identity) => request.header(AS_HEADER, identity),
            None => request,
        }
    }

    fn send_form(
        &self,
        request: RequestBuilder<WithBody>,
        fields: &[(String, String)],
        files: Vec<Upload<'_>>,
    ) -> Result<Value, CliError> {
        let form = Multipart::new(fields, files)?;
        let request = self.signed(request).header("Content-Type", form.content_type);
        let request = request.header("Content-Length", form.bytes.to_string());
        json(self.checked(request.send(SendBody::from_owned_reader(form.body)))?)
    }

    fn get_response(&self, path: &str, query: &[(&str, &str)]) -> Result<Response<Body>, CliError> {
        let request = self.signed(self.agent.get(self.url(path)));
        self.checked(request.query_pairs(query.iter().copied()).call())
    }

    /// Turns what is not a success into the error that says it best.
    fn checked(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, CliError> {
        let mut response = answer.map_err(|error| self.lost(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body: Value = response.body_mut().read_json().unwrap_or(Value::Null);
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let said = text("detail").or_else(|| text("error_description")).or_else(|| text("error"));
        let said = said.unwrap_or_else(|| status.to_string());
        if let Some(code) = text("code") {
            return Err(CliError::KeyClosed { code, said });
        }
        Err(match status {
            StatusCode::NOT_FOUND => CliError::NotFound(said),
            StatusCode::UNAUTHORIZED => {
                CliError::Refused(format!("{said} (is {TOKEN_FILE:?} in the data folder that of this node?)"))
            }
            // Not for good, so it must not look like an answer to what was asked.
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                CliError::Failed(format!("the node has no time now: {said}"))
            }
            status if status.is_client_error() => CliError::Refused(said),
            _ => CliError::Failed(format!("the node failed: {said}")),
        })
    }

    fn lost(&self, error: &ureq::Error) -> CliError {
        match error {
            ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => CliError::NotRunning(self.data_dir.clone()),
            ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
                CliError::NotRunning(self.data_dir.clone())
            }
            other => CliError::Failed(format!("lost the node: {other}")),
        }
    }
}

fn json(mut response: Response<Body>) -> Result<Value, CliError> {
    let text = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    let text = text.map_err(|error| CliError::Failed(format!("lost the node: {error}")))?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| CliError::Failed(format!("the node's answer is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_node_the_client_says_how_to_start_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Client::open(folder.path(), None).err().unwrap();
        assert!(error.to_string().ends_with("is not running; start it with `xom run`"), "{error}");
    }

    /// A folder that says that its node answers at `address`.
    fn folder_that_names(address: SocketAddr) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(ADDRESS_FILE), format!("{address}\n")).unwrap();
        fs::write(folder.path().join(TOKEN_FILE), "token\n").unwrap();
        fs::write(folder.path().join("lock"), "").unwrap();
        folder
    }

    #[test]
    fn a_folder_that_no_node_has_means_that_the_node_is_not_running_whoever_listens_at_its_address() {
        let mallory = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = folder_that_names(mallory.local_addr().unwrap());
        let error = Client::open(folder.path(), None).err().unwrap();
        assert!(matches!(error, CliError::NotRunning(_)), "{error}");
        let lock = fs::File::open(folder.path().join("lock")).unwrap();
        lock.lock().unwrap();
        assert!(Client::open(folder.path(), None).is_ok());
    }

    #[test]
    fn an_address_where_nobody_answers_means_that_the_node_is_not_running() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = folder_that_names(free);
        let lock = fs::File::open(folder.path().join("lock")).unwrap();
        lock.lock().unwrap();
        let client = Client::open(folder.path(), None).unwrap();
        let error = client.get("/health", &[]).unwrap_err();
        assert!(matches!(error, CliError::NotRunning(_)), "{error}");
    }

    #[test]
    fn a_node_that_has_no_time_now_has_refused_nothing_for_good() {
        for (status, refuses) in [("429 Too Many Requests", false), ("408 Request Timeout", false), ("422 No", true)] {
            let node = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let folder = folder_that_names(node.local_addr().unwrap());
            let lock = fs::File::open(folder.path().join("lock")).unwrap();
            lock.lock().unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            let answering = std::thread::spawn(move || {
                let (mut stream, _) = node.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.push(byte[0]);
                }
                stream.write_all(answer.as_bytes()).unwrap();
            });
            let error = Client::open(folder.path(), None).unwrap().get("/health", &[]).unwrap_err();
            assert_eq!(matches!(error, CliError::Refused(_)), refuses, "{status}: {error}");
            answering.join().unwrap();
        }
    }
}
