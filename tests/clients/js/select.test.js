// Which columns come back, in which shape and order, and how many.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { db, refused, rows, stock } from './library.js';

describe('select', () => {
  let shelf;
  let uids;
  const books = (columns, options) => db.from('books').select(columns, options).eq('shelf', shelf).order('place');
  const wizard = (columns) => books(columns).eq('place', 1);

  before(async () => {
    ({ shelf, books: uids } = await stock());
  });

  test('select() gives every field, the stamps too', async () => {
    const [book] = await rows(wizard());
    assert.equal(book.uid, uids.wizard);
    assert.equal(book.creator_uid, 'ursula');
    assert.deepEqual(
      [book.title, book.pages, book.price, book.published_on, book.keywords, book.words],
      ['A Wizard', 200, 10.5, '1968-09-01', ['magic', 'sea'], null],
    );
    assert.match(book.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/);
  });

  test('select(columns) gives these, white space aside', async () => {
    assert.deepEqual(await rows(wizard(' title ,\n pages ')), [{ title: 'A Wizard', pages: 200 }]);
  });

  test('quoted columns are columns', async () => {
    assert.deepEqual(await rows(wizard('"title"')), [{ title: 'A Wizard' }]);
  });

  test('a star stands beside other columns', async () => {
    const [book] = await rows(wizard('*,name:title'));
    assert.deepEqual([book.name, book.title, book.pages], ['A Wizard', 'A Wizard', 200]);
  });

  test('aliases rename', async () => {
    assert.deepEqual(await rows(wizard('name:title,id:uid')), [{ name: 'A Wizard', id: uids.wizard }]);
  });

  test('casts change the type', async () => {
    assert.deepEqual(await rows(wizard('price::text,pages::text,cents:price::integer,published_on::text')), [
      { price: '10.50', pages: '200', cents: 11, published_on: '1968-09-01' },
    ]);
  });

  test('JSON paths reach into json', async () => {
    const columns = 'details->kind,details->>year,publisher:details->publisher->>name,details->awards->1,details->none';
    assert.deepEqual(await rows(wizard(columns)), [
      { kind: 'novel', year: '1968', publisher: 'Parnassus', awards: 'Carroll', none: null },
    ]);
    assert.deepEqual(await rows(wizard('details->publisher')), [{ publisher: { name: 'Parnassus' } }]);
    assert.deepEqual(await rows(wizard('last:details->awards->>-1,year:details->>year::integer')), [
      { last: 'Carroll', year: 1968 },
    ]);
  });

  test('an unknown column is refused by name', async () => {
    const error = await refused(wizard('title,colour'), 400, '42703');
    assert.match(error.message, /colour/);
  });

  test('what is no column list is refused', async () => {
    await refused(wizard('title,,('), 400, 'PGRST100');
  });

  test('head and count', async () => {
    for (const head of [true, false]) {
      const answer = await books('uid', { head, count: 'exact' });
      assert.deepEqual([answer.error, answer.count, answer.status], [null, 4, 200]);
      assert.equal(answer.data === null, head);
    }
    const page = await books('uid', { count: 'exact' }).limit(3);
    assert.deepEqual([page.count, page.status, page.data.length], [4, 206, 3]);
    assert.equal((await books('uid', { count: 'estimated' })).count, 4);
    const planned = await books('uid', { count: 'planned', head: true });
    assert.ok(Number.isInteger(planned.count) && planned.error === null, JSON.stringify(planned));
    assert.equal((await books('uid')).count, null);
  });

  test('single gives the row itself, and refuses another number of rows', async () => {
    assert.deepEqual(await rows(wizard('title').single()), { title: 'A Wizard' });
    const none = await refused(books('title').eq('place', 9).single(), 406, 'PGRST116');
    assert.equal(none.details, 'The result contains 0 rows');
    const many = await refused(books('title').single(), 406, 'PGRST116');
    assert.equal(many.details, 'The result contains 4 rows');
  });

  test('maybeSingle gives the row, or null', async () => {
    assert.deepEqual(await rows(wizard('title').maybeSingle()), { title: 'A Wizard' });
    assert.equal(await rows(books('title').eq('place', 9).maybeSingle()), null);
    assert.equal((await books('title').maybeSingle()).error.code, 'PGRST116');
  });

  test('csv gives text', async () => {
    assert.equal(
      (await rows(books('place,title,pages,keywords').in('place', [2, 4]).csv())).trimEnd(),
      'place,title,pages,keywords\n2,The Tombs,180,{magic}\n4,"Notes, (first)",,',
    );
    assert.equal((await rows(books('place,title').eq('place', 9).csv())).trimEnd(), 'place,title');
  });

  test('stripNulls leaves null out', async () => {
    assert.deepEqual(await rows(books('title,pages').eq('place', 4).stripNulls()), [{ title: 'Notes, (first)' }]);
    assert.deepEqual(await rows(books('title,pages').eq('place', 4).stripNulls().single()), {
      title: 'Notes, (first)',
    });
  });

  test('returns and overrideTypes are about types alone', async () => {
    const expected = [{ title: 'A Wizard' }];
    assert.deepEqual(await rows(wizard('title').returns()), expected);
    assert.deepEqual(await rows(wizard('title').overrideTypes()), expected);
  });
});

