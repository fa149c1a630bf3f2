import type { ColumnReaders } from './column-reader.js';
import type { DnsRecord, HttpRecord, KafkaRecord } from './flow-record.js';

/** The columns of L7 records. */
export type Layer7Columns = ReturnType<typeof layer7Columns>;

/** Looks the columns of L7 records up, once for all rows. */
export function layer7Columns(columns: ColumnReaders) {
  return {
    httpCode: columns.column('http_code'),
    httpMethod: columns.column('http_method'),
    httpUrl: columns.column('http_url'),
    httpPathTemplate: columns.column('http_path_template'),
    httpProtocol: columns.column('http_protocol'),
    httpHeaderKeys: columns.column('http_header_keys'),
    httpHeaderValues: columns.column('http_header_values'),
    dnsQuery: columns.column('dns_query'),
    dnsIps: columns.column('dns_ips'),
    dnsTtl: columns.column('dns_ttl'),
    dnsCnames: columns.column('dns_cnames'),
    dnsObservationSource: columns.column('dns_observation_source'),
    dnsRcode: columns.column('dns_rcode'),
    dnsQtypes: columns.column('dns_qtypes'),
    dnsRrtypes: columns.column('dns_rrtypes'),
    kafkaErrorCode: columns.column('kafka_error_code'),
    kafkaApiVersion: columns.column('kafka_api_version'),
    kafkaApiKey: columns.column('kafka_api_key'),
    kafkaCorrelationId: columns.column('kafka_correlation_id'),
    kafkaTopic: columns.column('kafka_topic'),
  };
}

/** The HTTP part of a row. */
export function readHttp(of: Layer7Columns, row: number): HttpRecord {
  const values = of.httpHeaderValues.list(row);
  return {
    code: of.httpCode.number(row),
    method: of.httpMethod.text(row),
    url: of.httpUrl.text(row),
    pathTemplate: of.httpPathTemplate.text(row),
    protocol: of.httpProtocol.text(row),
    headers: of.httpHeaderKeys.list(row).map((key, index) => ({ key, value: values[index] ?? '' })),
  };
}

/** The DNS part of a row. */
export function readDns(of: Layer7Columns, row: number): DnsRecord {
  return {
    query: of.dnsQuery.text(row),
    ips: of.dnsIps.list(row),
    ttl: of.dnsTtl.number(row),
    cnames: of.dnsCnames.list(row),
    observationSource: of.dnsObservationSource.text(row),
    rcode: of.dnsRcode.number(row),
    qtypes: of.dnsQtypes.list(row),
    rrtypes: of.dnsRrtypes.list(row),
  };
}

/** The Kafka part of a row. */
export function readKafka(of: Layer7Columns, row: number): KafkaRecord {
  return {
    errorCode: of.kafkaErrorCode.number(row),
    apiVersion: of.kafkaApiVersion.number(row),
    apiKey: of.kafkaApiKey.text(row),
    correlationId: of.kafkaCorrelationId.number(row),
    topic: of.kafkaTopic.text(row),
  };
}
