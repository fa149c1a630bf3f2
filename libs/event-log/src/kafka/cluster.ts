import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, logLevel } from 'kafkajs';
import type { ISocketFactoryArgs, KafkaConfig, SASLOptions } from 'kafkajs';
import { registerCodecs } from './codecs.js';
import type { KafkaConnection } from './options.js';
import type { Cluster } from './protocol.js';

interface Connection {
  connect(): Promise<unknown>;
  readonly requestQueue: { readonly pending: readonly unknown[]; scheduleCheckPendingRequests(): void };
}

interface PoolBuilder {
  build(destination?: object): Promise<{ readonly pool: readonly Connection[] }>;
}

type CreateCluster = (options: {
  allowAutoTopicCreation: boolean;
  metadataMaxAge: number;
}) => Cluster & { readonly connectionPoolBuilder: PoolBuilder };

const METADATA_AGE_MS = 60_000;

const KEEP_ALIVE_MS = 60_000;
const CONNECT_MS = 5_000;
/** kafkajs's own time limit comes first where it works. */
const CONNECT_GRACE_MS = 500;

function openSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const options: object = typeof ssl === 'object' ? ssl : {};
  const socket = ssl
    ? connectTls({ host, port, ...name, ...options }, onConnect)
    : connectPlain({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  // While a broker is away, everything that waits for it takes the same connecting socket leave of.
  socket.setMaxListeners(0);
  return socket;
}

function kafkaConfig({ brokers, clientId, tls, sasl }: KafkaConnection): KafkaConfig {
  const given = (name: string, value: string | undefined): Record<string, string> =>
    value === undefined || value === '' ? {} : { [name]: value };
  const ssl = tls && {
    ...given('ca', tls.ca),
    ...given('cert', tls.cert),
    ...given('key', tls.key),
    ...given('servername', tls.serverName),
  };
  return {
    brokers: [...brokers],
    clientId: clientId ?? 'flowledger',
    logLevel: logLevel.NOTHING,
    socketFactory: openSocket,
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: 10_000,
    requestTimeout: 30_000,
    // One quick second try for a connection; everything else is tried again by KafkaLink, which knows what is at stake.
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200 },
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
  };
}

/** A cluster that is not connected yet. */
export function newCluster(connection: KafkaConnection): Cluster {
  registerCodecs();
  const kafka = new Kafka(kafkaConfig(connection));
  // The constructor of the protocol layer is reached through the client object, as its own producer does it.
  const door = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create: unknown = door === undefined ? undefined : Reflect.get(kafka, door);
  if (typeof create !== 'function') throw new TypeError('this version of kafkajs has no protocol layer');
  const cluster = (create as CreateCluster)({
    allowAutoTopicCreation: false,
    metadataMaxAge: METADATA_AGE_MS,
  });
  mendConnections(cluster.connectionPoolBuilder);
  return cluster;
}

/** Puts right, in each connection that is made, what its users cannot. */
function mendConnections(builder: PoolBuilder): void {
  const { build } = builder;
  builder.build = async (destination) => {
    const built = await build(destination);
    for (const connection of built.pool) {
      connectOnce(connection);
      restWhenIdle(connection);
    }
    return built;
  };
}

/**
 * Two requests that find a connection broken must not both open a new one: kafkajs would keep the second socket, still
 * unconnected, and leak the first. And a broker that hangs up during the handshake must not be waited for: kafkajs's own
 * promise would never settle then.
 */
function connectOnce(connection: Connection): void {
  const connect = connection.connect.bind(connection);
  let underWay: Promise<unknown> | undefined;
  connection.connect = () => {
    underWay ??= inTime(connect()).finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

function inTime(connecting: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const fault = Object.assign(new Error('Connection timeout'), { name: 'KafkaJSConnectionError' });
    timer = setTimeout(() => reject(fault), CONNECT_MS + CONNECT_GRACE_MS);
  });
  return Promise.race([connecting, late]).finally(() => clearTimeout(timer));
}

/** With nothing to send, kafkajs looks every millisecond for something (reliability note, M16). */
function restWhenIdle({ requestQueue }: Connection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule();
  };
}
