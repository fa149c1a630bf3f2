import { createServer } from 'node:net';
import { dockerAvailable } from '../docker-available.js';
import { answers, fetchedKafka, KAFKA_VERSION } from './fetch-kafka.js';
import { startJvmBroker, type JvmBroker } from './jvm-broker.js';

const IMAGE = `apache/kafka:${KAFKA_VERSION}`;
const CONTAINER_LIMIT_MS = 180_000;

/** Where a real Apache Kafka can be had: one that was given, a container, a local JVM, or nowhere and why. */
export type KafkaSource =
  | { readonly kind: 'given'; readonly brokers: readonly string[] }
  | { readonly kind: 'container' }
  | { readonly kind: 'jvm' }
  | { readonly kind: 'none'; readonly reason: string };

/** A real Apache Kafka for one test file. Call `stop` in `afterAll`. */
export interface TestKafka {
  readonly brokers: readonly string[];
  /** Set when the broker is a local process: it can be killed and restarted. */
  readonly process: JvmBroker | undefined;
  stop(): Promise<void>;
}

/**
 * Brokers named by `FLOWLEDGER_TEST_KAFKA` (`host:port,host:port`), else Docker, else Java (with Maven to fetch the broker
 * the first time), else none.
 */
export async function findKafka(): Promise<KafkaSource> {
  const given = process.env['FLOWLEDGER_TEST_KAFKA'];
  if (given !== undefined && given !== '') return { kind: 'given', brokers: given.split(',') };
  if (await dockerAvailable()) return { kind: 'container' };
  if (!(await answers('java', '-version'))) return none('there is no java');
  if (fetchedKafka() === undefined && !(await answers('mvn', '--version'))) return none('there is no mvn');
  return { kind: 'jvm' };
}

function none(reason: string): KafkaSource {
  return {
    kind: 'none',
    reason: `FLOWLEDGER_TEST_KAFKA is not set, no Docker engine answers and ${reason} on the path`,
  };
}

/** Connects to the brokers, starts the container, or starts the JVM (fetching it when it is the first time). */
export async function startTestKafka(source: Exclude<KafkaSource, { kind: 'none' }>): Promise<TestKafka> {
  if (source.kind === 'given')
    return { brokers: source.brokers, process: undefined, stop: async () => undefined };
  if (source.kind === 'container') return startContainer();
  const broker = await startJvmBroker();
  return { brokers: [broker.address], process: broker, stop: () => broker.stop() };
}

/** A broker must know the address under which clients reach it, so the port is chosen before the container starts. */
async function startContainer(): Promise<TestKafka> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const port = await anyPort();
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    })
    .withExposedPorts({ container: 9092, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(CONTAINER_LIMIT_MS)
    .start();
  return {
    brokers: [`127.0.0.1:${port}`],
    process: undefined,
    stop: async () => {
      await container.stop();
    },
  };
}

async function anyPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
