use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::ModuleEnrollment;
use crate::enrollment::{Answer, Enrollment, Told};
use crate::error::{Error, Result};

/// A module of an enrollment with what it did to the enrollment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModuleProgress {
    pub module: ModuleEnrollment,
    pub enrollment: Enrollment,
}

impl Answer for ModuleProgress {
    fn of(told: Told, sees_notes: bool) -> Result<Self> {
        let module = told.module.clone();
        let module = module.ok_or_else(|| Error::internal("a decision about a module without one"))?;
        let enrollment = <Enrollment as Answer>::of(told, sees_notes)?;
        Ok(ModuleProgress { module: ModuleEnrollment::of(module), enrollment })
    }

    fn without_notes(self) -> Self {
        ModuleProgress { enrollment: self.enrollment.without_notes(), ..self }
    }
}
