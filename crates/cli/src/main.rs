//! `pdp`; see the library.

fn main() -> std::process::ExitCode {
    pdp_cli::pdp()
}
