//! The modules of an enrollment: given with it, taken with it, and by hand.

use std::collections::BTreeSet;

use super::{Batch, Command, Decided};
use crate::enrollment::EnrollmentRow;
use crate::error::{Error, Result};
use crate::event::{EventData, EventKind};
use crate::module::{ModuleEnrollmentRow, Removal};
use crate::values::ModuleId;

impl Batch<'_> {
    /// D15: gives an enrollment the course's current modules. Old rows come back with their progress, but for retired
    /// modules and those that an admin took away; missing ones are added. Who recertifies does all of them anew (D8).
    pub(super) fn give_modules(&mut self, row: EnrollmentRow, anew: bool) -> EnrollmentRow {
        let modules = self.facts.modules.get(&row.course_id);
        let current: BTreeSet<ModuleId> =
            modules.into_iter().flatten().filter(|(_, module)| !module.retired).map(|(id, _)| *id).collect();
        let had = self.facts.module_enrollments.entry(row.id).or_default();
        for module in had.iter_mut() {
            let removal = match module.removed_because {
                Some(Removal::Unassigned) => Some(Removal::Unassigned),
                Some(Removal::EnrollmentCancelled | Removal::ModuleRetired) | None => {
                    (!current.contains(&module.module_id)).then_some(Removal::ModuleRetired)
                }
            };
            let done = anew && (module.started_at.is_some() || module.completed_at.is_some());
            if done {
                (module.started_at, module.completed_at) = (None, None);
            }
            if removal != module.removed_because || done {
                module.remove(removal);
                self.changes.save_module(module.clone());
            }
        }
        let known: BTreeSet<ModuleId> = had.iter().map(|module| module.module_id).collect();
        for module_id in current.difference(&known) {
            let module = ModuleEnrollmentRow::new(&row, *module_id, self.now);
            had.push(module.clone());
            self.changes.modules_added.insert(module.id, module);
        }
        let started_at = row.started_at.filter(|_| !anew);
        self.counted(EnrollmentRow { started_at, ..row })
    }

    /// D4: the modules of a cancelled enrollment are soft-deleted with it; its progress stands as it was.
    pub(super) fn take_modules(&mut self, row: &EnrollmentRow) {
        for module in self.facts.module_enrollments.entry(row.id).or_default() {
            if module.removed_because.is_none() {
                module.remove(Some(Removal::EnrollmentCancelled));
                self.changes.save_module(module.clone());
            }
        }
    }

    /// D14: gives a later module, or one that was taken away. Assigning what one has changes nothing.
    pub(super) fn assign_module(&mut self, command: &Command, module_id: ModuleId) -> Result<Decided> {
        let row = self.row_of(command)?;
        let had = self.facts.module_enrollments.entry(row.id).or_default();
        let module = match had.iter_mut().find(|module| module.module_id == module_id) {
            Some(module) if !module.soft_deleted => {
                let module = Some(module.clone());
                return Ok(Decided { module, ..row.into() });
            }
            Some(module) => {
                module.remove(None);
                self.changes.save_module(module.clone());
                module.clone()
            }
            None => {
                let module = ModuleEnrollmentRow::new(&row, module_id, self.now);
                had.push(module.clone());
                self.changes.modules_added.insert(module.id, module.clone());
                module
            }
        };
        Ok(self.reassigned(command, row, module, EventKind::ModuleAssigned))
    }

    /// Takes a module away, and nothing gives it back but assigning it. Taking it twice changes nothing.
    pub(super) fn unassign_module(&mut self, command: &Command, module_id: ModuleId) -> Result<Decided> {
        let row = self.row_of(command)?;
        let had = self.facts.module_enrollments.entry(row.id).or_default();
        let module = had.iter_mut().find(|module| module.module_id == module_id);
        let module = module.ok_or_else(|| Error::internal("a module to be unassigned was not loaded"))?;
        if module.removed_because == Some(Removal::Unassigned) {
            let module = Some(module.clone());
            return Ok(Decided { module, ..row.into() });
        }
        module.remove(Some(Removal::Unassigned));
        let module = module.clone();
        self.changes.save_module(module.clone());
        Ok(self.reassigned(command, row, module, EventKind::ModuleUnassigned))
    }

    fn reassigned(
        &mut self,
        command: &Command,
        row: EnrollmentRow,
        module: ModuleEnrollmentRow,
        kind: EventKind,
    ) -> Decided {
        let row = self.counted(self.changed(row));
        self.keep(&row);
        let data = EventData { module_id: Some(module.module_id), ..EventData::default() };
        self.tell(&command.by, kind, &row, data);
        Decided { module: Some(module), ..row.into() }
    }
}
