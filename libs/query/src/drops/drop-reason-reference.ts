import { DROP_REASON } from '@flowledger/model';
import { dropReasonText } from './drop-reasons.js';

function line(number: number): string {
  const { name, text, remedy, failure } = dropReasonText(number);
  return `| ${number} | \`${name}\` | ${text}${failure ? '' : ' (**not a failure**)'} | ${remedy ?? '–'} |`;
}

/** The generated page `docs/reference/drop-reasons.md`: every reason of cilium v1.19 in our words, by number. */
export function dropReasonReference(): string {
  const numbers = Object.keys(DROP_REASON.names).map(Number);
  return [
    '# Drop reasons',
    '',
    'Why the datapath dropped a packet: the number and name in `drop_reason_desc`, what it means, and what to look at',
    'first. The names of 136 and 161 are older than what they mean today; the text is right. Packets with a reason marked',
    '“not a failure” were handled elsewhere. Generated from the code; `npm run docs` writes it.',
    '',
    '| number | name | what happened | what to do |',
    '| --- | --- | --- | --- |',
    ...numbers.toSorted((a, b) => a - b).map(line),
    '',
  ].join('\n');
}
