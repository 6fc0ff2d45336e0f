"""Every filter of the client, each with the books it must find."""

from library import Stocked

CASES = [
    ("eq", lambda q: q.eq("title", "Notes, (first)"), [4]),
    ("eq truth", lambda q: q.eq("lendable", False), [4]),
    ("neq", lambda q: q.neq("status", "draft"), [1, 2]),
    ("gt", lambda q: q.gt("pages", 180), [1, 3]),
    ("gte", lambda q: q.gte("pages", 180), [1, 2, 3]),
    ("lt", lambda q: q.lt("published_on", "1968-01-01"), [3]),
    ("lte", lambda q: q.lte("pages", 200), [1, 2]),
    ("is none", lambda q: q.is_("pages", None), [4]),
    ("is true", lambda q: q.is_("lendable", True), [1, 2, 3]),
    ("is false", lambda q: q.is_("lendable", False), [4]),
    ("is text", lambda q: q.is_("pages", "not_null"), [1, 2, 3]),
    ("like", lambda q: q.like("title", "%o%"), [2, 3, 4]),
    ("ilike", lambda q: q.ilike("title", "*WIZ*"), [1]),
    ("like all", lambda q: q.like_all_of("title", "%o%,%s"), [2, 3]),
    ("like any", lambda q: q.like_any_of("title", "A%,S%"), [1, 3]),
    ("ilike all", lambda q: q.ilike_all_of("title", "%T%,%O%"), [2, 4]),
    ("ilike any", lambda q: q.ilike_any_of("title", "a%,N%"), [1, 4]),
    ("or", lambda q: q.or_('and(pages.gt.190,status.eq.published),title.eq."Notes, (first)"'), [1, 4]),
    ("not or", lambda q: q.not_.or_("place.eq.1,place.eq.2"), [3, 4]),
    ("fts", lambda q: q.fts("blurb", "quiet & sea"), [1]),
    ("plfts", lambda q: q.plfts("blurb", "prayers quiet"), [2]),
    ("phfts", lambda q: q.phfts("blurb", "quiet sea"), [1]),
    ("wfts", lambda q: q.wfts("blurb", '"quiet prayers" or ocean'), [2, 3]),
    ("text search", lambda q: q.text_search("blurb", "quiet & sea"), [1]),
    (
        "text search of a kind",
        lambda q: q.text_search("blurb", "thinking ocean", {"type": "plain", "config": "english"}),
        [3],
    ),
    (
        "text search as on the web",
        lambda q: q.text_search("blurb", "ocean or boy", {"type": "web_search", "config": "english"}),
        [1, 3],
    ),
    ("text search phrase", lambda q: q.text_search("blurb", "quiet prayers", {"type": "phrase"}), [2]),
    ("in", lambda q: q.in_("title", ["Notes, (first)", "Solaris"]), [3, 4]),
    ("in numbers", lambda q: q.in_("pages", [180, 250]), [2, 3]),
    ("cs", lambda q: q.cs("keywords", ["magic"]), [1, 2]),
    ("cd", lambda q: q.cd("keywords", ["magic", "sea"]), [1, 2]),
    ("ov", lambda q: q.ov("keywords", ["space", "magic"]), [1, 2, 3]),
    ("contains", lambda q: q.contains("marks", [5]), [1, 3]),
    ("contains text", lambda q: q.contains("keywords", "{sea}"), [1, 3]),
    ("contains JSON", lambda q: q.contains("details", {"publisher": {"name": "Parnassus"}}), [1]),
    ("contained by", lambda q: q.contained_by("marks", [3, 4, 5]), [1, 2, 3]),
    ("contained by JSON", lambda q: q.contained_by("details", {"kind": "novel", "year": 1961, "x": 1}), [3]),
    ("overlaps", lambda q: q.overlaps("marks", [3, 4]), [1, 2]),
    ("match", lambda q: q.match({"status": "draft", "lendable": False}), [4]),
    ("filter", lambda q: q.filter("title", "imatch", "^the .*s$"), [2]),
    ("filter any", lambda q: q.filter("pages", "eq(any)", "{180,250}"), [2, 3]),
    ("filter distinct", lambda q: q.filter("pages", "isdistinct", "200"), [2, 3, 4]),
    ("not eq", lambda q: q.not_.eq("pages", 200), [2, 3]),
    ("not is", lambda q: q.not_.is_("pages", None), [1, 2, 3]),
    ("not in", lambda q: q.not_.in_("place", [1, 2]), [3, 4]),
    ("not cs", lambda q: q.not_.cs("keywords", ["sea"]), [2]),
    ("a JSON path", lambda q: q.eq("details->>kind", "novel"), [1, 2, 3]),
    ("a deeper JSON path", lambda q: q.eq("details->publisher->>name", "Parnassus"), [1]),
    ("a JSON value", lambda q: q.gt("details->year", 1965), [1, 2]),
]

REFUSED = [
    ("an unknown field", lambda q: q.eq("colour", "red"), "42703", "colour"),
    ("an unknown operator", lambda q: q.filter("pages", "about", "3"), "PGRST100", "about"),
    ("another type", lambda q: q.eq("pages", "many"), "22P02", "pages"),
    ("sl", lambda q: q.sl("pages", (1, 2)), "PGRST127", "sl"),
    ("sr", lambda q: q.sr("pages", (1, 2)), "PGRST127", "sr"),
    ("nxl", lambda q: q.nxl("pages", (1, 2)), "PGRST127", "nxl"),
    ("nxr", lambda q: q.nxr("pages", (1, 2)), "PGRST127", "nxr"),
    ("adj", lambda q: q.adj("pages", (1, 2)), "PGRST127", "adj"),
    ("range_gt", lambda q: q.range_gt("pages", (1, 2)), "PGRST127", "sr"),
    ("range_gte", lambda q: q.range_gte("pages", (1, 2)), "PGRST127", "nxl"),
    ("range_lt", lambda q: q.range_lt("pages", (1, 2)), "PGRST127", "sl"),
    ("range_lte", lambda q: q.range_lte("pages", (1, 2)), "PGRST127", "nxr"),
    ("range_adjacent", lambda q: q.range_adjacent("pages", (1, 2)), "PGRST127", "adj"),
]


class Filters(Stocked):
    def test_each_finds_what_it_should(self):
        for name, query, expected in CASES:
            with self.subTest(name):
                found = query(self.from_books("place")).execute().data
                self.assertEqual([book["place"] for book in found], expected)

    def test_refusals_name_what_is_wrong(self):
        for name, query, code, word in REFUSED:
            with self.subTest(name):
                error = self.refused(query(self.from_books("place")), code)
                self.assertIn(word, f"{error.message} {error.details} {error.hint}")
