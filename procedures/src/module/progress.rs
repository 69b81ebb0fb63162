use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{ModuleEnrollment, store};
use crate::caller::Insider;
use crate::db::Transaction;
use crate::enrollment::{Answer, Decided, Enrollment};
use crate::error::{Error, Result};

/// A module of an enrollment with what it did to the enrollment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModuleProgress {
    pub module: ModuleEnrollment,
    pub enrollment: Enrollment,
}

impl Answer for ModuleProgress {
    async fn of(tx: &mut Transaction<'_>, caller: &Insider, decided: Decided) -> Result<Self> {
        let row = decided.module.clone();
        let row = row.ok_or_else(|| Error::internal("a decision about a module without one"))?;
        let module = store::module(tx, caller.tenant, row.module_id).await?.ok_or_else(Error::not_found)?;
        let enrollment = <Enrollment as Answer>::of(tx, caller, decided).await?;
        Ok(ModuleProgress { module: ModuleEnrollment::of((row, module)), enrollment })
    }

    fn without_notes(self) -> Self {
        ModuleProgress { enrollment: self.enrollment.without_notes(), ..self }
    }
}
