import { TRACE_POINTS } from '@flowledger/model';
import { AppError } from '@flowledger/platform';
import type { FilterJson } from '@flowledger/query';

type Filter = Record<string, unknown[]>;

/** Names of events as `--type` takes them (hubble note 1.5). */
const EVENT_TYPES: Readonly<Record<string, number>> = {
  drop: 1,
  capture: 3,
  trace: 4,
  'policy-verdict': 5,
  'trace-sock': 7,
  l7: 129,
  agent: 130,
};
/** Sub types by the type whose they are, at the place of their number; the agent's are those of the monitor. */
const SUB_TYPES: Readonly<Record<number, readonly string[]>> = {
  4: TRACE_POINTS,
  130: [
    'unspecified',
    'generic',
    'agent-started',
    'endpoint-regenerate-success',
    'endpoint-regenerate-failure',
    'policy-updated',
    'policy-deleted',
    'endpoint-created',
    'endpoint-deleted',
    'ipcache-upserted',
    'ipcache-deleted',
  ],
};
const IDENTITIES = [
  'unknown',
  'host',
  'world',
  'unmanaged',
  'health',
  'init',
  'remote-node',
  'kube-apiserver',
  'ingress',
];
const TCP_FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'];

/** What a value becomes; throws INVALID_ARGUMENT for one that cannot be. */
type Convert = (value: string) => unknown;

const asIs: Convert = (value) => value;
const upper: Convert = (value) => value.toUpperCase();

const identity: Convert = (value) => {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : IDENTITIES.indexOf(value.toLowerCase());
  return number < 0 ? refuse(`${value}: a reserved identity or a number`) : number;
};

const workload: Convert = (value) => {
  const [kind = '', name] = value.split('/');
  if (name === undefined) return { name: kind };
  return { ...(name === '' ? {} : { name }), ...(kind === '' ? {} : { kind }) };
};

const eventType: Convert = (value) => {
  const [name = '', sub] = value.split(':');
  const type = /^\d+$/.test(name) ? Number(name) : EVENT_TYPES[name];
  if (type === undefined) return refuse(`${name}: one of ${Object.keys(EVENT_TYPES).join(', ')} or a number`);
  if (sub === undefined) return { type };
  const subType = /^\d+$/.test(sub) ? Number(sub) : (SUB_TYPES[type]?.indexOf(sub) ?? -1);
  if (subType < 0) return refuse(`${value}: no such sub type`);
  return { type, match_sub_type: true, ...(subType === 0 ? {} : { sub_type: subType }) };
};

const tcpFlags: Convert = (value) => {
  const names = value.toUpperCase().split(',');
  const wrong = names.find((name) => !TCP_FLAGS.includes(name));
  return wrong === undefined
    ? Object.fromEntries(names.map((name) => [name, true]))
    : refuse(`unknown tcp flag: ${wrong.toLowerCase()}`);
};

const header: Convert = (value) => {
  const colon = value.indexOf(':');
  if (colon <= 0) return refuse(`${value}: key:value`);
  return { key: value.slice(0, colon).trim(), value: value.slice(colon + 1).trim() };
};

const ipVersion: Convert = (value) => {
  const version = value.toLowerCase().replace(/^ip/, '').replace(/^v/, '');
  return version === '4' ? 'IPv4' : version === '6' ? 'IPv6' : refuse(`${value}: v4 or v6`);
};

/** Flags that name one field. */
const PLAIN: Readonly<Record<string, readonly [field: string, convert: Convert]>> = {
  uuid: ['uuid', asIs],
  'node-name': ['node_name', asIs],
  'node-label': ['node_labels', asIs],
  protocol: ['protocol', asIs],
  'tcp-flags': ['tcp_flags', tcpFlags],
  type: ['event_type', eventType],
  verdict: ['verdict', upper],
  'drop-reason-desc': ['drop_reason_desc', upper],
  'http-status': ['http_status_code', asIs],
  'http-method': ['http_method', asIs],
  'http-path': ['http_path', asIs],
  'http-url': ['http_url', asIs],
  'http-header': ['http_header', header],
  'trace-id': ['trace_id', asIs],
  'ip-trace-id': ['ip_trace_id', asIs],
  'snat-ip': ['source_ip_xlated', asIs],
  'ip-version': ['ip_version', ipVersion],
  'traffic-direction': ['traffic_direction', upper],
  encrypted: ['encrypted', (value) => value === 'true'],
  interface: ['interface', (name) => ({ name })],
  'cel-expression': ['experimental', asIs],
};

