import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect, connectCommands, hubbleServices } from './connect.js';

const service = (name: string, port: number, portName: string): object => ({
  metadata: { namespace: 'kube-system', name },
  spec: { ports: [{ port, name: portName }] },
});
const LISTED = JSON.stringify({
  items: [
    service('kube-dns', 53, 'dns'),
    service('hubble-relay', 80, 'http'),
    service('hubble-peer', 443, 'peer'),
  ],
});

let folder: string | undefined;

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  folder = undefined;
});

/** Puts a kubectl on the path that notes what it is asked and answers. */
async function pretend(services: string): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'flowledger-kubectl-'));
  const notes = join(folder, 'asked');
  await writeFile(join(folder, 'services.json'), services);
  const script = `#!/bin/sh\necho "$@" >> '${notes}'\ncase "$1" in config) echo "kind-o'clock";; *) cat '${folder}/services.json';; esac\n`;
  await writeFile(join(folder, 'kubectl'), script);
  await chmod(join(folder, 'kubectl'), 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
  return notes;
}

function printed(): () => string {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  return () => write.mock.calls.map(([text]) => String(text)).join('');
}

describe('flowledger connect', () => {
  it('prints the port-forward and the flags, and asks the cluster nothing but its services', async () => {
    const notes = await pretend(LISTED);
    const text = printed();
    expect(await connect([])).toBe(0);
    expect(text()).toContain(
      `kubectl --context 'kind-o'\\''clock' -n kube-system port-forward service/hubble-relay 4245:80`,
    );
    expect(text()).toContain('npm start -- --hubble-relay 127.0.0.1:4245');
    const { readFile } = await import('node:fs/promises');
    expect((await readFile(notes, 'utf8')).trim().split('\n')).toEqual([
      'config current-context --request-timeout=5s',
      `--context kind-o'clock get services --all-namespaces -o json --request-timeout=5s`,
    ]);
  });

  it('says what is missing: Hubble, its relay, kubectl', async () => {
    await pretend('{"items":[]}');
    const text = printed();
    expect(await connect(['--context', 'prod'])).toBe(69);
    expect(text()).toContain('Cluster prod has no Hubble');
    vi.stubEnv('PATH', folder === undefined ? '' : join(folder, 'nothing'));
    await expect(connect([])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('no kubectl'),
    });
  });

  it('names the flags of TLS where the service speaks it', () => {
    const [relay] = hubbleServices(JSON.stringify({ items: [service('hubble-relay', 443, 'https')] }));
    if (relay === undefined) throw new Error('not found');
    expect(connectCommands('prod', relay)).toContain('--source-relay-tls --source-relay-tls-ca CA.pem');
  });

  it.each(['', 'null', '[]', '{"items":[null,{"metadata":{"name":"hubble-relay"}}]}'])(
    'finds nothing in %j',
    (json) => {
      expect(hubbleServices(json)).toEqual([]);
    },
  );
});
