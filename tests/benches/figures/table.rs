//! The table that is printed, a row as soon as it is known.

use std::io::Write;

/// A table on stdout.
pub(crate) struct Table;

impl Table {
    pub(crate) fn begin() -> Self {
        Self::print(&format!(
            "{:<38}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "figure", "entries", "median", "least", "most", "p99"
        ));
        Self
    }

    /// A figure: median, least, most and the 99th of a hundred of what was measured.
    pub(crate) fn row(&mut self, figure: &str, entries: usize, measured: &[f64]) {
        let mut sorted = measured.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied();
        let [least, median, p99, most] = [0.0, 0.5, 0.99, 1.0].map(|share| at(share).unwrap_or(f64::NAN));
        Self::print(&format!("{figure:<38}{entries:>10}{median:>10.1}{least:>10.1}{most:>10.1}{p99:>10.1}"));
    }

    fn print(line: &str) {
        let mut out = std::io::stdout();
        writeln!(out, "{line}").and_then(|()| out.flush()).expect("stdout takes the table");
    }
}