/** Flags that name a field of either side: alone, with `from-` and with `to-`. */
const SIDED: Readonly<Record<string, readonly [field: string, convert: Convert]>> = {
  ip: ['ip', asIs],
  pod: ['pod', asIs],
  fqdn: ['fqdn', asIs],
  label: ['label', asIs],
  service: ['service', asIs],
  port: ['port', asIs],
  workload: ['workload', workload],
  identity: ['identity', identity],
  cluster: ['cluster_name', asIs],
};

const SIDES = { from: 'source', to: 'destination' } as const;

function refuse(hint: string): never {
  throw new AppError('INVALID_ARGUMENT', hint, { retry: false });
}

/** Collects one list of filters as `hubble observe` does (hubble note 4.1): undirected flags make two filters, OR-ed. */
export class FilterWords {
  #left: Filter | undefined;
  #right: Filter = {};
  readonly #namespaces: { readonly side: 'from' | 'to' | 'any'; readonly name: string }[] = [];

  /** Takes a flag (without dashes); false when it is none of a filter. */
  take(flag: string, value: string): boolean {
    const plain = PLAIN[flag];
    if (plain !== undefined) this.#both(plain[0], plain[1](value));
    else if (flag === 'namespace') this.#namespaces.push({ side: 'any', name: value });
    else if (flag === 'from-namespace') this.#namespaces.push({ side: 'from', name: value });
    else if (flag === 'to-namespace') this.#namespaces.push({ side: 'to', name: value });
    else return this.#sided(flag, value);
    this.#left ??= {};
    return true;
  }

  #sided(flag: string, value: string): boolean {
    const [, direction, name = ''] = /^(?:(from|to)-)?(.+)$/.exec(flag) ?? [];
    const spec = SIDED[name];
    if (spec === undefined) return false;
    const converted = spec[1](value);
    if (direction === undefined) {
      add((this.#left ??= {}), `source_${spec[0]}`, converted);
      add(this.#right, `destination_${spec[0]}`, converted);
    } else this.#both(`${SIDES[direction as 'from' | 'to']}_${spec[0]}`, converted);
    return true;
  }

  #both(field: string, value: unknown): void {
    add((this.#left ??= {}), field, value);
    add(this.#right, field, value);
  }

  /** The filters; none when no flag was taken. */
  filters(): readonly FilterJson[] {
    if (this.#left === undefined) return [];
    for (const { side, name } of this.#namespaces) {
      if (side !== 'to') this.#inNamespace(this.#left, 'source', name);
      if (side === 'from') this.#inNamespace(this.#right, 'source', name);
      if (side !== 'from') this.#inNamespace(this.#right, 'destination', name);
      if (side === 'to') this.#inNamespace(this.#left, 'destination', name);
    }
    const same = JSON.stringify(this.#left) === JSON.stringify(this.#right);
    return (same ? [this.#left] : [this.#left, this.#right]).map(jsonOf);
  }

  /** Bare pods and services get the namespace; where there are none, it is a condition of its own. */
  #inNamespace(filter: Filter, side: 'source' | 'destination', name: string): void {
    const lists = [`${side}_pod`, `${side}_service`].filter((field) => filter[field] !== undefined);
    for (const field of lists)
      filter[field] = (filter[field] ?? []).map((value) => {
        const text = String(value);
        return text.includes('/') && !text.endsWith('/')
          ? text
          : text.includes('/')
            ? text
            : `${name}/${text}`;
      });
    const whole =
      lists.length === 0 || (filter[`${side}_pod`] ?? []).every((value) => String(value).endsWith('/'));
    if (whole && lists.every((field) => field.endsWith('_pod'))) add(filter, `${side}_pod`, `${name}/`);
  }
}

/** The one field that is a message and no list. */
function jsonOf({ experimental, ...fields }: Filter): FilterJson {
  return experimental === undefined ? fields : { ...fields, experimental: { cel_expression: experimental } };
}

function add(filter: Filter, field: string, value: unknown): void {
  (filter[field] ??= []).push(value);
}
