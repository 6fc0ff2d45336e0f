//! Clauses about rows of other resources inside the rows of an answer.

use rowstamp_domain::operation::{Count, List, Representation};
use rowstamp_domain::query::{
    Aggregate, Comparison, Condition, Direction, Embed, EmbedForm, Expression, Join, Nulls, Predicate,
    Relation, Select,
};
use rowstamp_domain::value::Value;
use serde_json::json;

use super::bench::{Bench, json, uid};
use super::{aggregate, also, column, embedded, of_embed};

/// Ana wrote A and B, Bo wrote C; D has no author. A is about x and y, B about x (said twice); A has two reviews, C one, and A a blurb.
async fn library(bench: &Bench) {
    let author = |number: u128, name: &str| json!({"uid": uid(number), "name": name});
    bench
        .given("authors", &[author(1, "Ana"), author(2, "Bo"), author(3, "Cy")])
        .await;
    let book = |number: u128, title: &str, pages: Option<i32>, author: Option<u128>| json!({"uid": uid(number), "title": title, "pages": pages, "status": "draft", "author_uid": author.map(uid)});
    let books = [
        book(11, "A", Some(10), Some(1)),
        book(12, "B", Some(20), Some(1)),
        book(13, "C", None, Some(2)),
        book(14, "D", Some(40), None),
    ];
    bench.given("books", &books).await;
    let topic = |number: u128, name: &str| json!({"uid": uid(number), "name": name});
    bench
        .given("topics", &[topic(21, "x"), topic(22, "y"), topic(23, "z")])
        .await;
    let about = |number: u128, book: u128, topic: u128, source: &str| json!({"uid": uid(number), "book_uid": uid(book), "topic_uid": uid(topic), "source": source});
    let abouts = [
        about(31, 11, 21, "one"),
        about(32, 11, 22, "one"),
        about(33, 12, 21, "one"),
        about(34, 12, 21, "two"),
    ];
    bench.given("book_topics", &abouts).await;
    let review = |number: u128, book: u128, stars: Option<i32>, critic: u128| json!({"uid": uid(number), "book_uid": uid(book), "stars": stars, "critic_uid": uid(critic)});
    let reviews = [
        review(41, 11, Some(3), 2),
        review(42, 11, Some(5), 3),
        review(43, 13, None, 1),
    ];
    bench.given("reviews", &reviews).await;
    let blurb = json!({"uid": uid(51), "book_uid": uid(11), "words": "Read it"});
    bench.given("blurbs", &[blurb]).await;
}

fn authors(bench: &Bench) -> Embed {
    bench.embed("author", "authors", bench.one("books", "author_uid"), &["name"])
}

fn reviews(bench: &Bench) -> Embed {
    bench.embed(
        "reviews",
        "reviews",
        bench.many("reviews", "book_uid"),
        &["stars"],
    )
}

fn books(bench: &Bench) -> Embed {
    bench.embed("books", "books", bench.many("books", "author_uid"), &["title"])
}

fn topics(bench: &Bench) -> Embed {
    let through = bench.through("book_topics", "book_uid", "topic_uid");
    bench.embed("topics", "topics", through, &["name"])
}

fn with(mut list: List, embed: Embed) -> List {
    also(&mut list.query, [embedded(embed)]);
    list
}

fn compare(
    bench: &Bench,
    resource: &str,
    field: &str,
    comparison: Comparison,
    value: &serde_json::Value,
) -> Condition {
    let value = bench.value(resource, field, value);
    bench.test(resource, field, Predicate::Compare(comparison, value))
}

async fn shows(bench: &Bench, list: List, expected: &str) {
    let outcome = bench.run(list).await;
    assert_eq!(json(&outcome), expected);
}

/// Titles of books with what is embedded in them.
async fn of_books(bench: &Bench, embed: Embed, expected: &str) {
    shows(bench, with(bench.list("books", &["title"]), embed), expected).await;
}

pub async fn the_row_referred_to_is_an_object_or_null(bench: Bench) {
    library(&bench).await;
    of_books(
        &bench,
        authors(&bench),
        r#"[{"title":"A","author":{"name":"Ana"}},{"title":"B","author":{"name":"Ana"}},{"title":"C","author":{"name":"Bo"}},{"title":"D","author":null}]"#,
    )
    .await;
}

