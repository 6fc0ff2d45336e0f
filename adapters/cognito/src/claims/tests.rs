//! Every encoding of every gateway, and everything that is none.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::authorizer_keys::tests::keys;

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn cognito(claims: Value) -> AuthorizerEvidence {
    AuthorizerEvidence::CognitoClaims(map(claims))
}

fn jwt(claims: Value, scopes: Option<&[&str]>) -> AuthorizerEvidence {
    AuthorizerEvidence::Jwt {
        claims: map(claims),
        scopes: scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
    }
}

fn iam(arn: &str) -> AuthorizerEvidence {
    AuthorizerEvidence::Iam {
        arn: arn.to_owned(),
        claims: map(json!({"userArn": arn, "accountId": "1"})),
    }
}

fn lambda(context: Value) -> AuthorizerEvidence {
    AuthorizerEvidence::Lambda(map(context))
}

#[test]
fn subject_groups_and_scopes_are_found_in_every_form() {
    #[rustfmt::skip]
    let cases: [(AuthorizerEvidence, &str, &[&str], &[&str]); 22] = [
        (cognito(json!({"sub": "s"})), "s", &[], &[]),
        (cognito(json!({"sub": "s", "cognito:groups": "staff"})), "s", &["staff"], &[]),
        (cognito(json!({"sub": "s", "cognito:groups": "staff,librarians"})), "s", &["staff", "librarians"], &[]),
        (cognito(json!({"sub": "s", "cognito:groups": " staff , ,librarians,"})), "s", &["staff", "librarians"], &[]),
        (cognito(json!({"sub": "s", "cognito:groups": ""})), "s", &[], &[]),
        (cognito(json!({"sub": "s", "cognito:groups": 7})), "s", &[], &[]),
        (cognito(json!({"sub": "s", "groups": "staff"})), "s", &[], &[]),
        (cognito(json!({"sub": "s", "scope": "a b"})), "s", &[], &["a", "b"]),
        (jwt(json!({"sub": "s", "cognito:groups": "[staff librarians]"}), None), "s", &["staff", "librarians"], &[]),
        (jwt(json!({"sub": "s", "cognito:groups": "[staff]"}), None), "s", &["staff"], &[]),
        (jwt(json!({"sub": "s", "cognito:groups": "[]"}), None), "s", &[], &[]),
        (jwt(json!({"sub": "s", "cognito:groups": "staff,librarians"}), None), "s", &["staff,librarians"], &[]),
        (jwt(json!({"sub": "s", "cognito:groups": "[unclosed"}), None), "s", &["[unclosed"], &[]),
        (jwt(json!({"sub": "s"}), Some(&["a", "b"])), "s", &[], &["a", "b"]),
        (jwt(json!({"sub": "s", "scope": "b c"}), Some(&["a", "b"])), "s", &[], &["b", "c", "a"]),
        (jwt(json!({"sub": "s", "scope": null}), None), "s", &[], &[]),
        (lambda(json!({"principalId": "p"})), "p", &[], &[]),
        (lambda(json!({"principalId": "p", "sub": "s", "groups": ["a", 1, "b"]})), "s", &["a", "b"], &[]),
        (lambda(json!({"sub": "s", "groups": "[\"a b\",\"c\"]"})), "s", &["a b", "c"], &[]),
        (lambda(json!({"sub": "s", "groups": "[a b]", "scope": "x", "scopes": ["x", "y"]})), "s", &["a", "b"], &["x", "y"]),
        (lambda(json!({"sub": "s", "groups": "a, b"})), "s", &["a", "b"], &[]),
        (iam("arn:aws:iam::1:user/a"), "arn:aws:iam::1:user/a", &[], &[]),
    ];
    for (evidence, subject, groups, scopes) in cases {
        let caller = caller_of_authorizer(&evidence, &AuthorizerKeys::default()).unwrap();
        assert_eq!(caller.subject(), Some(subject), "{evidence:?}");
        assert_eq!(caller.groups(), groups, "{evidence:?}");
        assert_eq!(caller.scopes(), scopes, "{evidence:?}");
    }
}

