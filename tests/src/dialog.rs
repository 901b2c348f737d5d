//! A command that asks on its way: its lines of JSON come out one by one, answers go in.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::home::DEADLINE;
use crate::wait_until;

/// A command under way.
pub struct Dialog {
    child: Option<Child>,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Dialog {
    /// Starts it.
    ///
    /// # Panics
    /// If it can't be run.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("xom can be run");
        let stdin = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child: Some(child), stdin, lines }
    }

    /// The next line that it prints.
    ///
    /// # Panics
    /// If it ends first, or prints something else than JSON.
    pub fn hear(&mut self) -> Value {
        let line = self.lines.next().expect("a line before the end").expect("readable");
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"))
    }

    /// Answers with a line.
    ///
    /// # Panics
    /// If it does not listen any more.
    pub fn say(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush()).expect("it listens");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end in time.
    pub fn end(mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        wait_until("the command ends", DEADLINE, || child.try_wait().expect("a child can be waited for"))
    }

    /// The process, for whoever keeps it running.
    pub(crate) fn into_child(mut self) -> Child {
        self.child.take().expect("it runs")
    }
}

impl Drop for Dialog {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The test has ended; whether the process still runs no longer matters.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