pub async fn the_only_row_that_refers_is_an_object_or_null(bench: Bench) {
    library(&bench).await;
    let blurb = bench.embed("blurb", "blurbs", bench.single("blurbs", "book_uid"), &["words"]);
    of_books(
        &bench,
        blurb,
        r#"[{"title":"A","blurb":{"words":"Read it"}},{"title":"B","blurb":null},{"title":"C","blurb":null},{"title":"D","blurb":null}]"#,
    )
    .await;
}

pub async fn rows_that_refer_are_an_array_in_their_order(bench: Bench) {
    library(&bench).await;
    let mut embed = reviews(&bench);
    of_books(
        &bench,
        embed.clone(),
        r#"[{"title":"A","reviews":[{"stars":3},{"stars":5}]},{"title":"B","reviews":[]},{"title":"C","reviews":[{"stars":null}]},{"title":"D","reviews":[]}]"#,
    )
    .await;
    embed.query.order.insert(
        0,
        bench.term("reviews", "stars", Direction::Descending, Nulls::Last),
    );
    of_books(
        &bench,
        embed,
        r#"[{"title":"A","reviews":[{"stars":5},{"stars":3}]},{"title":"B","reviews":[]},{"title":"C","reviews":[{"stars":null}]},{"title":"D","reviews":[]}]"#,
    )
    .await;
}

pub async fn rows_found_through_others_are_there_once(bench: Bench) {
    library(&bench).await;
    of_books(
        &bench,
        topics(&bench),
        r#"[{"title":"A","topics":[{"name":"x"},{"name":"y"}]},{"title":"B","topics":[{"name":"x"}]},{"title":"C","topics":[]},{"title":"D","topics":[]}]"#,
    )
    .await;
}

