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

  it('leave out what the node does not run, unless a service is known by that address', () => {
    const remote = line(1, '10.0.0.1').replace('"ID":7,', '');
    expect(rowsOf(projectLines([remote]).endpoints)).toEqual([]);
    const service = ',"source_service":{"name":"cart","namespace":"shop"}';
    const [row] = rowsOf(projectLines([remote.replace(/,"source"/, `${service},"source"`)]).endpoints);
    expect(row).toMatchObject({ service_name: 'cart', service_namespace: 'shop', pod: 'cart-0' });
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
