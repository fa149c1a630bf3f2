import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAppError } from '@flowledger/platform';
import { announceSkip, answers, findKafka, startJvmBroker, type JvmBroker } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKafkaLog } from './open-kafka-log.js';
import type { KafkaConnection, KafkaLogOptions, KafkaSasl } from './options.js';

const source = await findKafka();
const able = source.kind === 'jvm' && (await answers('openssl', 'version'));
if (!able)
  announceSkip('Apache Kafka with TLS and SASL', 'it needs a local Java broker and openssl on the path');

const PASSWORD = 'alice-secret';
const directory = mkdtempSync(join(tmpdir(), 'flowledger-kafka-tls-'));

/** A key and a certificate that signs itself. */
function makeCertificate(name: string): { cert: string; key: string } {
  const [cert, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:kafka.test'];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...words, ...subject], { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

function brokerProperties(): Record<string, string> {
  const [broker, client] = [makeCertificate('broker'), makeCertificate('client')];
  writeFileSync(join(directory, 'keystore.pem'), broker.key + broker.cert);
  writeFileSync(join(directory, 'truststore.pem'), client.cert);
  const module = 'org.apache.kafka.common.security';
  const scram = `${module}.scram.ScramLoginModule required;`;
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required user_alice="${PASSWORD}";`,
    'listener.name.sasl.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.tls.ssl.keystore.type': 'PEM',
    'listener.name.tls.ssl.keystore.location': join(directory, 'keystore.pem'),
    'listener.name.tls.ssl.truststore.type': 'PEM',
    'listener.name.tls.ssl.truststore.location': join(directory, 'truststore.pem'),
    'listener.name.tls.ssl.client.auth': 'required',
  };
}

const scramUser = (mechanism: string): string[] => [
  '--add-scram',
  `${mechanism}=[name=alice,password=${PASSWORD}]`,
];

describe.runIf(able)('the brokers’ security', () => {
  let broker: JvmBroker;
  let topic = 0;

  beforeAll(async () => {
    broker = await startJvmBroker({
      listeners: { SASL: 'SASL_PLAINTEXT', TLS: 'SSL' },
      properties: brokerProperties(),
      format: [...scramUser('SCRAM-SHA-256'), ...scramUser('SCRAM-SHA-512')],
    });
  }, 400_000);
  afterAll(async () => {
    await broker?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function optionsOf(listener: 'SASL' | 'TLS', security: Partial<KafkaConnection>): KafkaLogOptions {
    topic++;
    return {
      brokers: [`127.0.0.1:${broker.ports[listener] ?? 0}`],
      mode: 'writer',
      topic: `secured-${topic}`,
      partitions: 1,
      replicationFactor: 1,
      minInSyncReplicas: 1,
      retentionMs: 86_400_000,
      retentionBytes: 2 ** 30,
      strict: false,
      requestMs: 3_000,
      ...security,
    };
  }

  /** Appends, reads back and commits: every kind of request over every connection. */
  async function goesThrough(options: KafkaLogOptions): Promise<void> {
    const log = await openKafkaLog(options);
    try {
      await log.append([{ partition: 0, events: 2, value: Buffer.from('secret flow') }]);
      const { records } = await log.read(0, 0n, { maxBytes: 1000, maxWaitMs: 5_000 });
      expect(records.map(({ value }) => Buffer.from(value).toString())).toEqual(['secret flow']);
      const leave = new AbortController();
      await log.consume(
        'group',
        async (lease) => {
          await lease.commit({ offset: 1n, metadata: 'm' });
          leave.abort();
        },
        leave.signal,
      );
      expect(await log.committed('group', 0)).toEqual({ offset: 1n, metadata: 'm' });
    } finally {
      await log.close();
    }
  }

  async function refusal(options: KafkaLogOptions): Promise<unknown> {
    return openKafkaLog(options).then(
      (log) => log.close(),
      (error: unknown) => error,
    );
  }

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'lets us in with SASL %s',
    async (mechanism) => {
      const sasl: KafkaSasl = { mechanism, username: 'alice', password: PASSWORD };
      await goesThrough(optionsOf('SASL', { sasl }));
    },
  );

  it('says UNAUTHENTICATED for a wrong password, at once and without it', async () => {
    const sasl: KafkaSasl = { mechanism: 'scram-sha-256', username: 'alice', password: 'wrong-one' };
    const fault = await refusal(optionsOf('SASL', { sasl }));
    expect(isAppError(fault, 'UNAUTHENTICATED') && !fault.retry).toBe(true);
    expect(String(fault)).not.toContain('wrong-one');
  });

  it('speaks TLS on both sides, by the server’s name', async () => {
    const ca = readFileSync(join(directory, 'broker.crt'), 'utf8');
    const [cert, key] = ['client.crt', 'client.key'].map((name) =>
      readFileSync(join(directory, name), 'utf8'),
    );
    const tls = { ca, cert: cert ?? '', key: key ?? '', serverName: 'kafka.test' };
    await goesThrough(optionsOf('TLS', { tls }));
  });

  it('refuses a broker with another name or an unknown signer', async () => {
    const ca = readFileSync(join(directory, 'broker.crt'), 'utf8');
    const other = { ca, cert: '', key: '', serverName: 'another.test' };
    expect(isAppError(await refusal(optionsOf('TLS', { tls: other })), 'LOG_UNAVAILABLE')).toBe(true);
    const unknown = {
      ca: readFileSync(join(directory, 'client.crt'), 'utf8'),
      cert: '',
      key: '',
      serverName: 'kafka.test',
    };
    expect(isAppError(await refusal(optionsOf('TLS', { tls: unknown })), 'LOG_UNAVAILABLE')).toBe(true);
  });
});
