// react-admin's data provider: each of its methods, and each answer as react-admin wants it.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import provider from '@raphiniert/ra-data-postgrest';
import { fetchUtils } from 'ra-core';

import { newShelf, stock, url } from './library.js';

// React-admin checks each answer with this. It is not for others, so it has no name but its file's.
const { default: validate } = await import(
  new URL('node_modules/ra-core/dist/dataProvider/validateResponseFormat.js', import.meta.url)
);

const httpClient = (target, options = {}) =>
  fetchUtils.fetchJson(target, {
    ...options,
    user: { authenticated: true, token: `Bearer ${process.env.ROWSTAMP_TOKEN}` },
  });

const primaryKeys = new Map(['authors', 'books', 'tags', 'reviews'].map((resource) => [resource, ['uid']]));
primaryKeys.set('book_tags', ['book_uid', 'tag_uid']);

const make = (more = {}) =>
  (provider.default ?? provider)({
    apiUrl: url,
    httpClient,
    defaultListOp: 'eq',
    primaryKeys,
    schema: () => '',
    ...more,
  });

const plain = make();

// The answer of one of its methods, checked as react-admin does.
async function call(method, resource, params, using = plain) {
  const answer = await using[method](resource, params);
  validate(answer, method);
  return answer;
}

const titles = (answer) => answer.data.map((book) => book.title);
const page = { pagination: { page: 1, perPage: 10 }, sort: { field: 'place', order: 'ASC' } };

let shelf;
let stocked;
before(async () => {
  stocked = await stock();
  ({ shelf } = stocked);
});

describe('getList', () => {
  test('gives a page and the total', async () => {
    const params = { ...page, filter: { shelf }, pagination: { page: 2, perPage: 3 } };
    const answer = await call('getList', 'books', params);
    assert.deepEqual([titles(answer), answer.total], [['Notes, (first)'], 4]);
    assert.equal(answer.data[0].id, stocked.books.notes);
    assert.equal((await call('getList', 'books', { ...page, filter: { shelf } })).total, 4);
    const nothing = await call('getList', 'books', { ...page, filter: { shelf: newShelf() } });
    assert.deepEqual([nothing.data, nothing.total], [[], 0]);
  });

  for (const [name, sort, using, expected] of [
    ['ascending', { field: 'title', order: 'ASC' }, {}, ['A Wizard', 'Notes, (first)', 'Solaris', 'The Tombs']],
    ['descending', { field: 'pages', order: 'DESC' }, {}, ['Notes, (first)', 'Solaris', 'A Wizard', 'The Tombs']],
    [
      'descending, null last',
      { field: 'pages', order: 'DESC' },
      { sortOrder: 'asc,desc.nullslast' },
      ['Solaris', 'A Wizard', 'The Tombs', 'Notes, (first)'],
    ],
    ['by id', { field: 'id', order: 'ASC' }, {}, ['A Wizard', 'The Tombs', 'Solaris', 'Notes, (first)']],
  ]) {
    test(`sorts ${name}`, async () => {
      assert.deepEqual(titles(await call('getList', 'books', { ...page, filter: { shelf }, sort }, make(using))), expected);
    });
  }

  test('sorts null first where asked', async () => {
    const params = { ...page, filter: { shelf }, sort: { field: 'pages', order: 'ASC' } };
    const answer = await call('getList', 'books', { ...params, meta: { nullsfirst: true } });
    assert.equal(titles(answer)[0], 'Notes, (first)');
  });

  for (const [name, filter, expected] of [
    ['by the usual operator', { status: 'published' }, ['A Wizard', 'The Tombs']],
    ['by an operator', { 'pages@gte': 200 }, ['A Wizard', 'Solaris']],
    ['by a pattern', { 'title@ilike': 'TOMB' }, ['The Tombs']],
    ['by a list', { 'place@in': '(1,4)' }, ['A Wizard', 'Notes, (first)']],
    ['by null', { 'pages@is': 'null' }, ['Notes, (first)']],
    ['by a range of values', { '@and': { 'pages@gte': 190, 'pages@lt': 250 } }, ['A Wizard']],
    ['by alternatives', { '@or': { 'pages@gt': 240, 'title@eq': 'The Tombs' } }, ['The Tombs', 'Solaris']],
    ['by an array', { 'keywords@cs': '{sea}' }, ['A Wizard', 'Solaris']],
    ['by words', { 'blurb@fts': 'prayers' }, ['The Tombs']],
    ['by a JSON path', { 'details->>year@eq': '1961' }, ['Solaris']],
    ['by not', { 'status@not': 'eq.draft' }, ['A Wizard', 'The Tombs']],
  ]) {
    test(`filters ${name}`, async () => {
      const answer = await call('getList', 'books', { ...page, filter: { shelf, ...filter } });
      assert.deepEqual([titles(answer), answer.total], [expected, expected.length]);
    });
  }

  test('with another usual operator', async () => {
    const params = { ...page, filter: { 'shelf@eq': shelf, title: 'wizard' } };
    assert.deepEqual(titles(await call('getList', 'books', params, make({ defaultListOp: 'ilike' }))), ['A Wizard']);
  });

  test('columns, embeds and what is fetched ahead', async () => {
    const params = { ...page, filter: { shelf, place: 1 } };
    const columns = await call('getList', 'books', { ...params, meta: { columns: ['uid', 'called:title'] } });
    assert.deepEqual(columns.data, [{ uid: stocked.books.wizard, called: 'A Wizard', id: stocked.books.wizard }]);
    const embedded = await call('getList', 'books', { ...params, meta: { embed: ['authors', 'tags'] } });
    assert.equal(embedded.data[0].authors.name, 'Ada');
    assert.equal(embedded.data[0].tags[0].name, 'classic');
    const ahead = await call('getList', 'books', { ...params, meta: { prefetch: ['tags'] } });
    assert.equal(ahead.meta.prefetched.tags[0].name, 'classic');
    assert.ok(!('tags' in ahead.data[0]));
  });

  test('an error has the status and the words of the server', async () => {
    await assert.rejects(plain.getList('books', { ...page, filter: { colour: 'red' } }), (error) => {
      assert.deepEqual([error.status, error.body.code], [400, '42703']);
      assert.match(error.message, /colour/);
      return true;
    });
  });
});

