import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeKubeApi, makeAuthority } from '@flowledger/testkit';
import { inClusterAccess, kubeconfigAccess } from './kube-access.js';
import { KubeClient } from './kube-client.js';

const PATH = '/apis/cilium.io/v2/ciliumnetworkpolicies';
const authority = makeAuthority();
const leaf = authority.issue(['kubernetes.default.svc', 'localhost']);
const client = authority.issue(['flowledger']);
const stranger = makeAuthority();
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('access to an API server', () => {
  let directory = '';
  let api: FakeKubeApi | undefined;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kube-'));
  });
  afterEach(async () => {
    await api?.close();
    api = undefined;
    await rm(directory, { recursive: true });
  });

  const tls = { cert: leaf.certificate, key: leaf.key };
  const list = async (access: ConstructorParameters<typeof KubeClient>[0]): Promise<unknown> => {
    const answer = await new KubeClient(access).get({
      path: PATH,
      query: {},
      signal: AbortSignal.timeout(5_000),
    });
    return answer['kind'];
  };

  /** A kubeconfig of one context. */
  async function kubeconfig(cluster: object, user: object): Promise<string> {
    const path = join(directory, 'config');
    const content = {
      'current-context': 'here',
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user }],
    };
    await writeFile(path, JSON.stringify(content));
    return path;
  }

  it('is a pod’s: its authority, and the token of the moment', async () => {
    let token = 'first';
    api = await FakeKubeApi.start({ tls, token: () => token });
    await writeFile(join(directory, 'token'), 'first\n');
    await writeFile(join(directory, 'ca.crt'), authority.certificate);
    const access = { ...(await inClusterAccess(directory, api.url)), serverName: 'kubernetes.default.svc' };
    expect(await list(access)).toBe('List');
    token = 'renewed';
    await expect(list(access)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await writeFile(join(directory, 'token'), 'renewed');
    expect(await list(access)).toBe('List');
  });

  it('is a kubeconfig’s: a token, files beside it or data in it', async () => {
    api = await FakeKubeApi.start({ tls, token: () => 'secret' });
    await writeFile(join(directory, 'ca.pem'), authority.certificate);
    await writeFile(join(directory, 'token'), 'secret');
    const server = { server: `${api.url}/`, 'tls-server-name': 'localhost' };
    const byFile = await kubeconfig({ ...server, 'certificate-authority': 'ca.pem' }, { tokenFile: 'token' });
    expect(await list(await kubeconfigAccess(byFile))).toBe('List');
    const data = { ...server, 'certificate-authority-data': base64(authority.certificate) };
    expect(await list(await kubeconfigAccess(await kubeconfig(data, { token: 'secret' })))).toBe('List');
    const wrong = await kubeconfigAccess(await kubeconfig(data, { token: 'other' }));
    await expect(list(wrong)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retry: true });
  });

  it('is a client certificate', async () => {
    api = await FakeKubeApi.start({ tls: { ...tls, clientCa: authority.certificate } });
    const server = {
      server: api.url,
      'tls-server-name': 'localhost',
      'certificate-authority-data': base64(authority.certificate),
    };
    const user = {
      'client-certificate-data': base64(client.certificate),
      'client-key-data': base64(client.key),
    };
    expect(await list(await kubeconfigAccess(await kubeconfig(server, user)))).toBe('List');
    await expect(list(await kubeconfigAccess(await kubeconfig(server, {})))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('is none to a server that another authority signed', async () => {
    api = await FakeKubeApi.start({ tls });
    const cluster = {
      server: api.url,
      'tls-server-name': 'localhost',
      'certificate-authority-data': base64(stranger.certificate),
    };
    const access = await kubeconfigAccess(await kubeconfig(cluster, {}));
    await expect(list(access)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('is refused where something is missing or not done here', async () => {
    const server = { server: 'https://example' };
    const refused: readonly (readonly [object, object, string])[] = [
      [server, { exec: { command: 'aws' } }, 'exec is not supported'],
      [server, { username: 'u', password: 'p' }, 'username is not supported'],
      [{ ...server, 'insecure-skip-tls-verify': true }, {}, 'insecure-skip-tls-verify'],
      [{}, {}, 'no current context with a server'],
      [{ server: 'nothing' }, {}, 'no current context with a server'],
      [{ server: 'http://example' }, { token: 'secret' }, 'over plain text'],
      [{ ...server, 'certificate-authority': 'none.pem' }, {}, 'none.pem cannot be read'],
    ];
    for (const [cluster, user, text] of refused)
      await expect(kubeconfigAccess(await kubeconfig(cluster, user))).rejects.toThrow(text);
    await expect(inClusterAccess(join(directory, 'none'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
