import { AppError } from './errors.js';

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Throws CONFIG_INVALID when listening beyond loopback without a token and without saying so. `section`: of the settings. */
export function assertSafeBinding(
  host: string,
  token: string | undefined,
  insecure: boolean,
  section: 'api' | 'admin' = 'api',
): void {
  if (isLoopback(host) || (token !== undefined && token !== '') || insecure) return;
  const text = `listen on ${host}: set ${section}.token, or ${section}.insecure if that is meant`;
  throw new AppError('CONFIG_INVALID', text, { retry: false });
}