describe('get', () => {
  test('getOne gives the row', async () => {
    const { data } = await call('getOne', 'books', { id: stocked.books.solaris });
    assert.deepEqual([data.id, data.title], [stocked.books.solaris, 'Solaris']);
    const meta = { columns: 'uid,title', embed: ['authors'] };
    const some = await call('getOne', 'books', { id: stocked.books.solaris, meta });
    assert.deepEqual(Object.keys(some.data).sort(), ['authors', 'id', 'title', 'uid']);
  });

  test('getOne of no row is an error', async () => {
    await assert.rejects(plain.getOne('books', { id: '0198c0de-0000-7000-8000-00000000dead' }), (error) => {
      assert.deepEqual([error.status, error.body.code], [406, 'PGRST116']);
      return true;
    });
  });

  test('getMany gives rows', async () => {
    const { wizard, notes } = stocked.books;
    for (const ids of [[wizard, notes], [wizard]]) {
      const { data } = await call('getMany', 'books', { ids });
      assert.deepEqual(data.map((book) => book.id).sort(), [...ids].sort());
    }
    assert.deepEqual((await call('getMany', 'books', { ids: [] })).data, []);
  });

  test('getManyReference gives those that refer', async () => {
    const params = { ...page, target: 'author_uid', id: stocked.authors.ada, filter: {} };
    const answer = await call('getManyReference', 'books', params);
    assert.deepEqual([titles(answer), answer.total], [['A Wizard', 'The Tombs'], 2]);
    const some = { ...params, filter: { 'pages@gt': 190 }, meta: { columns: ['uid', 'title'] } };
    assert.deepEqual((await call('getManyReference', 'books', some)).data, [
      { uid: stocked.books.wizard, title: 'A Wizard', id: stocked.books.wizard },
    ]);
  });
});

