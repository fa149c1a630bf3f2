import type { Call } from '../traffic/call.js';
import { observeDenial } from './denial.js';
import { observeL7 } from './l7.js';
import type { Observer } from './observer.js';
import { observeOpening } from './opening.js';
import { observePackets } from './packets.js';

/** Works out which vantage points see what of a call; fills `call.observations`. */
export function observeCall(observer: Observer, call: Call): void {
  if (call.newConnection) observeOpening(observer, call);
  if (call.denial?.kind === 'packet') observeDenial(observer, call, call.denial);
  else observePackets(observer, call);
  observeL7(observer, call);
}
