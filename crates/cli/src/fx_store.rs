//! `fx-store`; see the library.

fn main() -> std::process::ExitCode {
    pdp_cli::fx_store()
}
