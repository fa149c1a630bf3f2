// The start page: asks this server's own GraphQL and draws what it says. Text from the cluster is only ever set as
// text, never as markup.
import { ask, authorization } from './api.js';
import { queryButtons } from './copy.js';
import { drawDetail } from './detail.js';
import { byId, tag } from './dom.js';
import { duration, time } from './format.js';
import { mapModel } from './map-model.js';
import { drawMap } from './map.js';
import { EXAMPLES, PAGE_QUERY } from './queries.js';
import { drawCoverage, drawDrops, drawFigures, drawServices } from './sections.js';
import { state, WINDOWS } from './state.js';

const REFRESH_MS = 10_000;

async function refresh() {
  state.asking?.abort();
  const asking = new AbortController();
  state.asking = asking;
  const { last, step } = state.window;
  try {
    state.answer = await ask(PAGE_QUERY, { last, step }, asking.signal);
    byId('problem').hidden = true;
    byId('refreshed').textContent = `as of ${time(new Date().toISOString())}`;
    draw();
  } catch (error) {
    if (asking.signal.aborted) return;
    byId('problem').textContent = `No answer: ${error.message}`;
    byId('problem').hidden = false;
  }
}

function draw() {
  const { coverage, serviceMap, drops, redMetrics } = state.answer;
  drawCoverage(coverage);
  drawFigures(redMetrics, drops, serviceMap, coverage);
  drawServiceMap(serviceMap);
  drawDetail(choose);
  drawDrops(drops, state.window.text);
  drawServices(redMetrics);
}

function drawServiceMap(map) {
  const model = mapModel(map, state.system);
  if (model.edges.length === 0) {
    byId('map').replaceChildren(tag('p', { class: 'empty' }, 'No calls in this window.'));
    return;
  }
  drawMap(byId('map'), model, state.chosen, choose);
  const hidden = map.edges.length - model.edges.length + map.truncated;
  byId('map-note').textContent = hidden > 0 ? `${hidden} quiet or system edges not shown` : '';
}

function choose(what) {
  const same = state.chosen?.kind === what.kind && state.chosen.id === what.id;
  state.chosen = same ? undefined : what;
  drawServiceMap(state.answer.serviceMap);
  drawDetail(choose);
}

function drawQueries() {
  const { last } = state.window;
  const cards = EXAMPLES.list(last).map(({ title, query }) => {
    return tag(
      'article',
      { class: 'query' },
      tag('header', {}, tag('h3', {}, title), queryButtons(query)),
      tag('pre', { tabindex: '0' }, tag('code', {}, query)),
    );
  });
  byId('query-list').replaceChildren(...cards);
}

function drawWindows() {
  for (const window of WINDOWS) {
    const input = tag('input', { type: 'radio', name: 'window', value: window.last });
    input.checked = window === state.window;
    input.addEventListener('change', () => {
      state.window = window;
      state.explained = new Map();
      history.replaceState(null, '', `#last=${window.last}`);
      drawQueries();
      void refresh();
    });
    byId('windows').append(tag('label', {}, input, tag('span', {}, window.text)));
  }
}

async function drawBanner() {
  const response = await fetch('/status', { headers: authorization() });
  if (!response.ok && response.status !== 503) return;
  const status = await response.json();
  byId('version').textContent =
    `Flowledger ${status.version}${status.uptimeMs ? ` · up ${duration(status.uptimeMs)}` : ''}`;
  byId('banner').textContent = status.banner ?? '';
  byId('banner').hidden = !status.banner;
}

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('flowledger-token', byId('token').value);
  void refresh();
  void drawBanner();
});
byId('system').addEventListener('change', (event) => {
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
