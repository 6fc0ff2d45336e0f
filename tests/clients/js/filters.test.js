// Every filter of the client, each with the books it must find.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { db, refused, rows, stock } from './library.js';

let shelf;
const books = () => db.from('books').select('place').eq('shelf', shelf).order('place');

before(async () => {
  ({ shelf } = await stock());
});

const cases = [
  ['eq', (q) => q.eq('title', 'Solaris'), [3]],
  ['eq takes what has a meaning elsewhere', (q) => q.eq('title', 'Notes, (first)'), [4]],
  ['eq on a number', (q) => q.eq('price', 12.25), [3]],
  ['eq on a truth value', (q) => q.eq('lendable', false), [4]],
  ['eq on a date', (q) => q.eq('published_on', '1971-07-01'), [2]],
  ['eq on an enum', (q) => q.eq('status', 'draft'), [3, 4]],
  ['eq on an array', (q) => q.eq('keywords', '{magic,sea}'), [1]],
  ['neq', (q) => q.neq('status', 'draft'), [1, 2]],
  ['neq leaves null out', (q) => q.neq('pages', 200), [2, 3]],
  ['gt', (q) => q.gt('pages', 180), [1, 3]],
  ['gte', (q) => q.gte('pages', 180), [1, 2, 3]],
  ['lt', (q) => q.lt('pages', 200), [2]],
  ['lte', (q) => q.lte('pages', 200), [1, 2]],
  ['gt on dates', (q) => q.gt('published_on', '1968-01-01'), [1, 2]],
  ['lt on text', (q) => q.lt('title', 'N'), [1]],
  ['like', (q) => q.like('title', '%o%'), [2, 3, 4]],
  ['like with stars', (q) => q.like('title', '*ar*'), [1, 3]],
  ['like with one character', (q) => q.like('title', '_olaris'), [3]],
  ['likeAllOf', (q) => q.likeAllOf('title', ['%o%', '%s']), [2, 3]],
  ['likeAnyOf', (q) => q.likeAnyOf('title', ['A%', 'S%']), [1, 3]],
  ['ilike', (q) => q.ilike('title', '%WIZ%'), [1]],
  ['ilikeAllOf', (q) => q.ilikeAllOf('title', ['%T%', '%O%']), [2, 4]],
  ['ilikeAnyOf', (q) => q.ilikeAnyOf('title', ['a%', 'N%']), [1, 4]],
  ['regexMatch', (q) => q.regexMatch('title', '^[AS]'), [1, 3]],
  ['regexIMatch', (q) => q.regexIMatch('title', '^the .*s$'), [2]],
  ['is null', (q) => q.is('pages', null), [4]],
  ['is true', (q) => q.is('lendable', true), [1, 2, 3]],
  ['is false', (q) => q.is('lendable', false), [4]],
  ['isDistinct', (q) => q.isDistinct('pages', 200), [2, 3, 4]],
  ['in', (q) => q.in('pages', [180, 250]), [2, 3]],
  ['in with what has a meaning elsewhere', (q) => q.in('title', ['Notes, (first)', 'Solaris']), [3, 4]],
  ['in with nothing', (q) => q.in('place', []), []],
  ['notIn', (q) => q.notIn('place', [1, 2]), [3, 4]],
  ['contains an element', (q) => q.contains('keywords', ['magic']), [1, 2]],
  ['contains numbers', (q) => q.contains('marks', [5, 3]), [1]],
  ['contains, as text', (q) => q.contains('keywords', '{sea}'), [1, 3]],
  ['contains JSON', (q) => q.contains('details', { kind: 'novel', year: 1971 }), [2]],
  ['contains nested JSON', (q) => q.contains('details', { publisher: { name: 'Parnassus' } }), [1]],
  ['containedBy', (q) => q.containedBy('keywords', ['magic', 'sea']), [1, 2]],
  ['containedBy JSON', (q) => q.containedBy('details', { kind: 'novel', year: 1961, more: true }), [3]],
  ['overlaps', (q) => q.overlaps('keywords', ['space', 'magic']), [1, 2, 3]],
  ['overlaps numbers', (q) => q.overlaps('marks', [3, 4]), [1, 2]],
  ['textSearch', (q) => q.textSearch('blurb', 'quiet & sea'), [1]],
  ['textSearch or', (q) => q.textSearch('blurb', 'prayers | ocean'), [2, 3]],
  ['textSearch of a language', (q) => q.textSearch('blurb', 'thinking', { config: 'english' }), [3]],
  ['textSearch without a language', (q) => q.textSearch('blurb', 'thinking', { config: 'simple' }), []],
  ['textSearch plain', (q) => q.textSearch('blurb', 'prayers quiet', { type: 'plain' }), [2]],
  ['textSearch phrase', (q) => q.textSearch('blurb', 'quiet sea', { type: 'phrase' }), [1]],
  [
    'textSearch as on the web',
    (q) => q.textSearch('blurb', '"quiet prayers" or ocean', { type: 'websearch', config: 'english' }),
    [2, 3],
  ],
  ['match', (q) => q.match({ status: 'draft', lendable: false, pages: undefined }), [4]],
  ['not', (q) => q.not('pages', 'gt', 180), [2]],
  ['not is null', (q) => q.not('pages', 'is', null), [1, 2, 3]],
  ['not in', (q) => q.not('pages', 'in', '(180,250)'), [1]],
  ['not like', (q) => q.not('title', 'like', '%o%'), [1]],
  ['not contains', (q) => q.not('keywords', 'cs', '{sea}'), [2]],
  ['not textSearch', (q) => q.not('blurb', 'phfts(english)', 'quiet sea'), [2, 3]],
  ['or', (q) => q.or('pages.gt.240,title.like.A*'), [1, 3]],
  ['or, nested and quoted', (q) => q.or('and(pages.gt.190,status.eq.published),title.eq."Notes, (first)"'), [1, 4]],
  ['or with not', (q) => q.or('pages.is.null,not.and(pages.gt.180,status.eq.published)'), [2, 3, 4]],
  ['or with lists', (q) => q.or('place.in.(2,4),keywords.cs.{space}'), [2, 3, 4]],
  ['or with JSON', (q) => q.or('details->>year.eq.1968,details->year.gt.1970'), [1, 2]],
  ['two or are both', (q) => q.or('place.eq.1,place.eq.2').or('place.eq.2,place.eq.3'), [2]],
  ['filter', (q) => q.filter('pages', 'gte', 200), [1, 3]],
  ['filter with not', (q) => q.filter('pages', 'not.gte', 200), [2]],
  ['filter any', (q) => q.filter('pages', 'eq(any)', '{180,250}'), [2, 3]],
  ['filter all', (q) => q.filter('pages', 'gt(all)', '{180,190}'), [1, 3]],
  ['filter is not null', (q) => q.filter('pages', 'is', 'not_null'), [1, 2, 3]],
  ['filter is unknown', (q) => q.filter('lendable', 'is', 'unknown'), []],
  ['filter with a quoted list', (q) => q.filter('title', 'in', '("Notes, (first)","Solaris")'), [3, 4]],
  ['JSON path, as text', (q) => q.eq('details->>kind', 'novel'), [1, 2, 3]],
  ['JSON path, as JSON', (q) => q.gt('details->year', 1965), [1, 2]],
  ['JSON path, deeper', (q) => q.eq('details->publisher->>name', 'Parnassus'), [1]],
  ['JSON path with an index', (q) => q.eq('details->awards->>0', 'Horn'), [1]],
  ['JSON path to nothing', (q) => q.is('details->>publisher', null), [2, 3, 4]],
  ['two filters on a column', (q) => q.gt('pages', 180).lt('pages', 250), [1]],
];

