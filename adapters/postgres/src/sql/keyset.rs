//! Rows that come after a position in an order.
//!
//! Where every term runs the same way and none is NULL, that is one comparison of rows, which an index answers. Elsewhere it is several
//! cases that exclude each other, each a prefix of equal terms and one comparison: what an index answers one by one.

use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::query::{Direction, Nulls, OrderTerm, Select};
use rowstamp_domain::value::Value;

use super::grouped::{self, Grouped};
use super::order::{self, TermType};
use super::writer::{Alias, Number, Writer, param_type};
use crate::params::Param;

/// The most cases that a table is read for one by one.
const MAX_BRANCHES: usize = 8;

/// A position, and what comes after it.
pub(super) struct Keyset<'a, 's> {
    terms: &'a [OrderTerm],
    values: &'a [Value],
    types: Vec<TermType<'s>>,
    place: Place<'a, 's>,
    /// The parameters of the values; none for NULL.
    numbers: Vec<Option<Number>>,
    branches: Vec<Branch>,
}

/// Over what the terms are written.
pub(super) enum Place<'a, 's> {
    /// Stored rows by this name.
    Rows {
        resource: &'s ResourceDefinition,
        select: &'a Select,
        alias: Alias,
    },
    /// Groups.
    Groups(&'s Grouped<'a, 's>),
}

/// One case: so many terms are as in the position, and the next one is beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Branch {
    equal: usize,
    beyond: Beyond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// Greater or less, depending on the direction; with more than one term, as rows are compared.
    Terms(usize),
    Null,
    NotNull,
}

impl<'a, 's> Keyset<'a, 's> {
    /// Adds the position's values to the parameters.
    pub(super) fn new(
        w: &mut Writer<'a>,
        terms: &'a [OrderTerm],
        values: &'a [Value],
        resource: &'s ResourceDefinition,
        select: &'s Select,
        place: Place<'a, 's>,
    ) -> Self {
        let types: Vec<TermType<'s>> = terms
            .iter()
            .map(|term| match place {
                Place::Rows { .. } => order::term_type(resource, select, term),
                Place::Groups(_) => grouped::term_type(resource, select, term),
            })
            .collect();
        let branches = branches(terms, values, |index| types[index].nullable);
        let numbers = terms
            .iter()
            .zip(values)
            .enumerate()
            .map(|(index, (_, value))| {
                (!value.is_null()).then(|| w.param(Param::Value(value), param_type(types[index].ty)))
            })
            .collect();
        Self {
            terms,
            values,
            types,
            place,
            numbers,
            branches,
        }
    }

    /// Whether the table is better read once for each case: the first term is a column, and there are several cases.
    pub(super) fn is_union(&self) -> bool {
        let column = matches!(self.terms.first(), Some(OrderTerm { embed: None, .. }))
            && self.types.first().is_some_and(|ty| ty.field.is_some());
        column
            && matches!(self.place, Place::Rows { .. })
            && (2..=MAX_BRANCHES).contains(&self.branches.len())
    }

    /// Writes the condition that a row comes after the position.
    pub(super) fn write(&self, w: &mut Writer<'a>) {
        let Some((last, others)) = self.branches.split_last() else {
            return w.push("false");
        };
        if others.is_empty() {
            return self.write_branch(w, *last);
        }
        w.push("(");
        for branch in others {
            self.write_branch(w, *branch);
            w.push(" OR ");
        }
        self.write_branch(w, *last);
        w.push(")");
    }