#[test]
fn who_has_no_usable_subject_is_refused() {
    let long = "s".repeat(LONGEST_SUBJECT_BYTES + 1);
    for evidence in [
        cognito(json!({})),
        cognito(json!({"sub": null})),
        cognito(json!({"sub": ""})),
        cognito(json!({"sub": "  "})),
        cognito(json!({"sub": 7})),
        cognito(json!({"sub": ["s"]})),
        cognito(json!({"sub": "nul\u{0}"})),
        cognito(json!({"sub": "line\nbreak"})),
        cognito(json!({"sub": long})),
        cognito(json!({"principalId": "p"})),
        jwt(json!({"username": "u"}), Some(&["a"])),
        lambda(json!({"tenant": "north"})),
        iam(""),
    ] {
        let refused = caller_of_authorizer(&evidence, &AuthorizerKeys::default()).unwrap_err();
        assert!(matches!(refused, IdentityError::Invalid(_)), "{evidence:?}");
    }
}

#[test]
fn claims_are_given_back_their_types_where_the_name_tells() {
    let given = json!({
        "sub": "s", "exp": "1795354496", "nbf": "1.795354496e+09", "auth_time": "1e400", "iat": "Tue Apr 04 18:39:39 UTC 2023", "email_verified": "true",
        "phone_number_verified": "maybe", "cognito:groups": "[a b]", "custom:level": "3", "nothing": null,
    });
    let caller = caller_of_authorizer(&jwt(given, None), &AuthorizerKeys::default()).unwrap();
    let expected = json!({
        "sub": "s", "exp": 1_795_354_496, "nbf": 1_795_354_496, "auth_time": "1e400", "iat": "Tue Apr 04 18:39:39 UTC 2023", "email_verified": true,
        "phone_number_verified": "maybe", "cognito:groups": ["a", "b"], "custom:level": "3",
    });
    assert_eq!(json!(caller.claims()), expected);
    assert_eq!(caller.proof(), Proof::Authorizer);
}

#[test]
fn a_verified_token_is_taken_as_it_is() {
    let claims = json!({
        "sub": "s", "exp": 1, "cognito:groups": ["a b", "c,d"], "scope": "x y", "groups": ["other"],
    });
    let caller = caller_of_token(&map(claims.clone())).unwrap();
    assert_eq!(caller.groups(), ["a b", "c,d"]);
    assert_eq!(caller.scopes(), ["x", "y"]);
    assert_eq!(json!(caller.claims()), claims);
    assert_eq!(caller.proof(), Proof::Token);
    let text_groups = map(json!({"sub": "s", "cognito:groups": "admin,root"}));
    assert!(caller_of_token(&text_groups).unwrap().groups().is_empty());
}

#[test]
fn a_group_is_matched_as_a_whole() {
    let caller = caller_of_authorizer(
        &cognito(json!({"sub": "s", "cognito:groups": "librarians-intern,staff"})),
        &AuthorizerKeys::default(),
    )
    .unwrap();
    assert!(caller.in_group("staff"));
    assert!(!caller.in_group("librarians"));
}

#[test]
fn an_authorizer_of_ones_own_speaks_under_the_names_that_were_set() {
    let keys = keys("user", "custom:roles", "permissions");
    let context = json!({
        "user": "u1", "sub": "other", "custom:roles": "[\"a b\",\"c\"]", "groups": "admins", "permissions": "r w", "scope": "x",
    });
    for (evidence, groups) in [
        (lambda(context.clone()), &["a b", "c"][..]),
        (
            jwt(
                json!({"user": "u1", "sub": "other", "custom:roles": "[a c]", "permissions": "r w"}),
                None,
            ),
            &["a", "c"],
        ),
    ] {
        let caller = caller_of_authorizer(&evidence, &keys).unwrap();
        assert_eq!(caller.subject(), Some("u1"));
        assert_eq!(caller.groups(), groups);
        assert_eq!(caller.scopes(), ["r", "w"]);
    }
    // What a key was set for is not looked for elsewhere.
    assert!(caller_of_authorizer(&lambda(json!({"sub": "s", "principalId": "p"})), &keys).is_err());
    // Cognito's own authorizer is not somebody's own.
    let cognito = cognito(json!({"sub": "s", "user": "root", "custom:roles": "admins"}));
    let caller = caller_of_authorizer(&cognito, &keys).unwrap();
    assert_eq!((caller.subject(), caller.groups().len()), (Some("s"), 0));
}