describe('order and pages', () => {
  let shelf;
  const places = async (query) => (await rows(query)).map((book) => book.place);
  const books = (columns = 'place') => db.from('books').select(columns).eq('shelf', shelf);

  before(async () => {
    ({ shelf } = await stock());
  });

  for (const [name, order, expected] of [
    ['ascending, null last', (query) => query.order('pages'), [2, 1, 3, 4]],
    ['descending, null first', (query) => query.order('pages', { ascending: false }), [4, 3, 1, 2]],
    ['ascending, null first', (query) => query.order('pages', { nullsFirst: true }), [4, 2, 1, 3]],
    [
      'descending, null last',
      (query) => query.order('pages', { ascending: false, nullsFirst: false }),
      [3, 1, 2, 4],
    ],
    ['by two columns', (query) => query.order('status').order('place', { ascending: false }), [4, 3, 2, 1]],
    ['by a JSON path', (query) => query.order('details->>year'), [3, 1, 2, 4]],
    ['by a JSON value', (query) => query.order('details->year', { ascending: false, nullsFirst: false }), [2, 1, 3, 4]],
  ]) {
    test(`order ${name}`, async () => assert.deepEqual(await places(order(books())), expected));
  }

  test('order by a column of an embedded row', async () => {
    const query = books('place,authors(name)').order('authors(name)', { ascending: false, nullsFirst: false });
    assert.deepEqual(await places(query.order('place')), [3, 1, 2, 4]);
  });

  test('limit and range', async () => {
    assert.deepEqual(await places(books().order('place').limit(2)), [1, 2]);
    assert.deepEqual(await places(books().order('place').range(1, 2)), [2, 3]);
    assert.deepEqual(await places(books().order('place').limit(0)), []);
    assert.deepEqual(await places(books().order('place').range(4, 9)), []);
  });

  test('a range beyond a counted end is refused', async () => {
    const counted = db.from('books').select('place', { count: 'exact' }).eq('shelf', shelf);
    await refused(counted.range(5, 9), 416, 'PGRST103');
  });

  test('a limit above the maximum is lowered to it', async () => {
    const { shelf: other } = await stock();
    const many = Array.from({ length: 120 }, (_, at) => ({ shelf: other, name: `tag ${at}` }));
    await rows(db.from('tags').insert(many));
    for (const limit of [101, 1000, 100000]) {
      const { data, count, status } = await db
        .from('tags')
        .select('name', { count: 'exact' })
        .eq('shelf', other)
        .limit(limit);
      assert.deepEqual([data.length, count, status], [100, 122, 206]);
    }
  });
});
