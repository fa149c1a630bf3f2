import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const PROTO = fileURLToPath(new URL('../../../../proto/', import.meta.url));

/** Reflection v1 and v1alpha over `proto/hubble/server.proto`: the only reader of the definition, no data passes it. */
export function reflection(): ReflectionService {
  const definition = loadSync('hubble/server.proto', { includeDirs: [PROTO], keepCase: true });
  return new ReflectionService(definition, { services: ['observer.Observer'] });
}
