//! The official tRPC client, and `@rollbook/client` around it, as applications have them installed: each script of
//! `official_client/` makes its calls and checks what it is told, with the oldest version and with the newest.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::hold::Hold;
use crate::site::Site;
use crate::{on_both, on_postgres};

on_both![every_link, the_whole_life, subscriptions, cut_and_resumed];
on_postgres![a_streamed_batch_answers_as_it_can];

/// Where `npm test` of the bindings installs them.
const CONSUMERS: [&str; 2] = ["oldest", "newest"];

async fn every_link(site: Site) {
    run("links.mjs", &site).await;
}

async fn the_whole_life(site: Site) {
    run("life.mjs", &site).await;
}

async fn subscriptions(site: Site) {
    run("subscriptions.mjs", &site).await;
}

async fn cut_and_resumed(site: Site) {
    run("resume.mjs", &site).await;
}

async fn a_streamed_batch_answers_as_it_can(site: Site) {
    for consumer in CONSUMERS {
        let (held, free) = (site.course(1).await, site.course(1).await);
        let hold = Hold::course(&site, &held).await;
        let mut script = node("arrival.mjs", consumer, &site)
            .args([&held, &free])
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let mut lines = BufReader::new(script.stdout.take().expect("piped")).lines();
        assert_eq!(lines.next_line().await.expect("a text").as_deref(), Some("answered"), "{consumer}");
        hold.release().await;
        assert!(script.wait().await.expect("it ends").success(), "{consumer}");
    }
}

async fn run(script: &str, site: &Site) {
    for consumer in CONSUMERS {
        let ran = node(script, consumer, site).output().await.expect("node is installed");
        let said =
            [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(ran.status.success(), "{script} with the {consumer} packages: {said}");
        assert!(said.contains("# pass") && said.contains("# skipped 0"), "{said}");
    }
}

fn node(script: &str, consumer: &str, site: &Site) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let consumer: PathBuf = here.join("../bindings/test/consumers").join(consumer);
    let installed = consumer.join("node_modules/@rollbook/client").is_dir();
    assert!(installed, "{} has nothing installed; ./tests/run sees to it", consumer.display());
    let mut node = Command::new("node");
    node.arg("--test-reporter=tap")
        .arg(here.join("tests/wire/official_client").join(script))
        .arg(consumer)
        .arg(format!("http://{}", site.address()))
        .kill_on_drop(true);
    node
}
