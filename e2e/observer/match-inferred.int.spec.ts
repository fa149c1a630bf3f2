import type { Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toProtoJson, WireFields, WireWriter } from '@flowledger/model';
import { Simulation } from '@flowledger/simulator';
import { flowsRequest, ObserverClient, textFilter } from './grpc-client.js';
import { startObserverRig, type ObserverRig } from './observer-rig.js';

const SECOND_NS = 1_000_000_000n;
const HOUR_MS = 3_600_000;
/** A whole hour: an address is known by the hour. */
const NOW_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const ALL = (1n << 64n) - 1n;
/** Numbers of FlowFilter. */
const DESTINATION_SERVICE = 17;
const DESTINATION_WORKLOAD = 27;

interface SentFlow {
  readonly uuid: string;
  readonly IP?: { readonly destination: string };
  readonly destination?: { readonly workloads?: readonly { readonly name: string }[] };
  readonly destination_service?: { readonly name: string };
  readonly sock_xlate_point?: string;
  readonly socket_cookie?: string;
}

interface Answer {
  readonly uuids: readonly string[];
  /** Of the trailer. */
  readonly exact: unknown;
  readonly inferred: unknown;
}

let rig: ObserverRig;
let plain: ObserverClient;
let inferring: ObserverClient;
let sent: readonly SentFlow[];

beforeAll(async () => {
  const span = { from: NOW_NS - 900n * SECOND_NS, to: NOW_NS };
  const events = [...new Simulation({ seed: 4, ...span, callsPerSecond: 6, scenario: 'test' }).events()];
  rig = await startObserverRig(events, NOW_MS);
  sent = events
    .filter(({ kind }) => kind === 'flow')
    .map(({ bytes }) => {
      const text = toProtoJson('observer.GetFlowsResponse', bytes);
      if (!text.ok) throw new Error(text.reason);
      return (JSON.parse(text.value) as { flow: SentFlow }).flow;
    });
  plain = new ObserverClient((await rig.serve()).address);
  inferring = new ObserverClient((await rig.serve({ matchInferred: true })).address);
});

afterAll(async () => {
  plain?.close();
  inferring?.close();
  await rig?.stop();
});

async function answered(client: ObserverClient, allow: Uint8Array): Promise<Answer> {
  const stream = client.stream('GetFlows', flowsRequest({ number: ALL, allow: [allow] }));
  const ended = new Promise<Metadata>((resolve) =>
    stream.once('status', ({ metadata }: { metadata: Metadata }) => resolve(metadata)),
  );
  const uuids: string[] = [];
  for await (const bytes of stream) {
    const flow = new WireFields(bytes as Buffer).message(1);
    if (flow !== undefined) uuids.push(flow.text(34));
  }
  const trailer = await ended;
  const of = (name: string): unknown => trailer.get(`flowledger-matched-${name}`)[0];
  return { uuids: uuids.toSorted(), exact: of('exact'), inferred: of('inferred') };
}

const uuidsOf = (flows: readonly SentFlow[]): string[] => flows.map(({ uuid }) => uuid).toSorted();

/** Addresses that sockets were given when they dialled a service: the agent tells one after the other. */
function backendsOf(service: string): ReadonlySet<string> {
  const [dialled, backends] = [new Set<string>(), new Set<string>()];
  for (const { IP, destination_service: of, sock_xlate_point: point, socket_cookie: cookie } of sent) {
    if (cookie === undefined || IP === undefined) continue;
    if (of?.name === service && point?.includes('PRE') === true) dialled.add(cookie);
    if (point?.includes('POST') === true && dialled.has(cookie)) backends.add(IP.destination);
  }
  return backends;
}

describe('with matchInferred', () => {
  it('a service also is the backends that sockets were given for it, and the answer says how many of each', async () => {
    const filter = textFilter({ [DESTINATION_SERVICE]: ['shop/catalog'] });
    const named = sent.filter(({ destination_service: service }) => service?.name === 'catalog');
    expect((await answered(plain, filter)).uuids).toEqual(uuidsOf(named));
    const backends = backendsOf('catalog');
    expect(backends.size).toBeGreaterThan(1);
    const wanted = sent.filter((flow) => named.includes(flow) || backends.has(flow.IP?.destination ?? ''));
    expect(wanted.length).toBeGreaterThan(named.length);
    expect(await answered(inferring, filter)).toEqual({
      uuids: uuidsOf(wanted),
      exact: String(named.length),
      inferred: String(wanted.length - named.length),
    });
  });

  it('a workload also is what Hubble does not name on the other node, and the answer says how many of each', async () => {
    const workload = new WireWriter();
    workload.bytesField(DESTINATION_WORKLOAD, textFilter({ 1: ['catalog'] }));
    const filter = workload.finish();
    const named = sent.filter(({ destination }) =>
      destination?.workloads?.some(({ name }) => name === 'catalog'),
    );
    expect((await answered(plain, filter)).uuids).toEqual(uuidsOf(named));
    const { uuids, exact, inferred } = await answered(inferring, filter);
    expect(uuids.length).toBeGreaterThan(named.length);
    expect([exact, inferred]).toEqual([String(named.length), String(uuids.length - named.length)]);
    expect(uuids).toEqual(expect.arrayContaining(uuidsOf(named)));
  });
});
