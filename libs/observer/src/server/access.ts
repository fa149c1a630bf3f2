import { createHash, timingSafeEqual } from 'node:crypto';
import { status, type Metadata } from '@grpc/grpc-js';
import { GrpcError } from './grpc-errors.js';

/** Who may call; empty texts ask for nothing. */
export interface Credentials {
  /** Bearer token. */
  readonly token: string;
  /** Basic auth. */
  readonly username: string;
  readonly password: string;
}

/** Throws Unauthenticated unless a call may pass. */
export type AccessCheck = (metadata: Metadata) => void;

/**
 * The check of all calls. Over plain text credentials are refused even where none are asked for: whoever sends them there
 * has shown them to the network (hubble note, trap 51).
 */
export function accessCheck(credentials: Credentials, secure: boolean): AccessCheck {
  const accepted = [
    ...(credentials.token === '' ? [] : [`Bearer ${credentials.token}`]),
    ...(credentials.username === '' && credentials.password === ''
      ? []
      : [`Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`]),
  ].map(digest);
  return (metadata) => {
    const sent = metadata.get('authorization').map(String);
    if (!secure && sent.length > 0)
      throw new GrpcError(status.UNAUTHENTICATED, 'credentials over plain text are refused; use TLS');
    if (accepted.length === 0) return;
    const good = sent.some((each) => accepted.some((one) => timingSafeEqual(one, digest(schemed(each)))));
    if (!good) throw new GrpcError(status.UNAUTHENTICATED, 'basic auth or a bearer token is needed');
  };
}

/** Names of schemes are case-insensitive. */
function schemed(authorization: string): string {
  return authorization.replace(/^(bearer|basic) /i, (name) =>
    name.toLowerCase() === 'bearer ' ? 'Bearer ' : 'Basic ',
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
