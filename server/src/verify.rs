//! `rollbook verify`: the invariants of every organization, proved for whoever runs the service.

use anyhow::bail;
use procedures::admin::{InvariantCheck, Proved, Violation, tenants, verify_tenant};
use procedures::event::LastSeal;
use procedures::limits::MAX_VIOLATIONS;
use procedures::{App, Database, development};

use crate::cli::cause;

/// Proves one organization after another, and prints whether each invariant holds and what the log's last seal is; an
/// error if one does not hold.
pub async fn run(db: Database) -> anyhow::Result<()> {
    if !db.is_current().await.map_err(cause)? {
        bail!("the database's schema is not current: run `rollbook migrate`");
    }
    let app = App::new(db);
    app.synchronize().await.map_err(cause)?;
    // Development mode may have moved the clock; then courses have ended by that.
    app.clock.set_offset_micros(development::clock_offset(&app.db).await.map_err(cause)?);
    let organizations = tenants(&app).await.map_err(cause)?;
    let (all, mut violated, mut found) = (organizations.len(), 0, 0);
    for (place, (id, slug)) in (1..).zip(&organizations) {
        println!("{slug}, organization {id} ({place} of {all})");
        let Proved { report, last_seal } = verify_tenant(&app, *id).await.map_err(cause)?;
        for check in &report.checks {
            tell(check);
            found += check.violations.len();
        }
        println!("  {}", sealed(last_seal.as_ref()));
        violated += usize::from(!report.ok);
    }
    if violated > 0 {
        bail!("violations found: {found}; organizations with violations: {violated} of {all}");
    }
    println!("every invariant holds; organizations verified: {all}");
    Ok(())
}

fn tell(check: &InvariantCheck) {
    println!("  {}: {}", check.name.as_str(), if check.ok { "holds" } else { "violated" });
    for violation in &check.violations {
        println!("    {}", line(violation));
    }
    if check.violations.len() == MAX_VIOLATIONS {
        println!("    There may be more: no more than {MAX_VIOLATIONS} are named.");
    }
}

/// The last event that is sealed, and its digest in hexadecimal: an operator who has kept it elsewhere can tell later
/// whether `event_seals` still has it, and with it all that was sealed before.
fn sealed(last: Option<&LastSeal>) -> String {
    match last {
        Some(LastSeal { event_id, digest }) => {
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("sealed up to event {event_id}: {digest}")
        }
        None => "no event is sealed yet".to_owned(),
    }
}

/// The problem, and the ids of what it is about.
fn line(violation: &Violation) -> String {
    let Violation {
        problem,
        organization_id: _,
        course_id,
        enrollment_id,
        user_id,
        module_id,
        certificate_id,
        event_id,
    } = violation;
    let ids = [
        course_id.map(|id| format!("course {id}")),
        enrollment_id.map(|id| format!("enrollment {id}")),
        user_id.map(|id| format!("user {id}")),
        module_id.map(|id| format!("module {id}")),
        certificate_id.map(|id| format!("certificate {id}")),
        event_id.map(|id| format!("event {id}")),
    ];
    let ids: Vec<String> = ids.into_iter().flatten().collect();
    // It may quote a name that somebody chose, with line ends in it.
    let problem = problem.replace(char::is_control, " ");
    if ids.is_empty() { problem } else { format!("{problem} ({})", ids.join(", ")) }
}
