//! Collects the TypeScript declarations behind a type.

use std::collections::BTreeMap;

use ts_rs::{Config, TS, TypeVisitor};

use super::Type;
use crate::error::ErrorShape;

impl Type {
    /// What every error looks like, which no procedure names.
    pub fn of_errors() -> Self {
        Type::of::<ErrorShape>()
    }
}

/// Adds the declaration of `T`, and of all the types it uses, by name.
///
/// Two different types of one name would leave clients with one of them, so they are a defect.
pub(super) fn declare<T: TS + 'static + ?Sized>(config: &Config, into: &mut BTreeMap<String, String>) {
    struct Visit<'a>(&'a Config, &'a mut BTreeMap<String, String>);
    impl TypeVisitor for Visit<'_> {
        fn visit<T: TS + 'static + ?Sized>(&mut self) {
            declare::<T>(self.0, self.1);
        }
    }

    // Before what is known returns: one generic type is used with many others.
    T::visit_generics(&mut Visit(config, into));
    // A type with a path has a declaration of its own; a primitive has none.
    if T::output_path().is_some() {
        let name = T::ident(config);
        let declaration = format!("{}export {}", T::docs().unwrap_or_default(), T::decl(config));
        if let Some(known) = into.get(&name) {
            assert_eq!(*known, declaration, "two types are called {name}");
            return;
        }
        into.insert(name, declaration);
    }
    T::visit_dependencies(&mut Visit(config, into));
}
