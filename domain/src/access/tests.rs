#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::Decision;
use crate::caller::{Caller, Proof};
use crate::definition::{ResourceDefinition, toml};

fn definition(rule: &str) -> Arc<ResourceDefinition> {
    let text = format!(
        r#"
        [resources.r]
        access = {{ read = {rule}, create = {rule} }}
        [resources.r.fields]
        open  = {{ type = "boolean" }}
        team  = {{ type = "integer" }}
        label = {{ type = "text" }}
        tags  = {{ type = "text[]" }}
        boss  = {{ type = "uuid" }}
        "#
    );
    Arc::clone(&toml::parse("test.toml", &text).unwrap().resources[0])
}

fn ann() -> Caller {
    let claims = [
        ("team", json!(7)),
        ("team_text", json!("7")),
        ("teams", json!([1, "2"])),
        ("none", json!([])),
        ("null", json!(null)),
        ("admin", json!(true)),
        ("labels", json!(["a", "b"])),
        ("object", json!({"a": 1})),
    ];
    Caller::new("ann", Proof::Token)
        .with_groups(["staff"])
        .with_scopes(["read"])
        .with_claims(
            claims
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<BTreeMap<_, _>>(),
        )
}

fn shown(decision: Decision, definition: &ResourceDefinition) -> String {
    match decision {
        Decision::Allowed(crate::query::Condition::Always) => "always".to_owned(),
        Decision::Allowed(condition) => condition.to_text(definition, definition.select_all()),
        Decision::Unauthenticated => "401".to_owned(),
        Decision::Forbidden => "403".to_owned(),
    }
}

#[test]
fn a_rule_is_decided_for_each_caller() {
    // The rule in TOML, what it means for an anonymous caller, and for ann.
    for (rule, anonymous, known) in [
        (r#""anyone""#, "always", "always"),
        (r#""authenticated""#, "401", "always"),
        (r#""nobody""#, "403", "403"),
        (r#""owner""#, "401", "creator_uid.eq.ann"),
        (r#""group:staff""#, "401", "always"),
        (r#""group:Staff""#, "401", "403"),
        (r#""scope:read""#, "401", "always"),
        (r#""scope:write""#, "401", "403"),
        (r#"["owner", "group:staff"]"#, "401", "always"),
        (r#"["owner", "group:other"]"#, "401", "creator_uid.eq.ann"),
        (
            r#"["owner", "open=is.true"]"#,
            "open.is.true",
            "or(creator_uid.eq.ann,open.is.true)",
        ),
        (r#"["nobody", "group:other"]"#, "401", "403"),
        (
            r#"{ all = ["owner", "open=is.true"] }"#,
            "401",
            "and(creator_uid.eq.ann,open.is.true)",
        ),
        (
            r#"{ all = ["authenticated", "open=is.true"] }"#,
            "401",
            "open.is.true",
        ),
        (r#"{ all = ["authenticated", "nobody"] }"#, "403", "403"),
        (r#"{ all = ["anyone", "group:staff"] }"#, "401", "always"),
        (
            r#"[{ all = ["owner", "group:other"] }, "open=is.true"]"#,
            "open.is.true",
            "open.is.true",
        ),
        (
            r#""open=is.true&team=eq.1""#,
            "and(open.is.true,team.eq.1)",
            "and(open.is.true,team.eq.1)",
        ),
        (r#""label=eq.$sub""#, "401", "label.eq.ann"),
        (r#""label=eq.$$sub""#, "label.eq.\"$sub\"", "label.eq.\"$sub\""),
        (r#""label=not.eq.$sub""#, "401", "label.not.eq.ann"),
        (r#""boss=eq.$sub""#, "401", "403"),
        (r#""boss=not.eq.$sub""#, "401", "403"),
        (r#""team=eq.$claim(team)""#, "401", "team.eq.7"),
        (r#""team=eq.$claim(team_text)""#, "401", "team.eq.7"),
        (r#""label=eq.$claim(team)""#, "401", "label.eq.7"),
        (r#""open=eq.$claim(admin)""#, "401", "open.eq.true"),
        (r#""team=eq.$claim(missing)""#, "401", "403"),
        (r#""team=eq.$claim(null)""#, "401", "403"),
        (r#""team=eq.$claim(object)""#, "401", "403"),
        (r#""team=eq.$claim(teams)""#, "401", "403"),
        (
            r#""team=in.(5,$claim(teams),$claim(team))""#,
            "401",
            "team.in.(5,1,2,7)",
        ),
        (r#""team=in.($claim(none))""#, "401", "403"),
        (r#""team=not.in.($claim(none))""#, "401", "always"),
        (r#""tags=eq.$claim(labels)""#, "401", "tags.eq.\"{a,b}\""),
        (r#""or=(open.is.true,team.eq.$claim(missing))""#, "401", "403"),
        (
            r#"["open=is.true", "team=eq.$claim(missing)"]"#,
            "open.is.true",
            "open.is.true",
        ),
    ] {
        let definition = definition(rule);
        let read = &definition.access.read;
        assert_eq!(
            shown(read.decide(&Caller::anonymous(), &definition), &definition),
            anonymous,
            "{rule}"
        );
        assert_eq!(
            shown(read.decide(&ann(), &definition), &definition),
            known,
            "{rule}"
        );
    }
}

#[test]
fn whoever_creates_a_row_owns_it() {
    for (rule, anonymous, known) in [
        (r#""owner""#, "401", "always"),
        (r#"["owner", "group:other"]"#, "401", "always"),
        (r#"{ all = ["owner", "open=is.true"] }"#, "401", "open.is.true"),
        (r#""label=eq.$sub""#, "401", "label.eq.ann"),
        (r#""nobody""#, "403", "403"),
    ] {
        let definition = definition(rule);
        let create = &definition.access.create;
        let anyone = Caller::anonymous();
        assert_eq!(
            shown(create.decide_create(&anyone, &definition), &definition),
            anonymous,
            "{rule}"
        );
        assert_eq!(
            shown(create.decide_create(&ann(), &definition), &definition),
            known,
            "{rule}"
        );
    }
}

#[test]
fn an_owner_who_cannot_be_in_the_column_owns_nothing() {
    let text =
        "[resources.r]\naudit = { actor = \"uuid\" }\naccess = { read = \"owner\" }\n[resources.r.fields]";
    let definition = Arc::clone(&toml::parse("test.toml", text).unwrap().resources[0]);
    let uid = "018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f";
    for (subject, expected) in [("ann", "403".to_owned()), (uid, format!("creator_uid.eq.{uid}"))] {
        let caller = Caller::new(subject, Proof::Token);
        assert_eq!(
            shown(definition.access.read.decide(&caller, &definition), &definition),
            expected
        );
    }
}

#[test]
fn the_rule_of_a_field_permits_or_does_not() {
    for (rule, anonymous, known) in [
        (r#""anyone""#, true, true),
        (r#""authenticated""#, false, true),
        (r#""group:staff""#, false, true),
        (r#"["group:other", "scope:read"]"#, false, true),
        (r#"{ all = ["group:other", "scope:read"] }"#, false, false),
        (r#""nobody""#, false, false),
    ] {
        let text = format!("[resources.r.fields]\nf = {{ type = \"text\", read = {rule} }}");
        let api = toml::parse("test.toml", &text).unwrap();
        let rule = api.resources[0].fields[1].read.as_ref().unwrap();
        assert_eq!(
            (rule.permits(&Caller::anonymous()), rule.permits(&ann())),
            (anonymous, known),
            "{rule:?}"
        );
    }
}