describe('write', () => {
  const create = (data) => call('create', 'books', { data });

  test('create gives the row', async () => {
    const { data } = await create({ shelf: newShelf(), title: 'Emma', pages: 474 });
    assert.deepEqual([data.title, data.id, data.status], ['Emma', data.uid, 'draft']);
  });

  test('create of what breaks the definition is an error', async () => {
    await assert.rejects(plain.create('books', { data: { pages: 0 } }), (error) => {
      assert.deepEqual([error.status, error.body.code], [422, 'RS_INVALID_BODY']);
      const places = error.body.errors.map(({ pointer }) => pointer).sort();
      assert.deepEqual(places, ['/pages', '/title']);
      return true;
    });
  });

  test('update sends what has changed, and gives the row', async () => {
    const { data: made } = await create({ shelf: newShelf(), title: 'Emma', pages: 474 });
    const changed = { ...made, title: 'Emma, again' };
    const { data } = await call('update', 'books', { id: made.id, data: changed, previousData: made });
    assert.deepEqual([data.id, data.title, data.pages], [made.id, 'Emma, again', 474]);
  });

  test('update takes a whole row back, stamps and all', async () => {
    const { data: made } = await create({ shelf: newShelf(), title: 'Emma' });
    const { data } = await call('update', 'books', { id: made.id, data: { ...made, pages: 3 }, previousData: {} });
    assert.deepEqual([data.pages, data.created_at], [3, made.created_at]);
  });

  test('update of no row is an error', async () => {
    const id = '0198c0de-0000-7000-8000-00000000dead';
    await assert.rejects(plain.update('books', { id, data: { title: 'x' }, previousData: {} }), { status: 406 });
  });

  test('updateMany gives the ids', async () => {
    const there = newShelf();
    const ids = [];
    for (const title of ['One', 'Two', 'Three']) ids.push((await create({ shelf: there, title })).data.id);
    const { data } = await call('updateMany', 'books', { ids: ids.slice(0, 2), data: { status: 'published' } });
    assert.deepEqual([...data].sort(), ids.slice(0, 2).sort());
    const published = await call('getList', 'books', { ...page, filter: { shelf: there, status: 'published' } });
    assert.equal(published.total, 2);
  });

  test('delete gives what was there', async () => {
    const { data: made } = await create({ shelf: newShelf(), title: 'Emma' });
    const { data } = await call('delete', 'books', { id: made.id, previousData: made });
    assert.deepEqual([data.id, data.title], [made.id, 'Emma']);
    await assert.rejects(plain.getOne('books', { id: made.id }), { status: 406 });
  });

  test('deleteMany gives the ids', async () => {
    const there = newShelf();
    const ids = [];
    for (const title of ['One', 'Two', 'Three']) ids.push((await create({ shelf: there, title })).data.id);
    const { data } = await call('deleteMany', 'books', { ids: ids.slice(1) });
    assert.deepEqual([...data].sort(), ids.slice(1).sort());
    const left = await call('getList', 'books', { ...page, filter: { shelf: there } });
    assert.deepEqual(titles(left), ['One']);
  });
});

describe('keys of several fields', () => {
  test('read, change, delete', async () => {
    const { books, tags } = await stock();
    const pairs = [
      [books.wizard, tags.classic],
      [books.solaris, tags.sf],
    ];
    const ids = pairs.map((pair) => JSON.stringify(pair));
    const one = await call('getOne', 'book_tags', { id: ids[1] });
    assert.deepEqual([one.data.id, one.data.rank], [ids[1], 1]);
    const many = await call('getMany', 'book_tags', { ids });
    assert.deepEqual(many.data.map((row) => row.id).sort(), [...ids].sort());
    const changed = await call('update', 'book_tags', { id: ids[0], data: { rank: 7 }, previousData: one.data });
    assert.deepEqual([changed.data.id, changed.data.rank], [ids[0], 7]);
    await call('delete', 'book_tags', { id: ids[0], previousData: changed.data });
    assert.equal((await call('getMany', 'book_tags', { ids })).data.length, 1);
    assert.deepEqual((await call('deleteMany', 'book_tags', { ids: [ids[1]] })).data, [ids[1]]);
    const { data } = await call('create', 'book_tags', { data: { book_uid: books.tombs, tag_uid: tags.sf } });
    assert.equal(data.id, JSON.stringify([books.tombs, tags.sf]));
  });
});
