import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowsOf } from '../testing/rows.js';
import { projectLines } from '../testing/project.js';

/** Members of a flow, each with a value of its own and one that an earlier member of the same name could have had. */
const MEMBERS = [
  ['uuid', '"b1bc7cbf-d212-4b15-bd6f-9c7778132e4f"', '"00000000-d212-4b15-bd6f-9c7778132e4f"'],
  ['verdict', '"DROPPED"', '"FORWARDED"'],
  ['l4', '{"TCP":{"source_port":40123,"destination_port":80}}', '{"UDP":{"source_port":1}}'],
  ['IP', '{"source":"10.1.0.7","destination":"10.1.0.8"}', '{"source":"10.9.9.9"}'],
  ['event_type', '{"type":4,"sub_type":1}', '{"type":1}'],
  [
    'emitter',
    '{"name":"Hubble","version":"1.19.4+g7d68cfb3"}',
    '{"name":"Hubble","version":"1.18.0+gabcdef0"}',
  ],
  ['proxy_port', '15001', '1'],
  ['Summary', '"TCP Flags: SYN"', '""'],
] as const;

/** Lines of one and the same flow: members in any order, some of them twice (the last one counts), some spaced. */
const lines = fc.array(
  fc
    .record({
      order: fc.shuffledSubarray([...MEMBERS], { minLength: MEMBERS.length }),
      twice: fc.subarray(MEMBERS.map(([name]) => name)),
      spaced: fc.subarray(MEMBERS.map(([name]) => name)),
    })
    .map(({ order, twice, spaced }) => {
      const first = order
        .filter(([name]) => twice.includes(name))
        .map(([name, , other]) => `"${name}":${other}`);
      const members = order.map(([name, value]) =>
        spaced.includes(name) ? ` "${name}" : ${value} ` : `"${name}":${value}`,
      );
      return `{"flow":{${[...first, ...members].join(',')}},"time":"2026-01-02T03:04:05Z"}`;
    }),
  { minLength: 1, maxLength: 8 },
);

function rowsOfLines(texts: readonly string[]): readonly object[] {
  return rowsOf(projectLines(texts).flows).map(({ _li, ...row }) => row);
}

describe('members of a JSON line', () => {
  const [expected] = rowsOfLines([
    `{"flow":{${MEMBERS.map(([name, value]) => `"${name}":${value}`).join(',')}},"time":"2026-01-02T03:04:05Z"}`,
  ]);

  it('may come in any order, spaced or not, and the last one of a name counts', () => {
    fc.assert(
      fc.property(lines, (texts) => {
        for (const row of rowsOfLines(texts)) expect(row).toEqual(expected);
      }),
    );
  });

  it.each([
    ['0', 0n],
    ['"7"', 7n],
    ['"007"', 7n],
    ['4294967295', 4_294_967_295n],
    ['"4294967296"', 4_294_967_296n],
    ['999999999999999', 999_999_999_999_999n],
    ['"1000000000000000"', 1_000_000_000_000_000n],
    ['"18446744073709551615"', 18_446_744_073_709_551_615n],
    ['1e3', 1000n],
  ])('hold a 64-bit number written as %s exactly', (text, value) => {
    const [row] = rowsOf(projectLines([`{"flow":{"socket_cookie":${text},"verdict":1}}`]).flows);
    expect(row).toMatchObject({ socket_cookie: value, verdict: 1 });
  });

  it.each(['"12', '12"', '1 2', '"1"2'])('are no line with %s for a number', (text) => {
    const batches = projectLines([`{"flow":{"socket_cookie":${text},"verdict":1}}`]);
    expect(batches.accounts[0]).toMatchObject({ flows: 0, dead: 1 });
  });

  it('hold no number that their type cannot hold: it is kept aside', () => {
    const [row] = rowsOf(projectLines(['{"flow":{"proxy_port":4294967296,"verdict":1}}']).flows);
    expect(row).toMatchObject({ proxy_port: 0, verdict: 1 });
    expect(row?.['extra']).toContain('4294967296');
  });
});
