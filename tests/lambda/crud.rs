//! Create, read, list, change, replace and delete through each entrance.

use rowstamp_tests::route::Route;
use serde_json::{Value, json};

use crate::event::{Entrance, Request};
use crate::library::Library;

async fn life_of_a_row(entrance: Entrance, route: Route) {
    let mut library = Library::open_by(route).await;
    let base = match entrance {
        Entrance::RestApi => "/prod",
        Entrance::HttpApi => "/dev",
        _ => "",
    };

    let given = json!({
        "name": "Ursula K. Le Guin", "born_on": "1929-10-21", "tags": ["a \"b\"", "c\\d"], "price": 12.50,
        "details": {"awards": 8},
    });
    let created = library
        .send(entrance, Request::new("POST /authors").json(&given))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let row = created.json();
    let uid = row["uid"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("{base}/authors/{uid}"));
    assert!(
        created.body.contains("12.50"),
        "every digit is kept: {}",
        created.body
    );
    for (name, value) in given.as_object().unwrap() {
        assert_eq!(&row[name], value, "{name}");
    }

    let item = format!("/authors/{uid}");
    let read = library.send(entrance, Request::new(&format!("GET {item}"))).await;
    assert_eq!((read.status, &read.body), (200, &created.body));
    let tag = read.header("etag").to_owned();
    let unchanged = Request::new(&format!("GET {item}")).header("If-None-Match", &tag);
    let unchanged = library.send(entrance, unchanged).await;
    assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""));

    let patch = Request::new(&format!("PATCH {item}"))
        .header("If-Match", &tag)
        .json(&json!({"name": "U. K. Le Guin"}));
    let changed = library.send(entrance, patch.clone()).await;
    assert_eq!(
        (changed.status, &changed.json()["name"]),
        (200, &json!("U. K. Le Guin")),
        "{}",
        changed.body
    );
    let stale = library.send(entrance, patch).await;
    assert_eq!(stale.status, 412, "{}", stale.body);

    let replaced = Request::new(&format!("PUT {item}")).json(&json!({"name": "Le Guin"}));
    let replaced = library.send(entrance, replaced).await;
    assert_eq!(
        (replaced.status, &replaced.json()["born_on"]),
        (200, &Value::Null),
        "{}",
        replaced.body
    );

    let list = Request::new("GET /authors")
        .query("name", "eq.Le Guin")
        .query("order", "name.desc")
        .query("limit", "5")
        .header("Prefer", "count=exact");
    let list = library.send(entrance, list).await;
    assert_eq!(
        (list.status, list.json().as_array().unwrap().len()),
        (200, 1),
        "{}",
        list.body
    );
    assert_eq!(list.header("content-range"), "0-0/1");

    let head = library
        .send(entrance, Request::new(&format!("HEAD {item}")))
        .await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let deleted = library
        .send(entrance, Request::new(&format!("DELETE {item}")))
        .await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    let gone = library.send(entrance, Request::new(&format!("GET {item}"))).await;
    assert_eq!(gone.status, 404);
}

pub(crate) async fn a_row_lives_behind_a_rest_api(route: Route) {
    life_of_a_row(Entrance::RestApi, route).await;
}

pub(crate) async fn a_row_lives_behind_an_http_api(route: Route) {
    life_of_a_row(Entrance::HttpApi, route).await;
}

pub(crate) async fn a_row_lives_behind_a_function_url(route: Route) {
    life_of_a_row(Entrance::FunctionUrl, route).await;
}

pub(crate) async fn a_row_lives_behind_a_load_balancer(route: Route) {
    life_of_a_row(Entrance::LoadBalancer, route).await;
}

pub(crate) async fn a_row_lives_behind_a_load_balancer_with_multi_value_headers(route: Route) {
    life_of_a_row(Entrance::LoadBalancerMultiValue, route).await;
}
