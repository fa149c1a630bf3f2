import { afterEach, describe, expect, it, vi } from 'vitest';
import { announceSkip } from './skipped-service.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function skip(had: 'sometimes' | 'anywhere', env: Readonly<Record<string, string>>): string {
  vi.stubEnv('CI', '');
  vi.stubEnv('FLOWLEDGER_TEST_REQUIRE_SERVICES', '');
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  announceSkip('Apache Kafka', 'there is no java', had);
  return write.mock.calls.map(([text]) => String(text)).join('');
}

describe('announceSkip', () => {
  it('names the service and the reason', () => {
    expect(skip('anywhere', {})).toContain('SKIPPED: real Apache Kafka: there is no java');
    expect(skip('sometimes', { CI: 'true' })).toContain('SKIPPED');
  });

  it('fails in CI for what can be had there, and everywhere when services are asked for', () => {
    expect(() => skip('anywhere', { CI: 'true' })).toThrow(/required/);
    expect(() => skip('sometimes', { FLOWLEDGER_TEST_REQUIRE_SERVICES: '1' })).toThrow(/required/);
  });
});
