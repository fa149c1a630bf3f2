import type { Call } from '../traffic/call.js';

/** The absolute URL of an HTTP call as its client wrote it: by service, by public name, or by address. */
export function urlOf(call: Call): string {
  const { request, service, server, edge } = call;
  if (request?.kind !== 'http') return '';
  return `http://${authority()}${request.target}`;

  function authority(): string {
    if (service !== undefined) return service.port === 80 ? service.name : `${service.name}:${service.port}`;
    if (call.client.kind === 'world') return `${server.namespace}.example.com`;
    return `${server.ip}:${edge.port}`;
  }
}
