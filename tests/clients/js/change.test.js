// Rows that are there, changed and deleted by filters.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { db, newShelf, owen, refused, rows } from './library.js';

let shelf;
const titles = async () => {
  const found = await rows(db.from('books').select('title').eq('shelf', shelf).order('place'));
  return found.map((book) => book.title);
};

beforeEach(async () => {
  shelf = newShelf();
  const books = ['One', 'Two', 'Three'].map((title, at) => ({ shelf, title, place: at + 1, pages: (at + 1) * 100 }));
  await rows(db.from('books').insert(books));
});

const update = (values, options) => db.from('books').update(values, options).eq('shelf', shelf);
const remove = (options) => db.from('books').delete(options).eq('shelf', shelf);

describe('update', () => {
  test('changes every row that the filters find, and answers with nothing', async () => {
    const { data, error, status } = await update({ title: 'Long' }).gte('pages', 200);
    assert.deepEqual([data, error, status], [null, null, 204]);
    assert.deepEqual(await titles(), ['One', 'Long', 'Long']);
  });

  test('with select answers with the rows', async () => {
    const query = owen.from('books').update({ title: 'New' }).eq('shelf', shelf).lt('pages', 200);
    const { data, status } = await query.select('title,pages,creator_uid,last_updater_uid');
    assert.equal(status, 200);
    assert.deepEqual(data, [{ title: 'New', pages: 100, creator_uid: 'ursula', last_updater_uid: 'owen' }]);
  });

  test('takes every kind of filter', async () => {
    await rows(update({ title: 'Found' }).or('place.eq.1,and(pages.gt.200,title.like.T*)').not('pages', 'is', null));
    assert.deepEqual(await titles(), ['Found', 'Two', 'Found']);
  });

  test('with single and maybeSingle', async () => {
    assert.deepEqual(await rows(update({ title: 'New' }).eq('place', 1).select('title').single()), { title: 'New' });
    assert.deepEqual(await rows(update({ title: 'Newer' }).eq('place', 1).select('title').maybeSingle()), {
      title: 'Newer',
    });
    assert.equal(await rows(update({ title: 'New' }).eq('place', 9).select('title').maybeSingle()), null);
    await refused(update({ title: 'All' }).select('title').single(), 406, 'PGRST116');
    await refused(update({ title: 'None' }).eq('place', 9).select('title').single(), 406, 'PGRST116');
    assert.deepEqual(await titles(), ['Newer', 'Two', 'Three']);
  });

  test('counted', async () => {
    assert.equal((await update({ title: 'New' }, { count: 'exact' }).gt('pages', 100)).count, 2);
    assert.equal((await update({ title: 'New' }, { count: 'exact' }).gt('pages', 1000)).count, 0);
  });

  test('finding nothing is no error', async () => {
    assert.equal((await update({ title: 'New' }).eq('place', 9)).status, 204);
    assert.deepEqual(await rows(update({ title: 'New' }).eq('place', 9).select()), []);
  });

  test('null clears, and with nothing to change nothing is changed', async () => {
    assert.deepEqual(await rows(update({ pages: null }).eq('place', 1).select('pages')), [{ pages: null }]);
    assert.deepEqual(await rows(update({}).select()), []);
  });

  test('with what belongs to the rows', async () => {
    const author = await rows(db.from('authors').insert({ shelf, name: 'Ada' }).select().single());
    const query = update({ author_uid: author.uid }).eq('place', 1).select('title,authors(name)');
    assert.deepEqual(await rows(query), [{ title: 'One', authors: { name: 'Ada' } }]);
  });

  test('without a filter is refused', async () => {
    await refused(db.from('books').update({ title: 'All' }), 400, '21000');
  });

  test('what breaks the definition is refused', async () => {
    const error = await refused(update({ title: '', pages: 'many' }), 422, 'RS_INVALID_BODY');
    assert.deepEqual(error.errors.map(({ pointer }) => pointer).sort(), ['/pages', '/title']);
    await refused(update({ title: 'New', created_at: '2020-01-01T00:00:00Z' }), 422, 'RS_INVALID_BODY');
    assert.deepEqual(await titles(), ['One', 'Two', 'Three']);
  });

  test('limit and order do not belong to it', async () => {
    await refused(update({ title: 'New' }).limit(1), 400, 'PGRST100');
    await refused(update({ title: 'New' }).order('place'), 400, 'PGRST100');
  });

  test('maxAffected', async () => {
    const error = await refused(update({ title: 'New' }).maxAffected(2), 400, 'PGRST124');
    assert.equal(error.details, 'The query affects 3 rows');
    assert.deepEqual(await titles(), ['One', 'Two', 'Three']);
    assert.equal((await update({ title: 'New' }).gt('pages', 100).maxAffected(2)).status, 204);
    assert.deepEqual(await titles(), ['One', 'New', 'New']);
  });

  test('rollback answers, and nothing is changed', async () => {
    assert.deepEqual(await rows(update({ title: 'New' }).eq('place', 1).select('title').rollback()), [{ title: 'New' }]);
    assert.deepEqual(await titles(), ['One', 'Two', 'Three']);
  });

  test('touches only rows in reach', async () => {
    await rows(db.from('diaries').insert({ shelf, text: 'Mine' }));
    const query = owen.from('diaries').update({ text: 'His' }).eq('shelf', shelf).select();
    assert.deepEqual(await rows(query), []);
    assert.deepEqual(await rows(db.from('diaries').select('text').eq('shelf', shelf)), [{ text: 'Mine' }]);
  });
});

describe('delete', () => {
  test('takes every row that the filters find, and answers with nothing', async () => {
    const { data, error, status } = await remove().gte('pages', 200);
    assert.deepEqual([data, error, status], [null, null, 204]);
    assert.deepEqual(await titles(), ['One']);
  });

  test('with select answers with what was there', async () => {
    const { data, status } = await remove().in('place', [1]).select('title,pages');
    assert.deepEqual([data, status], [[{ title: 'One', pages: 100 }], 200]);
    assert.deepEqual(await titles(), ['Two', 'Three']);
  });

  test('with single', async () => {
    assert.deepEqual(await rows(remove().eq('place', 1).select('title').single()), { title: 'One' });
    await refused(remove().select('title').single(), 406, 'PGRST116');
    assert.deepEqual(await titles(), ['Two', 'Three']);
  });

  test('counted', async () => {
    assert.equal((await remove({ count: 'exact' })).count, 3);
    assert.equal((await remove({ count: 'exact' })).count, 0);
  });

  test('without a filter is refused', async () => {
    await refused(db.from('books').delete(), 400, '21000');
  });

  test('maxAffected', async () => {
    await refused(remove().maxAffected(2), 400, 'PGRST124');
    assert.deepEqual(await titles(), ['One', 'Two', 'Three']);
    assert.equal((await remove().maxAffected(3)).status, 204);
    assert.deepEqual(await titles(), []);
  });

  test('rollback answers, and nothing is gone', async () => {
    assert.equal((await rows(remove().select('title').rollback())).length, 3);
    assert.deepEqual(await titles(), ['One', 'Two', 'Three']);
  });

  test('what others refer to stays', async () => {
    const author = await rows(db.from('authors').insert({ shelf, name: 'Ada' }).select().single());
    await rows(update({ author_uid: author.uid }));
    await refused(db.from('authors').delete().eq('uid', author.uid), 409, '23503');
  });
});
