//! Exit codes that scripts can rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Failed for a reason that has no code of its own.
    Failed = 1,
    /// A wrong flag, argument, variable or settings file.
    Usage = 2,
    /// The command needs a running node.
    NotRunning = 3,
    /// The node refused.
    Refused = 4,
    /// What was named is not held here.
    NotFound = 5,
    /// The data folder is in use, newer, or can't be read.
    Folder = 6,
    /// The address is in use.
    PortBusy = 7,
    /// `verify` or `doctor` found faults.
    Faults = 8,
}

/// The table for `xom --help`.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong flag, argument, variable or settings file
  3  the node is not running; start it with `xom run`
  4  the node refused
  5  not found
  6  the data folder is in use, newer, or can't be read
  7  an address is in use
  8  `verify` or `doctor` found faults";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_help_names_every_exit_code() {
        let all = [
            Exit::Ok,
            Exit::Failed,
            Exit::Usage,
            Exit::NotRunning,
            Exit::Refused,
            Exit::NotFound,
            Exit::Folder,
            Exit::PortBusy,
            Exit::Faults,
        ];
        for exit in all {
            assert!(TABLE.contains(&format!("\n  {}  ", exit as u8)), "{exit:?}");
        }
        assert_eq!(TABLE.lines().count(), 1 + all.len());
    }
}
