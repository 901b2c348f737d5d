//! Progress of what takes long, on stderr and only on a terminal.

use std::io::{self, Read, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a bar moves while nothing is known of its length.
const TICK: Duration = Duration::from_millis(100);

/// A bar that counts bytes; `total` where it is known. It shows nothing where stderr is no terminal.
pub(crate) fn bytes_bar(what: &'static str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{msg} {wide_bar} {bytes}/{total_bytes} {eta}"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg} {bytes} {bytes_per_sec}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = bar.with_style(style).with_message(what);
    if total.is_none() {
        bar.enable_steady_tick(TICK);
    }
    bar
}

/// Passes bytes on and counts them.
pub(crate) struct Counted<T> {
    inner: T,
    bar: ProgressBar,
    bytes: u64,
}

impl<T> Counted<T> {
    pub(crate) fn new(inner: T, bar: ProgressBar) -> Self {
        Self { inner, bar, bytes: 0 }
    }

    /// What is inside, and how many bytes went through.
    pub(crate) fn finish(self) -> (T, u64) {
        self.bar.finish_and_clear();
        (self.inner, self.bytes)
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.bar.inc(bytes as u64);
    }
}

impl<T: Write> Write for Counted<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.count(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Counted<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.count(read);
        Ok(read)
    }
}
