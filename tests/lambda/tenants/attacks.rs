//! What a stranger would try.

use serde_json::{Value, json};

use super::SECRET;
use crate::event::Request;

/// A row of Alice's.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) resource: &'static str,
    pub(crate) uid: String,
    /// What a row of the resource needs besides a title.
    pub(crate) required: Value,
    /// Whether strangers see the row, though not its title.
    pub(crate) row_is_public: bool,
}

/// One request, and what it may tell at most.
#[derive(Debug)]
pub(crate) struct Attack {
    pub(crate) request: Request,
    /// The path as the OpenAPI document has it.
    pub(crate) route: String,
    pub(crate) sees: Sees,
}

/// What an answer may tell at most.
#[derive(Debug, Clone)]
pub(crate) enum Sees {
    /// Not the secret.
    NoSecret,
    /// Nothing with this uid in it.
    NoRow(String),
    /// That there is nothing.
    Nothing,
}

/// Every attack on every row; without those through embeds where `embeds` is false.
pub(crate) fn all(targets: &[Target], embeds: bool) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for target in targets {
        on_item(target, &mut attacks);
        by_reading(target, &mut attacks);
        by_guessing(target, &mut attacks);
        by_writing_many(target, &mut attacks);
        by_creating(target, &mut attacks);
        for other in targets.iter().filter(|_| embeds) {
            by_embedding(target, other, &mut attacks);
        }
    }
    attacks
}

impl Target {
    fn collection(&self, method: &str) -> Request {
        Request::new(&format!("{method} /{}", self.resource))
    }

    fn item(&self, method: &str) -> Request {
        Request::new(&format!("{method} /{}/{}", self.resource, self.uid))
    }

    fn on_collection(&self, request: Request, sees: Sees) -> Attack {
        Attack {
            request,
            route: format!("/{}", self.resource),
            sees,
        }
    }

    /// What a request that asks for this very row may tell.
    fn nothing(&self) -> Sees {
        if self.row_is_public {
            Sees::NoSecret
        } else {
            Sees::Nothing
        }
    }

    /// What a request for all rows may tell.
    fn no_row(&self) -> Sees {
        if self.row_is_public {
            Sees::NoSecret
        } else {
            Sees::NoRow(self.uid.clone())
        }
    }

    fn row(&self, title: &str) -> Value {
        let mut row = self.required.clone();
        row["title"] = json!(title);
        row
    }
}

fn on_item(target: &Target, attacks: &mut Vec<Attack>) {
    let mut add = |request: Request| {
        attacks.push(Attack {
            request,
            route: format!("/{}/{{uid}}", target.resource),
            sees: Sees::NoSecret,
        });
    };
    for method in ["GET", "HEAD"] {
        add(target.item(method));
        add(target.item(method).query("select", "uid"));
        add(target.item(method).query("select", "title"));
        add(target.item(method).query("select", "t:title"));
        add(target.item(method).header("Accept", "text/csv"));
    }
    let whole = target.row("stolen");
    for prefer in [
        "return=representation",
        "return=minimal",
        "tx=rollback,return=representation",
    ] {
        add(target
            .item("PATCH")
            .header("Prefer", prefer)
            .json(&json!({"title": "stolen"})));
        add(target.item("PATCH").header("Prefer", prefer).json(&json!({})));
        add(target.item("PUT").header("Prefer", prefer).json(&whole));
        add(target.item("DELETE").header("Prefer", prefer));
    }
    for method in ["PATCH", "PUT", "DELETE"] {
        add(target.item(method).header("If-Match", "*").json(&whole));
        add(target.item(method).query("select", "title").json(&whole));
    }
    add(target.item("PATCH").json(&json!({"creator_uid": "bob"})));
    add(target
        .item("PATCH")
        .json(&json!({"uid": target.uid, "slug": "taken"})));
    add(target.item("PUT").header("If-None-Match", "*").json(&whole));
}

