import { WireWriter } from '@flowledger/model';
import { writeFlow, writeTime, type LabelledFlow } from '@flowledger/query';
import type { FlowMask } from './field-mask.js';
import { NODE_NAME, TIME } from './responses.js';

/** Bytes of one block; about sixty responses. */
const BLOCK_BYTES = 64 * 1024;
/** What is left of a block when the next one is begun: most responses fit, and one that does not grows its block. */
const SPARE_BYTES = 8 * 1024;

/**
 * Encodes responses around flows. Many of them share one block of memory, because a block for each costs more than the
 * encoding; a block lives until the last of its responses is sent.
 */
export class FlowResponses {
  readonly #scratch = new WireWriter(4096);
  #block = new WireWriter(BLOCK_BYTES);

  /** Cut down to `mask`, or whole without one. */
  constructor(private readonly mask: FlowMask | undefined) {}

  /** The response around one flow; its bytes do not change. */
  response(labelled: LabelledFlow): Uint8Array {
    const { flow } = labelled;
    const out = this.#block;
    const start = out.pos;
    const body = out.open(1);
    if (this.mask === undefined) writeFlow(out, labelled);
    else out.raw(this.mask(this.#encoded(labelled)));
    out.close(body);
    out.stringField(NODE_NAME, `${flow.cluster}/${flow.node}`);
    writeTime(out, TIME, flow.timeNs);
    if (out.pos > BLOCK_BYTES - SPARE_BYTES) this.#block = new WireWriter(BLOCK_BYTES);
    return out.buf.subarray(start, out.pos);
  }

  #encoded(labelled: LabelledFlow): Uint8Array {
    const out = this.#scratch;
    out.reset();
    writeFlow(out, labelled);
    return out.buf.subarray(0, out.pos);
  }
}
