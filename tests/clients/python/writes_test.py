"""Rows made, changed and deleted."""

from datetime import date
from uuid import UUID

from library import Case, new_isbn, new_shelf
from postgrest import CountMethod, ReturnMethod


class Insert(Case):
    def setUp(self):
        self.shelf = new_shelf()

    def titles(self):
        found = self.db.from_("books").select("title").eq("shelf", self.shelf).order("title").execute()
        return [book["title"] for book in found.data]

    def test_one(self):
        answer = self.db.from_("books").insert({"shelf": self.shelf, "title": "Emma"}).execute()
        (book,) = answer.data
        self.assertEqual((book["title"], book["status"], book["creator_uid"]), ("Emma", "draft", "ursula"))
        UUID(book["uid"])

    def test_one_with_select(self):
        query = self.db.from_("books").insert({"shelf": self.shelf, "title": "Emma"})
        self.assertEqual(query.select("title").execute().data, [{"title": "Emma"}])
        query = self.db.from_("books").insert({"shelf": self.shelf, "title": "Emma"})
        self.assertEqual(query.select("title").single().execute().data, {"title": "Emma"})

    def test_many(self):
        books = [{"shelf": self.shelf, "title": title} for title in ("Emma", "Persuasion")]
        answer = self.db.from_("books").insert(books, count=CountMethod.exact).execute()
        self.assertEqual([book["title"] for book in answer.data], ["Emma", "Persuasion"])
        self.assertEqual(answer.count, 2)

    def test_minimal(self):
        books = [{"shelf": self.shelf, "title": "Emma"}]
        answer = self.db.from_("books").insert(books, returning=ReturnMethod.minimal).execute()
        self.assertEqual((answer.data, self.titles()), ([], ["Emma"]))

    def test_values_of_python(self):
        made = self.db.from_("books").insert(
            {"shelf": self.shelf, "title": "Emma", "published_on": date(1815, 12, 23), "keywords": ("a,b", "c")}
        )
        (book,) = made.execute().data
        self.assertEqual((book["published_on"], book["keywords"]), ("1815-12-23", ["a,b", "c"]))

    def test_what_a_row_lacks(self):
        books = [{"shelf": self.shelf, "title": "Emma", "price": 3}, {"shelf": self.shelf, "title": "Persuasion"}]
        self.refused(self.db.from_("books").insert(books), "RS_INVALID_BODY")
        made = self.db.from_("books").insert(books, default_to_null=False).execute().data
        self.assertEqual([book["price"] for book in made], [3, 0])

    def test_a_mistake_in_one_keeps_all_out(self):
        books = [{"shelf": self.shelf, "title": "Emma"}, {"shelf": self.shelf, "title": ""}]
        error = self.refused(self.db.from_("books").insert(books), "RS_INVALID_BODY")
        self.assertIsNotNone(error.message)
        self.assertEqual(self.titles(), [])

    def test_conflicts(self):
        book = {"shelf": self.shelf, "title": "Emma", "isbn": new_isbn()}
        self.db.from_("books").insert(book).execute()
        self.refused(self.db.from_("books").insert(book), "23505")

    def test_as_upsert(self):
        book = {"shelf": self.shelf, "title": "Emma"}
        (made,) = self.db.from_("books").insert(book).execute().data
        query = self.db.from_("books").insert({"uid": made["uid"], "title": "Emma, again"}, upsert=True)
        self.assertEqual([row["title"] for row in query.execute().data], ["Emma, again"])
        self.assertEqual(self.titles(), ["Emma, again"])

    def test_upsert(self):
        known, unknown = new_isbn(), new_isbn()
        (before,) = self.owen.from_("books").insert({"shelf": self.shelf, "title": "Emma", "isbn": known}).execute().data
        books = [{"shelf": self.shelf, "title": "New", "isbn": isbn} for isbn in (known, unknown)]
        answer = self.db.from_("books").upsert(books, on_conflict="isbn", count=CountMethod.exact).execute()
        found = {book["isbn"]: book for book in answer.data}
        self.assertEqual(
            (found[known]["uid"], found[known]["creator_uid"], found[known]["last_updater_uid"]),
            (before["uid"], "owen", "ursula"),
        )
        self.assertEqual((found[unknown]["creator_uid"], answer.count), ("ursula", 2))

    def test_upsert_that_ignores(self):
        known, unknown = new_isbn(), new_isbn()
        self.db.from_("books").insert({"shelf": self.shelf, "title": "Emma", "isbn": known}).execute()
        books = [{"shelf": self.shelf, "title": "New", "isbn": isbn} for isbn in (known, unknown)]
        query = self.db.from_("books").upsert(books, on_conflict="isbn", ignore_duplicates=True)
        self.assertEqual([book["isbn"] for book in query.execute().data], [unknown])
        self.assertEqual(self.titles(), ["Emma", "New"])

    def test_upsert_with_defaults(self):
        (made,) = self.db.from_("books").insert({"shelf": self.shelf, "title": "Emma"}).execute().data
        books = [
            {"uid": made["uid"], "shelf": self.shelf, "title": "Emma, again"},
            {"shelf": self.shelf, "title": "Persuasion"},
        ]
        query = self.db.from_("books").upsert(books, default_to_null=False, returning=ReturnMethod.minimal)
        self.assertEqual((query.execute().data, self.titles()), ([], ["Emma, again", "Persuasion"]))


