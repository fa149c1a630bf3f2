import { endText, type FlowJson } from './print-flow.js';

/** Rows of a table that are measured together; widths of the first of them hold for all. */
const MEASURED_ROWS = 1000;
const RULE = '------------';

/** Codes of `event_type.type` (hubble note 1.5). */
const DROP = 1;
const CAPTURE = 3;
const TRACE = 4;
const POLICY_VERDICT = 5;
const TRACE_SOCK = 7;

/** What of a flow is shown, and how. */
export interface CellForm {
  readonly printNodeName: boolean;
  /** Sides are shown by address, not by pod. */
  readonly addresses: boolean;
}

/** Heads and cells of a flow, in the order in which `hubble observe` shows them. */
export function flowCells(
  flow: FlowJson,
  { printNodeName, addresses }: CellForm,
): readonly (readonly [string, string])[] {
  const turned = flow.is_reply === true;
  return [
    ['TIMESTAMP', flow.time ?? 'no time'],
    ...(printNodeName ? [['NODE', flow.node_name ?? ''] as const] : []),
    ['SOURCE', endText(flow, turned ? 'destination' : 'source', addresses)],
    ['DESTINATION', endText(flow, turned ? 'source' : 'destination', addresses)],
    ['TYPE', kindText(flow)],
    ['VERDICT', flow.verdict ?? 'VERDICT_UNKNOWN'],
    ['SUMMARY', flow.Summary ?? ''],
  ];
}

/** What kind of event told of the flow, in one word, as `--type` names it. */
function kindText(flow: FlowJson): string {
  const { l7 } = flow;
  if (l7 !== undefined) {
    const protocol = ['dns', 'http', 'kafka'].find((each) => Object.hasOwn(l7, each)) ?? 'l7';
    return `${protocol}-${(l7.type ?? 'record').toLowerCase()}`;
  }
  const type = flow.event_type?.type ?? 0;
  if (type === DROP) return `drop:${flow.drop_reason_desc ?? 'DROP_REASON_UNKNOWN'}`;
  if (type === POLICY_VERDICT) return `policy-verdict ${flow.traffic_direction ?? ''}`.trim();
  if (type === TRACE) return dashed(flow.trace_observation_point ?? 'trace');
  if (type === TRACE_SOCK) return dashed(flow.sock_xlate_point ?? 'trace-sock');
  return type === CAPTURE ? dashed(flow.debug_capture_point ?? 'capture') : `event:${type}`;
}

function dashed(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** `-o dict`: a line a cell, and a rule between flows. */
export function dictLines(cells: ReturnType<typeof flowCells>, isFirst: boolean): readonly string[] {
  const width = Math.max(...cells.map(([head]) => head.length));
  const lines = cells.map(([head, text]) => `${head.padStart(width)}: ${text}`);
  return isFirst ? lines : [RULE, ...lines];
}

/** `-o table`: aligned columns below their heads. Keeps at most {@link MEASURED_ROWS} rows. */
export class TableRows {
  #waiting: (readonly string[])[] = [];
  #widths: readonly number[] | undefined;

  /** Takes a row; gives the lines that can be printed by now. */
  add(cells: ReturnType<typeof flowCells>): readonly string[] {
    if (this.#widths === undefined && this.#waiting.length === 0)
      this.#waiting.push(cells.map(([head]) => head));
    this.#waiting.push(cells.map(([, text]) => text));
    return this.#widths === undefined && this.#waiting.length <= MEASURED_ROWS ? [] : this.end();
  }

  /** The lines that still wait. */
  end(): readonly string[] {
    const rows = this.#waiting;
    this.#waiting = [];
    this.#widths ??= (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
    const widths = this.#widths;
    return rows.map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('   ')
        .trimEnd(),
    );
  }
}
