// The service map as SVG: callers above, callees below. Layout is a pure function of the map, so that a refresh moves
// nothing that did not change.

const SVG = 'http://www.w3.org/2000/svg';
const NODE = { width: 152, height: 46, gapX: 26, gapY: 54, margin: 16 };
/** A longer row is broken into two, so that a wide cluster stays readable. */
const MAX_ROW = 8;
const SWEEPS = 12;
const PASS_WIDTH = 10;

/**
 * An order of the nodes in which little traffic flows backwards (the greedy heuristic of Eades, Lin and Smyth, with
 * weights): sinks go last, sources first, then whoever sends most more than it receives.
 */
export function callOrder(nodes, edges) {
  const left = new Set(nodes.map((n) => n.id));
  const links = edges.filter((e) => e.client !== e.server && left.has(e.client) && left.has(e.server));
  const head = [];
  const tail = [];
  while (left.size > 0) {
    const sent = new Map([...left].map((id) => [id, 0]));
    const received = new Map(sent);
    for (const e of links) {
      if (!left.has(e.client) || !left.has(e.server)) continue;
      sent.set(e.client, sent.get(e.client) + e.weight + 1);
      received.set(e.server, received.get(e.server) + e.weight + 1);
    }
    const ids = [...left].sort();
    const sink = ids.find((id) => sent.get(id) === 0);
    if (sink !== undefined) tail.unshift(sink);
    else
      head.push(
        ids.reduce((best, id) =>
          sent.get(id) - received.get(id) > sent.get(best) - received.get(best) ? id : best,
        ),
      );
    left.delete(sink ?? head.at(-1));
  }
  return [...head, ...tail];
}

/** Layer of every node: one below its lowest caller, callers pulled down to just above their first callee. */
export function layersOf(nodes, edges) {
  const order = callOrder(nodes, edges);
  const rank = new Map(order.map((id, i) => [id, i]));
  const down = edges.filter((e) => rank.get(e.client) < rank.get(e.server));
  const layer = new Map(order.map((id) => [id, 0]));
  for (const id of order) {
    for (const e of down)
      if (e.client === id) layer.set(e.server, Math.max(layer.get(e.server), layer.get(id) + 1));
  }
  for (const id of order.toReversed()) {
    const callees = down.filter((e) => e.client === id).map((e) => layer.get(e.server));
    const called = down.some((e) => e.server === id);
    if (callees.length > 0 && !called) layer.set(id, Math.min(...callees) - 1);
  }
  return layer;
}

/**
 * Positions of nodes and the points that every edge passes. Parts that nothing connects are laid out alone: the largest
 * on top, the others in lines below it.
 */
export function layout(nodes, edges) {
  const whole = { positions: new Map(), routes: new Map(), width: 0, height: 0 };
  const line = { x: 0, y: 0, height: 0 };
  for (const part of connectedParts(nodes, edges)) {
    const laid = layoutPart(part.nodes, part.edges);
    if (line.x > 0 && line.x + laid.width > whole.width) {
      Object.assign(line, { x: 0, y: line.y + line.height, height: 0 });
    }
    const shift = ({ x, y }) => ({ x: x + line.x, y: y + line.y });
    for (const [id, at] of laid.positions) whole.positions.set(id, shift(at));
    for (const [id, points] of laid.routes) whole.routes.set(id, points.map(shift));
    line.x += laid.width;
    line.height = Math.max(line.height, laid.height);
    whole.width = Math.max(whole.width, line.x);
    whole.height = line.y + line.height;
  }
  return whole;
}

function connectedParts(nodes, edges) {
  const part = new Map(nodes.map((n) => [n.id, n.id]));
  const root = (id) => (part.get(id) === id ? id : root(part.get(id)));
  for (const e of edges) part.set(root(e.client), root(e.server));
  const parts = new Map();
  for (const node of nodes) {
    const key = root(node.id);
    if (!parts.has(key)) parts.set(key, { nodes: [], edges: [] });
    parts.get(key).nodes.push(node);
  }
  for (const edge of edges) parts.get(root(edge.client)).edges.push(edge);
  return [...parts.values()].sort((a, b) => b.nodes.length - a.nodes.length || (a.nodes[0].id < b.nodes[0].id ? -1 : 1));
}

