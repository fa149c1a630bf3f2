import { peerAdded } from '../wire/responses.js';
import type { AccessCheck } from './access.js';
import { grpcError } from './grpc-errors.js';
import type { EncodedStream } from './stream-out.js';

/** How peers of Hubble see this server. */
export interface PeerOptions {
  readonly name: string;
  readonly port: number;
  /** Peers are dialed with TLS, and the certificate names the host that was dialed. */
  readonly tls: boolean;
}

/**
 * `peer.Peer/Notify` for relays and `hubble watch peers`: an agent names all agents of its cluster, this server is the one
 * peer that has the flows of all nodes. It has the address under which it was reached, which a listening address like
 * 0.0.0.0 is not. The stream then stays open, because an end means that the peers have to be asked for again.
 */
export function notify(check: AccessCheck, options: () => PeerOptions): (call: EncodedStream) => void {
  return (call) => {
    try {
      check(call.metadata);
      const { name, port, tls } = options();
      const { hostname, address } = dialed(call.getHost(), port);
      call.write(peerAdded({ name, address, serverName: tls ? hostname : undefined }));
    } catch (error) {
      call.emit('error', grpcError(error));
    }
  };
}

/** The authority of a call, with the port where it has none. */
function dialed(authority: string, port: number): { readonly hostname: string; readonly address: string } {
  const [, hostname = authority, given] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  return { hostname: hostname.replace(/^\[|\]$/g, ''), address: `${hostname}:${given ?? port}` };
}
