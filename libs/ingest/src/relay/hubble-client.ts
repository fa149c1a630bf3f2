import {
  Client,
  credentials,
  status,
  type ChannelCredentials,
  type ClientReadableStream,
} from '@grpc/grpc-js';
import { AppError } from '@flowledger/platform';
import {
  decodeNodes,
  decodeServerStatus,
  encodeFlowsRequest,
  type FlowsRequest,
  type NodeCount,
} from './hubble-messages.js';

/** Certificates of a connection, PEM. */
export interface TlsSettings {
  /** Authorities that may have signed the server's certificate; absent: those of the system. */
  readonly ca?: string;
  /** Our own certificate and key, where the server asks for one (mTLS). */
  readonly certificate?: string;
  readonly key?: string;
  /** Name that the server's certificate must carry; absent: the host name dialled. */
  readonly serverName?: string;
}

/** Where a Hubble server is and how to speak with it. */
export interface HubbleAddress {
  /** `host:port`. */
  readonly target: string;
  /** Absent: plaintext. */
  readonly tls?: TlsSettings;
}

/** A stream of undecoded messages. */
export type RawStream = ClientReadableStream<Buffer>;

const identity = (bytes: Buffer): Buffer => bytes;
const NO_BYTES = Buffer.alloc(0);
/** gRPC's own limit for one message; what is longer ends the stream with RESOURCE_EXHAUSTED. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

function credentialsOf(tls: TlsSettings | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
  try {
    return credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.certificate));
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', 'certificates of the relay connection', { retry: false, cause });
  }
}

/**
 * One connection to a Hubble Relay, agent or peer service. It passes messages on as they came: the method has an identity
 * deserializer, so fields that this code does not know reach the log. Make one a session and close it; throws
 * CONFIG_INVALID for certificates that cannot be used.
 */
export class HubbleClient {
  readonly #client: Client;

  constructor({ target, tls }: HubbleAddress) {
    const name = tls?.serverName;
    this.#client = new Client(target, credentialsOf(tls), {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      ...(name === undefined
        ? {}
        : { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name }),
    });
  }

  /** Opens `Observer.GetFlows`. */
  getFlows(request: FlowsRequest): RawStream {
    const bytes = Buffer.from(encodeFlowsRequest(request));
    return this.#client.makeServerStreamRequest('/observer.Observer/GetFlows', identity, identity, bytes);
  }

  /** Opens `Peer.Notify`. */
  notify(): RawStream {
    return this.#client.makeServerStreamRequest('/peer.Peer/Notify', identity, identity, NO_BYTES);
  }

  /**
   * What the server has counted: by node where it knows (`GetNodes`), else all together (`ServerStatus`). Rejects with the
   * gRPC error when it does not answer within `deadlineMs`.
   */
  async counts(deadlineMs: number): Promise<readonly NodeCount[]> {
    const nodes = await this.#ask('GetNodes', deadlineMs).catch((error: unknown) => {
      if (codeOf(error) === status.UNIMPLEMENTED) return undefined;
      throw error;
    });
    if (nodes !== undefined) return decodeNodes(nodes) ?? [];
    const all = decodeServerStatus(await this.#ask('ServerStatus', deadlineMs));
    return all === undefined ? [] : [all];
  }

  close(): void {
    this.#client.close();
  }

  #ask(method: string, deadlineMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + deadlineMs;
      const path = `/observer.Observer/${method}`;
      this.#client.makeUnaryRequest(path, identity, identity, NO_BYTES, { deadline }, (error, answer) => {
        if (error !== null) reject(error);
        else resolve(answer ?? NO_BYTES);
      });
    });
  }
}

/** The gRPC status code of a thrown value; undefined when it is none. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
