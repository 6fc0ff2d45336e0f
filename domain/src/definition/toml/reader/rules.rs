//! Who may do what, and where the stamps are kept.

use toml_edit::{Item, TableLike, Value};

use super::Reader;
use crate::definition::spec::{AccessSpec, ActorType, AuditColumn, AuditSpec, RuleSpec};

const AUDIT_KEYS: &[&str] = &[
    "uid",
    "created_at",
    "last_updated_at",
    "creator_uid",
    "last_updater_uid",
    "actor",
];
const OPERATIONS: &[&str] = &["read", "create", "update", "delete"];

/// How deep rules may be nested; nobody's are, and the check descends into them.
const RULE_DEPTH: usize = 8;

impl Reader<'_> {
    pub(super) fn access(&mut self, item: &Item) -> AccessSpec {
        let mut spec = AccessSpec::default();
        self.table(
            item,
            "rules for `read`, `create`, `update` and `delete`",
            |reader, key, item| match key {
                "read" => spec.read = reader.rule(item),
                "create" => spec.create = reader.rule(item),
                "update" => spec.update = reader.rule(item),
                "delete" => spec.delete = reader.rule(item),
                _ => reader.unknown(key, OPERATIONS),
            },
        );
        spec
    }

    pub(super) fn rule(&mut self, item: &Item) -> Option<RuleSpec> {
        match item {
            Item::Value(value) => self.rule_value(value, 0),
            Item::Table(table) => self.all_of(table, 0),
            Item::None | Item::ArrayOfTables(_) => {
                self.wrong_rule();
                None
            }
        }
    }

    fn rule_value(&mut self, value: &Value, depth: usize) -> Option<RuleSpec> {
        if depth > RULE_DEPTH {
            self.mistake(format!("rules are nested deeper than {RULE_DEPTH} levels"));
            return None;
        }
        match value {
            Value::String(word) => Some(RuleSpec::One(word.value().clone())),
            Value::Array(array) => self.rule_list(array, depth).map(RuleSpec::Any),
            Value::InlineTable(table) => self.all_of(table, depth),
            _ => {
                self.wrong_rule();
                None
            }
        }
    }

    fn all_of(&mut self, table: &dyn TableLike, depth: usize) -> Option<RuleSpec> {
        if let (1, Some(array)) = (table.len(), table.get("all").and_then(Item::as_array)) {
            self.path.push("all".to_owned());
            let rules = self.rule_list(array, depth);
            self.path.pop();
            rules.map(RuleSpec::All)
        } else {
            self.wrong_rule();
            None
        }
    }

    fn rule_list(&mut self, array: &toml_edit::Array, depth: usize) -> Option<Vec<RuleSpec>> {
        let mut rules = Vec::new();
        for (position, value) in array.iter().enumerate() {
            self.path.push(position.to_string());
            let rule = self.rule_value(value, depth + 1);
            self.path.pop();
            rules.push(rule);
        }
        rules.into_iter().collect()
    }

    fn wrong_rule(&mut self) {
        self.mistake(
            "expected a rule such as \"authenticated\", a list of rules of which any is enough, or { all = [ … ] }",
        );
    }

    pub(super) fn audit(&mut self, item: &Item) -> AuditSpec {
        let mut spec = AuditSpec::default();
        self.table(item, "the names of the audit columns", |reader, key, item| match key {
            "uid" => {
                if item.as_bool() == Some(false) {
                    reader.mistake("expected a column of type uuid; a resource without a primary key cannot be served");
                } else {
                    spec.uid = reader.text(item);
                }
            }
            "created_at" => spec.created_at = reader.audit_column(item),
            "last_updated_at" => spec.last_updated_at = reader.audit_column(item),
            "creator_uid" => spec.creator_uid = reader.audit_column(item),
            "last_updater_uid" => spec.last_updater_uid = reader.audit_column(item),
            "actor" => {
                let words = [("text", ActorType::Text), ("uuid", ActorType::Uuid)];
                spec.actor = reader.word(item, &words).unwrap_or_default();
            }
            _ => reader.unknown(key, AUDIT_KEYS),
        });
        spec
    }

    fn audit_column(&mut self, item: &Item) -> AuditColumn {
        match item.as_value() {
            Some(Value::String(name)) => AuditColumn::Named(name.value().clone()),
            Some(Value::Boolean(present)) if *present.value() => AuditColumn::Standard,
            Some(Value::Boolean(_)) => AuditColumn::Absent,
            _ => {
                self.wrong_kind(
                    item,
                    "expected the column's name, or false where the table has no such column",
                );
                AuditColumn::Standard
            }
        }
    }
}