    /// Writes the rows after the position, case by case: `((SELECT …) UNION ALL (SELECT …))`. Each case is a page in itself, with what
    /// `conditions` writes and in the same order, so that none of them is read further than the page can need.
    pub(super) fn write_union(
        &self,
        w: &mut Writer<'a>,
        resource: &ResourceDefinition,
        mut conditions: impl FnMut(&mut Writer<'a>),
        mut page: impl FnMut(&mut Writer<'a>),
    ) {
        w.push("(");
        for (index, branch) in self.branches.iter().enumerate() {
            w.push(if index > 0 {
                " UNION ALL (SELECT "
            } else {
                "(SELECT "
            });
            for (index, field) in resource.fields.iter().enumerate() {
                if index > 0 {
                    w.push(", ");
                }
                w.column(field);
            }
            w.push(" FROM ");
            w.table(resource);
            w.push(" AS t");
            conditions(w);
            self.write_branch(w, *branch);
            page(w);
            w.push(")");
        }
        w.push(")");
    }

    fn write_branch(&self, w: &mut Writer<'a>, branch: Branch) {
        w.push("(");
        for index in 0..branch.equal {
            self.write_equal(w, index);
            w.push(" AND ");
        }
        match branch.beyond {
            Beyond::Null => {
                self.write_term(w, branch.equal);
                w.push(" IS NULL");
            }
            Beyond::NotNull => {
                self.write_term(w, branch.equal);
                w.push(" IS NOT NULL");
            }
            Beyond::Terms(count) => self.write_beyond(w, branch.equal..branch.equal + count),
        }
        w.push(")");
    }

    fn write_equal(&self, w: &mut Writer<'a>, index: usize) {
        self.write_term(w, index);
        if self.values[index].is_null() {
            w.push(" IS NULL");
        } else {
            w.push(" = ");
            self.write_value(w, index);
        }
    }

    fn write_beyond(&self, w: &mut Writer<'a>, range: std::ops::Range<usize>) {
        let sign = match self.terms[range.start].direction {
            Direction::Ascending => " > ",
            Direction::Descending => " < ",
        };
        let several = range.len() > 1;
        let list = |w: &mut Writer<'a>, one: &dyn Fn(&mut Writer<'a>, usize)| {
            w.push(if several { "(" } else { "" });
            for index in range.clone() {
                if index > range.start {
                    w.push(", ");
                }
                one(w, index);
            }
            w.push(if several { ")" } else { "" });
        };
        list(w, &|w, index| self.write_term(w, index));
        w.push(sign);
        list(w, &|w, index| self.write_value(w, index));
    }

    fn write_term(&self, w: &mut Writer<'a>, index: usize) {
        let term = &self.terms[index];
        match &self.place {
            Place::Rows {
                resource,
                select,
                alias,
            } => order::write_term(w, resource, select, term, *alias),
            Place::Groups(grouped) => grouped.write_term(w, term),
        }
    }

    fn write_value(&self, w: &mut Writer<'a>, index: usize) {
        if let Some(number) = self.numbers[index] {
            w.number(number);
            if let Some(field) = self.types[index].field {
                w.cast_in(field);
            }
        }
    }
}

/// The cases in which a row comes after the position; no row is in two of them.
fn branches(terms: &[OrderTerm], values: &[Value], nullable: impl Fn(usize) -> bool) -> Vec<Branch> {
    let count = terms.len().min(values.len());
    let alike = alike_from(terms, values, count, &nullable);
    let mut branches = Vec::with_capacity(count + 1);
    for index in 0..count {
        let mut add = |beyond| branches.push(Branch { equal: index, beyond });
        if index == alike {
            add(Beyond::Terms(count - index));
            break;
        }
        match (values[index].is_null(), terms[index].nulls) {
            (true, Nulls::First) => add(Beyond::NotNull),
            (true, Nulls::Last) => {}
            (false, nulls) => {
                add(Beyond::Terms(1));
                if nulls == Nulls::Last && nullable(index) {
                    add(Beyond::Null);
                }
            }
        }
    }
    branches
}

/// From where on all terms run the same way and know no NULL.
fn alike_from(
    terms: &[OrderTerm],
    values: &[Value],
    count: usize,
    nullable: &impl Fn(usize) -> bool,
) -> usize {
    let plain = |index: usize| !nullable(index) && !values[index].is_null();
    let mut start = count;
    while start > 0 && plain(start - 1) && terms[start - 1].direction == terms[count - 1].direction {
        start -= 1;
    }
    start
}

#[cfg(test)]
mod tests {
    use rowstamp_domain::query::Operand;

    use super::*;

    fn term(direction: Direction, nulls: Nulls) -> OrderTerm {
        let api = rowstamp_domain::definition::toml::parse(
            "a.toml",
            "[resources.a.fields]\nb = { type = \"text\" }",
        )
        .expect("the definition is right");
        OrderTerm {
            embed: None,
            operand: Operand::Field(api.resources[0].audit.uid),
            direction,
            nulls,
        }
    }

    const fn case(equal: usize, beyond: Beyond) -> Branch {
        Branch { equal, beyond }
    }

    #[test]
    fn terms_that_run_alike_and_know_no_null_are_compared_as_rows() {
        let up = term(Direction::Ascending, Nulls::Last);
        let one = Value::Integer(1);
        let cases = branches(
            &[up.clone(), up.clone(), up],
            &[one.clone(), one.clone(), one],
            |_| false,
        );
        assert_eq!(cases, [case(0, Beyond::Terms(3))]);
    }

    #[test]
    fn every_other_order_is_cases_that_exclude_each_other() {
        let up = term(Direction::Ascending, Nulls::Last);
        let down = term(Direction::Descending, Nulls::First);
        let one = || Value::Integer(1);
        assert_eq!(
            branches(&[up.clone(), down.clone()], &[one(), one()], |_| false),
            [case(0, Beyond::Terms(1)), case(1, Beyond::Terms(1))]
        );
        assert_eq!(
            branches(&[up.clone(), up.clone()], &[one(), one()], |index| index == 0),
            [
                case(0, Beyond::Terms(1)),
                case(0, Beyond::Null),
                case(1, Beyond::Terms(1))
            ]
        );
        assert_eq!(
            branches(&[up.clone(), up.clone()], &[Value::Null, one()], |index| index
                == 0),
            [case(1, Beyond::Terms(1))]
        );
        assert_eq!(
            branches(&[down, up], &[Value::Null, one()], |index| index == 0),
            [case(0, Beyond::NotNull), case(1, Beyond::Terms(1))]
        );
    }
}
