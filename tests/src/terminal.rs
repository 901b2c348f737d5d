//! The command line on a terminal of its own, typed at and read as a person does. `script` of util-linux
//! makes the terminal.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::home::{DEADLINE, Home, binary};
use crate::wait_until;

/// A command that runs on a terminal.
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Runs a command of a home.
    ///
    /// # Panics
    /// If there is no `script` to make a terminal.
    pub fn run(home: &Home, arguments: &str) -> Self {
        let command = format!("{} {arguments} --data-dir {}", binary().display(), home.data_dir().display());
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--echo", "never", "--command", &command, "/dev/null"]);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script can be run");
        let (keyboard, mut output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut piece = [0; 4_096];
            while let Ok(count @ 1..) = output.read(&mut piece) {
                let text = String::from_utf8_lossy(&piece[..count]).into_owned();
                shown.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            }
        });
        Self { child, keyboard, screen }
    }

    /// Waits until the screen has shown `text`, and gives everything up to its end that was not read before.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn read_to(&mut self, text: &str) -> String {
        wait_until(text, DEADLINE, || {
            let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
            let end = screen.find(text)? + text.len();
            let rest = screen.split_off(end);
            Some(std::mem::replace(&mut *screen, rest))
        })
    }

    /// Types a line.
    ///
    /// # Panics
    /// If the terminal is gone.
    pub fn type_line(&mut self, line: &str) {
        let typed = self.keyboard.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.keyboard.flush());
        typed.expect("the terminal takes what is typed");
    }

    /// Waits for the end of the command: what was not read before, and whether it went well.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn end(self) -> (String, bool) {
        self.end_within(DEADLINE)
    }

    /// The same of a command that takes its time.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn end_within(mut self, deadline: Duration) -> (String, bool) {
        let status = wait_until("the command ends", deadline, || self.child.try_wait().expect("a child"));
        // The reader ends with the command; until then it may hold the last of it.
        wait_until("the screen is read", DEADLINE, || Arc::get_mut(&mut self.screen).map(|_| ()));
        let text = std::mem::take(&mut *self.screen.lock().unwrap_or_else(PoisonError::into_inner));
        (text, status.success())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The test has ended; whether the command still runs no longer matters.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
