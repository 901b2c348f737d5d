//! The one binary, `xom`: the node and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    xom_client_api::cli::main()
}
