import { describe, expect, it } from 'vitest';
import { planFlows } from './flows/plan-flows.js';
import { DEFAULT_LIMITS } from './query-plan.js';
import type { QueryPlan } from './query-plan.js';
import { SAMPLE_CONTEXT, SAMPLE_PLANS } from './testing/sample-plans.js';

function rendered(plan: QueryPlan): string {
  const params = Object.entries(plan.params).map(([name, value]) => {
    const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
    return `-- ${name} = ${text}`;
  });
  return [plan.sql, ...params, ''].join('\n');
}

describe('rendered statements', () => {
  it.each(Object.keys(SAMPLE_PLANS))('%s is as in its golden', async (name) => {
    const plan = SAMPLE_PLANS[name]?.();
    if (plan === undefined) throw new Error(name);
    await expect(rendered(plan)).toMatchFileSnapshot(`../golden/${name}.sql`);
  });

  it.each(Object.keys(SAMPLE_PLANS))('%s binds every value, names its tenant and its limits', (name) => {
    const plan = SAMPLE_PLANS[name]?.();
    if (plan === undefined) throw new Error(name);
    const used = [...plan.sql.matchAll(/\{(\w+):/g)].map((match) => match[1] ?? '');
    expect(new Set(Object.keys(plan.params))).toEqual(new Set(used));
    expect(plan.params['tenant']).toBe('acme');
    expect(plan.sql).toContain('tenant = {tenant:String}');
    expect(plan.settings).toMatchObject({
      max_rows_to_read: DEFAULT_LIMITS.maxRowsToRead,
      max_memory_usage: DEFAULT_LIMITS.maxMemoryBytes,
      result_overflow_mode: 'throw',
      read_in_order_use_buffering: 0,
    });
    const seconds = Number(plan.settings['max_execution_time']);
    expect(seconds > 0 && seconds <= DEFAULT_LIMITS.maxSeconds).toBe(true);
    expect(plan.settings['max_result_rows']).toBeGreaterThan(0);
  });

  it('puts no value of a filter into the text of a statement', () => {
    const evil = "x') OR 1=1 --";
    const filters = {
      allow: [
        {
          sourcePod: [evil],
          nodeName: ['evil-node'],
          httpHeader: [{ key: evil, value: evil }],
          traceId: [evil],
        },
      ],
    };
    const planned = planFlows({ filters }, SAMPLE_CONTEXT);
    const sql = planned.ok ? planned.value.plan.sql : '';
    expect(sql).toContain('startsWith(src_pod');
    expect(sql).not.toContain('OR 1=1');
    expect(sql).not.toContain('evil-node');
  });
});
