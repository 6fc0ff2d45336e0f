//! People's code around operations: what it sees, what it may change, and what its refusals undo.

use std::sync::Arc;

use async_trait::async_trait;
use rowstamp_domain::operation::{Insert, Operation, Representation};
use rowstamp_domain::query::{Comparison, Condition, Operand, Predicate, Test};
use rowstamp_domain::record::Record;
use rowstamp_domain::value::Value;
use rowstamp_ports::{HookContext, HookPoints, Hooks, ReadScope, Refusal, Transaction};
use rowstamp_rest::Api;
use serde_json::json;
use uuid::Uuid;

use crate::app::{App, Store};

const SHOP: &str = r#"
    [resources.orders.fields]
    item  = { type = "text", required = true, max_length = 10 }
    slug  = { type = "text", read_only = true, max_length = 10 }
    total = { type = "integer" }
    [resources.orders.access]
    read = "anyone"
    create = "anyone"
    update = "anyone"
    delete = "anyone"

    [resources.journal.fields]
    entry = { type = "text", required = true }
"#;

/// Fills a read-only field, refuses some items, writes a journal in the same transaction and hides a number.
struct OrderHooks;

impl OrderHooks {
    async fn note(
        context: &HookContext,
        transaction: &mut Transaction,
        entry: String,
    ) -> Result<(), Refusal> {
        let journal = Arc::clone(context.api.resource("journal").unwrap());
        let field = |name| journal.field_id(name).unwrap();
        let now = Value::Timestamp(context.now);
        let columns = vec![
            field("uid"),
            field("entry"),
            field("created_at"),
            field("last_updated_at"),
        ];
        let operation = Operation::Insert(Insert {
            bound: rowstamp_domain::operation::RowBound::Any,
            conflict: None,
            select: journal.select_all().clone(),
            resource: journal,
            columns,
            rows: vec![vec![
                Value::Uuid(Uuid::now_v7()),
                Value::Text(entry),
                now.clone(),
                now,
            ]],
            permitted: Condition::Always,
            visible: Condition::Always,
            representation: Representation::Nothing,
        });
        transaction.execute(operation).await?;
        Ok(())
    }
}

