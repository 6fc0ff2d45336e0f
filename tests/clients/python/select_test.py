"""Which columns come back, in which shape and order, and how many."""

from library import Stocked
from postgrest import APIError, CountMethod


class Select(Stocked):
    def wizard(self, *columns):
        return self.from_books(*columns).eq("place", 1)

    def test_every_field(self):
        (book,) = self.wizard().execute().data
        self.assertEqual(
            (book["title"], book["pages"], book["price"], book["creator_uid"], book["words"]),
            ("A Wizard", 200, 10.5, "ursula", None),
        )

    def test_columns_aliases_casts_and_paths(self):
        for columns, expected in [
            (("title", " pages "), {"title": "A Wizard", "pages": 200}),
            (("name:title",), {"name": "A Wizard"}),
            (("price::text", "p:pages::text"), {"price": "10.50", "p": "200"}),
            (("details->>kind", "details->year"), {"kind": "novel", "year": 1968}),
            (("by:details->publisher->>name",), {"by": "Parnassus"}),
            (("title", "authors(name)"), {"title": "A Wizard", "authors": {"name": "Ada"}}),
            (("author:authors!author_uid(name)",), {"author": {"name": "Ada"}}),
            (("...authors(author:name)",), {"author": "Ada"}),
            (("tags(name)",), {"tags": [{"name": "classic"}]}),
        ]:
            with self.subTest(columns=columns):
                self.assertEqual(self.wizard(*columns).execute().data, [expected])

    def test_aggregates(self):
        books = self.db.from_("books").select("status", "count()", "pages.sum()").eq("shelf", self.shelf)
        self.assertEqual(
            books.order("status").execute().data,
            [
                {"status": "draft", "count": 2, "sum": 250},
                {"status": "published", "count": 2, "sum": 380},
            ],
        )

    def test_counts(self):
        for count in CountMethod:
            with self.subTest(count=count):
                answer = self.from_books("uid", count=count).execute()
                self.assertEqual(len(answer.data), 4)
                self.assertIsInstance(answer.count, int)
        self.assertEqual(self.from_books("uid", count=CountMethod.exact).limit(2).execute().count, 4)
        head = self.from_books("uid", count=CountMethod.exact, head=True).execute()
        self.assertEqual((head.data, head.count), ([], 4))
        self.assertIsNone(self.from_books("uid").execute().count)

    def test_single(self):
        self.assertEqual(self.wizard("title").single().execute().data, {"title": "A Wizard"})
        error = self.refused(self.from_books("title").single(), "PGRST116")
        self.assertEqual(error.details, "The result contains 4 rows")
        self.refused(self.from_books("title").eq("place", 9).single(), "PGRST116")

    def test_maybe_single(self):
        self.assertEqual(self.wizard("title").maybe_single().execute().data, {"title": "A Wizard"})
        self.assertIsNone(self.from_books("title").eq("place", 9).maybe_single().execute())
        with self.assertRaises(APIError):
            self.from_books("title").maybe_single().execute()

    def test_csv(self):
        text = self.from_books("place", "title").gt("place", 2).csv().execute().data
        self.assertEqual(text.rstrip(), 'place,title\n3,Solaris\n4,"Notes, (first)"')

    def test_strip_nulls(self):
        notes = self.from_books("title", "pages").eq("place", 4)
        self.assertEqual(notes.strip_nulls().execute().data, [{"title": "Notes, (first)"}])
        notes = self.from_books("title", "pages").eq("place", 4).strip_nulls()
        self.assertEqual(notes.single().execute().data, {"title": "Notes, (first)"})

    def test_order(self):
        for name, query, expected in [
            ("ascending", lambda q: q.order("pages"), [2, 1, 3, 4]),
            ("descending", lambda q: q.order("pages", desc=True), [4, 3, 1, 2]),
            ("nulls first", lambda q: q.order("pages", nullsfirst=True), [4, 2, 1, 3]),
            ("nulls last", lambda q: q.order("pages", desc=True, nullsfirst=False), [3, 1, 2, 4]),
            ("two", lambda q: q.order("status").order("place", desc=True), [4, 3, 2, 1]),
            ("a path", lambda q: q.order("details->>year"), [3, 1, 2, 4]),
        ]:
            with self.subTest(name):
                query = query(self.db.from_("books").select("place").eq("shelf", self.shelf))
                self.assertEqual([book["place"] for book in query.execute().data], expected)

    def test_pages(self):
        for name, query, expected in [
            ("limit", lambda q: q.limit(2), [1, 2]),
            ("offset", lambda q: q.limit(2).offset(1), [2, 3]),
            ("range", lambda q: q.range(1, 2), [2, 3]),
        ]:
            with self.subTest(name):
                found = query(self.from_books("place")).execute().data
                self.assertEqual([book["place"] for book in found], expected)

    def test_embedded_rows_have_filters_order_and_pages_of_their_own(self):
        authors = self.db.from_("authors").select("name", "books(place)").eq("shelf", self.shelf).eq("name", "Ada")
        query = authors.order("place", desc=True, foreign_table="books").limit(1, foreign_table="books")
        self.assertEqual(query.execute().data, [{"name": "Ada", "books": [{"place": 2}]}])
        authors = self.db.from_("authors").select("name", "books!inner(place)").eq("shelf", self.shelf)
        self.assertEqual(
            authors.eq("books.status", "draft").execute().data, [{"name": "Boris", "books": [{"place": 3}]}]
        )
        authors = self.db.from_("authors").select("books(place)").eq("shelf", self.shelf).eq("name", "Ada")
        query = authors.or_("place.eq.2,pages.gt.240", reference_table="books")
        self.assertEqual(query.execute().data, [{"books": [{"place": 2}]}])
        authors = self.db.from_("authors").select("books(place)").eq("shelf", self.shelf).eq("name", "Ada")
        query = authors.order("place", foreign_table="books").range(1, 1, foreign_table="books")
        self.assertEqual(query.execute().data, [{"books": [{"place": 2}]}])

    def test_an_ambiguous_embed_is_refused(self):
        letters = self.db.from_("letters").select("text", "authors(name)").eq("shelf", self.shelf)
        self.refused(letters, "PGRST201")
        letters = self.db.from_("letters").select("to:authors!receiver_uid(name)").eq("shelf", self.shelf)
        self.assertEqual(letters.execute().data, [{"to": {"name": "Boris"}}])

    def test_what_is_not_there_is_refused(self):
        self.assertIn("colour", self.refused(self.from_books("colour"), "42703").message)
        self.refused(self.db.from_("nothing").select(), "PGRST205")


class Client(Stocked):
    def test_schema(self):
        query = self.db.schema("public").from_("books").select("title").eq("uid", self.books[0])
        self.assertEqual(query.execute().data, [{"title": "A Wizard"}])
        self.refused(self.db.schema("private").from_("books").select(), "PGRST106")

    def test_table_is_from(self):
        query = self.db.table("books").select("title").eq("uid", self.books[0])
        self.assertEqual(query.execute().data, [{"title": "A Wizard"}])

    def test_retry_can_be_switched_off(self):
        query = self.from_books("title").eq("place", 1).retry(False)
        self.assertEqual(query.execute().data, [{"title": "A Wizard"}])

    def test_who_one_is_decides(self):
        self.refused(self.nobody.from_("diaries").select(), "PGRST302")
        self.refused(self.owen.from_("books").select("cost"), "42501")

    def test_rpc_and_plans_are_refused_by_name(self):
        self.refused(self.db.rpc("add_them", {"a": "1"}), "PGRST202")
        self.refused(self.db.rpc("add_them", {"a": "1"}, get=True), "PGRST202")
        self.refused(self.from_books().explain(), "PGRST107")
        self.refused(self.from_books().explain(analyze=True, format="json"), "PGRST107")
