/**
 * Says loudly that tests of a real service do not run here, and why. That is a failure (throws, so that the file which
 * asked fails) where `FLOWLEDGER_TEST_REQUIRE_SERVICES=1` is set; and where `CI=true` is, for a service that can be `had`
 * anywhere, such as a broker that Java runs.
 */
export function announceSkip(
  service: string,
  reason: string,
  had: 'sometimes' | 'anywhere' = 'sometimes',
): void {
  const inCi = had === 'anywhere' && process.env['CI'] === 'true';
  if (inCi || process.env['FLOWLEDGER_TEST_REQUIRE_SERVICES'] === '1')
    throw new Error(`real ${service} is required here: ${reason}`);
  process.stdout.write(`\nSKIPPED: real ${service}: ${reason}\n\n`);
}
