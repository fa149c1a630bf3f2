import { L7_TYPE, VERDICTS } from '../flow-words.js';
import { FamilyMaker, type Handler, type HandlerParts } from '../handler.js';

/** Words for response codes, as Hubble's label has them. */
const RCODES = [
  'No Error',
  'Format Error',
  'Server Failure',
  'Non-Existent Domain',
  'Not Implemented',
  'Query Refused',
];

/** `dns`: queries, responses and the types in them, from L7 records. */
export function dnsHandler(parts: HandlerParts): Handler {
  const { switches } = parts.config;
  const named = switches.has('query') ? ['*query'] : [];
  const make = new FamilyMaker(parts);
  const labels = ['rcode', '*qtypes', '*ips_returned', ...named];
  const queries = make.counter('dns_queries_total', 'DNS queries seen', labels);
  const responses = make.counter('dns_responses_total', 'DNS responses seen', labels);
  const types = make.counter('dns_response_types_total', 'Resource records in DNS responses by type', [
    '*type',
    '*qtypes',
    ...named,
  ]);
  return {
    families: [queries, responses, types],
    count(labelled, nowMs) {
      const { flow } = labelled;
      const { dns } = flow;
      if (dns === null) return;
      if (switches.has('ignoreAAAA') && dns.qtypes.length === 1 && dns.qtypes[0] === 'AAAA') return;
      const context = make.contexts.values(labelled);
      const [weight, qtypes, ips] = [Number(flow.weight), dns.qtypes.join(','), String(dns.ips.length)];
      const query = switches.has('query') ? [dns.query] : [];
      const isAnswer = flow.isReply === true || flow.l7Type === L7_TYPE.response;
      if (flow.verdict === VERDICTS.dropped)
        queries.add([...context, 'Policy denied', qtypes, ips, ...query], weight, nowMs);
      else if (!isAnswer) queries.add([...context, '', qtypes, ips, ...query], weight, nowMs);
      else {
        const rcode = RCODES[dns.rcode] ?? `Unknown(${dns.rcode})`;
        responses.add([...context, rcode, qtypes, ips, ...query], weight, nowMs);
        for (const type of dns.rrtypes) types.add([...context, type, qtypes, ...query], weight, nowMs);
      }
    },
  };
}
