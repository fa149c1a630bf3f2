import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate and its key, PEM. */
export interface TlsPair {
  readonly certificate: string;
  readonly key: string;
}

/** An authority that exists for one test. */
export interface TestAuthority {
  /** PEM of the authority's own certificate. */
  readonly certificate: string;
  /** A leaf for these DNS names, good for servers and clients. `expired` makes one whose time is over. */
  issue(names: readonly string[], options?: { readonly expired?: boolean }): TlsPair;
}

// Just enough DER to write an X.509 v3 certificate (RFC 5280 section 4.1).
const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), body]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const flag = (value: boolean): Buffer => der(0x01, Buffer.from([value ? 255 : 0]));
const octets = (value: Uint8Array): Buffer => der(0x04, value);
const time = (date: Date): Buffer =>
  der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const ALTERNATIVE_NAMES = oid('551d11');
const DAY_MS = 86_400_000;

function name(text: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))));
}

function extensions(authority: boolean, names: readonly string[]): Buffer {
  const list = [
    sequence(BASIC_CONSTRAINTS, flag(true), octets(sequence(...(authority ? [flag(true)] : [])))),
  ];
  const alternatives = names.map((dns) => der(0x82, Buffer.from(dns)));
  if (names.length > 0) list.push(sequence(ALTERNATIVE_NAMES, octets(sequence(...alternatives))));
  return der(0xa3, sequence(...list));
}

interface Subject {
  readonly name: string;
  readonly names: readonly string[];
  readonly key: KeyObject;
  readonly authority: boolean;
  readonly untilMs: number;
}

function certificate(subject: Subject, issuer: string, signer: KeyObject): string {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    name(issuer),
    sequence(time(new Date(subject.untilMs - 10 * DAY_MS)), time(new Date(subject.untilMs))),
    name(subject.name),
    subject.key.export({ type: 'spki', format: 'der' }),
    extensions(subject.authority, subject.names),
  );
  const signature = sign('sha256', body, signer);
  const whole = sequence(body, ECDSA_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').replace(/(.{64})(?=.)/g, '$1\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Makes an authority with a key of its own (P-256); nothing is written to disk. */
export function makeAuthority(commonName = 'test authority'): TestAuthority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const untilMs = Date.now() + 5 * DAY_MS;
  const self = { name: commonName, names: [], key: pair.publicKey, authority: true, untilMs };
  return {
    certificate: certificate(self, commonName, pair.privateKey),
    issue: (names, { expired = false } = {}) => {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const subject = {
        name: names[0] ?? 'nobody',
        names,
        key: leaf.publicKey,
        authority: false,
        untilMs: expired ? Date.now() - DAY_MS : untilMs,
      };
      return {
        certificate: certificate(subject, commonName, pair.privateKey),
        key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}
