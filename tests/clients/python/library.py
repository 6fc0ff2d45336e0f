"""What the suites share: clients, rows to ask for, and a way to look at a refusal."""

import os
import random
import unittest
import uuid

from postgrest import APIError, SyncPostgrestClient

URL = os.environ["ROWSTAMP_URL"]
TOKEN = os.environ["ROWSTAMP_TOKEN"]
OTHER_TOKEN = os.environ["ROWSTAMP_OTHER_TOKEN"]


def client(token=None):
    """Ursula is a librarian, Owen is not; without a token one is nobody."""
    made = SyncPostgrestClient(URL)
    return made.auth(token) if token else made


def new_shelf():
    """Each test has a shelf of its own, and looks at no other."""
    return f"shelf-{uuid.uuid4()}"


def new_isbn():
    return str(random.randrange(10**12, 10**13))


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.db, cls.owen, cls.nobody = client(TOKEN), client(OTHER_TOKEN), client()
        for each in (cls.db, cls.owen, cls.nobody):
            cls.addClassCleanup(each.aclose)

    def refused(self, query, code):
        """The error of a query that must be refused with this code."""
        with self.assertRaises(APIError) as caught:
            query.execute()
        self.assertEqual(caught.exception.code, code, repr(caught.exception))
        self.assertTrue(caught.exception.message)
        return caught.exception


class Stocked(Case):
    """Two authors with books, one without; four books, in the order of `place`; tags and letters."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = shelf = new_shelf()
        authors = [
            {"shelf": shelf, "name": "Ada", "born_on": "1929-10-21", "country": "US"},
            {"shelf": shelf, "name": "Boris", "born_on": "1921-09-12", "country": "PL"},
            {"shelf": shelf, "name": "Chen", "born_on": None, "country": None},
        ]
        made = cls.db.from_("authors").insert(authors).execute().data
        cls.ada, cls.boris, cls.chen = (author["uid"] for author in made)
        books = [
            {
                "shelf": shelf,
                "place": 1,
                "title": "A Wizard",
                "pages": 200,
                "price": 10.5,
                "status": "published",
                "lendable": True,
                "published_on": "1968-09-01",
                "keywords": ["magic", "sea"],
                "marks": [3, 5],
                "details": {"kind": "novel", "year": 1968, "publisher": {"name": "Parnassus"}},
                "blurb": "The boy learns magic and sails the quiet sea",
                "author_uid": cls.ada,
            },
            {
                "shelf": shelf,
                "place": 2,
                "title": "The Tombs",
                "pages": 180,
                "price": 8,
                "status": "published",
                "lendable": True,
                "published_on": "1971-07-01",
                "keywords": ["magic"],
                "marks": [4],
                "details": {"kind": "novel", "year": 1971},
                "blurb": "Dark tombs and quiet prayers",
                "author_uid": cls.ada,
            },
            {
                "shelf": shelf,
                "place": 3,
                "title": "Solaris",
                "pages": 250,
                "price": 12.25,
                "status": "draft",
                "lendable": True,
                "published_on": "1961-06-01",
                "keywords": ["sea", "space"],
                "marks": [5],
                "details": {"kind": "novel", "year": 1961},
                "blurb": "An ocean thinks about people",
                "author_uid": cls.boris,
            },
            {"shelf": shelf, "place": 4, "title": "Notes, (first)", "lendable": False},
        ]
        # A default is asked for, since null is what a row lacks otherwise.
        query = cls.db.from_("books").insert(books, default_to_null=False)
        cls.books = [book["uid"] for book in query.execute().data]
        tags = [{"shelf": shelf, "name": "classic"}, {"shelf": shelf, "name": "sf"}]
        classic, sf = (tag["uid"] for tag in cls.db.from_("tags").insert(tags).execute().data)
        joined = [(0, classic), (2, classic), (2, sf)]
        joined = [{"book_uid": cls.books[book], "tag_uid": tag} for book, tag in joined]
        cls.db.from_("book_tags").insert(joined).execute()
        letter = {"shelf": shelf, "text": "Dear Boris", "sender_uid": cls.ada, "receiver_uid": cls.boris}
        cls.db.from_("letters").insert(letter).execute()

    def from_books(self, *columns, **options):
        return self.db.from_("books").select(*columns, **options).eq("shelf", self.shelf).order("place")
