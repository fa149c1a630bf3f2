import { describe, expect, it } from 'vitest';
import { AppError, assertSafeBinding } from '@flowledger/platform';
import { refuse, type AccessFacts, type AccessRules } from './access.js';

const rules: AccessRules = { host: '127.0.0.1', allowedHosts: ['flows.example.org'] };
const facts: AccessFacts = {
  path: '/graphql',
  hosts: ['127.0.0.1:7117'],
  origin: undefined,
  authorization: undefined,
  localAddress: '127.0.0.1',
};

describe('refuse', () => {
  it.each(['127.0.0.1:7117', 'localhost:7117', 'LOCALHOST', '[::1]:7117', 'flows.example.org'])(
    'takes Host %s',
    (host) => {
      expect(refuse({ ...facts, hosts: [host] }, rules)).toBeUndefined();
    },
  );

  it.each([
    'evil.example.org',
    '10.0.0.9',
    'localhost.evil.org',
    '',
    'localhost:7117/x',
    'a b',
    '127.0.0.1.evil.org',
  ])('refuses Host %j, so that no page can rebind its name to us', (host) => {
    expect(refuse({ ...facts, hosts: [host] }, rules)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  it('refuses two Host headers, and none', () => {
    expect(refuse({ ...facts, hosts: ['localhost', 'localhost'] }, rules)).toMatchObject({ status: 400 });
    expect(refuse({ ...facts, hosts: [] }, rules)).toMatchObject({ status: 400 });
  });

  it('takes the address that the connection came in on', () => {
    const wide = { ...rules, host: '0.0.0.0' };
    const reached = { ...facts, hosts: ['10.0.0.9:7117'], localAddress: '::ffff:10.0.0.9' };
    expect(refuse(reached, wide)).toBeUndefined();
    expect(refuse({ ...reached, hosts: ['10.0.0.8:7117'] }, wide)).toMatchObject({ status: 403 });
  });

  it.each(['http://127.0.0.1:7117', 'https://flows.example.org', 'https://flows.example.org:8443'])(
    'takes Origin %s',
    (origin) => {
      expect(refuse({ ...facts, origin }, rules)).toBeUndefined();
    },
  );

  it.each([
    'null',
    'http://127.0.0.1:9999',
    'http://evil.example.org',
    'file://',
    'http://localhost:7117@evil.org',
  ])('refuses Origin %s', (origin) => {
    expect(refuse({ ...facts, origin }, rules)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  it.each([undefined, 'Bearer wrong', 'Bearer ', 'Basic c2VjcmV0', 'secret', 'Bearer secret secret'])(
    'refuses authorization %s when a token is set',
    (authorization) => {
      const guarded = { ...rules, token: 'secret' };
      expect(refuse({ ...facts, authorization }, guarded)).toMatchObject({
        status: 401,
        code: 'UNAUTHENTICATED',
      });
    },
  );

  it('takes the token, and asks none for pages and probes that hold no data', () => {
    const guarded = { ...rules, token: 'secret' };
    expect(refuse({ ...facts, authorization: 'Bearer secret' }, guarded)).toBeUndefined();
    for (const path of ['/', '/healthz', '/readyz', '/graphiql', '/start/start.js']) {
      expect(refuse({ ...facts, path }, guarded)).toBeUndefined();
    }
    for (const path of [
      '/metrics',
      '/status',
      '/v1/import',
      '/graphql/schema.graphql',
      '/startx',
      '/graphiqlx',
    ]) {
      expect(refuse({ ...facts, path }, guarded)).toMatchObject({ status: 401 });
    }
  });
});

describe('assertSafeBinding', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('lets %s listen without a token', (host) => {
    expect(() => assertSafeBinding(host, undefined, false)).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.0.0.9', 'example.org', '127.0.0.1.example.org'])(
    'refuses %s without a token',
    (host) => {
      expect(() => assertSafeBinding(host, undefined, false)).toThrow(AppError);
      expect(() => assertSafeBinding(host, 'secret', false)).not.toThrow();
      expect(() => assertSafeBinding(host, undefined, true)).not.toThrow();
    },
  );
});
