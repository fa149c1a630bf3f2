// The start page: asks this server's own GraphQL and draws what it says. Text from the cluster is only ever set as
// text, never as markup.
import { drawMap } from './map.js';
import { EXAMPLES, PAGE_QUERY } from './queries.js';
import { count, duration, hueOf, key, millis, percent, rate, time, words } from './format.js';
import { sparkline, table, tag } from './dom.js';

const REFRESH_MS = 10_000;
const WINDOWS = [
  { last: '15m', step: '1m', text: '15 m' },
  { last: '1h', step: '1m', text: '1 h' },
  { last: '6h', step: '5m', text: '6 h' },
  { last: '24h', step: '30m', text: '24 h' },
];
const COVERAGE = {
  COMPLETE: ['good', 'nothing is missing in this window'],
  STILL_ARRIVING: ['', 'events of this window are still on their way'],
  PARTIAL: ['', 'a part of this window was not observed'],
  OUTSIDE_RETENTION: ['', 'the window begins before the oldest flow that is kept'],
  NO_SOURCE: ['bad', 'no source has sent anything in this window'],
};

const $ = (id) => document.getElementById(id);
const state = { window: savedWindow(), system: false, chosen: undefined, answer: undefined, asking: undefined };

function savedWindow() {
  const last = new URLSearchParams(location.hash.slice(1)).get('last');
  return WINDOWS.find((w) => w.last === last) ?? WINDOWS[1];
}

