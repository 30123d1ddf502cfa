//! Arguments, exit codes and one file per subcommand.

pub mod config;
pub mod init;
