//! Where answers go: stdout, as text for people or as one line of JSON for programs.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use super::CliError;
use super::printable::printable_json;

/// The output of one call.
#[derive(Debug)]
pub struct Output {
    json: bool,
    colour: bool,
}

/// A style of terminal text.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// For names and headings.
    Bold,
    /// For what is less important.
    Dim,
    /// For links and ids.
    Accent,
    /// For warnings.
    Warn,
    /// For codes that cameras read.
    BlackOnWhite,
}

impl Output {
    /// Colours only for a terminal, and not where `NO_COLOR` is set.
    pub fn new(json: bool) -> Self {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, colour }
    }

    /// JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Colours are shown.
    pub fn is_coloured(&self) -> bool {
        self.colour
    }

    /// Prints the value as JSON, or as people read it.
    pub fn show(&self, value: &Value, for_people: impl FnOnce(&Self) -> String) -> Result<(), CliError> {
        if self.json { self.line(&printable_json(value)) } else { self.line(&for_people(self)) }
    }

    /// Prints a line, or several.
    pub fn line(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::Closed,
            _ => CliError::Failed(format!("can't write the output: {error}")),
        })
    }

    /// The text in a style, if the output is a terminal.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Accent => "36",
            Style::Warn => "33",
            Style::BlackOnWhite => "30;107",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// Rows of a label and a value, in two columns.
    pub fn table(&self, rows: &[(&str, String)]) -> String {
        let width = rows.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let line = |(label, value): &(&str, String)| {
            let padding = " ".repeat(width - label.chars().count());
            format!("{}{padding}  {}\n", self.paint(Style::Dim, label), value.replace('\n', "\n  "))
        };
        rows.iter().map(line).collect()
    }
}

/// Says on stderr why nothing was done.
pub(crate) fn complain(sentence: &str) {
    // Nothing is left to do if stderr is gone.
    let _ = writeln!(io::stderr(), "xom: {}", super::printable(sentence));
}

/// Says on stderr how far a command is.
pub(crate) fn tell(sentence: &str) {
    // The work goes on without a reader.
    let _ = writeln!(io::stderr(), "{}", super::printable(sentence));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_terminal_gets_no_colours() {
        let output = Output { json: false, colour: false };
        assert_eq!(output.paint(Style::Bold, "Lan"), "Lan");
        assert_eq!(output.table(&[("a", "1".into()), ("long", "2".into())]), "a     1\nlong  2\n");
    }
}
