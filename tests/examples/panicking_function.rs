//! A function whose hooks panic when a note says so: before and after the statement, and in a task of their own.

use std::process::ExitCode;

use rowstamp_lambda::prelude::*;

#[derive(Resource)]
#[resource(path = "notes", access(read = "anyone", create = "anyone"))]
struct Note {
    body: String,
}

struct NoteHooks;

#[async_trait]
impl Hooks for NoteHooks {
    fn points(&self) -> HookPoints {
        HookPoints {
            before_create: true,
            after_create: true,
            ..HookPoints::NONE
        }
    }

    async fn before_create(&self, _context: &HookContext, change: &mut Record) -> Result<(), Refusal> {
        assert_ne!(text(change), Some("before"), "secret-of-the-note");
        Ok(())
    }

    async fn after_create(
        &self,
        _context: &HookContext,
        _transaction: &mut Transaction,
        record: &Record,
    ) -> Result<(), Refusal> {
        assert_ne!(text(record), Some("after"), "secret-of-the-note");
        Ok(())
    }
}

fn text(record: &Record) -> Option<&str> {
    match record.get("body") {
        Some(Value::Text(body)) => Some(body),
        _ => None,
    }
}

fn main() -> ExitCode {
    rowstamp_lambda::block_on(Api::new("Notes", "1.0.0").resource_with::<Note>(NoteHooks))
}
