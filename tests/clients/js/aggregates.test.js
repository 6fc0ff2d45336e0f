// Sums, averages, extremes and counts, of groups where other columns stand beside them.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { db, refused, rows, stock } from './library.js';

let shelf;
const books = (columns) => db.from('books').select(columns).eq('shelf', shelf);

before(async () => {
  ({ shelf } = await stock());
});

describe('aggregates', () => {
  for (const [columns, expected] of [
    ['count()', [{ count: 4 }]],
    ['count', [{ count: 4 }]],
    ['pages.count()', [{ count: 3 }]],
    ['pages.sum()', [{ sum: 630 }]],
    ['pages.avg()', [{ avg: 210 }]],
    ['pages.min(),most:pages.max()', [{ min: 180, most: 250 }]],
    ['total:price.sum()', [{ total: 30.75 }]],
    ['price.sum()::text', [{ sum: '30.75' }]],
    ['pages.avg()::integer', [{ avg: 210 }]],
    ['published_on.min(),last:published_on.max()', [{ min: '1961-06-01', last: '1971-07-01' }]],
    ['title.max()', [{ max: 'The Tombs' }]],
    ['years:details->year::integer.sum()', [{ years: 5900 }]],
  ]) {
    test(columns, async () => assert.deepEqual(await rows(books(columns)), expected));
  }

  test('other columns group', async () => {
    assert.deepEqual(await rows(books('status,count(),pages.sum()').order('status')), [
      { status: 'draft', count: 2, sum: 250 },
      { status: 'published', count: 2, sum: 380 },
    ]);
    assert.deepEqual(await rows(books('kind:details->>kind,count()').order('details->>kind')), [
      { kind: 'novel', count: 3 },
      { kind: null, count: 1 },
    ]);
  });

  test('filters choose what is counted', async () => {
    assert.deepEqual(await rows(books('count()').gt('pages', 190)), [{ count: 2 }]);
    assert.deepEqual(await rows(books('count(),pages.sum()').gt('pages', 1000)), [{ count: 0, sum: null }]);
  });

  test('an embedded row groups', async () => {
    const found = await rows(books('authors(name),pages.sum()'));
    const byName = Object.fromEntries(found.map((row) => [row.authors?.name ?? '', row.sum]));
    assert.deepEqual(byName, { Ada: 380, Boris: 250, '': null });
  });

  test('inside an embed', async () => {
    const query = (columns) => db.from('authors').select(columns).eq('shelf', shelf).order('name');
    for (const columns of ['name,books(count())', 'name,books(count)']) {
      assert.deepEqual(await rows(query(columns)), [
        { name: 'Ada', books: [{ count: 2 }] },
        { name: 'Boris', books: [{ count: 1 }] },
        { name: 'Chen', books: [{ count: 0 }] },
      ]);
    }
    assert.deepEqual(await rows(query('name,books(status,pages.sum())').eq('name', 'Ada')), [
      { name: 'Ada', books: [{ status: 'published', sum: 380 }] },
    ]);
  });

  test('where the resource does not allow them they are refused', async () => {
    await refused(db.from('tags').select('count()').eq('shelf', shelf), 400, 'PGRST123');
  });

  test('what cannot be summed is refused', async () => {
    const error = await refused(books('title.sum()'), 400, '42883');
    assert.match(error.message, /title/);
  });
});
