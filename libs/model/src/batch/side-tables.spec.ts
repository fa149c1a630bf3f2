import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from '../envelope.js';
import { Projection } from '../projection.js';
import { headerOf, OPTIONS, projectLines } from '../testing/project.js';
import { rowsOf } from '../testing/rows.js';

/** A flow of a local pod, seen at an hour of the day, with an address. */
function line(hour: number, ip: string, more = ''): string {
  const time = `2026-01-02T${String(hour).padStart(2, '0')}:30:00Z`;
  const source = `"source":{"ID":7,"identity":9,"namespace":"shop","pod_name":"cart-0","labels":["k8s:app=cart"]}`;
  return `{"flow":{"time":"${time}","IP":{"source":"${ip}"},${source}${more}},"node_name":"c/n"}`;
}

const short = (ip: unknown) => String(ip).slice(-8);

describe('endpoints', () => {
  it('have a row for every hour and address, once', () => {
    const lines = [
      line(1, '10.0.0.1'),
      line(1, '10.0.0.1'),
      line(2, '10.0.0.1'),
      line(2, '10.0.0.2'),
      line(1, '10.0.0.1'),
    ];
    const rows = rowsOf(projectLines(lines).endpoints);
    expect(rows.map(({ hour, ip, pod }) => [hour, short(ip), pod])).toEqual([
      [1_767_315_600, '0a000001', 'cart-0'],
      [1_767_319_200, '0a000001', 'cart-0'],
      [1_767_319_200, '0a000002', 'cart-0'],
    ]);
  });

  it('hold every column of thousands of rows, in order of first use', () => {
    const lines = Array.from({ length: 3_000 }, (_, i) =>
      line(i % 24, `10.1.${i >> 8}.${i & 255}`, ',"source_service":{"name":"cart","namespace":"till"}')
        .replace('"identity":9', `"identity":${4_000_000_000 + i}`)
        .replace('cart-0', `cart-${i}`)
        .replace('"labels"', '"workloads":[{"kind":"Job","name":"cart"}],"labels"'),
    );
    const rows = rowsOf(projectLines([...lines, ...lines.toReversed()]).endpoints);
    expect(rows).toHaveLength(3_000);
    const { ip, ...last } = rows[2_999] ?? {};
    expect(short(ip)).toBe('0a010bb7');
    expect(last).toEqual({
      tenant: 'default',
      cluster: 'c',
      hour: 1_767_312_000 + 23 * 3_600,
      namespace: 'shop',
      pod: 'cart-2999',
      identity: 4_000_002_999,
      workload_kind: 'Job',
      workload: 'cart',
      service_namespace: 'till',
      service_name: 'cart',
    });
  });

  it('leave out what the node does not run, unless a service is known by that address', () => {
    const remote = line(1, '10.0.0.1').replace('"ID":7,', '');
    expect(rowsOf(projectLines([remote]).endpoints)).toEqual([]);
    const service = ',"source_service":{"name":"cart","namespace":"shop"}';
    const [row] = rowsOf(projectLines([remote.replace(/,"source"/, `${service},"source"`)]).endpoints);
    expect(row).toMatchObject({ service_name: 'cart', service_namespace: 'shop', pod: 'cart-0' });
  });

  it('of a service whose side is not described are told by every projection', () => {
    const bare =
      '{"flow":{"time":"2026-01-02T01:30:00Z","IP":{"destination":"10.96.0.1"},"destination_service":{"name":"cart"}}}';
    const counts = [1, 2].map(() => rowsOf(projectLines([bare, bare]).endpoints).length);
    expect(counts).toEqual([1, 1]);
  });

  describe('know the backends of a service', () => {
    interface Sock {
      readonly point: 'PRE' | 'POST';
      readonly ip: string;
      readonly cookie?: string;
      readonly node?: string;
      readonly pod?: string;
    }
    const sock = ({ point, ip, cookie = '4294967303', node = 'c/n', pod }: Sock): string =>
      JSON.stringify({
        flow: {
          time: '2026-01-02T01:30:00Z',
          IP: { source: '10.0.0.9', destination: ip },
          ...(pod === undefined ? {} : { destination: { identity: 9, namespace: 'shop', pod_name: pod } }),
          ...(point === 'PRE' ? { destination_service: { name: 'cart', namespace: 'shop' } } : {}),
          Type: 'SOCK',
          sock_xlate_point: `SOCK_XLATE_POINT_${point}_DIRECTION_FWD`,
          socket_cookie: cookie,
        },
        node_name: node,
      });
    const dial = { point: 'PRE', ip: '10.96.0.1' } as const;
    const given = { point: 'POST', ip: '10.0.0.2', pod: 'cart-1' } as const;
    const told = (...socks: readonly Sock[]) =>
      rowsOf(projectLines(socks.map(sock)).endpoints).map((row) => [
        short(row['ip']),
        row['pod'],
        `${String(row['service_namespace'])}/${String(row['service_name'])}`,
      ]);
    const frontend = ['0a600001', '', 'shop/cart'];

    it('from the two events of a socket that dials it, also when others come between', () => {
      const other = { cookie: '12', node: 'c/n' } as const;
      const between = [
        dial,
        { ...dial, ...other },
        given,
        { ...given, ...other, ip: '10.0.0.3', pod: 'cart-2' },
      ];
      expect(told(...between)).toEqual([
        frontend,
        ['0a000002', 'cart-1', 'shop/cart'],
        ['0a000003', 'cart-2', 'shop/cart'],
      ]);
    });

    it('but not from events of another socket or node, or without a cookie', () => {
      expect(told(dial, { ...given, cookie: '7' })).toEqual([frontend]);
      expect(told(dial, { ...given, node: 'c/other' })).toEqual([frontend]);
      expect(told({ ...dial, cookie: '0' }, { ...given, cookie: '0' })).toEqual([frontend]);
      expect(told(given, dial)).toEqual([frontend]);
    });

    it('from one record only, so that a batch does not depend on what was decoded before', () => {
      const projection = new Projection(OPTIONS);
      for (const [offset, each] of [dial, given].entries()) {
        const event = new TextEncoder().encode(sock(each));
        const value = encodeEnvelope(headerOf('hubble.export_json', 1), [event]);
        projection.add({ offset: BigInt(offset), value });
      }
      expect(rowsOf(projection.take().endpoints)).toHaveLength(1);
    });
  });

  it('and label sets are written again in every batch that names them, and once per tenant', () => {
    const projection = new Projection(OPTIONS);
    const add = (offset: bigint, tenant: string) => {
      const events = [line(1, '10.0.0.1'), line(1, '10.0.0.1')].map((text) => new TextEncoder().encode(text));
      projection.add({
        offset,
        value: encodeEnvelope(headerOf('hubble.export_json', 2, { tenant }), events),
      });
    };
    for (const tenant of ['a', 'b', 'a']) add(1n, tenant);
    const first = projection.take();
    add(2n, 'b');
    const second = projection.take();
    const tenants = (batch: typeof first.labelSets) => rowsOf(batch).map(({ tenant }) => tenant);
    expect([first, second].map(({ labelSets }) => tenants(labelSets))).toEqual([['a', 'b'], ['b']]);
    expect([first, second].map(({ endpoints }) => tenants(endpoints))).toEqual([['a', 'b'], ['b']]);
  });
});
