// Rows of other resources inside rows, found by the references between them.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { db, nobody, owen, refused, rows, stock } from './library.js';

let shelf;
let uids;

const from = (resource, columns, order) => {
  const query = db.from(resource).select(columns).eq('shelf', shelf);
  return order ? query.order(order) : query;
};
const books = (columns) => from('books', columns, 'place');
const authors = (columns) => from('authors', columns, 'name');

before(async () => {
  const all = await stock();
  ({ shelf } = all);
  uids = all;
});

describe('embeds', () => {
  test('to one: an object, or null', async () => {
    assert.deepEqual(await rows(books('place,authors(name)')), [
      { place: 1, authors: { name: 'Ada' } },
      { place: 2, authors: { name: 'Ada' } },
      { place: 3, authors: { name: 'Boris' } },
      { place: 4, authors: null },
    ]);
  });

  test('to many: an array', async () => {
    assert.deepEqual(await rows(authors('name,books(title)').order('place', { referencedTable: 'books' })), [
      { name: 'Ada', books: [{ title: 'A Wizard' }, { title: 'The Tombs' }] },
      { name: 'Boris', books: [{ title: 'Solaris' }] },
      { name: 'Chen', books: [] },
    ]);
  });

  test('many to many: through the resource that joins them', async () => {
    assert.deepEqual(await rows(books('place,tags(name)').order('name', { referencedTable: 'tags' })), [
      { place: 1, tags: [{ name: 'classic' }] },
      { place: 2, tags: [] },
      { place: 3, tags: [{ name: 'classic' }, { name: 'sf' }] },
      { place: 4, tags: [] },
    ]);
    assert.deepEqual(
      await rows(from('tags', 'name,books(place)', 'name').order('place', { referencedTable: 'books' })),
      [
        { name: 'classic', books: [{ place: 1 }, { place: 3 }] },
        { name: 'sf', books: [{ place: 3 }] },
      ],
    );
  });

  test('the joining rows themselves', async () => {
    const columns = 'place,book_tags(rank,tags(name))';
    assert.deepEqual(await rows(books(columns).eq('place', 3).order('rank', { referencedTable: 'book_tags' })), [
      {
        place: 3,
        book_tags: [
          { rank: 1, tags: { name: 'sf' } },
          { rank: 2, tags: { name: 'classic' } },
        ],
      },
    ]);
  });

  test('aliases, hints, casts and JSON paths', async () => {
    assert.deepEqual(await rows(books('place,author:authors!author_uid(called:name,born_on::text)').eq('place', 1)), [
      { place: 1, author: { called: 'Ada', born_on: '1929-10-21' } },
    ]);
    assert.deepEqual(await rows(authors('books(details->>kind)').eq('name', 'Boris')), [{ books: [{ kind: 'novel' }] }]);
  });

  test('an embedded row looks as it does alone', async () => {
    const [alone] = await rows(from('books', '*').eq('place', 1));
    const [{ books: embedded }] = await rows(authors('books(*)').eq('name', 'Ada').eq('books.place', 1));
    assert.deepEqual(embedded, [alone]);
  });

  test('nested', async () => {
    const query = authors('name,books(title,reviews(stars),tags(name))')
      .eq('name', 'Ada')
      .order('place', { referencedTable: 'books' })
      .order('stars', { referencedTable: 'books.reviews' });
    assert.deepEqual(await rows(query), [
      {
        name: 'Ada',
        books: [
          { title: 'A Wizard', reviews: [{ stars: 3 }, { stars: 5 }], tags: [{ name: 'classic' }] },
          { title: 'The Tombs', reviews: [], tags: [] },
        ],
      },
    ]);
  });

  test('one resource twice, by aliases', async () => {
    const query = authors('name,long:books(place),short:books(place)')
      .gte('long.pages', 200)
      .lt('short.pages', 200)
      .neq('name', 'Chen');
    assert.deepEqual(await rows(query), [
      { name: 'Ada', long: [{ place: 1 }], short: [{ place: 2 }] },
      { name: 'Boris', long: [{ place: 3 }], short: [] },
    ]);
  });

  test('several ways: the reference must be named', async () => {
    const error = await refused(from('letters', 'text,authors(name)'), 300, 'PGRST201');
    assert.match(`${error.hint}`, /sender_uid/);
    assert.deepEqual(
      await rows(from('letters', 'text,from:authors!sender_uid(name),to:authors!receiver_uid(name)', 'text')),
      [
        { text: 'Dear Ada', from: { name: 'Boris' }, to: { name: 'Ada' } },
        { text: 'Dear Boris', from: { name: 'Ada' }, to: { name: 'Boris' } },
      ],
    );
    assert.deepEqual(await rows(authors('sent:letters!sender_uid(text)').eq('name', 'Ada')), [
      { sent: [{ text: 'Dear Boris' }] },
    ]);
  });

  test('no way: refused', async () => {
    await refused(books('title,letters(text)'), 400, 'PGRST200');
    await refused(books('title,nothing(text)'), 400, 'PGRST200');
  });

  test('an unknown field inside is refused', async () => {
    await refused(books('title,authors(colour)'), 400, '42703');
    await refused(books('title,authors(name)').eq('authors.colour', 'red'), 400, '42703');
  });

  test('a filter for an embed that is not selected is refused', async () => {
    await refused(books('title').eq('authors.name', 'Ada'), 400, 'PGRST108');
  });
});