/**
 * Rows by layer, placed by the average of their neighbours. An edge over several layers holds a narrow place in each of
 * them, so that it runs between nodes and not behind them.
 */
function layoutPart(nodes, edges) {
  const layer = layersOf(nodes, edges);
  const rows = [];
  for (const id of nodes.map((n) => n.id).sort()) (rows[layer.get(id)] ??= []).push(id);
  const lines = rows.flatMap((row) => broken(row));
  const line = new Map(lines.flatMap((row, y) => row.map((id) => [id, y])));
  const neighbours = new Map(nodes.map((n) => [n.id, []]));
  const passes = new Map();
  for (const edge of edges) {
    if (edge.client === edge.server) continue;
    const between = passesOf(edge, line);
    between.forEach(({ id, y }) => lines[y].push(id));
    passes.set(
      edge.id,
      between.map(({ id }) => id),
    );
    const chain = [edge.client, ...between.map(({ id }) => id), edge.server];
    for (const id of chain) if (!neighbours.has(id)) neighbours.set(id, []);
    chain.slice(1).forEach((id, i) => {
      neighbours.get(id).push(chain[i]);
      neighbours.get(chain[i]).push(id);
    });
  }
  const narrow = new Set([...passes.values()].flat());
  const widthOf = (id) => (narrow.has(id) ? PASS_WIDTH : NODE.width);
  const centre = new Map();
  for (const row of lines)
    row.forEach((id, i) => centre.set(id, (i - (row.length - 1) / 2) * (NODE.width + NODE.gapX)));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const row of sweep % 2 === 0 ? lines : lines.toReversed()) settle(row, neighbours, centre, widthOf);
  }
  return placed(lines, centre, passes, widthOf);
}

/** The rows between the ends of an edge, in its direction, with an id for its place in each. */
function passesOf(edge, line) {
  const [from, to] = [line.get(edge.client), line.get(edge.server)];
  const step = Math.sign(to - from);
  const between = [];
  for (let y = from + step; step !== 0 && y !== to; y += step)
    between.push({ id: `${edge.id}\u0000${y}`, y });
  return between;
}

/** Moves a row's nodes towards their neighbours, in the order of their wishes, without overlap. */
function settle(row, neighbours, centre, widthOf) {
  const wish = new Map(row.map((id) => [id, average(neighbours.get(id), centre, centre.get(id))]));
  row.sort((a, b) => wish.get(a) - wish.get(b) || (a < b ? -1 : 1));
  let right = -Infinity;
  for (const id of row) {
    centre.set(id, Math.max(wish.get(id), right + widthOf(id) / 2));
    right = centre.get(id) + widthOf(id) / 2 + NODE.gapX;
  }
  const shift = row.reduce((sum, id) => sum + wish.get(id) - centre.get(id), 0) / row.length;
  for (const id of row) centre.set(id, centre.get(id) + shift);
}

/** A row too long for one line becomes several, its nodes dealt out in turn. */
function broken(row) {
  const lines = Math.ceil(row.length / MAX_ROW);
  return Array.from({ length: lines }, (_, line) => row.filter((_id, i) => i % lines === line));
}

function placed(lines, centre, passes, widthOf) {
  const edgesOf = (sign) => lines.flat().map((id) => centre.get(id) + (sign * widthOf(id)) / 2);
  const left = Math.min(...edgesOf(-1)) - NODE.margin;
  const top = (y) => NODE.margin + y * (NODE.height + NODE.gapY);
  const positions = new Map();
  lines.forEach((row, y) => {
    for (const id of row) positions.set(id, { x: centre.get(id) - left - widthOf(id) / 2, y: top(y) });
  });
  const routes = new Map();
  for (const [id, ids] of passes) {
    routes.set(
      id,
      ids.map((pass) => ({
        x: positions.get(pass).x + PASS_WIDTH / 2,
        y: positions.get(pass).y + NODE.height / 2,
      })),
    );
  }
  const width = Math.max(...edgesOf(1)) - left + NODE.margin;
  return { positions, routes, width, height: top(lines.length) - NODE.gapY + NODE.margin };
}

