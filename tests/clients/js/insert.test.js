// New rows: one, many, and with what is missing.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { db, newIsbn, newShelf, nobody, owen, refused, rows } from './library.js';

describe('insert', () => {
  test('one row: it is answered with, unless something else is asked for', async () => {
    const shelf = newShelf();
    const { data, error, status } = await db.from('books').insert({ shelf, title: 'Emma' });
    assert.deepEqual([error, status], [null, 201]);
    assert.deepEqual([data.title, data.price, data.status, data.creator_uid], ['Emma', 0, 'draft', 'ursula']);
    assert.deepEqual(await rows(db.from('books').select('title').eq('shelf', shelf)), [{ title: 'Emma' }]);
  });

  test('one row with select: an array', async () => {
    const shelf = newShelf();
    const { data, status } = await db.from('books').insert({ shelf, title: 'Emma' }).select('title,name:title');
    assert.deepEqual([data, status], [[{ title: 'Emma', name: 'Emma' }], 201]);
  });

  test('one row with single: an object', async () => {
    const shelf = newShelf();
    const query = db.from('books').insert({ shelf, title: 'Emma', keywords: ['a,b', '"c"', ''], details: { a: [1, null] } });
    assert.deepEqual(await rows(query.select('title,keywords,details').single()), {
      title: 'Emma',
      keywords: ['a,b', '"c"', ''],
      details: { a: [1, null] },
    });
  });

  test('many rows: nothing is answered with', async () => {
    const shelf = newShelf();
    const books = ['Emma', 'Persuasion'].map((title) => ({ shelf, title }));
    const { data, status } = await db.from('books').insert(books);
    assert.deepEqual([data, status], [null, 201]);
    assert.equal((await rows(db.from('books').select('uid').eq('shelf', shelf))).length, 2);
  });

  test('many rows with select: in the order they were given', async () => {
    const shelf = newShelf();
    const books = Array.from({ length: 50 }, (_, at) => ({ shelf, title: `Book ${at}`, place: at }));
    const made = await rows(db.from('books').insert(books).select('place,creator_uid'));
    assert.deepEqual(
      made,
      books.map(({ place }) => ({ place, creator_uid: 'ursula' })),
    );
  });

  test('many rows with select and single are refused, and none is there', async () => {
    const shelf = newShelf();
    const books = ['Emma', 'Persuasion'].map((title) => ({ shelf, title }));
    await refused(db.from('books').insert(books).select().single(), 406, 'PGRST116');
    assert.deepEqual(await rows(db.from('books').select().eq('shelf', shelf)), []);
  });

  test('no rows', async () => {
    const { error, status } = await db.from('books').insert([]);
    assert.deepEqual([error, status], [null, 201]);
    assert.deepEqual(await rows(db.from('books').insert([]).select()), []);
  });

  test('counted', async () => {
    const shelf = newShelf();
    const books = ['Emma', 'Persuasion', 'Sanditon'].map((title) => ({ shelf, title }));
    assert.equal((await db.from('books').insert(books, { count: 'exact' })).count, 3);
    assert.equal((await db.from('books').insert(books[0], { count: 'exact' })).count, 1);
  });

  test('what a row lacks is null, or its default if one asks', async () => {
    const shelf = newShelf();
    const authors = (options) =>
      db
        .from('books')
        .insert([{ shelf, title: 'Emma', pages: 474, price: 3 }, { shelf, title: 'Persuasion', price: 4 }], options)
        .select('title,pages,status');
    assert.deepEqual(await rows(authors()), [
      { title: 'Emma', pages: 474, status: 'draft' },
      { title: 'Persuasion', pages: null, status: 'draft' },
    ]);
    const books = [{ shelf, title: 'Emma', price: 3 }, { shelf, title: 'Persuasion' }];
    const error = await refused(db.from('books').insert(books), 422, 'RS_INVALID_BODY');
    assert.deepEqual(
      error.errors.map(({ pointer }) => pointer),
      ['/1/price'],
    );
    assert.deepEqual(await rows(db.from('books').insert(books, { defaultToNull: false }).select('price')), [
      { price: 3 },
      { price: 0 },
    ]);
  });

  test('every mistake of every row is told, and no row is there', async () => {
    const shelf = newShelf();
    const books = [
      { shelf, title: 'Emma' },
      { shelf, title: '', pages: 0 },
      { shelf, title: 'Persuasion', published_on: 'never' },
    ];
    const error = await refused(db.from('books').insert(books), 422, 'RS_INVALID_BODY');
    assert.deepEqual(error.errors.map(({ pointer }) => pointer).sort(), ['/1/pages', '/1/title', '/2/published_on']);
    assert.deepEqual(await rows(db.from('books').select().eq('shelf', shelf)), []);
  });

  test('an unknown field is refused by name', async () => {
    const book = { shelf: newShelf(), title: 'Emma', colour: 'red' };
    const error = await refused(db.from('books').insert(book), 422, 'RS_INVALID_BODY');
    assert.equal(error.errors[0].pointer, '/colour');
    // With an array the client names its fields in the URL.
    assert.match((await refused(db.from('books').insert([book]), 400, 'PGRST204')).message, /colour/);
  });

  test('conflicts are told with the field', async () => {
    const [shelf, isbn] = [newShelf(), newIsbn()];
    await rows(db.from('books').insert({ shelf, title: 'Emma', isbn }));
    const error = await refused(db.from('books').insert({ shelf, title: 'Emma', isbn }), 409, '23505');
    assert.equal(error.errors[0].pointer, '/isbn');
    const uid = '0198c0de-0000-7000-8000-00000000dead';
    await refused(db.from('books').insert({ shelf, title: 'Emma', author_uid: uid }), 409, '23503');
  });

  test('big numbers keep their digits', async () => {
    const shelf = newShelf();
    const words = 9007199254740993n;
    const query = db.from('books').insert({ shelf, title: 'Emma', words });
    assert.deepEqual(await rows(query.select('words::text')), [{ words: String(words) }]);
  });

  test('with what belongs to it', async () => {
    const shelf = newShelf();
    const author = await rows(db.from('authors').insert({ shelf, name: 'Jane' }).select().single());
    const query = db.from('books').insert({ shelf, title: 'Emma', author_uid: author.uid });
    assert.deepEqual(await rows(query.select('title,authors(name)').single()), {
      title: 'Emma',
      authors: { name: 'Jane' },
    });
  });

  test('rollback answers, and nothing is there', async () => {
    const shelf = newShelf();
    const made = await rows(db.from('books').insert({ shelf, title: 'Emma' }).select('title').rollback());
    assert.deepEqual(made, [{ title: 'Emma' }]);
    assert.deepEqual(await rows(db.from('books').select().eq('shelf', shelf)), []);
  });

  test('who may not, does not', async () => {
    const shelf = newShelf();
    await refused(nobody.from('diaries').insert({ shelf, text: 'Dear diary' }), 401, 'PGRST302');
    await refused(owen.from('books').insert({ shelf, title: 'Emma', cost: 3 }), 403, '42501');
    await refused(owen.from('books').insert([{ shelf, title: 'Emma', cost: 3 }]), 403, '42501');
    assert.deepEqual(await rows(owen.from('books').select().eq('shelf', shelf)), []);
  });
});

