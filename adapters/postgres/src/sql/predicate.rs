//! One operand and what is asked of it.

use rowstamp_domain::definition::{Field, ResourceDefinition};
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::query::{
    Comparison, IsTest, Operand, PatternKind, Predicate, Quantifier, SearchConfig, SearchKind, Test,
};
use rowstamp_domain::value::Value;
use tokio_postgres::types::Type;

use super::condition::Row;
use super::operand;
use super::writer::{Writer, array_type, param_type, sql_type};
use crate::params::Param;

/// The left side of a test.
struct Left<'s, 'a> {
    resource: &'s ResourceDefinition,
    operand: &'a Operand,
    row: &'s Row<'s>,
    ty: FieldType,
    /// The field whose column it is, which may have a type of its own.
    field: Option<&'s Field>,
}

impl<'a> Left<'_, 'a> {
    fn write(&self, w: &mut Writer<'a>) {
        operand::write(w, self.resource, self.operand, self.row);
    }

    /// As text, where the column's own type is another that looks like it.
    fn write_plain(&self, w: &mut Writer<'a>) {
        self.write(w);
        if let Some(field) = self.field {
            w.cast_out(field);
        }
    }

    /// As an array of the type that parameters have; the cast is nothing where the column has that type.
    fn write_array(&self, w: &mut Writer<'a>) {
        self.write(w);
        if self.ty.array && self.field.is_some_and(|field| field.db_type.is_none()) {
            w.push("::");
            w.push(sql_type(self.ty.scalar));
            w.push("[]");
        }
    }

    /// A value as a parameter.
    fn value(&self, w: &mut Writer<'a>, value: &'a Value) {
        let number = w.param(Param::Value(value), param_type(self.ty));
        w.number(number);
        if let Some(field) = self.field {
            w.cast_in(field);
        }
    }

    /// Values as one array; the operand is no array itself.
    fn values(&self, w: &mut Writer<'a>, values: &'a [Value]) {
        let number = w.param(Param::List(values), array_type(self.ty.scalar));
        w.number(number);
        if let Some(field) = self.field.filter(|field| field.db_type.is_some()) {
            w.cast_in(field);
            w.push("[]");
        }
    }

    fn text(w: &mut Writer<'a>, value: &'a Value) {
        let number = w.param(Param::Value(value), Type::TEXT);
        w.number(number);
    }
}

/// Writes a test; what it writes can stand next to AND.
pub(super) fn write<'a>(w: &mut Writer<'a>, resource: &ResourceDefinition, test: &'a Test, row: &Row<'_>) {
    let left = Left {
        resource,
        operand: &test.operand,
        row,
        ty: test.operand.ty(resource),
        field: operand::whole_field(resource, &test.operand),
    };
    w.push("(");
    write_predicate(w, &left, &test.predicate);
    w.push(")");
}

fn write_predicate<'a>(w: &mut Writer<'a>, left: &Left<'_, 'a>, predicate: &'a Predicate) {
    match predicate {
        Predicate::Compare(comparison, value) => infix(w, left, comparison_sign(*comparison), value),
        Predicate::IsDistinct(value) => infix(w, left, " IS DISTINCT FROM ", value),
        Predicate::In(values) => {
            compare_each(w, left, Comparison::Eq, Quantifier::Any, values);
        }
        Predicate::CompareEach(comparison, quantifier, values) => {
            compare_each(w, left, *comparison, *quantifier, values);
        }
        Predicate::Is(is) => {
            left.write(w);
            w.push(match is {
                IsTest::Null => " IS NULL",
                IsTest::NotNull => " IS NOT NULL",
                IsTest::True => " IS TRUE",
                IsTest::False => " IS FALSE",
                IsTest::Unknown => " IS UNKNOWN",
            });
        }
        Predicate::Matches(kind, pattern) => {
            left.write_plain(w);
            w.push(pattern_sign(*kind));
            Left::text(w, pattern);
        }
        Predicate::MatchesEach(kind, quantifier, patterns) => {
            left.write_plain(w);
            w.push(pattern_sign(*kind));
            w.push(quantifier_word(*quantifier));
            let number = w.param(Param::List(patterns), Type::TEXT_ARRAY);
            w.number(number);
            w.push(")");
        }
        Predicate::Search { kind, config, words } => search(w, left, *kind, *config, words),
        Predicate::Contains(value) => arrays(w, left, " @> ", value),
        Predicate::ContainedIn(value) => arrays(w, left, " <@ ", value),
        Predicate::Overlaps(value) => arrays(w, left, " && ", value),
    }
}

fn infix<'a>(w: &mut Writer<'a>, left: &Left<'_, 'a>, sign: &str, value: &'a Value) {
    left.write(w);
    w.push(sign);
    left.value(w, value);
}

fn arrays<'a>(w: &mut Writer<'a>, left: &Left<'_, 'a>, sign: &str, value: &'a Value) {
    left.write_array(w);
    w.push(sign);
    left.value(w, value);
}

fn compare_each<'a>(
    w: &mut Writer<'a>,
    left: &Left<'_, 'a>,
    comparison: Comparison,
    quantifier: Quantifier,
    values: &'a [Value],
) {
    if !left.ty.array {
        left.write(w);
        w.push(comparison_sign(comparison));
        w.push(quantifier_word(quantifier));
        left.values(w, values);
        return w.push(")");
    }
    // Arrays cannot be elements of a one-dimensional array, so each is a parameter.
    let (empty, between) = match quantifier {
        Quantifier::Any => ("false", " OR "),
        Quantifier::All => ("true", " AND "),
    };
    w.push(empty);
    for value in values {
        w.push(between);
        infix(w, left, comparison_sign(comparison), value);
    }
}

fn search<'a>(
    w: &mut Writer<'a>,
    left: &Left<'_, 'a>,
    kind: SearchKind,
    config: Option<SearchConfig>,
    words: &'a Value,
) {
    let name = |w: &mut Writer<'a>| {
        if let Some(config) = config {
            w.push("'pg_catalog.");
            w.push(config.name());
            w.push("'::regconfig, ");
        }
    };
    w.push("to_tsvector(");
    name(w);
    left.write_plain(w);
    w.push(match kind {
        SearchKind::Query => ") @@ to_tsquery(",
        SearchKind::Plain => ") @@ plainto_tsquery(",
        SearchKind::Phrase => ") @@ phraseto_tsquery(",
        SearchKind::Web => ") @@ websearch_to_tsquery(",
    });
    name(w);
    Left::text(w, words);
    w.push(")");
}

const fn comparison_sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => " = ",
        Comparison::Neq => " <> ",
        Comparison::Gt => " > ",
        Comparison::Gte => " >= ",
        Comparison::Lt => " < ",
        Comparison::Lte => " <= ",
    }
}

const fn pattern_sign(kind: PatternKind) -> &'static str {
    match kind {
        PatternKind::Like => " LIKE ",
        PatternKind::ILike => " ILIKE ",
        PatternKind::Regex => " ~ ",
        PatternKind::IRegex => " ~* ",
    }
}

const fn quantifier_word(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::Any => "ANY (",
        Quantifier::All => "ALL (",
    }
}
