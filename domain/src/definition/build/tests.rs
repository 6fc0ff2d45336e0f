#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::access::AccessRule;
use crate::definition::spec::{ApiSpec, FieldSpec, Literal, ResourceSpec};
use crate::definition::{ApiDefinition, Default, FieldId, FieldRole, JsonEncoding, OnDelete, toml};
use crate::field_type::{FieldType, ScalarType};
use crate::query::Condition;
use crate::value::Value;

/// What is wrong with a definition, without the file and the place.
fn mistakes(text: &str) -> Vec<String> {
    match toml::parse("test.toml", text) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes
            .mistakes
            .iter()
            .map(|m| format!("{}: {}", m.path.join("."), m.message))
            .collect(),
    }
}

/// What is wrong with one field of a resource `r` beside a resource `other`.
fn field_mistakes(name: &str, options: &str) -> Vec<String> {
    let text = format!("[resources.other.fields]\n[resources.r.fields]\n{name} = {{ {options} }}\n");
    let prefix = format!("resources.r.fields.{name}");
    mistakes(&text)
        .into_iter()
        .map(|mistake| {
            mistake
                .strip_prefix(&prefix)
                .unwrap()
                .trim_start_matches(['.', ':', ' '])
                .to_owned()
        })
        .collect()
}

#[test]
fn every_option_of_a_field_is_kept() {
    let text = r#"
        [resources.authors.fields]
        [resources.r.fields]
        code = { type = "text", required = true, default = "ab", min_length = 1, max_length = 9, pattern = "^[a-z]+$", unique = true, immutable = true, column = "the_code", description = "A code", example = "xyz" }
        price = { type = "decimal", precision = 10, scale = 2, min = 0, max = 99.5, json = "string", default = 1.50 }
        big = { type = "bigint[]", json = "string", min = 9007199254740993, max_length = 3 }
        state = { type = "enum", values = ["on", "off"], db_type = "public.state", default = "off" }
        author = { type = "uuid", references = "authors", on_delete = "cascade" }
        secret = { type = "text", write_only = true, write = ["group:a", "scope:b"] }
        made = { type = "timestamp", read_only = true, required = true, default = { database = true }, read = { all = ["authenticated", "group:a"] } }
        day = { type = "date", default = 2026-01-31, min = 2000-01-01 }
        at = { type = "time", default = 07:30:00 }
        extra = { type = "json", default = { a = [1, 2.50, "x"] } }
    "#;
    let api = toml::parse("test.toml", text).unwrap();
    let resource = api.resource("r").unwrap();
    let field = |name| resource.field(resource.field_id(name).unwrap());

    let code = field("code");
    assert_eq!(
        (code.column.as_str(), code.required, code.unique, code.immutable),
        ("the_code", true, true, true)
    );
    assert_eq!((code.min_length, code.max_length), (Some(1), Some(9)));
    assert_eq!(code.pattern.as_ref().unwrap().as_str(), "^[a-z]+$");
    assert_eq!(code.default, Default::Value(Value::Text("ab".to_owned())));
    assert_eq!(code.example, Some(Value::Text("xyz".to_owned())));
    assert_eq!(code.description.as_deref(), Some("A code"));
    assert_eq!(code.role, FieldRole::Declared);

    let price = field("price");
    assert_eq!(
        (price.precision, price.scale, price.json),
        (Some(10), Some(2), JsonEncoding::String)
    );
    let Default::Value(default) = &price.default else {
        panic!("a default")
    };
    assert_eq!(default.to_json(), "1.50");
    assert_eq!(field("big").min, Some(Value::BigInt(9_007_199_254_740_993)));
    assert_eq!(field("state").values, ["on", "off"]);
    assert_eq!(field("state").db_type.as_deref(), Some("public.state"));
    assert_eq!(
        field("author").references.as_ref().unwrap().on_delete,
        OnDelete::Cascade
    );
    assert!(field("secret").write_only);
    assert_eq!(
        field("secret").write,
        Some(AccessRule::Any(vec![
            AccessRule::Group("a".to_owned()),
            AccessRule::Scope("b".to_owned())
        ]))
    );
    assert_eq!(
        field("made").read,
        Some(AccessRule::All(vec![
            AccessRule::Authenticated,
            AccessRule::Group("a".to_owned())
        ]))
    );
    assert_eq!(field("made").default, Default::Database);
    let json = |name| match &field(name).default {
        Default::Value(value) => value.to_json(),
        other => panic!("a value, not {other:?}"),
    };
    assert_eq!(json("day"), "\"2026-01-31\"");
    assert_eq!(json("at"), "\"07:30:00\"");
    assert_eq!(json("extra"), "{\"a\": [1, 2.50, \"x\"]}");
}

