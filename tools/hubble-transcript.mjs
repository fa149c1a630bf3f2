// Writes the transcript in docs/35-hubble-cli.md by running it: the stock CLI (argument 1) and ours against a running demo
// (argument 2: host:port of its Observer API). Lines are cut at 150 characters, answers at four lines.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const [hubble, server, dataDir] = process.argv.slice(2);
const DOC = new URL('../docs/35-hubble-cli.md', import.meta.url);
const BEGIN = '<!-- transcript -->';
const END = '<!-- /transcript -->';
const STOCK = [
  'hubble status',
  'hubble list nodes',
  'hubble observe --namespace production',
  'hubble observe --to-service payment-service',
  'hubble observe --verdict DROPPED',
  'hubble observe --protocol http --http-status 500',
  "hubble observe -o json | jq '.flow.source.labels'",
  'hubble observe --output=compact --follow',
  'hubble observe --verdict DROPPED --type policy-verdict',
  'hubble observe --from-pod production/my-app-xyz',
  'hubble observe --protocol dns',
  "hubble observe --http-path '('",
];
const OURS = [
  'flowledger observe --verdict DROPPED --last 2 --explain',
  'flowledger observe --since 7d --verdict DROPPED --aggregate-by source-workload,destination-workload,drop-reason',
  'flowledger observe --last 2 -o csv',
];

function shown(command, run) {
  const { stdout, stderr, status } = run;
  const lines = `${stdout}${status === 0 || stdout === '' ? stderr : ''}`.trimEnd().split('\n');
  const cut = lines.slice(0, 4).map((line) => (line.length > 150 ? `${line.slice(0, 149)}…` : line));
  const more = lines.length > 4 ? [`… ${lines.length - 4} lines more`] : [];
  return [`$ ${command}`, ...cut, ...more].join('\n');
}

function stock(command) {
  const program = `hubble() { timeout -s INT 6 "${hubble}" "$@" --server "${server}"; }; ${command.replace("| jq '.flow.source.labels'", "| node -e \"require('readline').createInterface({input:process.stdin}).on('line',(l)=>console.log(JSON.stringify(JSON.parse(l).flow.source.labels)))\"")}`;
  return shown(command, spawnSync('bash', ['-c', program], { encoding: 'utf8', maxBuffer: 1e9 }));
}

function ours(command) {
  const program = `flowledger() { node apps/flowledger/dist/main.js "$@" --data-dir "${dataDir}"; }; ${command}`;
  return shown(command, spawnSync('bash', ['-c', program], { encoding: 'utf8', maxBuffer: 1e9 }));
}

const version = execFileSync(hubble, ['version'], { encoding: 'utf8' }).split(' ').slice(0, 2).join(' ');
const parts = [...STOCK.map(stock), ...OURS.map(ours)];
const text = readFileSync(DOC, 'utf8');
const [before, rest] = text.split(BEGIN);
const [, after] = rest.split(END);
const date = new Date().toISOString().slice(0, 10);
const body = `${BEGIN}\n\nMade on ${date} with ${version} by \`tools/hubble-transcript.mjs\`.\n\n\`\`\`text\n${parts.join('\n\n')}\n\`\`\`\n\n${END}`;
writeFileSync(DOC, `${before}${body}${after}`);
