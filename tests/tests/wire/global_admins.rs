//! Global admins, whom the platform's own identity provider calls admins.

use std::time::Duration;

use procedures::Database;
use procedures::db::PoolSizes;
use serde_json::json;
use tokio::time::sleep;

use crate::on_both;
use crate::shape::code_of;
use crate::site::Site;

on_both![whom_the_platforms_provider_calls_an_admin];

/// Longer than a provider is remembered.
const REMEMBERED: Duration = Duration::from_secs(6);

async fn whom_the_platforms_provider_calls_an_admin(site: Site) {
    let globex = site.person_of("globex", "gina", "admin").await;
    let there = globex.organization_id.clone();
    let (admin, coordinator) = (site.person("ada", "admin").await, site.person("cleo", "coordinator").await);
    for outsider in [&admin, &coordinator] {
        let refused = outsider.choosing(&there).refused("session.me", json!({})).await;
        assert_eq!(refused["data"]["reason"]["type"], "notAMember");
    }

    // Its operator says that acme's provider is the platform's.
    let db = Database::open(&site.database_url, PoolSizes::default()).expect("a database");
    let of_acme = "organization_id = (SELECT id FROM organizations WHERE slug = 'acme')";
    let update = format!("UPDATE identity_providers SET platform = TRUE WHERE {of_acme}");
    let mut connection = db.read().await.expect("a connection");
    connection.execute(diesel::sql_query(update)).await.expect("an update");
    sleep(REMEMBERED).await;

    let me = admin.choosing(&there).ok("session.me", json!({})).await;
    assert_eq!(
        (&me["userId"], &me["organizationId"], &me["role"], &me["globalAdmin"]),
        (&json!(admin.user_id), &json!(there), &json!(null), &json!(true))
    );
    let input = json!({ "slug": "initech", "name": "Initech" });
    assert_eq!(admin.ok("organization.create", input.clone()).await["slug"], "initech");
    for outsider in [&coordinator.choosing(&there), &globex.choosing(&admin.organization_id)] {
        let refused = outsider.refused("session.me", json!({})).await;
        assert_eq!(refused["data"]["reason"]["type"], "notAMember");
    }
    assert_eq!(code_of(&coordinator.refused("organization.create", input).await), "FORBIDDEN");

    // Each of their calls is in the log, whose it was and where; nobody else's are.
    let log = site.server.log();
    let entry = |path: &str| {
        let entries = log.lines().filter(|line| line.contains("a global admin calls"));
        entries.filter(|line| line.contains(path)).map(str::to_owned).collect::<Vec<_>>()
    };
    let [me, created] = ["session.me", "organization.create"].map(entry);
    assert_eq!((me.len(), created.len()), (1, 1), "{log}");
    assert!(me[0].contains(&admin.user_id) && me[0].contains(&there), "{me:?}");

    // Who is suspended where the provider is, is nobody's admin any more.
    let other = site.person("adam", "admin").await;
    other.ok("member.suspend", json!({ "userId": admin.user_id })).await;
    for suspended in [admin.choosing(&there), admin] {
        let refused = suspended.refused("session.me", json!({})).await;
        assert_eq!(refused["data"]["reason"]["type"], "notAMember");
    }
}
