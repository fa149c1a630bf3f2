import { describe, expect, it } from 'vitest';
import { pathOf } from './http-path.js';

describe('pathOf', () => {
  // What `url.Parse(url).Path` of Go 1.24 gives.
  it.each([
    ['/a/b?q=/secret#/f', '/a/b'],
    ['http://shop:8080/items/7#frag', '/items/7'],
    ['http://shop', ''],
    ['//host/path', '/path'],
    ['/a//b', '/a//b'],
    ['/%61b', '/ab'],
    ['/ünï/%E6%97%A5', '/ünï/日'],
    ['a/b:c', 'a/b:c'],
    ['*', '*'],
    ['', ''],
    ['mailto:x@y/z', ''],
    ['shop:8080/items', ''],
    ['http:/one/slash', '/one/slash'],
  ])('%s has the path %s', (url, path) => {
    expect(pathOf(url)).toBe(path);
  });

  it.each(['/bad%zz', '/%', '/%4', '/a\nb', '/\x7f', '1shop:80/x', ':x', 'a_b:c'])('%j has none', (url) => {
    expect(pathOf(url)).toBeUndefined();
  });
});
