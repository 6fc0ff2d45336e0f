//! The pure parts of this crate by themselves, for whoever measures them. No promise holds for what is here.

use bytes::BytesMut;
use rowstamp_domain::json_text::Buffer;
use rowstamp_domain::operation::Operation;
use tokio_postgres::types::{IsNull, ToSql as _, Type};

use crate::encode::{self, Encoding};
use crate::sql::{self, Plan, Plans};

/// Operations to statements: found by shape, with their parameters as they are sent.
#[derive(Debug, Default)]
pub struct Statements(Plans);

impl Statements {
    /// Finds the statement of an operation, appends its parameters as they are sent, and gives the length of its text.
    ///
    /// # Panics
    /// When a value is not of its parameter's type, which is a defect.
    pub fn map(&self, operation: &Operation, sent: &mut BytesMut) -> usize {
        let plan = self.0.find(operation);
        for (param, ty) in sql::params(operation).into_iter().zip(&plan.types) {
            let written = param.to_sql(ty, sent).expect("it is of its type");
            sent.extend_from_slice(&[u8::from(matches!(written, IsNull::Yes))]);
        }
        plan.sql.len()
    }
}

/// An answer in the making.
#[derive(Debug, Default)]
pub struct Answer(Buffer);

impl Answer {
    /// Its bytes so far.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Begins it anew.
    pub fn clear(&mut self) {
        self.0.truncate(0);
    }
}

/// Rows to JSON.
#[derive(Debug)]
pub struct Rows {
    plan: Plan,
    encodings: Vec<Encoding>,
}

impl Rows {
    /// For the rows of an operation whose columns are found to be of these types.
    ///
    /// # Panics
    /// When a column cannot hold its field.
    pub fn of(operation: &Operation, types: &[Type]) -> Self {
        let plan = Plan::build(0, operation);
        let resource = operation.resource();
        let encodings = plan.columns.iter().zip(types).map(|(column, ty)| {
            let field = resource.field(column.field.expect("it is a field"));
            Encoding::of(field.ty, false, ty).expect("the column can hold its field")
        });
        Self {
            encodings: encodings.collect(),
            plan,
        }
    }

    /// Appends one row to `answer`.
    ///
    /// # Panics
    /// When a column is not what its type promises.
    pub fn write(&self, columns: &[Option<&[u8]>], answer: &mut Answer) {
        let out = &mut answer.0;
        for ((column, encoding), raw) in self.plan.columns.iter().zip(&self.encodings).zip(columns) {
            out.extend_from_word(&column.key);
            encode::write(*encoding, *raw, out).expect("the column is whole");
        }
        out.push(b'}');
    }
}