function average(ids, centre, fallback) {
  if (ids.length === 0) return fallback;
  return ids.reduce((sum, id) => sum + centre.get(id), 0) / ids.length;
}

/**
 * Draws the map into `frame`. `model.nodes`: {id, name, sub, bad, hue}; `model.edges`: {id, client, server, weight,
 * drops, errors, label}. `choose({kind, id})` is called on click and Enter; `chosen` is marked.
 */
export function drawMap(frame, model, chosen, choose) {
  const { positions, routes, width, height } = layout(model.nodes, model.edges);
  const svg = element('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'group',
    'aria-label': 'Service map',
  });
  svg.style.minWidth = `${Math.round(width * 0.62)}px`;
  svg.style.maxWidth = `${Math.round(width * 1.15)}px`;
  const heaviest = Math.max(1, ...model.edges.map((e) => e.weight));
  const edges = element('g');
  const nodes = element('g');
  const pills = element('g', { 'pointer-events': 'none' });
  for (const edge of [...model.edges].sort((a, b) => Number(a.drops > 0) - Number(b.drops > 0))) {
    edges.append(
      drawEdge(edge, { positions, routes, heaviest, chosen, choose, pills, slot: slotOf(edge, model.edges) }),
    );
  }
  for (const node of model.nodes) nodes.append(drawNode(node, positions.get(node.id), chosen, choose));
  svg.append(edges, nodes, pills);
  fadeOthers(svg, model, chosen);
  const { node, edge } = frame.contains(document.activeElement) ? document.activeElement.dataset : {};
  frame.replaceChildren(svg);
  // A refresh must not take the focus from who walks the map by keyboard.
  for (const part of svg.querySelectorAll('[tabindex]')) {
    if ((node ?? edge) !== undefined && part.dataset.node === node && part.dataset.edge === edge) part.focus();
  }
}

/** Edges between the same two nodes lie side by side. */
function slotOf(edge, edges) {
  const twins = edges.filter((e) => e.client === edge.client && e.server === edge.server);
  return twins.indexOf(edge) - (twins.length - 1) / 2;
}

function drawEdge(edge, { positions, routes, heaviest, chosen, choose, pills, slot }) {
  const from = positions.get(edge.client);
  const to = positions.get(edge.server);
  const stroke = 1.2 + 6 * (Math.log1p(edge.weight) / Math.log1p(heaviest));
  const kind = edge.drops > 0 ? 'drops' : edge.errors ? 'errors' : '';
  const group = element('g', {
    class: `edge ${kind} ${chosen?.kind === 'edge' && chosen.id === edge.id ? 'chosen' : ''}`,
    'data-edge': edge.id,
    'data-client': edge.client,
    'data-server': edge.server,
  });
  pressable(group, edge.label, () => choose({ kind: 'edge', id: edge.id }));
  const { d, tip, middle } = curve(from, to, routes.get(edge.id) ?? [], slot * 16);
  group.append(
    element('path', { class: 'grip', d }),
    element('path', { class: 'line', d, 'stroke-width': stroke.toFixed(1) }),
    element('path', { class: 'arrow', ...arrow(tip, 4 + stroke * 0.5) }),
    title(edge.label),
  );
  if (edge.drops > 0) pills.append(pill(edge, middle));
  return group;
}

