import { makeFlows, REALISTIC } from '../flows/made-flows.js';
import { openBenchLog, startStore } from '../log-store.js';
import { costDetail, costOf, type Cost } from '../machine.js';
import { round, type BenchCase, type BenchSize, type Result } from '../result.js';

const RATE = 30_000;
const LAG_SECONDS = 600;
const TARGET_SECONDS = 300;
/** Of the lag in question, how much is really made: more would not load faster, only longer. */
const QUICK_SECONDS = 20;
const FULL_SECONDS = 60;

async function loadLag(flows: number): Promise<Cost<void>> {
  const server = await startStore();
  const bench = await openBenchLog();
  try {
    // The loader was away while these were seen; they are made as they are appended, so that nobody holds them.
    const fromMs = Date.now() - LAG_SECONDS * 1000;
    await bench.fill(makeFlows({ ...REALISTIC, flows, fromMs, spanMs: (flows / RATE) * 1000 }));
    const store = server.store();
    const cost = await costOf([server.server.pid], () => bench.load(store));
    const sql = 'SELECT toString(count()) AS n FROM flows';
    const { rows } = await store.query<{ n: string }>({ name: 'bench_rows', sql, params: {}, settings: {} });
    if (Number(rows[0]?.n) !== flows) throw new Error(`${rows[0]?.n} rows of ${flows} flows`);
    return cost;
  } finally {
    await bench.close();
    await server.stop();
  }
}

async function run({ quick, say }: BenchSize): Promise<readonly Result[]> {
  const lagSeconds = quick ? QUICK_SECONDS : FULL_SECONDS;
  const flows = RATE * lagSeconds;
  say(`catch-up: ${lagSeconds} s of lag at ${RATE} flows/s, from the log into the store`);
  const cost = await loadLag(flows);
  const rate = flows / cost.seconds;
  const seconds = (RATE * LAG_SECONDS) / rate;
  const spare = rate - RATE;
  return [
    {
      name: 'catch_up.ten_minutes',
      value: round(seconds),
      unit: 's',
      baseline: null,
      ratio: null,
      target: `<= ${TARGET_SECONDS}`,
      ok: seconds <= TARGET_SECONDS,
      detail: {
        flows,
        madeSeconds: lagSeconds,
        flowsPerSecond: round(rate),
        flowsPerCpuSecond: round(flows / cost.cpuSeconds),
        // While as many flows go on coming in, only what is loaded beyond them shortens the lag.
        whileMoreArriveSeconds: spare > 0 ? round((RATE * LAG_SECONDS) / spare) : 'never',
        ...costDetail(cost),
      },
    },
  ];
}

/** Row 12: how long ten minutes of lag at 30,000 flows/s take to load, scaled from a part of them. */
export const catchUpCase: BenchCase = { name: 'catch_up', figures: ['catch_up.ten_minutes'], run };
