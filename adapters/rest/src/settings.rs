//! What can be set about answers. How large a body may be and which base path counts is the entrances' to read.

use rowstamp_ports::{Problems, Vars};

use crate::cors::Cors;
use crate::cursor::CursorKeys;

/// Settings of the [`Controller`](crate::Controller).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `ROWSTAMP_CORS_ORIGINS`
    pub cors: Cors,
    /// `ROWSTAMP_SERVER_TIMING`: whether answers say how long they took and how much of that the database.
    pub server_timing: bool,
    /// `ROWSTAMP_CURSOR_KEY`
    pub cursor_keys: CursorKeys,
    /// What to tell whoever gets a 401, where tokens are to be had in a way that a caller may not know.
    pub token_hint: Option<&'static str>,
}

impl Settings {
    /// Reads them; what is wrong is reported, and all of it.
    pub fn read(vars: &Vars, problems: &mut Problems) -> Self {
        Self {
            cors: Cors::read(vars, problems),
            server_timing: match vars.get("ROWSTAMP_SERVER_TIMING") {
                None | Some("off") => false,
                Some("on") => true,
                Some(_) => {
                    problems.report("ROWSTAMP_SERVER_TIMING", "expected on or off");
                    false
                }
            },
            cursor_keys: CursorKeys::read(vars, problems),
            token_hint: None,
        }
    }
}
