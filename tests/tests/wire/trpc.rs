//! The tRPC wire, by the official client: `trpc.mjs` makes its calls and checks the answers.

use std::path::Path;

use tokio::process::Command;

use crate::on_both;
use crate::site::Site;

on_both![the_official_client];

async fn the_official_client(site: Site) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bindings = here.join("../bindings");
    assert!(bindings.join("node_modules").is_dir(), "the client is not installed; ./tests/run does it");
    // Node has had WebSocket behind this flag before it had it without.
    let ran = Command::new("node")
        .arg("--experimental-websocket")
        .arg(here.join("tests/wire/trpc.mjs"))
        .arg(bindings)
        .arg(format!("http://{}", site.address()))
        .output()
        .await
        .expect("node");
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("all well"), "{said}");
}
