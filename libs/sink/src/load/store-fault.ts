import { AppError } from '@flowledger/platform';

/**
 * What a store fault means for a write:
 *
 * - `unreached`: the engine never got it; wait and do it again
 * - `uncertain`: it may or may not have been applied; look before doing it again
 * - `content`: the engine refused the rows and says so; find out which
 * - `blocked`: the installation is wrong (a table, column or right is missing); no row is to blame, somebody must act
 * - `ours`: cancelled, lease lost, or a defect; not for the store to answer
 */
export type StoreFault = 'unreached' | 'uncertain' | 'content' | 'blocked' | 'ours';

/**
 * ClickHouse codes of a wrong installation: no such column 8, 10, 16; unknown identifier 47; unknown table 60, database
 * 81, setting 115; read-only 164; user 192, 193, 194, 516; table read-only 242; access denied 497; column mismatch 122.
 */
const INSTALLATION = new Set([8, 10, 16, 47, 60, 81, 115, 122, 164, 192, 193, 194, 497, 516]);

/** Judges a fault by its code alone. */
export function storeFault(error: unknown): StoreFault {
  if (!(error instanceof AppError)) return 'ours';
  const engineCode = Number(error.details['code'] ?? 0);
  if (INSTALLATION.has(engineCode)) return 'blocked';
  switch (error.code) {
    case 'STORE_UNAVAILABLE':
    case 'OVERLOADED':
      return 'unreached';
    case 'STORE_UNCERTAIN':
    case 'TIMEOUT':
      return 'uncertain';
    case 'STORE_REJECTED':
      return 'content';
    case 'NOT_FOUND':
    case 'FORBIDDEN':
    case 'UNAUTHENTICATED':
    case 'TOO_LARGE':
    case 'INVALID_ARGUMENT':
      return 'blocked';
    default:
      return 'ours';
  }
}
