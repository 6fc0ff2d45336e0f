// What the suites share: clients, rows to ask for, and two ways to look at an answer.

import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';

import { PostgrestClient } from '@supabase/postgrest-js';

export const url = process.env.ROWSTAMP_URL;

export const headersOf = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

const client = (token) => new PostgrestClient(url, { headers: headersOf(token) });

// Ursula is a librarian, Owen is not, and nobody has no token.
export const db = client(process.env.ROWSTAMP_TOKEN);
export const owen = client(process.env.ROWSTAMP_OTHER_TOKEN);
export const nobody = client();

// Each test has a shelf of its own, and looks at no other.
export const newShelf = () => `shelf-${randomUUID()}`;

export const newIsbn = () => String(randomInt(10 ** 6, 10 ** 7)) + String(randomInt(10 ** 5, 10 ** 6));

// The rows of a query that must succeed.
export async function rows(query) {
  const { data, error } = await query;
  assert.equal(error, null, JSON.stringify(error));
  return data;
}

// The error of a query that must be refused like this.
export async function refused(query, status, code) {
  const answer = await query;
  assert.notEqual(answer.error, null, `not refused: ${JSON.stringify(answer.data)}`);
  assert.deepEqual([answer.status, answer.error.code], [status, code], JSON.stringify(answer.error));
  assert.equal(answer.data, null);
  for (const member of ['message', 'details', 'hint']) {
    assert.ok(member in answer.error, member);
  }
  return answer.error;
}

// Two authors with books, one without; four books, in the order of `place`; tags, reviews and letters.
export async function stock() {
  const shelf = newShelf();
  const [ada, boris, chen] = await rows(
    db
      .from('authors')
      .insert([
        { shelf, name: 'Ada', born_on: '1929-10-21', country: 'US' },
        { shelf, name: 'Boris', born_on: '1921-09-12', country: 'PL' },
        { shelf, name: 'Chen', born_on: null, country: null },
      ])
      .select('uid,name'),
  );
  const nothing = { pages: null, published_on: null, keywords: null, marks: null, details: null, blurb: null };
  const books = await rows(
    db
      .from('books')
      .insert([
        {
          shelf,
          place: 1,
          title: 'A Wizard',
          pages: 200,
          price: 10.5,
          published_on: '1968-09-01',
          status: 'published',
          lendable: true,
          keywords: ['magic', 'sea'],
          marks: [3, 5],
          details: { kind: 'novel', year: 1968, awards: ['Horn', 'Carroll'], publisher: { name: 'Parnassus' } },
          blurb: 'The boy learns magic and sails the quiet sea',
          author_uid: ada.uid,
        },
        {
          shelf,
          place: 2,
          title: 'The Tombs',
          pages: 180,
          price: 8,
          published_on: '1971-07-01',
          status: 'published',
          lendable: true,
          keywords: ['magic'],
          marks: [4],
          details: { kind: 'novel', year: 1971 },
          blurb: 'Dark tombs and quiet prayers',
          author_uid: ada.uid,
        },
        {
          shelf,
          place: 3,
          title: 'Solaris',
          pages: 250,
          price: 12.25,
          published_on: '1961-06-01',
          status: 'draft',
          lendable: true,
          keywords: ['sea', 'space'],
          marks: [5],
          details: { kind: 'novel', year: 1961 },
          blurb: 'An ocean thinks about people',
          author_uid: boris.uid,
        },
        {
          ...nothing,
          shelf,
          place: 4,
          title: 'Notes, (first)',
          price: 0,
          status: 'draft',
          lendable: false,
          author_uid: null,
        },
      ])
      .select('uid,place'),
  );
  const [wizard, tombs, solaris, notes] = books.map((book) => book.uid);
  const [classic, sf] = await rows(
    db
      .from('tags')
      .insert([
        { shelf, name: 'classic' },
        { shelf, name: 'sf' },
      ])
      .select('uid'),
  );
  await rows(
    db.from('book_tags').insert([
      { book_uid: wizard, tag_uid: classic.uid, rank: 1 },
      { book_uid: solaris, tag_uid: classic.uid, rank: 2 },
      { book_uid: solaris, tag_uid: sf.uid, rank: 1 },
    ]),
  );
  await rows(
    db.from('reviews').insert([
      { shelf, book_uid: wizard, stars: 5, text: 'Read it twice' },
      { shelf, book_uid: wizard, stars: 3, text: null },
      { shelf, book_uid: solaris, stars: 4, text: 'Wet' },
    ]),
  );
  await rows(
    db.from('letters').insert([
      { shelf, text: 'Dear Boris', sender_uid: ada.uid, receiver_uid: boris.uid },
      { shelf, text: 'Dear Ada', sender_uid: boris.uid, receiver_uid: ada.uid },
    ]),
  );
  return {
    shelf,
    authors: { ada: ada.uid, boris: boris.uid, chen: chen.uid },
    books: { wizard, tombs, solaris, notes },
    tags: { classic: classic.uid, sf: sf.uid },
  };
}
