"""The asynchronous client, which is made of the same parts as the other: one way through each method."""

import unittest

from library import TOKEN, URL, new_isbn, new_shelf
from postgrest import APIError, AsyncPostgrestClient


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def test_a_life(self):
        shelf, isbn = new_shelf(), new_isbn()
        async with AsyncPostgrestClient(URL) as db:
            db.auth(TOKEN)
            books = [{"shelf": shelf, "title": title} for title in ("Emma", "Persuasion")]
            made = await db.from_("books").insert(books).execute()
            self.assertEqual(len(made.data), 2)
            await db.from_("books").upsert({"shelf": shelf, "title": "Sanditon", "isbn": isbn}, on_conflict="isbn").execute()
            await db.from_("books").update({"pages": 474}).eq("shelf", shelf).eq("title", "Emma").execute()
            found = db.from_("books").select("title", "pages", count="exact").eq("shelf", shelf).order("title")
            found = await found.range(0, 1).execute()
            self.assertEqual(
                (found.data, found.count),
                ([{"title": "Emma", "pages": 474}, {"title": "Persuasion", "pages": None}], 3),
            )
            one = await db.from_("books").select("title").eq("isbn", isbn).single().execute()
            self.assertEqual(one.data, {"title": "Sanditon"})
            none = await db.from_("books").select("title").eq("isbn", "none").maybe_single().execute()
            self.assertIsNone(none)
            text = await db.from_("books").select("title").eq("isbn", isbn).csv().execute()
            self.assertEqual(text.data.split(), ["title", "Sanditon"])
            gone = await db.from_("books").delete().eq("shelf", shelf).execute()
            self.assertEqual(len(gone.data), 3)
            with self.assertRaises(APIError) as caught:
                await db.rpc("add_them", {}).execute()
            self.assertEqual(caught.exception.code, "PGRST202")