describe('what is asked of embedded rows', () => {
  test('a filter leaves the outer rows alone', async () => {
    assert.deepEqual(await rows(authors('name,books(place)').eq('books.status', 'draft')), [
      { name: 'Ada', books: [] },
      { name: 'Boris', books: [{ place: 3 }] },
      { name: 'Chen', books: [] },
    ]);
    assert.deepEqual(await rows(books('place,authors(name)').eq('authors.name', 'Boris').lt('place', 4)), [
      { place: 1, authors: null },
      { place: 2, authors: null },
      { place: 3, authors: { name: 'Boris' } },
    ]);
  });

  test('inner takes the outer rows with it, and they do not count', async () => {
    assert.deepEqual(await rows(authors('name,books!inner(place)').eq('books.status', 'draft')), [
      { name: 'Boris', books: [{ place: 3 }] },
    ]);
    assert.deepEqual(await rows(books('place,authors!inner(name)').eq('authors.country', 'US')), [
      { place: 1, authors: { name: 'Ada' } },
      { place: 2, authors: { name: 'Ada' } },
    ]);
    const counted = db
      .from('authors')
      .select('name,books!inner(place)', { count: 'exact', head: true })
      .eq('shelf', shelf);
    assert.equal((await counted).count, 2);
    assert.deepEqual(await rows(books('place,tags!inner(name)').eq('tags.name', 'sf')), [
      { place: 3, tags: [{ name: 'sf' }] },
    ]);
    assert.equal((await rows(authors('name,books!left(place)'))).length, 3);
    assert.deepEqual(await rows(books('place,author:authors!author_uid!inner(name)').eq('author.name', 'Boris')), [
      { place: 3, author: { name: 'Boris' } },
    ]);
  });

  test('or inside an embed', async () => {
    const query = authors('name,books(place)').or('place.eq.2,pages.gt.240', { referencedTable: 'books' });
    assert.deepEqual(await rows(query), [
      { name: 'Ada', books: [{ place: 2 }] },
      { name: 'Boris', books: [{ place: 3 }] },
      { name: 'Chen', books: [] },
    ]);
  });

  test('order, limit and range are for each outer row', async () => {
    const ada = () => authors('books(place)').eq('name', 'Ada');
    const descending = { referencedTable: 'books', ascending: false };
    assert.deepEqual(await rows(ada().order('place', descending)), [{ books: [{ place: 2 }, { place: 1 }] }]);
    assert.deepEqual(await rows(ada().order('place', descending).limit(1, { referencedTable: 'books' })), [
      { books: [{ place: 2 }] },
    ]);
    assert.deepEqual(await rows(ada().order('place', descending).range(1, 5, { referencedTable: 'books' })), [
      { books: [{ place: 1 }] },
    ]);
    assert.deepEqual(
      await rows(authors('name,books(place)').order('place', { foreignTable: 'books' }).limit(1, { foreignTable: 'books' })),
      [
        { name: 'Ada', books: [{ place: 1 }] },
        { name: 'Boris', books: [{ place: 3 }] },
        { name: 'Chen', books: [] },
      ],
    );
  });

  test('whether there are any', async () => {
    assert.deepEqual(await rows(authors('name,books()').not('books', 'is', null)), [{ name: 'Ada' }, { name: 'Boris' }]);
    assert.deepEqual(await rows(authors('name,books()').is('books', null)), [{ name: 'Chen' }]);
    assert.deepEqual(await rows(books('place,authors()').is('authors', null)), [{ place: 4 }]);
    assert.deepEqual(
      await rows(books('place,authors(),tags()').eq('authors.name', 'Boris').or('authors.not.is.null,tags.not.is.null')),
      [{ place: 1 }, { place: 3 }],
    );
  });
});

describe('spread', () => {
  test('to one: columns beside the row\'s own', async () => {
    assert.deepEqual(await rows(books('place,...authors(author:name,country)').gt('place', 2)), [
      { place: 3, author: 'Boris', country: 'PL' },
      { place: 4, author: null, country: null },
    ]);
  });

  test('to many: arrays', async () => {
    assert.deepEqual(
      await rows(authors('name,...books(titles:title,places:place)').order('place', { referencedTable: 'books' })),
      [
        { name: 'Ada', titles: ['A Wizard', 'The Tombs'], places: [1, 2] },
        { name: 'Boris', titles: ['Solaris'], places: [3] },
        { name: 'Chen', titles: [], places: [] },
      ],
    );
  });

  test('inside an embed', async () => {
    const query = books('place,labels:book_tags(rank,...tags(name))')
      .eq('place', 3)
      .order('rank', { referencedTable: 'labels' });
    assert.deepEqual(await rows(query), [
      {
        place: 3,
        labels: [
          { rank: 1, name: 'sf' },
          { rank: 2, name: 'classic' },
        ],
      },
    ]);
  });
});

describe('access', () => {
  test('embedded rows obey their own rules', async () => {
    const book = uids.books.wizard;
    await rows(db.from('diaries').insert({ shelf, text: 'Mine', book_uid: book }));
    const query = (client) => client.from('books').select('place,diaries(text)').eq('uid', book);
    assert.deepEqual(await rows(query(db)), [{ place: 1, diaries: [{ text: 'Mine' }] }]);
    assert.deepEqual(await rows(query(owen)), [{ place: 1, diaries: [] }]);
    await refused(query(nobody), 401, 'PGRST302');
  });

  test('fields that may not be read are refused inside too', async () => {
    const query = (client) => client.from('authors').select('books(cost)').eq('shelf', shelf);
    await refused(query(owen), 403, '42501');
    assert.equal((await rows(query(db))).length, 3);
  });
});
