import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { unusedPort } from '../unused-port.js';
import { fetchKafka } from './fetch-kafka.js';

const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 20_000;

/** Small and quick to start: tests share two cores. */
const JVM = [
  '-Xmx384m',
  '-Xms128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
];

export interface JvmBrokerOptions {
  /** Further lines of `server.properties`; they win over the kit's. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Words for the storage tool, e.g. `--add-scram` and its value. */
  readonly format?: readonly string[];
  /** Further listeners by name, e.g. `SASL`; their ports are in {@link JvmBroker.ports}. */
  readonly listeners?: Readonly<Record<string, string>>;
  /** Ports that clients of a listener are told instead of its own: those of proxies in front of it. */
  readonly advertised?: Readonly<Record<string, number>>;
}

/** A real Apache Kafka in a child process: KRaft, one node that is broker and controller. */
export interface JvmBroker {
  /** `host:port` of the plain listener. */
  readonly address: string;
  /** Port of each listener by name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly pid: number;
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same data and ports, after {@link kill} or while it runs. */
  restart(): Promise<void>;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

function propertiesText(
  directory: string,
  ports: Readonly<Record<string, number>>,
  options: JvmBrokerOptions,
): string {
  const protocols = { PLAIN: 'PLAINTEXT', CONTROLLER: 'PLAINTEXT', ...options.listeners };
  const names = Object.keys(protocols);
  const address = (name: string): string => `${name}://127.0.0.1:${ports[name] ?? 0}`;
  const lines: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports['CONTROLLER'] ?? 0}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAIN',
    listeners: names.map(address).join(','),
    'advertised.listeners': names
      .filter((name) => name !== 'CONTROLLER')
      .map((name) => `${name}://127.0.0.1:${options.advertised?.[name] ?? ports[name] ?? 0}`)
      .join(','),
    'listener.security.protocol.map': Object.entries(protocols)
      .map(([name, protocol]) => `${name}:${protocol}`)
      .join(','),
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': 'false',
    'num.partitions': '1',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'log.index.size.max.bytes': '262144',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'num.network.threads': '2',
    'num.io.threads': '2',
    'controlled.shutdown.enable': 'false',
    // A broker that was killed may register again only after its former registration has expired.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '250',
    ...options.properties,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

const LOGGING = `status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
`;

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

class Broker implements JvmBroker {
  readonly address: string;
  #child: ChildProcess | undefined;
  /** A test run that ends without `stop` must leave neither a JVM nor its data behind. */
  readonly #abandon = (): void => {
    this.#child?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  };

  constructor(
    private readonly jars: string,
    private readonly directory: string,
    readonly ports: Readonly<Record<string, number>>,
  ) {
    this.address = `127.0.0.1:${ports['PLAIN'] ?? 0}`;
    process.once('exit', this.#abandon);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  private words(mainClass: string): string[] {
    const logging = `-Dlog4j2.configurationFile=${join(this.directory, 'log4j2.properties')}`;
    return [...JVM, logging, '-cp', join(this.jars, '*'), mainClass];
  }

  private get settings(): string {
    return join(this.directory, 'server.properties');
  }

  async format(words: readonly string[]): Promise<void> {
    const id = randomBytes(16).toString('base64url');
    // One word: an id that begins with a dash would be taken for an option.
    const tool = ['format', `--cluster-id=${id}`, '--config', this.settings, ...words];
    await promisify(execFile)('java', [...this.words('kafka.tools.StorageTool'), ...tool]);
  }

  /** Starts the process and waits until it takes connections. */
  async start(): Promise<void> {
    const out = openSync(join(this.directory, 'broker.out'), 'a');
    const child = spawn('java', [...this.words('kafka.Kafka'), this.settings], {
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    this.#child = child;
    const deadline = performance.now() + START_LIMIT_MS;
    while (!(await listens(this.ports['PLAIN'] ?? 0))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        await this.kill();
        throw new Error(`Apache Kafka did not start:\n${this.lastWords()}`);
      }
      await delay(50);
    }
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.end('SIGTERM');
    await this.start();
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    process.off('exit', this.#abandon);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async end(how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(how);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(late);
  }

  private lastWords(): string {
    return readFileSync(join(this.directory, 'broker.out'), 'utf8').slice(-4000);
  }
}

/** Formats a new data directory and starts a broker on it: about five seconds, plus the fetch the first time. */
export async function startJvmBroker(options: JvmBrokerOptions = {}): Promise<JvmBroker> {
  const jars = await fetchKafka();
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-kafka-'));
  try {
    const ports: Record<string, number> = {};
    for (const name of ['PLAIN', 'CONTROLLER', ...Object.keys(options.listeners ?? {})])
      ports[name] = await unusedPort();
    writeFileSync(join(directory, 'server.properties'), propertiesText(directory, ports, options));
    writeFileSync(join(directory, 'log4j2.properties'), LOGGING);
    const broker = new Broker(jars, directory, ports);
    await broker.format(options.format ?? []);
    await broker.start();
    return broker;
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}