describe('filters', () => {
  for (const [name, filter, expected] of cases) {
    test(name, async () => {
      const found = await rows(filter(books()));
      assert.deepEqual(
        found.map((book) => book.place),
        expected,
      );
    });
  }
});

describe('filters that are refused', () => {
  for (const [name, filter, code, word] of [
    ['an unknown field', (q) => q.eq('colour', 'red'), '42703', 'colour'],
    ['an unknown operator', (q) => q.filter('pages', 'about', 3), 'PGRST100', 'about'],
    ['a value of another type', (q) => q.eq('pages', 'many'), '22P02', 'pages'],
    ['a value that is none of the enum', (q) => q.eq('status', 'lost'), '22P02', 'status'],
    ['a list that does not end', (q) => q.filter('pages', 'in', '(1,2'), 'PGRST100', 'in.(1,2'],
    ['is with a value', (q) => q.filter('pages', 'is', '3'), 'PGRST100', 'not_null'],
    ['a pattern on a number', (q) => q.like('pages', '1%'), '42883', 'pages'],
    ['an unfinished or', (q) => q.or('pages.gt.1,'), 'PGRST100', 'or'],
    ['rangeGt', (q) => q.rangeGt('pages', '[1,2)'), 'PGRST127', 'sr'],
    ['rangeGte', (q) => q.rangeGte('pages', '[1,2)'), 'PGRST127', 'nxl'],
    ['rangeLt', (q) => q.rangeLt('pages', '[1,2)'), 'PGRST127', 'sl'],
    ['rangeLte', (q) => q.rangeLte('pages', '[1,2)'), 'PGRST127', 'nxr'],
    ['rangeAdjacent', (q) => q.rangeAdjacent('pages', '[1,2)'), 'PGRST127', 'adj'],
  ]) {
    test(name, async () => {
      const error = await refused(filter(books()), 400, code);
      assert.ok(`${error.message} ${error.details} ${error.hint}`.includes(word), JSON.stringify(error));
    });
  }
});
