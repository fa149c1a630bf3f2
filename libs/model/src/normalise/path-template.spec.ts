import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathTemplate } from './path-template.js';

describe('a path template', () => {
  it.each([
    ['', ''],
    ['/', '/'],
    ['http://shop:8080', '/'],
    ['http://shop:8080?x=1', '/'],
    ['http://10.128.0.4:9990/metrics', '/metrics'],
    ['/api/v1/orders/4711?page=2#top', '/api/v1/orders/{id}'],
    ['https://h/items/b1bc7cbf-d212-4b15-bd6f-9c7778132e4f/parts', '/items/{id}/parts'],
    ['/commits/6f5fe85e1a', '/commits/{id}'],
    ['/k8s/api/v2beta1/nodes', '/k8s/api/v2beta1/nodes'],
    ['/orders/order-123456/items', '/orders/order-{id}/items'],
    ['/blobs/dGhpcyBpcyBhIHRva2VuIDEyMzQ1Njc4', '/blobs/{id}'],
    ['/decade/facade', '/decade/facade'],
    ['/a//b/', '/a//b/'],
    ['/日本/ünï', '/日本/ünï'],
    ['*', '*'],
  ])('of %s is %s', (url, template) => {
    expect(pathTemplate(url)).toBe(template);
  });

  it('is bounded, however long the URL is', () => {
    expect(pathTemplate(`/${'x/'.repeat(1000)}`)).toBe(`${'/x'.repeat(16)}/…`);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2000 }), (url) => {
        expect(Buffer.byteLength(pathTemplate(url))).toBeLessThanOrEqual(300);
      }),
    );
  });

  it('of a template is itself', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (url) => {
        const once = pathTemplate(url);
        expect(pathTemplate(once)).toBe(once);
      }),
    );
  });
});
