// Random tests draw anew in every run, but for CI: a run that lands a change must not fail by a draw that has nothing to do
// with it. The nightly run draws. A counterexample that was found becomes a test of its own.
import fc from 'fast-check';

const seed = process.env['FLOWLEDGER_TEST_SEED'];
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });
