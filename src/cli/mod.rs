//! Arguments, exit codes and one file per subcommand.