#[test]
fn options_that_do_not_fit_the_type_or_each_other_are_refused() {
    for (options, expected) in [
        (
            r#"type = "boolean", min = 1"#,
            &["min: is for numbers, dates and times, and this field is boolean"][..],
        ),
        (
            r#"type = "integer", max_length = 1"#,
            &["max_length: is for text, bytes and arrays, and this field is integer"],
        ),
        (r#"type = "integer[]", max_length = 1"#, &[]),
        (
            r#"type = "integer", pattern = "a""#,
            &["pattern: is for text, and this field is integer"],
        ),
        (
            r#"type = "text", pattern = "(""#,
            &["pattern: expected a regular expression: unclosed group"],
        ),
        (
            r#"type = "text", values = ["a"]"#,
            &["values: is for enum, and this field is text"],
        ),
        (
            r#"type = "enum""#,
            &["values: an enum needs its values, such as values = [\"draft\", \"published\"]"],
        ),
        (
            r#"type = "enum", values = ["a", "b", "a"]"#,
            &["values: \"a\" is there twice"],
        ),
        (
            r#"type = "enum", values = ["a"], default = "b""#,
            &["default: expected one of a"],
        ),
        (
            r#"type = "enum", values = ["a"], db_type = "a.b.c""#,
            &[
                "db_type: `b.c` is no name: expected letters, digits and `_`, not beginning with a digit (as `name` or `schema.name`)",
            ],
        ),
        (
            r#"type = "text", db_type = "citext""#,
            &["db_type: is for enum, and this field is text"],
        ),
        (
            r#"type = "integer", precision = 3"#,
            &["precision: is for decimal, and this field is integer"],
        ),
        (
            r#"type = "decimal", scale = 3"#,
            &["scale: needs a `precision`, the digits in all"],
        ),
        (
            r#"type = "decimal", precision = 0"#,
            &["precision: expected a number from 1 to 1000"],
        ),
        (
            r#"type = "decimal", precision = 1001"#,
            &["precision: expected a number from 1 to 1000"],
        ),
        (
            r#"type = "decimal", precision = 2, scale = 3"#,
            &["scale: expected at most the precision, which is 2"],
        ),
        (
            r#"type = "decimal", precision = 3, scale = 1, default = 0.25"#,
            &["default: at most 1 digits after the decimal point; nothing is rounded"],
        ),
        (
            r#"type = "integer", json = "string""#,
            &["json: is for bigint and decimal, and this field is integer"],
        ),
        (
            r#"type = "text", references = "other""#,
            &["references: is for uuid, and this field is text"],
        ),
        (
            r#"type = "uuid[]", references = "other""#,
            &["references: is for uuid, and this field is uuid[]"],
        ),
        (
            r#"type = "uuid", references = "othre""#,
            &["references: there is no resource `othre`; did you mean `other`?"],
        ),
        (
            r#"type = "uuid", on_delete = "cascade""#,
            &["on_delete: is for fields with `references`"],
        ),
        (
            r#"type = "uuid", required = true, references = "other", on_delete = "set_null""#,
            &["on_delete: a required field cannot be set to NULL, expected \"restrict\" or \"cascade\""],
        ),
        (
            r#"type = "integer", min = 5, max = 4"#,
            &["min: expected at most `max`, which is 4"],
        ),
        (
            r#"type = "date", min = 2026-01-02, max = 2026-01-01"#,
            &["min: expected at most `max`, which is \"2026-01-01\""],
        ),
        (
            r#"type = "integer", min = "x""#,
            &["min: expected a number without fraction or exponent, found a string"],
        ),
        (
            r#"type = "integer", min = 2147483648"#,
            &["min: out of range, expected a whole number from -2147483648 to 2147483647"],
        ),
        (
            r#"type = "text", min_length = 5, max_length = 4"#,
            &["min_length: expected at most `max_length`, which is 4"],
        ),
        (
            r#"type = "float", min = nan, max = nan"#,
            &[
                "min: expected a number, found NaN",
                "max: expected a number, found NaN",
            ],
        ),
        (
            r#"type = "decimal", precision = 4, scale = 1, min = 1, max = nan"#,
            &["max: expected a number, found NaN"],
        ),
        (
            r#"type = "float[]", max = "NaN""#,
            &["max: expected a number, found NaN"],
        ),
        (
            r#"type = "float", max = inf, default = nan"#,
            &["default: at most \"Infinity\""],
        ),
        (
            r#"type = "integer", min = 1, default = 0"#,
            &["default: at least 1"],
        ),
        (
            r#"type = "integer", max = 1, example = 2"#,
            &["example: at most 1"],
        ),
        (
            r#"type = "text", max_length = 1, default = "ab""#,
            &["default: at most 1 characters, found 2"],
        ),
        (
            r#"type = "text", pattern = "^a", default = "b""#,
            &["default: expected text that matches ^a"],
        ),
        (
            r#"type = "text[]", pattern = "^a", default = ["a", "b"]"#,
            &["default: /1: expected text that matches ^a"],
        ),
        (
            r#"type = "text", default = 1"#,
            &["default: expected a string, found a number"],
        ),
        (
            r#"type = "text", read_only = true, write_only = true"#,
            &["write_only: a field that is also `read_only` could be neither read nor written"],
        ),
        (
            r#"type = "text", read_only = true, required = true"#,
            &[
                "read_only: a required field that nobody may write needs a `default`, perhaps { database = true }",
            ],
        ),
        (
            r#"type = "text", read_only = true, required = true, default = "x""#,
            &[],
        ),
        (
            r#"type = "text", write_only = true, read = "anyone""#,
            &["read: nobody reads a field that is `write_only`"],
        ),
        (
            r#"type = "text", read = "owner""#,
            &["read: the rule of a field cannot depend on the row; expected a rule about the caller"],
        ),
        (
            r#"type = "text", write = "f=eq.x""#,
            &["write: the rule of a field cannot depend on the row; expected a rule about the caller"],
        ),
        (
            r#"type = "text", write = ["group:a", "gruop:b"]"#,
            &[
                "write.1: unknown rule `gruop:b`; did you mean `group:`?, expected anyone, authenticated, group:NAME, scope:NAME, nobody",
            ],
        ),
        (
            r#"type = "text", column = "a b""#,
            &["column: `a b` is no name: expected letters, digits and `_`, not beginning with a digit"],
        ),
    ] {
        assert_eq!(field_mistakes("f", options), expected, "{options}");
    }
}

#[test]
fn names_that_mean_something_else_are_refused() {
    for name in [
        "select",
        "order",
        "limit",
        "offset",
        "cursor",
        "columns",
        "on_conflict",
        "and",
        "or",
        "not",
    ] {
        let expected = format!(
            "`{name}` means something else in a query string; give the field another name and map it with column = \"{name}\""
        );
        assert_eq!(field_mistakes(name, "type = \"text\""), [expected]);
    }
    for name in [
        "uid",
        "created_at",
        "last_updated_at",
        "creator_uid",
        "last_updater_uid",
    ] {
        let expected = format!("`{name}` is stamped by the server; `audit` says where it is kept");
        assert_eq!(field_mistakes(name, "type = \"text\""), [expected]);
    }
    let long = "a".repeat(64);
    assert_eq!(
        field_mistakes(&long, "type = \"text\""),
        ["a name may have 63 characters, this one has 64"]
    );
    assert_eq!(field_mistakes(&long[1..], "type = \"text\""), [""; 0]);
    for (text, expected) in [
        (
            "[resources.\"a b\".fields]",
            "resources.a b: `a b` is no name: expected letters, digits and `_`, not beginning with a digit",
        ),
        (
            "[resources.1a.fields]",
            "resources.1a: `1a` is no name: expected letters, digits and `_`, not beginning with a digit",
        ),
        (
            "[resources.health.fields]",
            "resources.health: `/health` is served already or kept free, expected another path",
        ),
        (
            "[resources.a]\npath = \"rpc\"",
            "resources.a.path: `/rpc` is served already or kept free, expected another path",
        ),
        (
            "[resources.a]\npath = \"a/b\"",
            "resources.a.path: `a/b` is no path: expected one segment of letters, digits and `-._~`, such as \"books\"",
        ),
        (
            "[resources.a]\npath = \"b\"\n[resources.b.fields]",
            "resources.b: the path `b` is that of resource `a` already",
        ),
        (
            "[resources.a]\ntable = \"x.b\"\n[resources.b]\ntable = \"x.b\"",
            "resources.b.table: the table `x.b` is that of resource `a` already",
        ),
        (
            "[resources.a]\ntable = \"x.y.z\"",
            "resources.a.table: `y.z` is no name: expected letters, digits and `_`, not beginning with a digit (as `table` or `schema.table`)",
        ),
        (
            "[resources.a.fields]\nx = { type = \"text\", column = \"c\" }\ny = { type = \"text\", column = \"c\" }",
            "resources.a.fields.y.column: the column `c` is that of `x` already",
        ),
        (
            "[resources.a.fields]\nx = { type = \"text\", column = \"uid\" }",
            "resources.a.fields.x.column: the column `uid` is that of `uid` already",
        ),
        (
            "[resources.a]\naudit = { created_at = \"t\", last_updated_at = \"t\" }",
            "resources.a.audit.last_updated_at: the column `t` is that of `created_at` already",
        ),
        (
            "[resources.a.fields]\nb = { type = \"uuid\", references = \"b\" }\n[resources.b.fields]",
            "resources.a.fields.b: `b` is the name under which rows of the resource `b` are embedded; give the field another name and map it with column = \"b\"",
        ),
        (
            "[resources.a]\npage = { default = 200, max = 100 }",
            "resources.a.page.default: expected at most `max`, which is 100",
        ),
        (
            "[resources.a]\npage = { default = 2000 }",
            "resources.a.page.default: expected at most `max`, which is 1000",
        ),
        (
            "[resources.a]\npage = { max = 0 }",
            "resources.a.page.max: expected at least 1",
        ),
        (
            "[resources.a]\nunique = [[\"b\"]]",
            "resources.a.unique.0: there is no field `b`",
        ),
        (
            "[resources.a]\nunique = [[]]",
            "resources.a.unique.0: expected at least one field name",
        ),
        (
            "[resources.a]\nunique = [[\"created_at\", \"created_at\"]]",
            "resources.a.unique.0: `created_at` is named twice",
        ),
        (
            "[resources.a]\nunique = [[\"uid\"]]",
            "resources.a.unique.0: uid is unique already",
        ),
        (
            "[resources.a]\nrequire_if_match = true\naudit = { last_updated_at = false }",
            "resources.a.require_if_match: a row without `last_updated_at` has no version that If-Match could name",
        ),
    ] {
        assert_eq!(mistakes(text), [expected], "{text}");
    }
}

#[test]
fn access_rules_are_checked_against_their_resource() {
    let resource = |access: &str| {
        format!(
            "[resources.r]\naudit = {{ creator_uid = false }}\naccess = {{ {access} }}\n[resources.r.fields]\nopen = {{ type = \"boolean\" }}\nserial = {{ type = \"integer\", default = {{ database = true }} }}\n"
        )
    };
    for (access, expected) in [
        (
            r#"read = "anyone", create = "nobody", update = "group:a", delete = "scope:x/y.z""#,
            &[][..],
        ),
        (r#"read = "open=is.true&serial=gt.$claim(n)""#, &[]),
        (
            r#"read = "anyon""#,
            &[
                "read: unknown rule `anyon`; did you mean `anyone`?, expected anyone, authenticated, owner, group:NAME, scope:NAME, nobody, or a row filter such as \"status=eq.published\"",
            ],
        ),
        (r#"read = "group:""#, &["read: expected a name after `group:`"]),
        (
            "read = []",
            &["read: expected at least one rule; \"nobody\" is the rule that allows no one"],
        ),
        (
            r#"read = { all = ["anyone", "owner"] }"#,
            &["read.all.1: nobody owns rows without a `creator_uid` column"],
        ),
        (
            r#"read = ["anyone", "opne=is.true"]"#,
            &["read.1: `r` has no field `opne`"],
        ),
        (
            r#"read = "open=is.treu""#,
            &[
                "read: \"failed to parse filter (treu)\" (line 1, column 1): unexpected 't' expecting isVal: (null, not_null, true, false, unknown)",
            ],
        ),
        (
            r#"create = ["group:a", "or=(open.is.true,serial.gt.1)"]"#,
            &["create: `serial` is left to the database, so a rule for new rows cannot look at it"],
        ),
        (r#"update = "serial=gt.1""#, &[]),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|text| format!("resources.r.access.{text}"))
            .collect();
        assert_eq!(mistakes(&resource(access)), expected, "{access}");
    }
}

#[test]
fn stamps_surround_the_declared_fields_where_the_table_has_them() {
    let text = r#"
        [resources.r]
        table = "old.people"
        audit = { uid = "id", created_at = "created_on", creator_uid = false, last_updater_uid = true, actor = "uuid" }
        unique = [["a", "b"], ["b"]]
        [resources.r.fields]
        a = { type = "text", unique = true }
        b = { type = "text" }
    "#;
    let api = toml::parse("test.toml", text).unwrap();
    let resource = &api.resources[0];
    let fields: Vec<(&str, &str, String, bool)> = resource
        .fields
        .iter()
        .map(|field| {
            (
                field.name.as_str(),
                field.column.as_str(),
                field.ty.to_string(),
                field.required,
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("uid", "id", "uuid".to_owned(), true),
            ("a", "a", "text".to_owned(), false),
            ("b", "b", "text".to_owned(), false),
            ("created_at", "created_on", "timestamp".to_owned(), true),
            ("last_updated_at", "last_updated_at", "timestamp".to_owned(), true),
            ("last_updater_uid", "last_updater_uid", "uuid".to_owned(), false),
        ]
    );
    let audit = resource.audit;
    assert_eq!(audit.uid.index(), 0);
    assert_eq!(audit.created_at.map(FieldId::index), Some(3));
    assert_eq!(audit.creator_uid, None);
    assert_eq!(audit.last_updater_uid.map(FieldId::index), Some(5));
    assert_eq!(
        (resource.table.schema.as_deref(), resource.table.table.as_str()),
        (Some("old"), "people")
    );
    let unique: Vec<Vec<usize>> = resource
        .unique
        .iter()
        .map(|set| set.iter().map(|id| id.index()).collect())
        .collect();
    assert_eq!(unique, [vec![1], vec![1, 2], vec![2]]);
}

#[test]
fn what_is_not_declared_has_its_default() {
    let spec = ApiSpec {
        resources: vec![ResourceSpec {
            name: "notes".to_owned(),
            fields: vec![FieldSpec::text("body")],
            ..ResourceSpec::default()
        }],
        ..ApiSpec::default()
    };
    let api = ApiDefinition::build(spec).unwrap();
    let notes = &api.resources[0];
    assert_eq!((api.title.as_str(), api.version.as_str()), ("API", "1.0.0"));
    assert_eq!(
        (notes.path.as_str(), notes.table.table.as_str()),
        ("notes", "notes")
    );
    assert_eq!((notes.page.default, notes.page.max), (1000, 1000));
    assert_eq!(notes.access.read, AccessRule::Authenticated);
    assert_eq!(notes.undeclared_access, ["read", "create", "update", "delete"]);
    assert!(notes.unique.is_empty());
}

#[test]
fn a_name_declared_twice_is_told_once() {
    let mut field = FieldSpec::new("n", FieldType::scalar(ScalarType::Integer));
    field.default = crate::definition::spec::DefaultSpec::Literal(Literal("null".to_owned()));
    let resource = ResourceSpec {
        name: "r".to_owned(),
        fields: vec![field, FieldSpec::text("n")],
        ..ResourceSpec::default()
    };
    let spec = ApiSpec {
        resources: vec![resource.clone(), resource],
        ..ApiSpec::default()
    };
    let errors = ApiDefinition::build(spec).unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "resources.r.fields.n: a field of this name is declared already",
            "resources.r: a resource of this name is declared already",
            "resources.r.fields.n: a field of this name is declared already",
        ]
    );
}

#[test]
fn a_rule_about_rows_is_a_condition() {
    let text = "[resources.r]\naccess = { read = \"open=is.true\" }\n[resources.r.fields]\nopen = { type = \"boolean\" }";
    let api = toml::parse("test.toml", text).unwrap();
    assert!(matches!(
        api.resources[0].access.read,
        AccessRule::Rows(Condition::Test(_))
    ));
}
