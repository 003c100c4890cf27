//! Benchmarks that run a peer in the same run and print ratios.

use anyhow::{Result, bail};

/// The benchmarks there are: a name and what it measures.
const BENCHES: [(&str, &str); 0] = [];

pub(crate) fn run(name: Option<&str>) -> Result<()> {
    match name {
        None if BENCHES.is_empty() => {
            println!("There is no benchmark yet. One joins this list together with the claim that it proves.");
            Ok(())
        }
        None => {
            for (name, about) in BENCHES {
                println!("{name:<12} {about}");
            }
            Ok(())
        }
        Some(name) => bail!("there is no benchmark called {name}"),
    }
}
