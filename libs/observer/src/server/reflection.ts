import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const PROTO = fileURLToPath(new URL('../../../../proto/', import.meta.url));

/** Reflection v1 and v1alpha over the services of `proto/hubble`: the only reader of the definitions, no data passes them. */
export function reflection(): ReflectionService {
  const files = ['hubble/server.proto', 'hubble/peer.proto'];
  const definition = loadSync(files, { includeDirs: [PROTO], keepCase: true });
  return new ReflectionService(definition, { services: ['observer.Observer', 'peer.Peer'] });
}