async function ask(query, variables, signal) {
  const token = sessionStorage.getItem('flowledger-token');
  const response = await fetch('/graphql', {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  $('token-form').hidden = response.status !== 401;
  const answer = await response.json();
  if (answer.errors?.length > 0 || !answer.data) {
    const [error] = answer.errors ?? [{ message: `status ${response.status}` }];
    throw new Error([error.message, error.extensions?.hint].filter(Boolean).join(': '));
  }
  return answer.data;
}

async function refresh() {
  state.asking?.abort();
  const asking = new AbortController();
  state.asking = asking;
  const { last, step } = state.window;
  try {
    state.answer = await ask(PAGE_QUERY, { last, step }, asking.signal);
    $('problem').hidden = true;
    $('refreshed').textContent = `as of ${time(new Date().toISOString())}`;
    draw();
  } catch (error) {
    if (asking.signal.aborted) return;
    $('problem').textContent = `No answer: ${error.message}`;
    $('problem').hidden = false;
  }
}

function draw() {
  const { coverage, serviceMap, drops, redMetrics } = state.answer;
  drawCoverage(coverage);
  drawFigures(redMetrics, drops, serviceMap, coverage);
  drawServiceMap(serviceMap);
  drawDetail();
  drawDrops(drops);
  drawServices(redMetrics);
}

function drawCoverage(coverage) {
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
  $('coverage').replaceChildren(badge, tag('span', {}, `${books}${gaps}${lost}`));
}

function drawFigures(red, drops, map, coverage) {
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
  $('figures').replaceChildren(
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

function drawServiceMap(map) {
  const model = mapModel(map, state.system);
  if (model.edges.length === 0) {
    $('map').replaceChildren(tag('p', { class: 'empty' }, 'No calls in this window.'));
    return;
  }
  drawMap($('map'), model, state.chosen, choose);
  const hidden = map.edges.length - model.edges.length + map.truncated;
  $('map-note').textContent = hidden > 0 ? `${hidden} quiet or system edges not shown` : '';
}

/** Health probes, the host, the API server: there in every cluster, and rarely the answer. */
const SYSTEM = /^reserved:(?:health|remote-node|host|kube-apiserver)$/;
const WORLD = 'reserved:world';

/**
 * What of the map is drawn. An edge without connections, requests or drops was only seen before address translation;
 * the edge to the real server is there too. The world is drawn twice: who calls in, and who is called outside.
 */
function mapModel(map, withSystem) {
  const nodes = new Map(map.nodes.map((n) => [n.id, n]));
  const nameOf = (id) => nodes.get(id)?.name ?? id;
  const isSystem = (e) => e.port === 53 || SYSTEM.test(nameOf(e.client)) || SYSTEM.test(nameOf(e.server));
  const happened = (e) => e.connections > 0 || e.red?.requests > 0 || e.drops > 0;
  const edges = map.edges
    .filter((e) => happened(e) && (withSystem || e.drops > 0 || !isSystem(e)))
    .map((e) => ({
      id: e.id,
      client: e.client,
      server: nameOf(e.server) === WORLD ? `${e.server}#out` : e.server,
      weight: e.red?.requests ?? e.connections ?? 0,
      drops: e.drops,
      dropsText: count(e.drops),
      errors: (e.red?.errorRatio ?? 0) > 0.01,
      label: `${nameOf(e.client)} → ${nameOf(e.server)} ${e.protocol}${e.port > 0 ? `/${e.port}` : ''}${edgeNote(e)}`,
    }));
  const stats = nodeStats(map);
  const ids = [...new Set(edges.flatMap((e) => [e.client, e.server]))];
  return { edges, nodes: ids.map((id) => nodeModel(id, nodes.get(id.replace(/#out$/, '')), stats)) };
}

/** Cilium’s own identities without their prefix. */
function shortName(name) {
  return name.replace(/^reserved:/, '');
}

function nodeModel(id, node, stats) {
  const text = nodeText(node, stats.get(node.id));
  return { id, name: shortName(node.name), ...text, hue: hueOf(node.namespace ?? node.kind) };
}

function edgeNote(edge) {
  const red = edge.red
    ? `, ${count(edge.red.requests)} requests, ${percent(edge.red.errorRatio)} errors`
    : '';
  return `${red}${edge.drops > 0 ? `, ${count(edge.drops)} drops` : ''}`;
}

/** What comes in at every node. */
function nodeStats(map) {
  const stats = new Map(map.nodes.map((n) => [n.id, { requests: 0, errors: 0, drops: 0 }]));
  for (const edge of map.edges) {
    const at = stats.get(edge.server);
    if (at === undefined) continue;
    at.requests += edge.red?.requests ?? 0;
    at.errors += edge.red?.errors ?? 0;
    at.drops += edge.drops;
  }
  return stats;
}

function nodeText(node, { requests, errors, drops }) {
  const where = node.namespace ?? node.kind;
  const ratio = requests > 0 ? errors / requests : 0;
  const sub = ratio > 0.01 ? `${where} · ${percent(ratio)} errors` : where;
  const dropped = drops > 0 ? `, ${count(drops)} drops` : '';
  return {
    sub,
    bad: ratio > 0.01,
    label: `${node.name} in ${where}: ${count(requests)} requests, ${percent(ratio)} errors${dropped}`,
  };
}

function choose(what) {
  const same = state.chosen?.kind === what.kind && state.chosen.id === what.id;
  state.chosen = same ? undefined : what;
  drawServiceMap(state.answer.serviceMap);
  drawDetail();
}

function drawDetail() {
  const { serviceMap } = state.answer;
  const edge =
    state.chosen?.kind === 'edge' ? serviceMap.edges.find((e) => e.id === state.chosen.id) : undefined;
  const node =
    state.chosen?.kind === 'node' ? serviceMap.nodes.find((n) => n.id === state.chosen.id) : undefined;
  const content = edge
    ? edgeDetail(edge, serviceMap)
    : node
      ? nodeDetail(node, serviceMap)
      : overview(serviceMap);
  $('detail').replaceChildren(...content);
}

function overview(map) {
  const nameOf = (id) => shortName(map.nodes.find((n) => n.id === id)?.name ?? id);
  const dropping = map.edges
    .filter((e) => e.drops > 0)
    .sort((a, b) => b.drops - a.drops)
    .slice(0, 5);
  const failing = map.edges
    .filter((e) => (e.red?.errorRatio ?? 0) > 0.01)
    .sort((a, b) => b.red.errors - a.red.errors)
    .slice(0, 5);
  const list = (edges, note) =>
    tag(
      'ul',
      {},
      ...edges.map((e) => tag('li', {}, edgeButton(e, nameOf), ' ', tag('span', { class: 'ns' }, note(e)))),
    );
  const quiet = dropping.length + failing.length === 0;
  return [
    tag('h3', {}, quiet ? 'Nothing stands out' : 'What stands out'),
    ...(dropping.length > 0
      ? [tag('p', { class: 'hint' }, 'Dropped traffic'), list(dropping, (e) => `${count(e.drops)} drops`)]
      : []),
    ...(failing.length > 0
      ? [
          tag('p', { class: 'hint' }, 'Failing calls'),
          list(failing, (e) => `${percent(e.red.errorRatio)} errors`),
        ]
      : []),
    tag('p', { class: 'hint' }, 'Choose a service or an edge for its figures.'),
  ];
}

function edgeButton(edge, nameOf) {
  const button = tag('button', {}, `${nameOf(edge.client)} → ${nameOf(edge.server)}`);
  button.addEventListener('click', () => choose({ kind: 'edge', id: edge.id }));
  return button;
}

function redList(red) {
  if (!red) return [['Requests', 'no L7 visibility']];
  return [
    ['Requests', `${count(red.requests)} · ${rate(red.ratePerSecond)}/s`],
    ['Errors', `${percent(red.errorRatio)}${red.denied > 0 ? ` · ${count(red.denied)} denied` : ''}`],
    ['p50 / p95 / p99', red.quantilesMs.map(millis).join(' / ')],
  ];
}

function definitions(rows) {
  return tag('dl', {}, ...rows.flatMap(([name, value]) => [tag('dt', {}, name), tag('dd', {}, value)]));
}

function edgeDetail(edge, map) {
  const find = (id) => map.nodes.find((n) => n.id === id);
  const [client, server] = [find(edge.client), find(edge.server)];
  const rows = [
    ['Protocol', `${edge.protocol}${edge.port > 0 ? `/${edge.port}` : ''}`],
    ...redList(edge.red),
    ['Connections', edge.connections === null ? 'unknown' : count(edge.connections)],
    ['Drops', count(edge.drops)],
    ['Encrypted', edge.encryptedShare === null ? 'unknown' : percent(edge.encryptedShare)],
    ['First seen', time(edge.firstSeen)],
    ['Last seen', time(edge.lastSeen)],
  ];
  const query = EXAMPLES.edgeFlows(client, server, state.window.last, edge.drops > 0);
  return [tag('h3', {}, `${shortName(client.name)} → ${shortName(server.name)}`), definitions(rows), ...queryButtons(query)];
}

function nodeDetail(node, map) {
  const into = map.edges.filter((e) => e.server === node.id);
  const from = map.edges.filter((e) => e.client === node.id);
  const sum = (edges, of) => edges.reduce((total, e) => total + (of(e) ?? 0), 0);
  const path = node.namespace === null ? node.name : `${node.namespace}/${node.name}`;
  const service = state.answer.redMetrics.groups.find((group) => key(group, 'WORKLOAD', 'SERVER') === path);
  const rows = [
    ['Namespace', node.namespace ?? 'none'],
    ...redList(service?.stats),
    ['Callers', count(into.length)],
    ['Calls', count(from.length)],
    ['Drops on the way in', count(sum(into, (e) => e.drops))],
    ['Drops on the way out', count(sum(from, (e) => e.drops))],
  ];
  const query = EXAMPLES.callersOf(node, state.window.last);
  return [tag('h3', {}, shortName(node.name)), definitions(rows), ...queryButtons(query)];
}

function drawDrops(drops) {
  $('drops-note').textContent =
    drops.other > 0 ? `${count(drops.other)} more in smaller groups` : `last ${state.window.text}`;
  if (drops.groups.length === 0) {
    $('drops').replaceChildren(tag('p', { class: 'empty' }, 'No drops in this window.'));
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
  $('drops').replaceChildren(table(heads, rows));
}

/** `namespace/name` with the namespace set back. */
function named(path) {
  const slash = path.lastIndexOf('/');
  return [tag('span', { class: 'ns' }, path.slice(0, slash + 1)), path.slice(slash + 1) || 'unknown'];
}

function drawServices(red) {
  const other = red.other === null ? '' : ` · ${count(red.other.requests)} requests in smaller ones`;
  $('red-note').textContent = `requests, errors, duration · ${red.answered.table}${other}`;
  if (red.groups.length === 0) {
    $('red').replaceChildren(
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
  $('red').replaceChildren(table(heads, rows));
}

function queryButtons(query) {
  const link = tag(
    'a',
    { class: 'button', href: `/graphiql?query=${encodeURIComponent(query)}` },
    'Open in GraphiQL',
  );
  return [
    tag('p', {}, copyButton('Copy query', query), ' ', copyButton('Copy curl', curl(query)), ' ', link),
  ];
}

function curl(query) {
  const body = JSON.stringify({ query }).replaceAll("'", "'\\''");
  return `curl -s ${location.origin}/graphql -H 'content-type: application/json' -d '${body}'`;
}

function copyButton(text, content) {
  const button = tag('button', { type: 'button' }, text);
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(content);
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = text), 1500);
  });
  return button;
}

function drawQueries() {
  const { last } = state.window;
  const cards = EXAMPLES.list(last).map(({ title, query }) => {
    const buttons = queryButtons(query)[0].childNodes;
    return tag(
      'article',
      { class: 'query' },
      tag('header', {}, tag('h3', {}, title), ...buttons),
      tag('pre', { tabindex: '0' }, tag('code', {}, query)),
    );
  });
  $('query-list').replaceChildren(...cards);
}

function drawWindows() {
  for (const window of WINDOWS) {
    const input = tag('input', { type: 'radio', name: 'window', value: window.last });
    input.checked = window === state.window;
    input.addEventListener('change', () => {
      state.window = window;
      history.replaceState(null, '', `#last=${window.last}`);
      drawQueries();
      void refresh();
    });
    $('windows').append(tag('label', {}, input, tag('span', {}, window.text)));
  }
}

async function drawBanner() {
  const token = sessionStorage.getItem('flowledger-token');
  const response = await fetch('/status', {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  if (!response.ok && response.status !== 503) return;
  const status = await response.json();
  $('version').textContent =
    `Flowledger ${status.version}${status.uptimeMs ? ` · up ${duration(status.uptimeMs)}` : ''}`;
  $('banner').textContent = status.banner ?? '';
  $('banner').hidden = !status.banner;
}

$('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('flowledger-token', $('token').value);
  void refresh();
  void drawBanner();
});
$('system').addEventListener('change', (event) => {
  state.system = event.target.checked;
  if (state.answer) drawServiceMap(state.answer.serviceMap);
});
drawWindows();
drawQueries();
void drawBanner();
void refresh();
setInterval(() => {
  if (!document.hidden) void refresh();
}, REFRESH_MS);