fn by_reading(target: &Target, attacks: &mut Vec<Attack>) {
    let uid = &target.uid;
    let mut requests = Vec::new();
    for method in ["GET", "HEAD"] {
        let ask = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .fold(target.collection(method), |request, (name, value)| {
                    request.query(name, value)
                })
        };
        let this = format!("eq.{uid}");
        let list = format!("in.({uid})");
        let tree = format!("(uid.eq.{uid},and(uid.eq.{uid},uid.not.is.null))");
        for filter in [("uid", this.as_str()), ("uid", &list), ("or", &tree)] {
            requests.push((ask(&[filter]), target.nothing()));
            for more in [
                ("select", "uid,title"),
                ("select", "t:title"),
                ("select", "title::text"),
                ("select", "count()"),
                ("select", "title.max()"),
                ("order", "title.desc"),
            ] {
                requests.push((ask(&[filter, more]), target.nothing()));
            }
            for header in [
                ("Prefer", "count=exact"),
                ("Accept", "text/csv"),
                ("Accept", "application/vnd.pgrst.object+json"),
                ("Accept", "application/vnd.pgrst.array+json;nulls=stripped"),
                ("Range", "0-0"),
            ] {
                requests.push((ask(&[filter]).header(header.0, header.1), target.nothing()));
            }
        }
        requests.push((ask(&[]), target.no_row()));
        requests.push((
            ask(&[("order", "created_at.desc"), ("limit", "1")]),
            target.no_row(),
        ));
        requests.push((ask(&[("creator_uid", "neq.bob")]), target.no_row()));
        requests.push((ask(&[("not.or", "(uid.is.null,slug.is.null)")]), target.no_row()));
        requests.push((ask(&[("select", "title")]), Sees::NoSecret));
        requests.push((ask(&[("cursor", "AAAA")]), Sees::NoSecret));
    }
    for (request, sees) in requests {
        attacks.push(target.on_collection(request, sees));
    }
    for body in [
        format!("uid=eq.{uid}"),
        format!("uid=in.({uid})&select=uid,title"),
        format!("select=title&title=like.{SECRET}*"),
    ] {
        let request = Request::new(&format!("POST /{}/query", target.resource))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(&body);
        attacks.push(Attack {
            request,
            route: format!("/{}/query", target.resource),
            sees: target.nothing(),
        });
    }
}

/// Filters that tell by what they find whether a guess is right.
fn by_guessing(target: &Target, attacks: &mut Vec<Attack>) {
    let like = format!("like.{SECRET}*");
    let mut guesses = vec![
        ("title", like.clone()),
        ("title", format!("ilike.*{}*", SECRET.to_uppercase())),
        ("title", format!("match.^{SECRET}")),
        ("and", format!("(title.gte.{SECRET},title.lt.{SECRET}z)")),
        ("title", format!("like(any).{{{SECRET}%}}")),
        ("title", format!("fts(simple).{SECRET}")),
        ("or", format!("(title.like.{SECRET}*)")),
        ("not.and", format!("(title.not.like.{SECRET}*)")),
    ];
    if target.resource == "notes" {
        guesses.push(("details->>hidden", like.clone()));
        guesses.push(("details", format!("cs.{{\"hidden\":\"{SECRET} details\"}}")));
    }
    for (name, value) in guesses {
        for select in ["uid", "slug", "count()"] {
            let request = target
                .collection("GET")
                .query(name, &value)
                .query("select", select);
            attacks.push(target.on_collection(request.header("Prefer", "count=exact"), Sees::Nothing));
        }
    }
}

fn by_writing_many(target: &Target, attacks: &mut Vec<Attack>) {
    let this = format!("eq.{}", target.uid);
    for prefer in [
        "return=representation,count=exact",
        "return=minimal,count=exact",
        "return=representation,tx=rollback",
        "return=representation,handling=strict,max-affected=10",
    ] {
        for (name, value) in [
            ("uid", this.as_str()),
            ("slug", &format!("eq.slug-of-{}", target.resource)),
            ("or", &format!("(uid.{this},uid.{this})")),
            ("creator_uid", "eq.alice"),
        ] {
            let patch = target
                .collection("PATCH")
                .query(name, value)
                .header("Prefer", prefer);
            let delete = target
                .collection("DELETE")
                .query(name, value)
                .header("Prefer", prefer);
            for request in [patch.json(&json!({"slug": "stolen"})), delete] {
                attacks.push(target.on_collection(request, Sees::Nothing));
            }
        }
    }
    let all = target.collection("PATCH").query("uid", "not.is.null");
    attacks.push(target.on_collection(all.json(&json!({"title": "stolen"})), target.no_row()));
    attacks.push(target.on_collection(target.collection("DELETE"), Sees::NoSecret));
}

