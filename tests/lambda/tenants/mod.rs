//! Two tenants: whatever Bob, or nobody, asks for through whichever entrance, Alice's rows stay unseen and unchanged.
//!
//! The attacks are made from what is served: each resource of the OpenAPI document, each of its methods, each pair of
//! resources. What is added is walked too, or the test says what it needs.

mod attacks;
mod doors;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use attacks::{Attack, Sees, Target};
use doors::{Door, House, Who};

use crate::answer::Answer;
use crate::event::{Entrance, Request};

/// Stands in every text of Alice's that nobody else may see.
const SECRET: &str = "alicesecret";

#[tokio::test]
async fn a_stranger_gets_nothing_over_plain_http() {
    walk(Door::Local).await;
}

#[tokio::test]
async fn a_stranger_gets_nothing_through_a_rest_api() {
    walk(Door::Through(Entrance::RestApi)).await;
}

#[tokio::test]
async fn a_stranger_gets_nothing_through_an_http_api() {
    walk(Door::Through(Entrance::HttpApi)).await;
}

#[tokio::test]
async fn a_stranger_gets_nothing_through_a_function_url() {
    walk(Door::Through(Entrance::FunctionUrl)).await;
}

#[tokio::test]
async fn a_stranger_gets_nothing_through_a_load_balancer() {
    walk(Door::Through(Entrance::LoadBalancer)).await;
}

#[tokio::test]
async fn a_stranger_gets_nothing_through_a_load_balancer_with_multiple_values() {
    walk(Door::Through(Entrance::LoadBalancerMultiValue)).await;
}

async fn walk(door: Door) {
    let mut house = House::open(door).await;
    let routes = routes(&mut house).await;
    let rows = furnish(&mut house).await;
    let named: BTreeSet<_> = routes.keys().filter_map(|path| path.split('/').nth(1)).collect();
    let walked: BTreeSet<_> = rows.iter().map(|target| target.resource).collect();
    let open = BTreeSet::from(["health", "openapi.json", ""]);
    assert_eq!(
        &named - &open,
        walked,
        "say in `furnish` what a row of a new resource needs"
    );

    let before = house.rows_of_alice().await;
    assert_eq!(before.len(), rows.len(), "Alice has a row of each resource");
    let mut attacked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for who in [Who::Bob, Who::Nobody] {
        for attack in attacks::all(&rows, who != Who::Nobody) {
            let Attack { request, route, sees } = attack;
            let method = request.method().to_owned();
            let answer = house.send(who, request.clone()).await;
            judge(&answer, sees, &format!("{who:?} {request:?}"));
            if !matches!(method.as_str(), "GET" | "HEAD") {
                let after = house.rows_of_alice().await;
                assert_eq!(
                    before, after,
                    "{who:?} changed a row of Alice's: {request:?} {answer:?}"
                );
            }
            attacked.entry(route).or_default().insert(method.to_lowercase());
        }
    }
    for (path, methods) in &routes {
        if open.contains(path.trim_start_matches('/')) {
            continue;
        }
        let attacked = attacked.get(path).cloned().unwrap_or_default();
        assert!(
            methods.is_subset(&attacked),
            "{path} is served with {methods:?} and walked with {attacked:?}: say in `attacks` what a stranger would try"
        );
    }
}

/// Fails when an answer tells anything of Alice's row.
#[track_caller]
fn judge(answer: &Answer, sees: Sees, what: &str) {
    assert!(answer.status < 500, "{what}: {answer:?}");
    let told = format!("{:?} {}", answer.headers, answer.body);
    assert!(!told.contains(SECRET), "{what} tells a secret: {answer:?}");
    match sees {
        // A page may hold rows of his own, but none of hers.
        Sees::NoRow(uid) => assert!(
            !told.contains(&uid),
            "{what} tells that there is a row: {answer:?}"
        ),
        Sees::Nothing if answer.status < 300 => {
            let body = answer.body.trim();
            // A group of nothing is one row that says so.
            let counted = body.starts_with("[{")
                || answer
                    .headers
                    .get("content-range")
                    .is_none_or(|range| matches!(range.rsplit('/').next(), Some("0" | "*")));
            let empty = matches!(body, "" | "[]" | "null" | "[{\"count\":0}]" | "[{\"max\":null}]")
                || (body.lines().count() <= 1 && !body.starts_with(['[', '{']));
            assert!(counted && empty, "{what} finds something: {answer:?}");
        }
        // Refused, or allowed to tell anything else.
        Sees::NoSecret | Sees::Nothing => {}
    }
}

/// Every path of the OpenAPI document with its methods.
async fn routes(house: &mut House) -> BTreeMap<String, BTreeSet<String>> {
    let document = house
        .send(Who::Nobody, Request::new("GET /openapi.json"))
        .await
        .json();
    let methods = ["get", "head", "post", "put", "patch", "delete"];
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .map(|(path, item)| {
            let item = item.as_object().unwrap().keys().cloned();
            (
                path.clone(),
                item.filter(|key| methods.contains(&key.as_str())).collect(),
            )
        })
        .collect()
}

/// A row of Alice's in every resource, and one of Bob's that refers to them.
async fn furnish(house: &mut House) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for resource in [
        "notebooks",
        "notes",
        "labels",
        "note_labels",
        "covers",
        "posts",
        "people",
        "letters",
    ] {
        let uid_of = |name: &str, targets: &[Target]| {
            let target = targets.iter().find(|target| target.resource == name);
            Value::from(target.map(|target| target.uid.clone()))
        };
        let references = match resource {
            "notebooks" | "labels" => json!({}),
            "notes" => json!({"notebook_uid": uid_of("notebooks", &targets)}),
            "note_labels" => {
                json!({"note_uid": uid_of("notes", &targets), "label_uid": uid_of("labels", &targets)})
            }
            "covers" | "posts" | "people" | "letters" => {
                json!({"notebook_uid": uid_of("notebooks", &targets)})
            }
            other => panic!("say here what a row of {other} needs"),
        };
        let mut row = references.clone();
        row["title"] = json!(format!("{SECRET} of {resource}"));
        row["slug"] = json!(format!("slug-of-{resource}"));
        if resource == "notes" {
            row["details"] = json!({"hidden": format!("{SECRET} details")});
        }
        let create = Request::new(&format!("POST /{resource}")).header("Prefer", "return=minimal");
        let created = house.send(Who::Alice, create.json(&row)).await;
        assert_eq!(created.status, 201, "{resource}: {created:?}");
        let uid = house.uid_of_alice(resource).await;
        targets.push(Target {
            resource,
            uid,
            required: references,
            // What everybody may see of people is not their secret.
            row_is_public: resource == "people",
        });
    }
    for target in &targets {
        // References to what one cannot see are possible, and must show nothing of it.
        let mut row = target.required.clone();
        row["title"] = json!("bobs own");
        row["slug"] = json!(format!("bobs-slug-of-{}", target.resource));
        if target.resource == "covers" {
            row["notebook_uid"] = Value::Null;
        }
        let create = Request::new(&format!("POST /{}", target.resource)).json(&row);
        let created = house.send(Who::Bob, create).await;
        let expected = if target.row_is_public { 403 } else { 201 };
        assert_eq!(created.status, expected, "{}: {created:?}", target.resource);
    }
    targets
}