fn text(record: &Record, name: &str) -> String {
    match record.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

#[async_trait]
impl Hooks for OrderHooks {
    async fn before_read(&self, context: &HookContext, scope: &mut ReadScope) -> Result<(), Refusal> {
        let item = context.resource.field_id("item").unwrap();
        scope.require(Condition::Test(Test {
            operand: Operand::Field(item),
            predicate: Predicate::Compare(Comparison::Neq, Value::Text("hidden".to_owned())),
        }));
        Ok(())
    }

    async fn after_read(&self, context: &HookContext, record: &mut Record) -> Result<(), Refusal> {
        if context.caller.is_anonymous() {
            record.put(context.resource.field_id("total").unwrap(), Value::Null);
        }
        Ok(())
    }

    async fn before_create(&self, _context: &HookContext, change: &mut Record) -> Result<(), Refusal> {
        if text(change, "item") == "bomb" {
            return Err(Refusal::unprocessable("SHOP_NOT_SOLD", "we do not sell that"));
        }
        let slug = format!("the-{}", text(change, "item"));
        change.set("slug", Value::Text(slug)).unwrap();
        Ok(())
    }

    async fn after_create(
        &self,
        context: &HookContext,
        transaction: &mut Transaction,
        record: &Record,
    ) -> Result<(), Refusal> {
        Self::note(context, transaction, format!("created {}", text(record, "slug"))).await?;
        if text(record, "item") == "none" {
            return Err(Refusal::unprocessable("SHOP_SOLD_OUT", "there is none left"));
        }
        Ok(())
    }

    async fn before_update(
        &self,
        _context: &HookContext,
        _uid: Uuid,
        change: &mut Record,
    ) -> Result<(), Refusal> {
        assert_ne!(text(change, "item"), "panic", "people's code may do anything");
        change.set("slug", Value::Text("changed".to_owned())).unwrap();
        Ok(())
    }

    async fn after_update(
        &self,
        context: &HookContext,
        transaction: &mut Transaction,
        record: &Record,
    ) -> Result<(), Refusal> {
        Self::note(context, transaction, format!("updated {}", text(record, "item"))).await
    }

    async fn before_delete(&self, context: &HookContext, _uid: Uuid) -> Result<(), Refusal> {
        if context.caller.is_anonymous() {
            return Err(Refusal::forbidden("SHOP_NO", "not you"));
        }
        Ok(())
    }

    async fn after_delete(
        &self,
        context: &HookContext,
        transaction: &mut Transaction,
        record: &Record,
    ) -> Result<(), Refusal> {
        Self::note(context, transaction, format!("deleted {}", text(record, "item"))).await
    }
}

async fn shop(store: Store) -> App {
    let api = Api::from_toml("shop.toml", SHOP).unwrap();
    App::of(store, api.hooks("orders", OrderHooks)).await
}

async fn journal(app: &App) -> Vec<String> {
    app.rows("journal")
        .await
        .iter()
        .map(|row| text(row, "entry"))
        .collect()
}

pub(crate) async fn a_before_hook_changes_what_is_written_also_where_callers_may_not(store: Store) {
    let app = shop(store).await;
    let row = app
        .request("POST /orders")
        .by("alice")
        .json(json!({"item": "tea", "total": 3}))
        .send()
        .await
        .json();
    assert_eq!((&row["slug"], &row["total"]), (&json!("the-tea"), &json!(3)));
    assert_eq!(journal(&app).await, ["created the-tea"]);

    let too_long = app
        .request("POST /orders")
        .json(json!({"item": "chocolate"}))
        .send()
        .await;
    assert_eq!(
        too_long.errors(),
        [("/slug".to_owned(), "too_long".to_owned())],
        "what a hook gives is validated"
    );
    let by_caller = app
        .request("POST /orders")
        .json(json!({"item": "tea", "slug": "x"}))
        .send()
        .await;
    assert_eq!(by_caller.errors(), [("/slug".to_owned(), "read_only".to_owned())]);
}

pub(crate) async fn refusals_are_answered_in_their_own_words_and_undo_everything(store: Store) {
    let app = shop(store).await;
    let bomb = app
        .request("POST /orders")
        .json(json!({"item": "bomb"}))
        .send()
        .await;
    assert_eq!((bomb.status, bomb.code()), (422, "SHOP_NOT_SOLD".to_owned()));
    assert_eq!(bomb.json()["message"], "we do not sell that");

    let sold_out = app
        .request("POST /orders")
        .json(json!({"item": "sold out"}))
        .send()
        .await;
    // `the-sold out` is too long, so that the hook is not even reached.
    assert_eq!(sold_out.status, 422);
    assert!(app.rows("orders").await.is_empty() && journal(&app).await.is_empty());
}

pub(crate) async fn an_after_hook_that_refuses_rolls_back_the_row_and_its_own_writes(store: Store) {
    struct Refusing;
    #[async_trait]
    impl Hooks for Refusing {
        fn points(&self) -> HookPoints {
            HookPoints {
                after_create: true,
                after_update: true,
                after_delete: true,
                ..HookPoints::NONE
            }
        }
        async fn after_create(
            &self,
            context: &HookContext,
            transaction: &mut Transaction,
            record: &Record,
        ) -> Result<(), Refusal> {
            OrderHooks::note(context, transaction, text(record, "item")).await?;
            if text(record, "item") == "b" {
                return Err(Refusal::forbidden("SHOP_NO", "not that one"));
            }
            Ok(())
        }
        async fn after_update(
            &self,
            _context: &HookContext,
            _transaction: &mut Transaction,
            _record: &Record,
        ) -> Result<(), Refusal> {
            Err(Refusal::forbidden("SHOP_NO", "nothing is changed here"))
        }
        async fn after_delete(
            &self,
            _context: &HookContext,
            _transaction: &mut Transaction,
            record: &Record,
        ) -> Result<(), Refusal> {
            assert_eq!(text(record, "item"), "a", "the row as it was");
            Err(Refusal::Problem {
                status: 200,
                code: "X".to_owned(),
                detail: "a secret".to_owned(),
            })
        }
    }
    let api = Api::from_toml("shop.toml", SHOP).unwrap();
    let app = App::of(store, api.hooks("orders", Refusing)).await;
    let kept = app
        .request("POST /orders")
        .json(json!({"item": "a"}))
        .send()
        .await;
    assert_eq!(kept.status, 201);
    assert!(kept.headers.contains_key("etag"), "no hook changes what is read");
    let refused = app
        .request("POST /orders")
        .json(json!({"item": "b"}))
        .send()
        .await;
    assert_eq!((refused.status, refused.code()), (403, "SHOP_NO".to_owned()));
    assert_eq!(journal(&app).await, ["a"]);
    assert_eq!(app.rows("orders").await.len(), 1);

    let patch = format!("PATCH /orders/{}", kept.json()["uid"].as_str().unwrap());
    let changed = app.request(&patch).json(json!({"item": "c"})).send().await;
    assert_eq!((changed.status, changed.code()), (403, "SHOP_NO".to_owned()));
    let nothing = app.request(&patch).json(json!({})).send().await;
    assert_eq!(nothing.status, 200, "a change of nothing is no change");

    let delete = format!("DELETE /orders/{}", kept.json()["uid"].as_str().unwrap());
    let failed = app.request(&delete).send().await;
    assert_eq!(
        (failed.status, failed.code()),
        (500, "RS_INTERNAL".to_owned()),
        "200 is no refusal"
    );
    assert!(!failed.text().contains("secret"));
    assert_eq!(app.rows("orders").await.len(), 1);
}

pub(crate) async fn read_hooks_narrow_and_redact_and_take_the_tag_away(store: Store) {
    let app = shop(store).await;
    for item in ["tea", "hidden"] {
        let created = app
            .request("POST /orders")
            .by("alice")
            .json(json!({"item": item, "total": 7}))
            .send()
            .await;
        assert_eq!(created.status, 201, "{}", created.text());
        assert!(!created.headers.contains_key("etag"));
    }
    let list = app
        .request("GET /orders?select=item,total&order=item")
        .header("prefer", "count=exact")
        .send()
        .await;
    assert_eq!(list.text(), r#"[{"item":"tea","total":null}]"#);
    assert_eq!(list.header("content-range"), "0-0/1");
    let rows = app.rows("orders").await;
    for row in &rows {
        let uid = serde_json::from_str::<String>(&row.get("uid").unwrap().to_json()).unwrap();
        let read = app
            .request(&format!("GET /orders/{uid}?select=total"))
            .by("alice")
            .send()
            .await;
        if text(row, "item") == "hidden" {
            assert_eq!(read.status, 404);
        } else {
            assert_eq!((read.status, read.text()), (200, r#"{"total":7}"#));
            assert!(!read.headers.contains_key("etag"));
        }
    }
}

pub(crate) async fn put_calls_the_hooks_of_what_it_turns_out_to_be(store: Store) {
    let app = shop(store).await;
    let path = "/orders/018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f";
    let put = |body| app.request(&format!("PUT {path}")).by("alice").json(body).send();
    let created = put(json!({"item": "tea"})).await;
    assert_eq!(
        (created.status, &created.json()["slug"]),
        (201, &json!("the-tea")),
        "{}",
        created.text()
    );
    let replaced = put(json!({"item": "milk"})).await;
    assert_eq!(
        (replaced.status, &replaced.json()["slug"]),
        (200, &json!("changed")),
        "{}",
        replaced.text()
    );
    assert_eq!(
        put(json!({"item": "bomb"})).await.status,
        200,
        "only a new row is refused that"
    );
    assert_eq!(
        journal(&app).await,
        ["created the-tea", "updated milk", "updated bomb"]
    );

    let absent = app
        .request(&format!("PUT {path}"))
        .by("alice")
        .header("if-none-match", "*");
    assert_eq!(absent.json(json!({"item": "tea"})).send().await.status, 412);
    let refused = app.request(&format!("DELETE {path}")).send().await;
    assert_eq!((refused.status, refused.code()), (403, "SHOP_NO".to_owned()));
    assert_eq!(
        app.request(&format!("DELETE {path}"))
            .by("alice")
            .send()
            .await
            .status,
        204
    );
    assert_eq!(journal(&app).await.last().unwrap(), "deleted bomb");
}

pub(crate) async fn a_hook_that_panics_is_answered_as_an_internal_error(store: Store) {
    let app = shop(store).await;
    let path = "/orders/018f3a5e-7c1d-7a2b-9e4f-1a2b3c4d5e6f";
    app.request(&format!("PUT {path}"))
        .by("alice")
        .json(json!({"item": "tea"}))
        .send()
        .await;
    let failed = app
        .request(&format!("PATCH {path}"))
        .by("alice")
        .json(json!({"item": "panic"}))
        .send()
        .await;
    assert_eq!((failed.status, failed.code()), (500, "RS_INTERNAL".to_owned()));
    assert_eq!(failed.header("x-request-id"), "test-1");
}

pub(crate) async fn each_record_of_an_array_passes_its_hooks_and_one_refusal_undoes_all(store: Store) {
    let app = shop(store).await;
    let orders =
        |items: &[&str]| -> serde_json::Value { items.iter().map(|item| json!({"item": item})).collect() };
    let post = |body: serde_json::Value| app.request("POST /orders").by("alice").json(body).send();
    assert_eq!(post(orders(&["tea", "milk"])).await.status, 201);
    let mut entries = journal(&app).await;
    entries.sort();
    assert_eq!(entries, ["created the-milk", "created the-tea"]);
    for (items, code) in [
        (["rice", "bomb"], "SHOP_NOT_SOLD"),
        (["rice", "none"], "SHOP_SOLD_OUT"),
    ] {
        let answer = post(orders(&items)).await;
        assert_eq!((answer.status, answer.code()), (422, code.to_owned()));
    }
    assert_eq!(
        (app.rows("orders").await.len(), journal(&app).await.len()),
        (2, 2)
    );
}

pub(crate) async fn each_row_that_matches_passes_its_hooks_and_one_refusal_undoes_all(store: Store) {
    let app = shop(store).await;
    let body =
        json!([{"item": "tea", "total": 1}, {"item": "milk", "total": 1}, {"item": "rice", "total": 2}]);
    app.request("POST /orders").by("alice").json(body).send().await;
    let before = journal(&app).await.len();
    let change = |line: &str| {
        app.request(line)
            .by("alice")
            .header("prefer", "return=representation")
            .json(json!({"total": 5}))
    };
    let answer = change("PATCH /orders?total=eq.1&select=slug,total").send().await;
    assert_eq!(
        answer.text(),
        r#"[{"slug":"changed","total":5},{"slug":"changed","total":5}]"#
    );
    assert_eq!(answer.header("content-range"), "0-1/*");
    assert_eq!(journal(&app).await.len(), before + 2);

    let single = change("PATCH /orders?total=eq.5")
        .header("accept", "application/vnd.pgrst.object+json")
        .send()
        .await;
    assert_eq!((single.status, journal(&app).await.len()), (406, before + 2));
    let delete = app.request("DELETE /orders?total=eq.5").json(json!(null));
    assert_eq!(delete.send().await.code(), "SHOP_NO");
    assert_eq!(app.rows("orders").await.len(), 3);
    let delete = app
        .request("DELETE /orders?total=eq.5")
        .by("alice")
        .json(json!(null));
    assert_eq!(delete.send().await.status, 204);
    assert_eq!(
        (app.rows("orders").await.len(), journal(&app).await.len()),
        (1, before + 4)
    );

    let upsert = app
        .request("POST /orders")
        .by("alice")
        .header("prefer", "resolution=merge-duplicates")
        .json(json!({"item": "tea"}));
    assert_eq!(upsert.send().await.code(), "PGRST127");
}

pub(crate) async fn where_a_hook_looks_at_what_was_written_only_fields_can_be_selected(store: Store) {
    struct Looks;
    #[async_trait]
    impl Hooks for Looks {
        fn points(&self) -> HookPoints {
            HookPoints {
                after_create: true,
                ..HookPoints::NONE
            }
        }
        async fn after_create(
            &self,
            _: &HookContext,
            _: &mut Transaction,
            _: &Record,
        ) -> Result<(), Refusal> {
            Ok(())
        }
    }
    let app = App::of(
        store,
        Api::from_toml("shop.toml", SHOP).unwrap().hooks("orders", Looks),
    )
    .await;
    let order = json!({"item": "tea"});
    let ask = |select: &str| {
        app.request(&format!("POST /orders?select={select}"))
            .json(&order)
            .send()
    };
    let refused = ask("thing:item").await;
    assert_eq!((refused.status, refused.code()), (400, "PGRST127".to_owned()));
    assert!(app.rows("orders").await.is_empty());
    assert_eq!(ask("item").await.text(), r#"{"item":"tea"}"#);
}
