//! The `flightdeck` program: hands its arguments to the library and exits by the result.

fn main() -> std::process::ExitCode {
    flightdeck::cli::main().into()
}
