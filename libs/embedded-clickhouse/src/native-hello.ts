/**
 * The one block that clickhouse-go (and with it Grafana's data source) decodes with its own protocol revision before it
 * knows the server's: the answer to its first query. The embedded engine writes Native of revision 0 only, so this
 * block is written by hand, with BlockInfo and the "custom serialization" byte, and says revision 0, after which the
 * client reads plain Native. Read from clickhouse-go's block decoder; not run against Grafana itself.
 */
const HELLO = /^\s*SELECT\s+displayName\(\),\s*version\(\),\s*revision\(\),\s*timezone\(\)\s*$/i;

/** Whether a statement is that first query. */
export function isNativeHello(sql: string, query: URLSearchParams): boolean {
  return query.has('client_protocol_version') && HELLO.test(sql);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** The block: one row of display name, version, revision 0 and time zone. Texts are shorter than 128 bytes. */
export function nativeHello(version: string): Buffer {
  const columns: [string, string, Buffer][] = [
    ['displayName()', 'String', text('flowledger')],
    ['version()', 'String', text(version)],
    ['revision()', 'UInt32', Buffer.alloc(4)],
    ['timezone()', 'String', text('UTC')],
  ];
  const blockInfo = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]);
  const counts = Buffer.from([columns.length, 1]);
  const noCustomSerialization = Buffer.from([0]);
  const body = columns.flatMap(([name, type, value]) => [
    text(name),
    text(type),
    noCustomSerialization,
    value,
  ]);
  return Buffer.concat([blockInfo, counts, ...body]);
}
