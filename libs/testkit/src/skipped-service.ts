/**
 * Says loudly that tests of a real service do not run here, and why. Where `FLOWLEDGER_TEST_REQUIRE_SERVICES=1` is set,
 * as in CI, that is a failure: throws, so that the file which asked fails.
 */
export function announceSkip(service: string, reason: string): void {
  if (process.env['FLOWLEDGER_TEST_REQUIRE_SERVICES'] === '1')
    throw new Error(`real ${service} is required here: ${reason}`);
  process.stdout.write(`\nSKIPPED: real ${service}: ${reason}\n\n`);
}