describe('upsert', () => {
  const told = 'uid,title,pages,isbn';

  test('on a unique field: updates what is there, inserts what is not', async () => {
    const [shelf, known, unknown] = [newShelf(), newIsbn(), newIsbn()];
    const before = await rows(
      owen.from('books').insert({ shelf, title: 'Emma', pages: 474, isbn: known }).select().single(),
    );
    const { data, error, status } = await db
      .from('books')
      .upsert(
        [
          { shelf, title: 'Emma, again', isbn: known },
          { shelf, title: 'Persuasion', isbn: unknown },
        ],
        { onConflict: 'isbn' },
      )
      .select();
    assert.deepEqual([error, status, data.length], [null, 201, 2]);
    const [emma, persuasion] = [known, unknown].map((isbn) => data.find((row) => row.isbn === isbn));
    assert.deepEqual(
      [emma.uid, emma.created_at, emma.creator_uid, emma.pages],
      [before.uid, before.created_at, 'owen', 474],
    );
    assert.deepEqual([emma.title, emma.last_updater_uid], ['Emma, again', 'ursula']);
    assert.ok(emma.last_updated_at > before.last_updated_at);
    assert.deepEqual([persuasion.creator_uid, persuasion.status], ['ursula', 'draft']);
  });

  test('one row, by uid', async () => {
    const shelf = newShelf();
    const { uid } = await rows(db.from('books').insert({ shelf, title: 'Emma' }).select().single());
    const query = db.from('books').upsert({ uid, shelf, title: 'Emma, again' });
    const { data, status } = await query.select('uid,title').single();
    assert.deepEqual([data, status], [{ uid, title: 'Emma, again' }, 200]);
  });

  test('of rows with and without uid', async () => {
    const shelf = newShelf();
    const { uid } = await rows(db.from('books').insert({ shelf, title: 'Emma' }).select().single());
    const books = [
      { uid, shelf, title: 'Emma, again' },
      { shelf, title: 'Persuasion' },
    ];
    const { error } = await db.from('books').upsert(books, { defaultToNull: false });
    assert.equal(error, null, JSON.stringify(error));
    const found = await rows(db.from('books').select('uid,title').eq('shelf', shelf).order('title'));
    assert.deepEqual([found[0], found[1].title], [{ uid, title: 'Emma, again' }, 'Persuasion']);
  });

  test('on a unique set', async () => {
    const shelf = newShelf();
    const upsert = (title) =>
      rows(db.from('books').upsert({ shelf, place: 1, title }, { onConflict: 'shelf,place' }).select('uid,title').single());
    const [first, second] = [await upsert('Emma'), await upsert('Persuasion')];
    assert.deepEqual(second, { uid: first.uid, title: 'Persuasion' });
  });

  test('ignoreDuplicates inserts only, and answers with what it inserted', async () => {
    const [shelf, known, unknown] = [newShelf(), newIsbn(), newIsbn()];
    await rows(db.from('books').insert({ shelf, title: 'Emma', isbn: known }));
    const books = [known, unknown].map((isbn) => ({ shelf, title: 'Another', isbn }));
    const query = db.from('books').upsert(books, { onConflict: 'isbn', ignoreDuplicates: true });
    assert.deepEqual(
      (await rows(query.select(told))).map((row) => row.isbn),
      [unknown],
    );
    const emma = await rows(db.from('books').select('title').eq('isbn', known).single());
    assert.deepEqual(emma, { title: 'Emma' });
  });

  test('counted', async () => {
    const [shelf, isbn] = [newShelf(), newIsbn()];
    const options = { onConflict: 'isbn', count: 'exact' };
    assert.equal((await db.from('books').upsert({ shelf, title: 'Emma', isbn }, options)).count, 1);
  });

  test('on what is not unique is refused', async () => {
    const query = db.from('books').upsert({ shelf: newShelf(), title: 'Emma' }, { onConflict: 'title' });
    const error = await refused(query, 400, '42P10');
    assert.match(error.hint, /isbn/);
  });

  test('one target twice is refused', async () => {
    const [shelf, isbn] = [newShelf(), newIsbn()];
    const books = ['Emma', 'Persuasion'].map((title) => ({ shelf, title, isbn }));
    assert.equal((await db.from('books').upsert(books, { onConflict: 'isbn' })).status, 422);
    assert.deepEqual(await rows(db.from('books').select().eq('shelf', shelf)), []);
  });
});
