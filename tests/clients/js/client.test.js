// What the client itself can be told, and what the server refuses by name.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { PostgrestClient, PostgrestError } from '@supabase/postgrest-js';

import { db, headersOf, newShelf, nobody, owen, refused, rows, stock, url } from './library.js';

let shelf;

before(async () => {
  ({ shelf } = await stock());
});

const titles = (client) => client.from('books').select('title').eq('shelf', shelf).eq('place', 1);
const expected = [{ title: 'A Wizard' }];

describe('the client', () => {
  test('throwOnError throws what was refused', async () => {
    await assert.rejects(
      async () => await db.from('books').select('colour').throwOnError(),
      (error) => error instanceof PostgrestError && error.code === '42703' && error.message.includes('colour'),
    );
    assert.deepEqual((await titles(db).throwOnError()).data, expected);
  });

  test('abortSignal ends a request', async () => {
    const aborted = await titles(db).abortSignal(AbortSignal.abort());
    assert.deepEqual([aborted.status, aborted.data], [0, null]);
    assert.match(aborted.error.message, /AbortError/);
    assert.deepEqual(await rows(titles(db).abortSignal(new AbortController().signal)), expected);
  });

  test('setHeader adds a header field', async () => {
    const { data } = await titles(db).setHeader('Accept', 'application/vnd.pgrst.object+json');
    assert.deepEqual(data, expected[0]);
    const own = nobody.from('diaries').select('text').eq('shelf', shelf);
    assert.deepEqual(await rows(own.setHeader('Authorization', headersOf(process.env.ROWSTAMP_TOKEN).Authorization)), []);
  });

  test('retry asks again after 503', async () => {
    let asked = 0;
    const unwell = (...request) => {
      asked += 1;
      return asked === 1 ? new Response('', { status: 503, headers: { 'Retry-After': '0' } }) : fetch(...request);
    };
    const client = new PostgrestClient(url, { fetch: unwell });
    assert.deepEqual(await rows(titles(client).retry(true)), expected);
    assert.equal(asked, 2);
  });

  test('schema(public) is the one there is', async () => {
    assert.deepEqual(await rows(titles(db.schema('public'))), expected);
    const made = db.schema('public').from('books').insert({ shelf: newShelf(), title: 'Emma' });
    assert.equal((await made).status, 201);
    await refused(titles(db.schema('private')), 406, 'PGRST106');
  });

  test('getOpenApiSpec', async () => {
    const { data, error } = await db.getOpenApiSpec();
    assert.equal(error, null, JSON.stringify(error));
    assert.equal(data.info.title, 'Library');
    assert.ok('/books' in data.paths);
  });

  test('a resource that is not there is refused', async () => {
    await refused(db.from('nothing').select(), 404, 'PGRST205');
  });

  test('who one is decides', async () => {
    await refused(nobody.from('diaries').select(), 401, 'PGRST302');
    await refused(owen.from('books').select('cost').eq('shelf', shelf), 403, '42501');
    await refused(owen.from('books').select('title').eq('cost', 1), 403, '42501');
    await refused(owen.from('books').select('title').order('cost'), 403, '42501');
    const forged = new PostgrestClient(url, { headers: headersOf('a.b.c') });
    await refused(titles(forged), 401, 'PGRST301');
  });

  test('a list too long for a URL travels in a body', async () => {
    const long = (target, options) => {
      const asked = new URL(target);
      if (options.method !== 'GET' || target.length < 8000) return fetch(target, options);
      const headers = { ...options.headers, 'Content-Type': 'application/x-www-form-urlencoded' };
      const body = asked.search.slice(1);
      return fetch(`${asked.origin}${asked.pathname}/query`, { ...options, method: 'POST', headers, body });
    };
    const client = new PostgrestClient(url, { fetch: long });
    const places = Array.from({ length: 5000 }, (_, at) => at + 2);
    const found = client.from('books').select('place', { count: 'exact' }).eq('shelf', shelf).in('place', places);
    const { data, count, error } = await found.order('place');
    assert.equal(error, null, JSON.stringify(error));
    assert.deepEqual([data, count], [[{ place: 2 }, { place: 3 }, { place: 4 }], 3]);
  });
});

describe('refused by name', () => {
  test('rpc', async () => {
    await refused(db.rpc('add_them', { a: 1, b: 2 }), 404, 'PGRST202');
    await refused(db.rpc('add_them', { a: 1 }, { get: true }), 404, 'PGRST202');
    // A HEAD has no body, and the client takes a 404 without one for an empty answer.
    assert.deepEqual((await db.rpc('add_them', {}, { head: true })).data, null);
  });

  test('geojson', async () => {
    await refused(titles(db).geojson(), 406, 'PGRST107');
  });

  test('explain', async () => {
    await refused(titles(db).explain(), 406, 'PGRST107');
    await refused(titles(db).explain({ analyze: true, format: 'json' }), 406, 'PGRST107');
  });

  test('rollback where the resource does not allow it', async () => {
    const answer = await db.from('tags').insert({ shelf, name: 'lost' }).select().rollback();
    assert.equal(answer.status, 400, JSON.stringify(answer));
    assert.deepEqual(await rows(db.from('tags').select().eq('shelf', shelf).eq('name', 'lost')), []);
  });
});
