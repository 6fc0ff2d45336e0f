//! What is worked out once for each resource, so that no request has to: routes, default columns, fingerprints, hooks.

use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rowstamp_domain::definition::{ApiDefinition, FieldId, JsonEncoding, ResourceDefinition};
use rowstamp_domain::query::{Select, SelectItem};
use rowstamp_ports::{HookPoints, Hooks};

use crate::conditional::Fingerprint;
use crate::negotiate::Media;

/// What is encoded in a path segment (RFC 3986: everything but unreserved characters, sub-delimiters, `:` and `@`).
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The path of a resource: a slash and its segment, percent-encoded.
pub(crate) fn encoded_path(segment: &str) -> String {
    format!("/{}", utf8_percent_encode(segment, SEGMENT))
}

/// A resource as it is served.
pub(crate) struct Served {
    pub(crate) definition: Arc<ResourceDefinition>,
    pub(crate) hooks: Option<Arc<dyn Hooks>>,
    pub(crate) points: HookPoints,
    /// `/books`, percent-encoded.
    pub(crate) path: String,
    /// Every field that is not write-only.
    pub(crate) shown: Columns,
    /// Every field, for hooks.
    pub(crate) every_field: Select,
    /// Whether some field has a read rule of its own, so that `shown` depends on the caller.
    pub(crate) has_read_rules: bool,
    /// Stands for the definition in entity tags.
    fingerprint: Fingerprint,
}

/// Columns of an answer, and what stands for them in entity tags.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    pub(crate) select: Select,
    /// `None` where rows of other resources are among them, whose versions no tag tells.
    fingerprints: Option<[Fingerprint; Media::ALL.len()]>,
}

impl Columns {
    /// What stands for an answer with these columns in this media type.
    pub(crate) fn fingerprint(&self, media: Media) -> Option<Fingerprint> {
        self.fingerprints
            .as_ref()
            .map(|fingerprints| fingerprints[media as usize])
    }
}

impl Served {
    pub(crate) fn new(definition: Arc<ResourceDefinition>, hooks: Option<Arc<dyn Hooks>>) -> Self {
        let points = hooks.as_ref().map_or(HookPoints::NONE, |hooks| hooks.points());
        let fingerprint = fingerprint_of(&definition);
        let every_field = select_of(definition.field_ids());
        let shown = columns(&definition, fingerprint, definition.select_all().clone());
        Self {
            path: encoded_path(&definition.path),
            has_read_rules: definition.fields.iter().any(|field| field.read.is_some()),
            hooks,
            points,
            shown,
            every_field,
            fingerprint,
            definition,
        }
    }

    /// Columns chosen by a request.
    pub(crate) fn columns(&self, select: Select) -> Columns {
        columns(&self.definition, self.fingerprint, select)
    }
}

fn select_of(ids: impl Iterator<Item = FieldId>) -> Select {
    Select(ids.map(SelectItem::Field).collect())
}

fn columns(definition: &ResourceDefinition, fingerprint: Fingerprint, select: Select) -> Columns {
    if select.embeds().next().is_some() {
        return Columns {
            select,
            fingerprints: None,
        };
    }
    let mut of_select = fingerprint;
    for item in select.0.iter() {
        of_select = match item {
            SelectItem::Field(id) => of_select.with(&id.number().to_le_bytes()),
            SelectItem::Column(_) | SelectItem::Embed(_) => {
                let text = Select([item.clone()].into()).to_text(definition);
                of_select.with(text.as_bytes())
            }
        };
    }
    let fingerprints = Media::ALL.map(|media| of_select.with(&[media as u8]));
    Columns {
        select,
        fingerprints: Some(fingerprints),
    }
}

/// Everything in a definition that the bytes of a row's representation depend on.
fn fingerprint_of(definition: &ResourceDefinition) -> Fingerprint {
    let mut fingerprint = Fingerprint::start().with(definition.name.as_bytes());
    for field in &definition.fields {
        fingerprint = fingerprint
            .with(field.name.as_bytes())
            .with(field.ty.scalar.name().as_bytes())
            .with(&[
                u8::from(field.ty.array),
                u8::from(field.json == JsonEncoding::String),
            ]);
    }
    fingerprint
}

/// Every resource of an API, found by its path segment.
pub(crate) struct Resources {
    served: Vec<Served>,
    /// Positions in `served`, ordered by path.
    by_path: Vec<usize>,
}

impl Resources {
    pub(crate) fn new(api: &ApiDefinition, hooks: Vec<Option<Arc<dyn Hooks>>>) -> Self {
        let hooks = hooks.into_iter().chain(std::iter::repeat(None));
        let served: Vec<Served> = api
            .resources
            .iter()
            .zip(hooks)
            .map(|(definition, hooks)| Served::new(Arc::clone(definition), hooks))
            .collect();
        let mut by_path: Vec<usize> = (0..served.len()).collect();
        by_path.sort_by(|left, right| served[*left].definition.path.cmp(&served[*right].definition.path));
        Self { served, by_path }
    }

    /// Whether a hook looks at each row of this resource that is read.
    pub(crate) fn looks_at_rows(&self, definition: &ResourceDefinition) -> bool {
        let served = self.served.get(definition.id as usize);
        served.is_some_and(|served| served.points.after_read)
    }

    /// The resource under this (decoded) segment.
    pub(crate) fn at(&self, segment: &str) -> Option<&Served> {
        let found = self
            .by_path
            .binary_search_by(|index| self.served[*index].definition.path.as_str().cmp(segment))
            .ok()?;
        Some(&self.served[self.by_path[found]])
    }
}
