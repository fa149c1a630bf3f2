// The head of the page and its tables.
import { byId, sparkline, table, tag } from './dom.js';
import { count, key, millis, percent, rate, time, words } from './format.js';

const COVERAGE = {
  COMPLETE: ['good', 'nothing is missing in this window'],
  STILL_ARRIVING: ['', 'events of this window are still on their way'],
  PARTIAL: ['', 'a part of this window was not observed'],
  OUTSIDE_RETENTION: ['', 'the window begins before the oldest flow that is kept'],
  NO_SOURCE: ['bad', 'no source has sent anything in this window'],
};

export function drawCoverage(coverage) {
  const [tone, text] = COVERAGE[coverage.status] ?? ['', ''];
  const badge = tag('span', { class: `badge ${tone}`, title: text }, coverage.status.replaceAll('_', ' '));
  const books =
    coverage.unaccounted === null
      ? 'books not checked here'
      : coverage.unaccounted === 0
        ? 'unaccounted 0'
        : `${count(coverage.unaccounted)} arriving`;
  const lost =
    coverage.eventsLostUpstream > 0 ? ` · ${count(coverage.eventsLostUpstream)} lost upstream` : '';
  const gaps = coverage.gaps.length > 0 ? ` · ${coverage.gaps.length} gaps` : '';
  byId('coverage').replaceChildren(badge, tag('span', {}, `${books}${gaps}${lost}`));
}

export function drawFigures(red, drops, map, coverage) {
  const { requests, ratePerSecond, errors, errorRatio, quantilesMs } = red.total;
  const services = map.nodes.length;
  const figures = [
    ['Requests', count(requests), `${rate(ratePerSecond)}/s`],
    ['Errors', percent(errorRatio), `${count(errors)} server faults`, errorRatio > 0.01],
    ['p95 latency', millis(quantilesMs[1]), `p50 ${millis(quantilesMs[0])} · p99 ${millis(quantilesMs[2])}`],
    [
      'Drops',
      count(drops.total),
      drops.audited > 0
        ? `${count(drops.audited)} audited`
        : `${count(drops.groupCount)} kinds`,
      drops.total > 0,
    ],
    ['Workloads', count(services), `${count(map.edges.length + map.truncated)} edges`],
    [
      'Nodes',
      count(coverage.nodesReporting),
      coverage.nodesExpected === null || coverage.nodesExpected < coverage.nodesReporting ? 'reporting' : `of ${coverage.nodesExpected} reporting`,
    ],
  ];
  byId('figures').replaceChildren(
    ...figures.map(([name, value, note, bad]) =>
      tag(
        'dl',
        { class: bad ? 'figure bad' : 'figure' },
        tag('dt', {}, name),
        tag('dd', {}, value, tag('small', {}, note)),
      ),
    ),
  );
}

/** `windowText` names the window for people. */
export function drawDrops(drops, windowText) {
  byId('drops-note').textContent =
    drops.other > 0 ? `${count(drops.other)} more in smaller groups` : `last ${windowText}`;
  if (drops.groups.length === 0) {
    byId('drops').replaceChildren(tag('p', { class: 'empty' }, 'No drops in this window.'));
    return;
  }
  const rows = drops.groups.map((group) => [
    tag('td', { class: 'reason' }, words(key(group, 'DROP_REASON', 'NONE')), tag('small', {}, group.text)),
    tag(
      'td',
      { class: 'who' },
      ...named(key(group, 'WORKLOAD', 'CLIENT')),
      ' → ',
      ...named(key(group, 'WORKLOAD', 'SERVER')),
    ),
    tag('td', {}, key(group, 'POLICY', 'NONE') || tag('span', { class: 'ns' }, 'not named')),
    tag('td', { class: 'num bad' }, count(group.count)),
    tag('td', { class: 'time' }, time(group.firstSeen)),
    tag('td', { class: 'time' }, time(group.lastSeen)),
    tag('td', { class: 'remedy' }, tag('div', { title: group.remedy ?? '' }, group.remedy ?? '')),
  ]);
  const heads = [
    'Reason',
    'Who → whom',
    'Policy',
    '#Count',
    'First seen',
    'Last seen',
    'What usually fixes it',
  ];
  byId('drops').replaceChildren(table(heads, rows));
}

/** `namespace/name` with the namespace set back. */
function named(path) {
  const slash = path.lastIndexOf('/');
  return [tag('span', { class: 'ns' }, path.slice(0, slash + 1)), path.slice(slash + 1) || 'unknown'];
}

export function drawServices(red) {
  const other = red.other === null ? '' : ` · ${count(red.other.requests)} requests in smaller ones`;
  byId('red-note').textContent = `requests, errors, duration · ${red.answered.table}${other}`;
  if (red.groups.length === 0) {
    byId('red').replaceChildren(
      tag('p', { class: 'empty' }, 'No requests were seen. Requests need L7 visibility.'),
    );
    return;
  }
  const rows = red.groups.map((group) => {
    const { stats, series } = group;
    const tone = stats.errorRatio > 0.01 ? 'num bad' : 'num';
    return [
      tag('td', { class: 'who' }, ...named(key(group, 'WORKLOAD', 'SERVER'))),
      tag('td', {}, series ? sparkline(series.requests, series.errors) : ''),
      tag('td', { class: 'num' }, count(stats.requests)),
      tag('td', { class: 'num' }, rate(stats.ratePerSecond)),
      tag('td', { class: tone }, percent(stats.errorRatio)),
      ...stats.quantilesMs.map((q) => tag('td', { class: 'num' }, millis(q))),
    ];
  });
  const heads = [
    'Service',
    'Requests over time',
    '#Requests',
    '#Per second',
    '#Errors',
    '#p50',
    '#p95',
    '#p99',
  ];
  byId('red').replaceChildren(table(heads, rows));
}
