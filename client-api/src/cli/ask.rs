//! Questions that a person answers by a line on stdin.

use std::io::{self, BufRead, Write};

use serde_json::json;

use super::output::Style;
use super::{CliError, Output};

/// Shows the six digits and asks whether the other screen has the same; anything but yes is no.
pub(crate) fn same_digits(output: &Output, digits: &str) -> Result<bool, CliError> {
    show_digits(output, digits)?;
    Ok(is_yes())
}

/// Shows the six digits with the question.
pub(crate) fn show_digits(output: &Output, digits: &str) -> Result<(), CliError> {
    let parted = format!("{} {}", digits.get(..3).unwrap_or(digits), digits.get(3..).unwrap_or_default());
    output.show(&json!({"digits": digits}), |output| {
        format!("\n  {}\n\nDoes the other machine show the same digits? [y/N]", output.paint(Style::Bold, &parted))
    })
}

/// Reads one line; true for y or yes.
pub(crate) fn is_yes() -> bool {
    // The question stands above it.
    let _ = io::stderr().flush();
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}