pub async fn rows_between_that_may_not_be_seen_lead_nowhere(bench: Bench) {
    library(&bench).await;
    let mut embed = topics(&bench);
    if let Relation::Through { visible, .. } = &mut embed.relation {
        *visible = compare(&bench, "book_topics", "source", Comparison::Eq, &json!("two"));
    }
    embed.join = Join::Inner;
    of_books(&bench, embed, r#"[{"title":"B","topics":[{"name":"x"}]}]"#).await;
}

pub async fn embedded_rows_that_may_not_be_seen_are_not_there(bench: Bench) {
    library(&bench).await;
    let mut embed = authors(&bench);
    embed.visible = compare(&bench, "authors", "name", Comparison::Eq, &json!("Bo"));
    of_books(
        &bench,
        embed.clone(),
        r#"[{"title":"A","author":null},{"title":"B","author":null},{"title":"C","author":{"name":"Bo"}},{"title":"D","author":null}]"#,
    )
    .await;
    embed.join = Join::Inner;
    of_books(&bench, embed, r#"[{"title":"C","author":{"name":"Bo"}}]"#).await;
}

pub async fn an_embed_has_conditions_and_a_page_of_its_own(bench: Bench) {
    library(&bench).await;
    let list = || bench.list("authors", &["name"]);
    let mut embed = books(&bench);
    embed.query.condition = compare(&bench, "books", "pages", Comparison::Gt, &json!(10));
    shows(
        &bench,
        with(list(), embed),
        r#"[{"name":"Ana","books":[{"title":"B"}]},{"name":"Bo","books":[]},{"name":"Cy","books":[]}]"#,
    )
    .await;
    let mut embed = books(&bench);
    embed.query.limit = 1;
    let first = r#"[{"name":"Ana","books":[{"title":"A"}]},{"name":"Bo","books":[{"title":"C"}]},{"name":"Cy","books":[]}]"#;
    shows(&bench, with(list(), embed.clone()), first).await;
    embed.query.offset = 1;
    let second =
        r#"[{"name":"Ana","books":[{"title":"B"}]},{"name":"Bo","books":[]},{"name":"Cy","books":[]}]"#;
    shows(&bench, with(list(), embed.clone()), second).await;
    // A page without rows is as good as no rows.
    embed.join = Join::Inner;
    shows(
        &bench,
        with(list(), embed.clone()),
        r#"[{"name":"Ana","books":[{"title":"B"}]}]"#,
    )
    .await;
    embed.query.limit = 0;
    shows(&bench, with(list(), embed), "[]").await;
}

pub async fn embeds_nest(bench: Bench) {
    library(&bench).await;
    let critic = bench.embed("critic", "authors", bench.one("reviews", "critic_uid"), &["name"]);
    let mut reviews = reviews(&bench);
    also(&mut reviews.query, [embedded(critic)]);
    let mut books = books(&bench);
    also(&mut books.query, [embedded(reviews), embedded(topics(&bench))]);
    let mut list = with(bench.list("authors", &["name"]), books);
    list.query.limit = 2;
    shows(
        &bench,
        list,
        r#"[{"name":"Ana","books":[{"title":"A","reviews":[{"stars":3,"critic":{"name":"Bo"}},{"stars":5,"critic":{"name":"Cy"}}],"topics":[{"name":"x"},{"name":"y"}]},{"title":"B","reviews":[],"topics":[{"name":"x"}]}]},{"name":"Bo","books":[{"title":"C","reviews":[{"stars":null,"critic":{"name":"Ana"}}],"topics":[]}]}]"#,
    )
    .await;
}

pub async fn a_resource_can_be_embedded_in_itself(bench: Bench) {
    let topic = |number: u128, name: &str, parent: Option<u128>| json!({"uid": uid(number), "name": name, "parent_uid": parent.map(uid)});
    bench
        .given(
            "topics",
            &[
                topic(1, "art", None),
                topic(2, "film", Some(1)),
                topic(3, "noir", Some(2)),
            ],
        )
        .await;
    let parent = bench.embed("parent", "topics", bench.one("topics", "parent_uid"), &["name"]);
    let children = bench.embed(
        "children",
        "topics",
        bench.many("topics", "parent_uid"),
        &["name"],
    );
    let mut list = bench.list("topics", &["name"]);
    also(&mut list.query, [embedded(parent), embedded(children)]);
    shows(
        &bench,
        list,
        r#"[{"name":"art","parent":null,"children":[{"name":"film"}]},{"name":"film","parent":{"name":"art"},"children":[{"name":"noir"}]},{"name":"noir","parent":{"name":"film"},"children":[]}]"#,
    )
    .await;
}

pub async fn an_inner_embed_leaves_out_and_does_not_count_rows_without(bench: Bench) {
    library(&bench).await;
    let mut embed = reviews(&bench);
    embed.join = Join::Inner;
    embed.query.condition = compare(&bench, "reviews", "stars", Comparison::Gte, &json!(3));
    let mut list = with(bench.list("books", &["title"]), embed);
    list.count = Count::Exact;
    let outcome = bench.run(list.clone()).await;
    assert_eq!(
        json(&outcome),
        r#"[{"title":"A","reviews":[{"stars":3},{"stars":5}]}]"#
    );
    assert_eq!((outcome.returned, outcome.total), (1, Some(1)));
    // Nested, it is the outer embed's rows that are left out.
    let mut inner = reviews(&bench);
    inner.join = Join::Inner;
    let mut books = books(&bench);
    also(&mut books.query, [embedded(inner)]);
    shows(
        &bench,
        with(bench.list("authors", &["name"]), books),
        r#"[{"name":"Ana","books":[{"title":"A","reviews":[{"stars":3},{"stars":5}]}]},{"name":"Bo","books":[{"title":"C","reviews":[{"stars":null}]}]},{"name":"Cy","books":[]}]"#,
    )
    .await;
}

pub async fn a_page_is_of_rows_that_have_their_inner_embeds(bench: Bench) {
    library(&bench).await;
    let mut embed = reviews(&bench);
    embed.join = Join::Inner;
    let mut list = with(bench.list("books", &["title"]), embed);
    list.query.offset = 1;
    list.query.limit = 1;
    list.count = Count::Exact;
    let outcome = bench.run(list).await;
    assert_eq!(json(&outcome), r#"[{"title":"C","reviews":[{"stars":null}]}]"#);
    assert_eq!(outcome.total, Some(2));
}

pub async fn a_condition_can_ask_whether_an_embed_has_a_row(bench: Bench) {
    library(&bench).await;
    let mut list = bench.list("books", &["title"]);
    let mut hidden = reviews(&bench);
    hidden.query.select = Select([].into());
    let position = also(&mut list.query, [embedded(hidden)]);
    list.query.condition = Condition::Embedded(position);
    shows(&bench, list.clone(), r#"[{"title":"A"},{"title":"C"}]"#).await;
    list.query.condition = Condition::Not(Box::new(Condition::Embedded(position)));
    shows(&bench, list.clone(), r#"[{"title":"B"},{"title":"D"}]"#).await;
    list.query.condition = Condition::Any(vec![
        Condition::Embedded(position),
        compare(&bench, "books", "title", Comparison::Eq, &json!("D")),
    ]);
    shows(&bench, list, r#"[{"title":"A"},{"title":"C"},{"title":"D"}]"#).await;
}

pub async fn an_embed_that_shows_nothing_is_not_part_of_the_answer(bench: Bench) {
    library(&bench).await;
    let mut embed = authors(&bench);
    embed.query.select = Select([].into());
    of_books(
        &bench,
        embed.clone(),
        r#"[{"title":"A"},{"title":"B"},{"title":"C"},{"title":"D"}]"#,
    )
    .await;
    embed.form = EmbedForm::Spread;
    embed.join = Join::Inner;
    of_books(&bench, embed, r#"[{"title":"A"},{"title":"B"},{"title":"C"}]"#).await;
}

pub async fn rows_can_be_ordered_by_the_row_they_refer_to(bench: Bench) {
    library(&bench).await;
    let mut list = bench.list("books", &["title"]);
    let position = also(&mut list.query, [embedded(authors(&bench))]);
    let by_name = bench.term("authors", "name", Direction::Descending, Nulls::First);
    list.query.order.insert(0, of_embed(position, by_name));
    shows(
        &bench,
        list.clone(),
        r#"[{"title":"D","author":null},{"title":"C","author":{"name":"Bo"}},{"title":"A","author":{"name":"Ana"}},{"title":"B","author":{"name":"Ana"}}]"#,
    )
    .await;
    list.count = Count::Exact;
    list.query.offset = 1;
    let outcome = bench.run(list).await;
    assert!(
        json(&outcome).starts_with(r#"[{"title":"C""#),
        "{}",
        json(&outcome)
    );
    assert_eq!(outcome.total, Some(4));
}

pub async fn spread_columns_of_one_row_stand_beside_the_rows_own(bench: Bench) {
    library(&bench).await;
    let mut embed = authors(&bench);
    embed.form = EmbedForm::Spread;
    also(
        &mut embed.query,
        [column("author_id", bench.expression("authors", "uid"))],
    );
    let mut list = with(bench.list("books", &["title"]), embed);
    list.query.condition = compare(&bench, "books", "title", Comparison::Gte, &json!("C"));
    let expected = format!(
        r#"[{{"title":"C","name":"Bo","author_id":"{}"}},{{"title":"D","name":null,"author_id":null}}]"#,
        uid(2)
    );
    shows(&bench, list, &expected).await;
}

pub async fn spread_columns_of_several_rows_are_arrays(bench: Bench) {
    library(&bench).await;
    let mut embed = reviews(&bench);
    embed.form = EmbedForm::Spread;
    let mut critic = bench.embed("critic", "authors", bench.one("reviews", "critic_uid"), &["name"]);
    critic.form = EmbedForm::Spread;
    also(&mut embed.query, [embedded(critic)]);
    of_books(
        &bench,
        embed,
        r#"[{"title":"A","stars":[3,5],"name":["Bo","Cy"]},{"title":"B","stars":[],"name":[]},{"title":"C","stars":[null],"name":["Ana"]},{"title":"D","stars":[],"name":[]}]"#,
    )
    .await;
}

pub async fn an_embed_can_aggregate_its_rows(bench: Bench) {
    library(&bench).await;
    let mut embed = reviews(&bench);
    let stars = bench.expression("reviews", "stars");
    embed.query.select = Select(
        [
            column("count", Expression::CountRows),
            column("most", aggregate(Aggregate::Max, stars)),
        ]
        .into(),
    );
    embed.query.order.clear();
    of_books(
        &bench,
        embed,
        r#"[{"title":"A","reviews":[{"count":2,"most":5}]},{"title":"B","reviews":[{"count":0,"most":null}]},{"title":"C","reviews":[{"count":1,"most":null}]},{"title":"D","reviews":[{"count":0,"most":null}]}]"#,
    )
    .await;
}

pub async fn groups_can_be_by_the_row_referred_to(bench: Bench) {
    library(&bench).await;
    let mut embed = authors(&bench);
    embed.form = EmbedForm::Spread;
    let mut list = bench.list("books", &[]);
    let count = column("books", Expression::CountRows);
    let sum = column(
        "pages",
        aggregate(Aggregate::Sum, bench.expression("books", "pages")),
    );
    also(&mut list.query, [count, embedded(embed), sum]);
    let by_name = bench.term("authors", "name", Direction::Ascending, Nulls::Last);
    list.query.order = vec![of_embed(1, by_name)];
    list.count = Count::Exact;
    let outcome = bench.run(list).await;
    assert_eq!(
        json(&outcome),
        r#"[{"books":2,"name":"Ana","pages":30},{"books":1,"name":"Bo","pages":null},{"books":1,"name":null,"pages":40}]"#
    );
    assert_eq!(outcome.total, Some(3));
}

pub async fn one_row_is_read_with_its_embeds(bench: Bench) {
    library(&bench).await;
    let list = with(
        with(bench.list("books", &["title"]), authors(&bench)),
        topics(&bench),
    );
    let mut read = bench.read("books", uid(11));
    read.select = list.query.select;
    let outcome = bench.run(read).await;
    let expected = r#"{"title":"A","author":{"name":"Ana"},"topics":[{"name":"x"},{"name":"y"}]}"#;
    assert_eq!(json(&outcome), expected);
}

pub async fn what_was_written_is_shown_with_its_embeds(bench: Bench) {
    library(&bench).await;
    let list = with(bench.list("books", &["title"]), authors(&bench));
    let mut update = bench.update("books", uid(14), &json!({"author_uid": uid(3)}));
    update.select = list.query.select;
    let outcome = bench.run(update.clone()).await;
    assert_eq!(json(&outcome), r#"{"title":"D","author":{"name":"Cy"}}"#);
    update.visible = compare(&bench, "books", "title", Comparison::Eq, &json!("D"));
    update.set = vec![(bench.field("books", "author_uid"), Value::Null)];
    let outcome = bench.run(update).await;
    assert_eq!(json(&outcome), r#"{"title":"D","author":null}"#);
}

pub async fn without_nulls_embeds_have_none_either(bench: Bench) {
    library(&bench).await;
    let mut list = with(
        with(bench.list("books", &["title", "pages"]), authors(&bench)),
        reviews(&bench),
    );
    list.representation = Representation::StrippedArray;
    shows(
        &bench,
        list,
        r#"[{"title":"A","pages":10,"author":{"name":"Ana"},"reviews":[{"stars":3},{"stars":5}]},{"title":"B","pages":20,"author":{"name":"Ana"},"reviews":[]},{"title":"C","author":{"name":"Bo"},"reviews":[{}]},{"title":"D","pages":40,"reviews":[]}]"#,
    )
    .await;
}

pub async fn in_csv_embeds_are_json(bench: Bench) {
    library(&bench).await;
    let mut spread = authors(&bench);
    spread.form = EmbedForm::Spread;
    let mut list = with(with(bench.list("books", &["title"]), spread), reviews(&bench));
    list.query.condition = compare(&bench, "books", "title", Comparison::Neq, &json!("B"));
    list.representation = Representation::Csv;
    shows(
        &bench,
        list,
        "title,name,reviews\nA,Ana,\"[{\"\"stars\"\":3},{\"\"stars\"\":5}]\"\nC,Bo,\"[{\"\"stars\"\":null}]\"\nD,,[]\n",
    )
    .await;
}

pub async fn a_name_in_an_answer_can_be_any_text(bench: Bench) {
    library(&bench).await;
    let mut embed = authors(&bench);
    "a \"quoted\", \\ 'odd' -- name\n".clone_into(&mut embed.name);
    let mut list = with(bench.list("books", &["title"]), embed);
    also(
        &mut list.query,
        [column("$1", bench.expression("books", "pages"))],
    );
    list.query.limit = 1;
    shows(
        &bench,
        list,
        r#"[{"title":"A","a \"quoted\", \\ 'odd' -- name\n":{"name":"Ana"},"$1":10}]"#,
    )
    .await;
}

pub async fn a_renamed_field_keeps_its_form(bench: Bench) {
    let account = json!({"uid": uid(1), "owner": "o", "balance": "12.30"});
    bench.given("accounts", &[account]).await;
    let entry = json!({"uid": uid(2), "account_uid": uid(1), "amount": "1.5"});
    bench.given("entries", &[entry]).await;
    let mut embed = bench.embed(
        "account",
        "accounts",
        bench.one("entries", "account_uid"),
        &["balance"],
    );
    let renamed = column("now", bench.expression("accounts", "balance"));
    also(&mut embed.query, [renamed]);
    let mut list = bench.list("entries", &["amount"]);
    also(&mut list.query, [embedded(embed)]);
    shows(
        &bench,
        list,
        r#"[{"amount":1.5,"account":{"balance":"12.30","now":"12.30"}}]"#,
    )
    .await;
}
