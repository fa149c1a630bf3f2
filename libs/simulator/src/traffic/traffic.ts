import type { Cluster } from '../topology/cluster.js';
import type { Call } from './call.js';
import { Decision, type DecisionSettings } from './decision.js';
import { SCRIPTS, type Script } from './scripts.js';

/** How much happens, and when. */
export interface TrafficSettings extends DecisionSettings {
  /** Calls a second at the busiest hour. */
  readonly callsPerSecond: number;
  /** The day has a curve: least at 02:00 UTC (a quarter), most at 14:00. */
  readonly daily: boolean;
  /** Rare things happen eight times as often, so that a few minutes show everything. */
  readonly dense: boolean;
}

const SECONDS_A_DAY = 86_400;
const BUSIEST_SECOND = 14 * 3600;
const RARE_FACTOR = 8;

/** All traffic of the cluster, second by second: a pure function of settings and second. */
export class Traffic {
  private readonly scripts: readonly { script: Script; upTo: number }[];
  private readonly totalWeight: number;
  private readonly callsPerScript: number;

  constructor(
    private readonly cluster: Cluster,
    private readonly settings: TrafficSettings,
  ) {
    let weight = 0;
    let calls = 0;
    this.scripts = SCRIPTS.map((script) => {
      const own = script.weight * (settings.dense && script.rare === true ? RARE_FACTOR : 1);
      weight += own;
      calls += own * script.calls;
      return { script, upTo: weight };
    });
    this.totalWeight = weight;
    this.callsPerScript = calls / weight;
  }

  /** Calls that start in one second since 1970, or because of something that started in it. */
  callsOf(second: number): readonly Call[] {
    const decision = new Decision(this.cluster, second, this.settings);
    const { random } = decision;
    const mean = (this.settings.callsPerSecond * this.levelAt(second)) / this.callsPerScript;
    for (let left = random.poisson(mean); left > 0; left--) {
      const draw = random.unit() * this.totalWeight;
      const chosen = this.scripts.find(({ upTo }) => draw < upTo);
      chosen?.script.play(decision, random.below(1e9));
    }
    return decision.calls;
  }

  private levelAt(second: number): number {
    if (!this.settings.daily) return 1;
    const angle = ((second - BUSIEST_SECOND) / SECONDS_A_DAY) * 2 * Math.PI;
    return 0.625 + 0.375 * Math.cos(angle);
  }
}