function curve(from, to, route, aside) {
  const half = NODE.width / 2;
  if (from === to) {
    const [x, y] = [from.x + NODE.width, from.y + NODE.height / 2];
    const d = `M${x} ${y - 12} C${x + 34} ${y - 26} ${x + 34} ${y + 26} ${x + 5} ${y + 12}`;
    return { d, tip: { x: x + 5, y: y + 12, turn: 90 }, middle: { x: x + 26, y } };
  }
  const back = to.y < from.y;
  // Edges of one node fan out along its side, so that they do not share one point.
  const fan = (node, other) =>
    node.x + half + Math.max(-half + 16, Math.min(half - 16, (other.x - node.x - half) * 0.28 + aside));
  const first = route[0] ?? { x: to.x + half };
  const last = route.at(-1) ?? { x: from.x + half };
  const start = { x: fan(from, first), y: back ? from.y : from.y + NODE.height };
  const end = { x: fan(to, last), y: back ? to.y + NODE.height + 8 : to.y - 8 };
  const points = [start, ...route, end];
  const bend = back ? -34 : 34;
  let d = `M${start.x} ${start.y}`;
  points
    .slice(1)
    .forEach((p, i) => (d += ` C${points[i].x} ${points[i].y + bend} ${p.x} ${p.y - bend} ${p.x} ${p.y}`));
  const tip = { x: end.x, y: back ? end.y - 8 : end.y + 8, turn: back ? 180 : 0 };
  const middle =
    route.length > 0
      ? route[Math.floor((route.length - 1) / 2)]
      : { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  return { d, tip, middle };
}

/** A head that points down, turned round its tip. */
function arrow({ x, y, turn }, size) {
  const d = `M${x} ${y} L${x - size} ${y - size * 1.5} L${x + size} ${y - size * 1.5} Z`;
  return { d, transform: `rotate(${turn} ${x} ${y})` };
}

function pill({ id, client, server, dropsText: text }, { x, y }) {
  const width = 14 + text.length * 6.6;
  const rect = element('rect', { class: 'pill', x: x - width / 2, y: y - 9, width, height: 18, rx: 9 });
  const label = element('text', { class: 'pill-text', x, y: y + 4 });
  label.textContent = text;
  const group = element('g', {
    class: 'edge drops',
    'data-edge': id,
    'data-client': client,
    'data-server': server,
  });
  group.append(rect, label);
  return group;
}

function drawNode(node, { x, y }, chosen, choose) {
  const group = element('g', {
    class: `node ${chosen?.kind === 'node' && chosen.id === node.id ? 'chosen' : ''}`,
    'data-node': node.id,
    transform: `translate(${x} ${y})`,
  });
  pressable(group, node.label, () => choose({ kind: 'node', id: node.id }));
  const box = element('rect', { width: NODE.width, height: NODE.height, rx: 9 });
  const tint = element('rect', { class: 'tint', x: 0.6, y: 8, width: 5, height: NODE.height - 16, rx: 2.5 });
  tint.style.fill = `hsl(${node.hue} 55% 52%)`;
  const name = element('text', { x: 16, y: 20 });
  name.textContent = shortened(node.name, 18);
  const sub = element('text', { class: `sub ${node.bad ? 'bad' : ''}`, x: 16, y: 36 });
  sub.textContent = shortened(node.sub, 22);
  group.append(box, tint, name, sub, title(node.label));
  return group;
}

function fadeOthers(svg, model, chosen) {
  if (chosen === undefined) return;
  const near = new Set();
  const keep = (e) =>
    chosen.kind === 'edge' ? e.id === chosen.id : e.client === chosen.id || e.server === chosen.id;
  if (chosen.kind === 'node') near.add(chosen.id);
  for (const e of model.edges.filter(keep)) near.add(e.client).add(e.server);
  for (const g of svg.querySelectorAll('[data-node]')) g.classList.toggle('faded', !near.has(g.dataset.node));
  for (const g of svg.querySelectorAll('[data-edge]')) {
    g.classList.toggle(
      'faded',
      !keep({ id: g.dataset.edge, client: g.dataset.client, server: g.dataset.server }),
    );
  }
}

function pressable(group, label, act) {
  group.setAttribute('tabindex', '0');
  group.setAttribute('role', 'button');
  group.setAttribute('aria-label', label);
  group.addEventListener('click', act);
  group.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    act();
  });
}

function shortened(text, length) {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function title(text) {
  const node = element('title');
  node.textContent = text;
  return node;
}

function element(name, attributes = {}) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  return node;
}
