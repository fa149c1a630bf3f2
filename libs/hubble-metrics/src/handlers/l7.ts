import type { FlowRecord, LabelledFlow } from '@flowledger/query';
import { L7_TYPE, reporterOf } from '../flow-words.js';
import { FamilyMaker, type Handler, type HandlerParts } from '../handler.js';
import type { SeriesFamily } from '../series.js';

const NS_PER_S = 1e9;

/** Observes a latency. Hubble observes an unknown one as 0 s; corrected, it is left out. */
function observe(
  family: SeriesFamily,
  values: readonly string[],
  { flow }: LabelledFlow,
  parts: HandlerParts,
  nowMs: number,
): void {
  if (flow.latencyNs === null && parts.correct) return;
  const seconds = Number(flow.latencyNs ?? 0n) / NS_PER_S;
  family.observe(values, seconds, Number(flow.weight), nowMs, exemplarOf(flow, parts));
}

/** The trace of a flow, where exemplars are asked for. */
function exemplarOf({ traceId }: FlowRecord, { config }: HandlerParts) {
  return config.switches.has('exemplars') && traceId !== null ? { traceID: traceId } : undefined;
}

/** `http`: requests from REQUEST records, responses and durations from RESPONSE records. */
export function httpHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const requests = make.counter('http_requests_total', 'HTTP requests', ['method', '*protocol', 'reporter']);
  const responses = make.counter('http_responses_total', 'HTTP responses', [
    'method',
    '*protocol',
    'status',
    'reporter',
  ]);
  const durations = make.seconds('http_request_duration_seconds', 'Time from HTTP request to response, s', [
    'method',
    'reporter',
  ]);
  return {
    families: [requests, responses, durations],
    count(labelled, nowMs) {
      const { flow } = labelled;
      const { http } = flow;
      if (http === null) return;
      const [weight, reporter] = [Number(flow.weight), reporterOf(flow)];
      if (flow.l7Type === L7_TYPE.request)
        requests.add(
          [...make.contexts.values(labelled), http.method, http.protocol, reporter],
          weight,
          nowMs,
        );
      if (flow.l7Type !== L7_TYPE.response) return;
      const status = String(http.code);
      responses.add(
        [...make.contexts.values(labelled), http.method, http.protocol, status, reporter],
        weight,
        nowMs,
      );
      observe(
        durations,
        [...make.contexts.values(labelled, true), http.method, reporter],
        labelled,
        parts,
        nowMs,
      );
    },
  };
}

/** `httpV2`: RESPONSE records only, with the labels of the request. */
export function httpV2Handler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const requests = make.counter('http_requests_total', 'HTTP requests that were answered', [
    'method',
    '*protocol',
    'status',
    'reporter',
  ]);
  const durations = make.seconds('http_request_duration_seconds', 'Time from HTTP request to response, s', [
    'method',
    'reporter',
  ]);
  return {
    families: [requests, durations],
    count(labelled, nowMs) {
      const { flow } = labelled;
      const { http } = flow;
      if (http === null || flow.l7Type !== L7_TYPE.response) return;
      const context = make.contexts.values(labelled, true);
      const reporter = reporterOf(flow);
      const exemplar = exemplarOf(flow, parts);
      const values = [...context, http.method, http.protocol, String(http.code), reporter];
      requests.add(values, Number(flow.weight), nowMs, exemplar);
      observe(durations, [...context, http.method, reporter], labelled, parts, nowMs);
    },
  };
}

/** `kafka`: RESPONSE records, with the labels of the request. */
export function kafkaHandler(parts: HandlerParts): Handler {
  const make = new FamilyMaker(parts);
  const requests = make.counter('kafka_requests_total', 'Kafka requests that were answered', [
    '*topic',
    'api_key',
    'error_code',
    'reporter',
  ]);
  const durations = make.seconds('kafka_request_duration_seconds', 'Time from Kafka request to response, s', [
    '*topic',
    'api_key',
    'reporter',
  ]);
  return {
    families: [requests, durations],
    count(labelled, nowMs) {
      const { flow } = labelled;
      const { kafka } = flow;
      if (kafka === null || flow.l7Type !== L7_TYPE.response) return;
      const context = make.contexts.values(labelled, true);
      const reporter = reporterOf(flow);
      const { topic, apiKey, errorCode } = kafka;
      requests.add([...context, topic, apiKey, String(errorCode), reporter], Number(flow.weight), nowMs);
      observe(durations, [...context, topic, apiKey, reporter], labelled, parts, nowMs);
    },
  };
}
