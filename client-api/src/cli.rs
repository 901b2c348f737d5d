//! The command line: each command in a file of its own, most of them clients of the running node.
//!
//! A command prints to stdout what was asked for; everything else goes to stderr.

mod args;
pub(crate) mod ask;
mod card;
mod client;
mod commands;
mod error;
mod exit;
mod first_run;
mod offline;
mod output;
mod printable;
mod progress;
pub(crate) mod secret;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

pub use args::{Cli, Command};
pub use client::Client;
pub use error::CliError;
pub use exit::Exit;
pub use output::Output;
pub use printable::{printable, printable_line};

use crate::settings;

/// One call of the program: what all commands need.
#[derive(Debug)]
pub struct Call {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The local identity to act as; none for the node's first.
    pub identity: Option<String>,
    /// Where the answer goes.
    pub output: Output,
}

impl Call {
    /// A client of the node that runs on the data folder.
    pub fn client(&self) -> Result<Client, CliError> {
        Client::open(&self.data_dir, self.identity.clone())
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            // Nothing is left to do if the terminal is gone.
            let _ = error.print();
            return exit.into();
        }
    };
    match execute(cli) {
        Ok(()) => Exit::Ok.into(),
        Err(CliError::Closed) => Exit::Ok.into(),
        Err(error) => {
            output::complain(&error.to_string());
            error.exit().into()
        }
    }
}

fn execute(cli: Cli) -> Result<(), CliError> {
    let (command, run_flags) = cli.chosen()?;
    if let Command::Dev(args) = command {
        return args.execute(cli.data_dir.is_some(), &Output::new(cli.json));
    }
    let data_dir = settings::data_dir(cli.data_dir.clone(), |name| std::env::var(name).ok())?;
    let call = Call { data_dir, identity: cli.identity.clone(), output: Output::new(cli.json) };
    commands::execute(&call, command, run_flags)
}