fn by_creating(target: &Target, attacks: &mut Vec<Attack>) {
    let mut with_uid = target.row("stolen");
    with_uid["uid"] = json!(target.uid);
    let mut with_slug = target.row("stolen");
    with_slug["slug"] = json!(format!("slug-of-{}", target.resource));
    let mut as_alice = target.row("stolen");
    as_alice["creator_uid"] = json!("alice");
    for resolution in ["merge-duplicates", "ignore-duplicates"] {
        for (row, conflict) in [(&with_uid, "uid"), (&with_slug, "slug")] {
            for body in [row.clone(), json!([row]), json!([target.row("another"), row])] {
                let request = target.collection("POST").query("on_conflict", conflict).header(
                    "Prefer",
                    &format!("resolution={resolution},return=representation,tx=rollback"),
                );
                attacks.push(target.on_collection(request.json(&body), Sees::NoSecret));
            }
        }
        let csv = format!("uid,title\n{},stolen\n", target.uid);
        let request = target
            .collection("POST")
            .header(
                "Prefer",
                &format!("resolution={resolution},return=representation"),
            )
            .header("Content-Type", "text/csv");
        attacks.push(target.on_collection(request.body(&csv), Sees::NoSecret));
    }
    for body in [with_uid, with_slug, as_alice] {
        for body in [body.clone(), json!([body])] {
            let request = target
                .collection("POST")
                .header("Prefer", "return=representation");
            attacks.push(target.on_collection(request.json(&body), Sees::NoSecret));
        }
    }
}

fn by_embedding(target: &Target, other: &Target, attacks: &mut Vec<Attack>) {
    let (from, to) = (target.resource, other.resource);
    let secret = format!("like.{SECRET}*");
    let mut requests = vec![
        target.collection("GET").query("select", &format!("slug,{to}(*)")),
        target
            .collection("GET")
            .query("select", &format!("slug,{to}(title)")),
        target
            .collection("GET")
            .query("select", &format!("slug,...{to}(title)")),
        target
            .collection("GET")
            .query("select", &format!("slug,{to}(count())")),
        target
            .collection("GET")
            .query("select", &format!("slug,{to}(title.max())")),
        target
            .collection("GET")
            .query("select", &format!("slug,{to}({from}(title))")),
        target
            .collection("GET")
            .query("select", &format!("slug,{to}(*,notebooks(*),notes(*))")),
        target
            .collection("GET")
            .query("select", &format!("slug,{to}(slug)"))
            .query("order", &format!("{to}(title).desc")),
        target.item("GET").query("select", &format!("slug,{to}(*)")),
    ];
    for found in [
        target
            .collection("GET")
            .query("select", &format!("slug,{to}!inner()")),
        target
            .collection("GET")
            .query("select", &format!("slug,{to}()"))
            .query(to, "not.is.null"),
    ] {
        // Only Alice's rows have such titles, so whatever is found tells of one.
        let request = found
            .query(&format!("{to}.title"), &secret)
            .header("Prefer", "count=exact");
        attacks.push(target.on_collection(request, Sees::Nothing));
    }
    let mut row = target.row("bobs");
    if from == "covers" {
        row["notebook_uid"] = Value::Null;
    }
    requests.push(
        target
            .collection("POST")
            .query("select", &format!("slug,{to}(*)"))
            .header("Prefer", "return=representation,tx=rollback")
            .json(&row),
    );
    requests.push(
        target
            .collection("PATCH")
            .query("creator_uid", "eq.bob")
            .query("select", &format!("slug,{to}(*)"))
            .header("Prefer", "return=representation")
            .json(&json!({"title": "again"})),
    );
    for request in requests {
        attacks.push(target.on_collection(request, Sees::NoSecret));
    }
}
