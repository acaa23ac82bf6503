//! Makes sure that there is a folder to embed before the web app was built for the first time.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let dist = Path::new("../../web/dist");
    std::fs::create_dir_all(dist)?;
    println!("cargo:rerun-if-changed={}", dist.display());
    Ok(())
}
