import { laneOf } from './lanes.js';

const POINT = laneOf('sock_xlate_point');
const COOKIE = laneOf('socket_cookie');
const NODE = laneOf('node');
const CLUSTER = laneOf('cluster');
const SERVICE_NAMESPACE = laneOf('dst_service_namespace');
const SERVICE_NAME = laneOf('dst_service_name');
/** SocketTranslationPoint: a socket dials a service, and which backend it was given (hubble note 1.3). */
const PRE_DIRECTION_FWD = 1;
const POST_DIRECTION_FWD = 2;

/** A service by string-table ids. */
export interface TranslatedService {
  readonly serviceNamespace: number;
  readonly serviceName: number;
}

interface Dialled extends TranslatedService {
  readonly cookieHi: number;
  readonly node: number;
  readonly cluster: number;
}

/**
 * Which service a socket dialled before its load balancer chose a backend. The agent names a service only while its
 * address is visible; the event after the translation has the same socket cookie and the backend's address. Both
 * must be in one record, so that what is learnt depends on that record alone: the agent sends them one after the other.
 */
export class Translations {
  /** By the lower half of the cookie. */
  readonly #dialled = new Map<number, Dialled>();

  /** Forgets the sockets of the record before. */
  clear(): void {
    if (this.#dialled.size > 0) this.#dialled.clear();
  }

  /** Takes the open row; the service whose backend its destination is, where it is a translation that was seen whole. */
  note(lanes: Int32Array | Uint32Array, base: number): TranslatedService | undefined {
    const point = lanes[base + POINT] ?? 0;
    if (point !== PRE_DIRECTION_FWD && point !== POST_DIRECTION_FWD) return undefined;
    const [cookieLo, cookieHi] = [lanes[base + COOKIE] ?? 0, lanes[base + COOKIE + 1] ?? 0];
    const [node, cluster] = [lanes[base + NODE] ?? 0, lanes[base + CLUSTER] ?? 0];
    if (cookieLo === 0 && cookieHi === 0) return undefined;
    if (point === PRE_DIRECTION_FWD) {
      const serviceName = lanes[base + SERVICE_NAME] ?? 0;
      const serviceNamespace = lanes[base + SERVICE_NAMESPACE] ?? 0;
      if (serviceName !== 0)
        this.#dialled.set(cookieLo, { cookieHi, node, cluster, serviceNamespace, serviceName });
      return undefined;
    }
    const dialled = this.#dialled.get(cookieLo);
    const same = dialled?.cookieHi === cookieHi && dialled.node === node && dialled.cluster === cluster;
    return same ? dialled : undefined;
  }
}
