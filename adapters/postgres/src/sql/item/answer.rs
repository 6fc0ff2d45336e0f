//! What a write shows of the row it wrote.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::operation::{Representation, Update};
use rowstamp_domain::query::{Condition, Select};

use crate::sql::condition::{self, Row};
use crate::sql::plan::Layout;
use crate::sql::select::{Naming, separate, write_columns, write_version};
use crate::sql::writer::Writer;

/// What a write shows of the row.
pub(in crate::sql) struct Answer<'a, 's> {
    pub(in crate::sql) resource: &'s ResourceDefinition,
    pub(in crate::sql) select: &'a Select,
    pub(in crate::sql) representation: Representation,
    pub(in crate::sql) visible: &'a Condition,
}

impl<'a> Answer<'a, 'a> {
    pub(in crate::sql) fn of_update(update: &'a Update) -> Self {
        Self {
            resource: &update.resource,
            select: &update.select,
            representation: update.representation,
            visible: &update.visible,
        }
    }
}

/// The columns that a write returns, by the names they have in its CTE.
pub(in crate::sql) struct Written {
    selected: usize,
    version: Option<usize>,
    /// Whether the version is a column of its own, `v`.
    own_version: bool,
    shown: bool,
}

pub(in crate::sql) fn returning<'a>(w: &mut Writer<'a>, answer: &Answer<'a, '_>) -> Written {
    w.push(" RETURNING ");
    let mut layout = write_columns(
        w,
        answer.resource,
        answer.select,
        answer.representation,
        Naming::Numbered,
    );
    let selected = layout.selected;
    let among = layout.version;
    write_version(w, answer.resource, &mut layout, Naming::Numbered);
    let shown = answer.representation != Representation::Nothing && !condition::is_always(answer.visible);
    if shown {
        separate(w, &layout);
        condition::write(w, answer.resource, answer.visible, &Row::Stored);
        w.push(" IS TRUE AS shown");
        layout.next();
    }
    separate(w, &layout);
    w.push("true AS written");
    Written {
        selected,
        version: layout.version,
        own_version: among.is_none() && layout.version.is_some(),
        shown,
    }
}

impl Written {
    pub(in crate::sql) fn select(&self, w: &mut Writer<'_>) -> Layout {
        self.select_as(w, "w")
    }

    pub(in crate::sql) fn select_as(&self, w: &mut Writer<'_>, alias: &str) -> Layout {
        let mut layout = Layout::default();
        for index in 0..self.selected {
            separate(w, &layout);
            w.push(alias);
            w.indexed(".c", index);
            layout.next();
        }
        layout.selected = self.selected;
        let column = |w: &mut Writer<'_>, layout: &mut Layout, name: &str| {
            separate(w, layout);
            w.push(alias);
            w.push(name);
            layout.next()
        };
        layout.version = self.version;
        if self.own_version {
            layout.version = Some(column(w, &mut layout, ".v"));
        }
        if self.shown {
            layout.shown = Some(column(w, &mut layout, ".shown"));
        }
        layout.present = Some(column(w, &mut layout, ".written"));
        layout
    }
}