#[test]
fn an_iam_caller_is_its_arn_and_what_else_is_said_are_claims() {
    let caller = caller_of_authorizer(&iam("arn:aws:iam::1:user/a"), &AuthorizerKeys::default()).unwrap();
    assert_eq!(caller.proof(), Proof::Iam);
    assert_eq!(caller.claim("accountId"), Some(&json!("1")));
    assert_eq!(caller.subject(), Some("arn:aws:iam::1:user/a"));
}

#[test]
fn two_users_of_an_identity_pool_are_two_callers() {
    let user = |identity: &str| AuthorizerEvidence::Iam {
        arn: "arn:aws:sts::1:assumed-role/users/CognitoIdentityCredentials".to_owned(),
        claims: map(json!({"cognitoIdentityId": identity})),
    };
    for identity in ["eu-west-1:1", "eu-west-1:2"] {
        let caller = caller_of_authorizer(&user(identity), &AuthorizerKeys::default()).unwrap();
        assert_eq!(caller.subject(), Some(identity));
    }
    assert!(caller_of_authorizer(&user(""), &AuthorizerKeys::default()).is_err());
}

#[test]
fn what_no_database_can_hold_is_left_out() {
    let claims = map(json!({
        "sub": "s", "cognito:groups": ["a", "b\u{0}", "c\nd"], "scope": "x y\u{1b}z", "custom:a": "x\u{0}",
        "custom:b": {"k": ["\u{0}"]}, "custom:\u{0}": 1, "custom:c": {"k": ["fine"]},
    }));
    let caller = caller_of_token(&claims).unwrap();
    assert_eq!(
        (caller.groups(), caller.scopes()),
        (&["a".to_owned()][..], &["x".to_owned()][..])
    );
    let names: Vec<_> = caller.claims().keys().map(String::as_str).collect();
    assert_eq!(names, ["custom:c", "scope", "sub"]);
}

#[test]
fn an_empty_scope_is_none() {
    let evidence = AuthorizerEvidence::Jwt {
        claims: map(json!({"sub": "s", "scope": "a"})),
        scopes: Some(vec![String::new(), " ".to_owned(), "b".to_owned()]),
    };
    let caller = caller_of_authorizer(&evidence, &AuthorizerKeys::default()).unwrap();
    assert_eq!(caller.scopes(), ["a", "b"]);
}

/// Any JSON, with the characters that encodings trip over.
fn any_json() -> impl Strategy<Value = Value> {
    let text = "[\\[\\]\", a-c\u{0}\n\u{e9}]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec![
        "sub",
        "principalId",
        "cognito:groups",
        "groups",
        "scope",
        "scopes",
        "exp",
        "email_verified",
        "custom:a",
    ]);
    prop::collection::btree_map(name.prop_map(str::to_owned), any_json(), 0..9)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn claims_of_any_shape_make_a_usable_caller_or_are_refused(
        claims in any_claims(),
        scopes in prop::option::of(prop::collection::vec("[a-b \u{0}]{0,3}", 0..3)),
    ) {
        let evidence = [
            AuthorizerEvidence::CognitoClaims(claims.clone()),
            AuthorizerEvidence::Jwt { claims: claims.clone(), scopes },
            AuthorizerEvidence::Lambda(claims.clone()),
            AuthorizerEvidence::Iam { arn: claims.get("sub").map(Value::to_string).unwrap_or_default(), claims: claims.clone() },
        ];
        for evidence in evidence {
            let outcomes = [
                caller_of_authorizer(&evidence, &AuthorizerKeys::default()),
                caller_of_authorizer(&evidence, &keys("custom:a", "sub", "groups")),
                caller_of_token(&claims),
            ];
            for caller in outcomes.into_iter().flatten() {
                let subject = caller.subject().expect("whoever is accepted has a subject");
                prop_assert!(!subject.trim().is_empty() && !subject.contains(char::is_control));
                for word in caller.groups().iter().chain(caller.scopes()) {
                    prop_assert!(!word.is_empty() && !word.contains(char::is_control), "{word:?}");
                }
                prop_assert!(!caller.claims().values().any(holds_nul));
            }
        }
    }
}
