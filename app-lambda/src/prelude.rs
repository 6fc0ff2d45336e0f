//! What a program that declares resources needs: `use rowstamp_lambda::prelude::*;`
//!
//! Only names of other crates, so that the same program reads the same on Lambda and on a laptop.

pub use async_trait::async_trait;
pub use rowstamp_domain::caller::Caller;
pub use rowstamp_domain::record::Record;
pub use rowstamp_domain::value::Value;
pub use rowstamp_domain::{Resource, ResourceEnum};
pub use rowstamp_ports::{HookContext, HookPoints, Hooks, Refusal, Transaction};
pub use rowstamp_rest::Api;

pub use crate::{StartError, run};
