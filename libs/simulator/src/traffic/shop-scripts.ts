import { hash32 } from '../random.js';
import { uuidText } from '../topology/names.js';
import type { Call, HttpRequest } from './call.js';
import type { Decision } from './decision.js';
import { EDGES } from './edge.js';

const MAX_PAYMENT_ATTEMPTS = 3;
const RETRY_PAUSE_NS = 150e6;
const UNAVAILABLE = 503;

/** An HTTP request; `template` defaults to the target, for targets without variable parts. */
export function http(method: string, target: string, template = target): HttpRequest {
  return { kind: 'http', method, target, template };
}

function enter(d: Decision, request: HttpRequest, atNs: number): Call {
  return d.begin(EDGES.userFrontend, request, d.cluster.outside.user(d.random.below(200)), atNs);
}

/** Somebody opens the shop. */
export function openHome(d: Decision, atNs: number): void {
  const page = enter(d, http('GET', '/'), atNs);
  if (page.denial !== undefined) return;
  const catalog = d.ask(
    EDGES.frontendCatalog,
    http('GET', '/products?limit=20', '/products'),
    page.server,
    page.serverRequestNs,
    { parent: page },
  );
  recommend(d, page, page.serverRequestNs);
  d.answer(page, catalog.clientResponseNs, failureOf(catalog));
}

/** Somebody looks at a product. */
export function openProduct(d: Decision, atNs: number): void {
  const id = 100 + d.random.below(400);
  const page = enter(d, http('GET', `/product/${id}`, '/product/{id}'), atNs);
  if (page.denial !== undefined) return;
  const request = http('GET', `/products/${id}`, '/products/{id}');
  const product = d.ask(EDGES.frontendCatalog, request, page.server, page.serverRequestNs, { parent: page });
  const answered = Math.max(product.clientResponseNs, recommend(d, page, page.serverRequestNs));
  d.answer(page, answered, product.status === 404 ? 404 : failureOf(product));
}

function recommend(d: Decision, page: Call, atNs: number): number {
  const user = 1000 + d.random.below(500);
  const request = http('GET', `/recommendations?user=${user}`, '/recommendations');
  const call = d.begin(EDGES.frontendRecommendations, request, page.server, atNs, { parent: page });
  let ready = call.serverRequestNs;
  if (call.denial === undefined && d.random.chance(0.5)) {
    const id = 100 + d.random.below(400);
    const lookup = http('GET', `/products/${id}`, '/products/{id}');
    ready = d.ask(EDGES.recommendationsCatalog, lookup, call.server, ready, {
      parent: call,
    }).clientResponseNs;
  }
  d.answer(call, ready);
  return call.clientResponseNs;
}

/** Somebody looks at, or adds to, the cart. */
export function useCart(d: Decision, atNs: number): void {
  const adds = d.random.chance(0.5);
  const page = enter(d, http(adds ? 'POST' : 'GET', '/cart'), atNs);
  if (page.denial !== undefined) return;
  const cart = uuidText(hash32(d.second, d.random.next()), 1);
  const request = http(adds ? 'POST' : 'GET', `/cart/${cart}`, '/cart/{id}');
  const call = d.begin(EDGES.frontendCart, request, page.server, page.serverRequestNs, { parent: page });
  readCart(d, call);
  d.answer(page, call.clientResponseNs, failureOf(call));
}

function readCart(d: Decision, call: Call): void {
  if (call.denial !== undefined) return;
  const redis = d.ask(EDGES.cartRedis, undefined, call.server, call.serverRequestNs, { parent: call });
  d.answer(call, redis.clientResponseNs);
}

/** Somebody buys: the chain that the incident breaks. */
export function buy(d: Decision, atNs: number): void {
  const page = enter(d, http('POST', '/checkout'), atNs);
  if (page.denial !== undefined) return;
  const order = d.begin(EDGES.frontendCheckout, http('POST', '/orders'), page.server, page.serverRequestNs, {
    parent: page,
  });
  if (order.denial === undefined) {
    const cart = uuidText(hash32(d.second, d.random.next()), 2);
    const request = http('GET', `/cart/${cart}`, '/cart/{id}');
    const items = d.begin(EDGES.checkoutCart, request, order.server, order.serverRequestNs, {
      parent: order,
    });
    readCart(d, items);
    const charge = pay(d, order, items.clientResponseNs);
    if (charge.status === 200) announce(d, order, charge.clientResponseNs);
    d.answer(order, charge.clientResponseNs, failureOf(charge));
  }
  d.answer(page, order.clientResponseNs, failureOf(order));
}

function pay(d: Decision, order: Call, atNs: number): Call {
  let at = atNs;
  let last: Call | undefined;
  for (;;) {
    const call: Call = d.begin(EDGES.checkoutPayments, http('POST', '/charge'), order.server, at, {
      parent: order,
      ...(last === undefined ? {} : { retryOf: last }),
    });
    if (call.denial === undefined) {
      const bank = d.random.chance(0.5)
        ? d.ask(EDGES.paymentsBank, undefined, call.server, call.serverRequestNs, { parent: call })
            .clientResponseNs
        : call.serverRequestNs;
      d.answer(call, bank);
    }
    if (call.status < 500 && call.denial === undefined) return call;
    if (call.attempt === MAX_PAYMENT_ATTEMPTS) return call;
    last = call;
    at = call.clientResponseNs + RETRY_PAUSE_NS * call.attempt;
  }
}

function announce(d: Decision, order: Call, atNs: number): void {
  const request = {
    kind: 'kafka',
    apiKey: 'produce',
    apiVersion: 7,
    correlationId: 1 + d.random.below(1_000_000),
    topic: 'orders',
  } as const;
  d.ask(EDGES.checkoutKafka, request, order.server, atNs, { parent: order });
}

/** Status that a failed dependency forces on its caller; undefined when the caller is free. */
function failureOf(call: Call): number | undefined {
  return call.denial !== undefined || call.status >= 500 ? UNAVAILABLE : undefined;
}
