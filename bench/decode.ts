import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { encodeEnvelope, Projection, type EnvelopeHeader } from '@flowledger/model';

/**
 * How fast log records become column batches, against protobufjs (code generated from reflection, its fastest form)
 * that only decodes the same bytes to objects. One thread; compare the figures of one run only with each other.
 *
 *   node tools/run.mjs bench/decode.ts [seconds per measurement]
 */
const PROTO = fileURLToPath(new URL('../../proto/', import.meta.url));
const EVENTS_PER_RECORD = 250;
const RECORDS = 40;

interface Measured {
  readonly name: string;
  /** Per second of processor time, so that other load on the machine does not count. */
  readonly flowsPerSecond: number;
  readonly megabytesPerSecond: number;
}

async function loadResponse(): Promise<protobuf.Type> {
  const root = new protobuf.Root();
  const common = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) => (target.startsWith('hubble/') ? `${PROTO}${target}` : common(origin, target));
  await root.load('hubble/observer.proto', { keepCase: true });
  return root.lookupType('observer.GetFlowsResponse');
}

/** A small linear generator: the same flows in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

function endpoint(pod: number, local: boolean): object {
  const app = `service-${pod % 40}`;
  const namespace = `team-${pod % 8}`;
  return {
    ...(local ? { ID: 100 + pod, workloads: [{ name: app, kind: 'Deployment' }] } : {}),
    identity: 20_000 + (pod % 40),
    namespace,
    cluster_name: 'prod-1',
    labels: [
      `k8s:app.kubernetes.io/name=${app}`,
      'k8s:app.kubernetes.io/part-of=shop',
      `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
      'k8s:io.cilium.k8s.policy.cluster=prod-1',
      `k8s:io.cilium.k8s.policy.serviceaccount=${app}`,
      `k8s:io.kubernetes.pod.namespace=${namespace}`,
    ],
    pod_name: `${app}-5d6d8cfd55-${'bcdfghjkl'[pod % 9]}${'mnpqrstvw'[Math.floor(pod / 9) % 9]}x2k`,
  };
}

function address(pod: number): string {
  return `10.${pod % 20}.${pod >>> 4}.${17 + (pod % 200)}`;
}

function flow(random: (below: number) => number, n: number): object {
  const client = random(400);
  const server = random(400);
  const http = random(10) < 2;
  const reply = random(2) === 1;
  const time = { seconds: 1_790_000_000 + Math.floor(n / 1000), nanos: (n % 1000) * 1_000_000 + 7 };
  const hex = (digits: number) => Array.from({ length: digits }, () => '0123456789abcdef'[random(16)]).join('');
  const node = `prod-1/worker-${client % 20}`;
  const flags = { SYN: random(8) === 0, ACK: true, PSH: random(2) === 0 };
  const url = `http://service-${server % 40}.team-${server % 8}:8080/api/v1/orders/${random(100_000)}?page=${random(9)}`;
  const summary = http
    ? `HTTP/1.1 200 ${random(300)}ms (GET ${url})`
    : `TCP Flags: ${flags.SYN ? 'SYN, ' : ''}ACK${flags.PSH ? ', PSH' : ''}`;
  return {
    flow: {
      time,
      uuid: `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
      emitter: { name: 'Hubble', version: '1.19.4+g7d68cfb3' },
      verdict: 1,
      ethernet: { source: '46:e5:ea:1f:95:ff', destination: 'd6:ec:b0:4a:ff:46' },
      IP: { source: address(client), destination: address(server), ipVersion: 1 },
      l4: {
        TCP: { source_port: 32_768 + random(20_000), destination_port: 8080, ...(http ? {} : { flags }) },
      },
      source: endpoint(client, true),
      destination: endpoint(server, false),
      Type: http ? 2 : 1,
      node_name: node,
      node_labels: ['kubernetes.io/arch=amd64', 'kubernetes.io/os=linux', `kubernetes.io/hostname=worker-${client % 20}`],
      event_type: http ? { type: 129 } : { type: 4, sub_type: 3 },
      traffic_direction: 2,
      trace_observation_point: http ? 0 : 3,
      trace_reason: http ? 0 : 2,
      is_reply: { value: reply },
      interface: http ? undefined : { index: 129, name: 'lxc5076723f6920' },
      l7: http
        ? { type: 2, latency_ns: random(300_000_000), http: { code: 200, method: 'GET', url, protocol: 'HTTP/1.1' } }
        : undefined,
      Summary: summary,
    },
    node_name: node,
    time,
  };
}

function makeRecords(response: protobuf.Type): { records: Uint8Array[]; events: Uint8Array[] } {
  const random = generator(42);
  const events = Array.from({ length: EVENTS_PER_RECORD * RECORDS }, (_, n) =>
    response.encode(response.fromObject(flow(random, n))).finish(),
  );
  const records = Array.from({ length: RECORDS }, (_, record) => {
    const header: EnvelopeHeader = {
      version: 1,
      tenant: 'default',
      cluster: 'prod-1',
      stream: `worker-${record}`,
      source: 'relay',
      codec: 'hubble.get_flows_response',
      count: EVENTS_PER_RECORD,
      receivedMs: 1_790_000_100_000,
    };
    return encodeEnvelope(header, events.slice(record * EVENTS_PER_RECORD, (record + 1) * EVENTS_PER_RECORD));
  });
  return { records, events };
}

/** Repeats `pass`, which handles every event once, after one pass to warm up. */
function measure(name: string, seconds: number, events: readonly Uint8Array[], pass: () => void): Measured {
  pass();
  const bytes = events.reduce((sum, event) => sum + event.length, 0);
  const until = performance.now() + seconds * 1000;
  const before = process.cpuUsage();
  let passes = 0;
  while (performance.now() < until) {
    pass();
    passes++;
  }
  const used = process.cpuUsage(before);
  const took = (used.user + used.system) / 1e6;
  return {
    name,
    flowsPerSecond: Math.round((passes * events.length) / took),
    megabytesPerSecond: Math.round((passes * bytes) / took / 1e6),
  };
}

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 5);
  const response = await loadResponse();
  const { records, events } = makeRecords(response);
  const projection = new Projection({
    logEpoch: 1n,
    partition: 0,
    rawTtlMs: 30 * 86_400_000,
    isDuplicate: () => false,
  });
  let offset = 0n;
  const ours = measure('wire to column batches', seconds, events, () => {
    for (const value of records) {
      projection.add({ offset: offset++, value });
      if (projection.rows >= 50_000) projection.take();
    }
  });
  const theirs = measure('protobufjs decode to objects', seconds, events, () => {
    for (const event of events) response.decode(event);
  });
  const average = events.reduce((sum, event) => sum + event.length, 0) / events.length;
  process.stdout.write(`${events.length} flows of ${Math.round(average)} bytes\n`);
  for (const { name, flowsPerSecond, megabytesPerSecond } of [ours, theirs])
    process.stdout.write(`${name.padEnd(30)} ${flowsPerSecond} flows/s  ${megabytesPerSecond} MB/s\n`);
  process.stdout.write(`ratio ${(ours.flowsPerSecond / theirs.flowsPerSecond).toFixed(2)}\n`);
}

await main();
