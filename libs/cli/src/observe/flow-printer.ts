import type { Output } from './observe-words.js';
import { compactLine, csvHead, csvLine, type FlowJson } from './print-flow.js';
import { dictLines, flowCells, TableRows, type CellForm } from './print-rows.js';

/** Makes lines of flows. */
export interface FlowLines {
  /** What stands above the flows. */
  head(): readonly string[];
  /** Takes a flow, and the whole response as JSON; gives the lines that can be printed by now. */
  add(flow: FlowJson, json: string): readonly string[];
  /** The lines that still wait when the last flow has come. */
  end(): readonly string[];
}

/** Prints each flow in the form that `-o` names. */
export class FlowPrinter implements FlowLines {
  readonly #table = new TableRows();
  #isFirst = true;

  constructor(private readonly form: CellForm & { readonly output: Output }) {}

  head(): readonly string[] {
    return this.form.output === 'csv' ? [csvHead()] : [];
  }

  add(flow: FlowJson, json: string): readonly string[] {
    const { output, addresses } = this.form;
    if (output === 'csv') return [csvLine(flow)];
    if (output === 'compact') return [compactLine(flow, addresses)];
    if (output === 'table') return this.#table.add(flowCells(flow, this.form));
    if (output !== 'dict') return [json];
    const lines = dictLines(flowCells(flow, this.form), this.#isFirst);
    this.#isFirst = false;
    return lines;
  }

  end(): readonly string[] {
    return this.#table.end();
  }
}