class Change(Case):
    def setUp(self):
        self.shelf = new_shelf()
        books = [
            {"shelf": self.shelf, "title": title, "place": place, "pages": place * 100}
            for place, title in enumerate(("One", "Two", "Three"), start=1)
        ]
        self.db.from_("books").insert(books).execute()

    def update(self, values, **options):
        return self.db.from_("books").update(values, **options).eq("shelf", self.shelf)

    def delete(self, **options):
        return self.db.from_("books").delete(**options).eq("shelf", self.shelf)

    def titles(self):
        found = self.db.from_("books").select("title").eq("shelf", self.shelf).order("place").execute()
        return [book["title"] for book in found.data]

    def test_update(self):
        answer = self.update({"title": "Long"}, count=CountMethod.exact).gte("pages", 200).execute()
        self.assertEqual(([book["title"] for book in answer.data], answer.count), (["Long", "Long"], 2))
        self.assertEqual(self.titles(), ["One", "Long", "Long"])

    def test_update_with_select_and_single(self):
        query = self.update({"title": "New"}).eq("place", 1).select("title")
        self.assertEqual(query.execute().data, [{"title": "New"}])
        query = self.update({"title": "Newer"}).eq("place", 1).select("title").single()
        self.assertEqual(query.execute().data, {"title": "Newer"})
        self.refused(self.update({"title": "All"}).single(), "PGRST116")
        self.assertEqual(self.titles(), ["Newer", "Two", "Three"])

    def test_update_minimal(self):
        answer = self.update({"title": "New"}, returning=ReturnMethod.minimal).eq("place", 1).execute()
        self.assertEqual((answer.data, self.titles()), ([], ["New", "Two", "Three"]))

    def test_update_of_nothing(self):
        self.assertEqual(self.update({"title": "New"}).eq("place", 9).execute().data, [])

    def test_delete(self):
        answer = self.delete(count=CountMethod.exact).in_("place", [1, 2]).execute()
        self.assertEqual((sorted(book["title"] for book in answer.data), answer.count), (["One", "Two"], 2))
        self.assertEqual(self.titles(), ["Three"])
        answer = self.delete(returning=ReturnMethod.minimal).execute()
        self.assertEqual((answer.data, self.titles()), ([], []))

    def test_without_a_filter(self):
        self.refused(self.db.from_("books").update({"title": "All"}), "21000")
        self.refused(self.db.from_("books").delete(), "21000")

    def test_max_affected(self):
        self.refused(self.update({"title": "New"}).max_affected(2), "PGRST124")
        self.refused(self.delete().max_affected(2), "PGRST124")
        self.assertEqual(self.titles(), ["One", "Two", "Three"])
        self.assertEqual(len(self.update({"title": "New"}).gt("pages", 100).max_affected(2).execute().data), 2)
