// Elements from text, never from markup.

/** The element of the page with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** An element with attributes and children; a string child is text. */
export function tag(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A table; a head that begins with # is over numbers. */
export function table(heads, rows) {
  const cells = heads.map((head) =>
    head.startsWith('#')
      ? tag('th', { scope: 'col', class: 'num' }, head.slice(1))
      : tag('th', { scope: 'col' }, head),
  );
  const body = rows.map((row) => tag('tr', {}, ...row));
  return tag('table', {}, tag('thead', {}, tag('tr', {}, ...cells)), tag('tbody', {}, ...body));
}

const SVG = 'http://www.w3.org/2000/svg';

/** A line over time with a mark under every bucket that has errors. */
export function sparkline(values, faults) {
  const [width, height] = [130, 26];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('aria-hidden', 'true');
  const top = Math.max(1, ...values.map((v) => v ?? 0));
  const x = (i) => (values.length < 2 ? 0 : (i / (values.length - 1)) * width);
  const y = (v) => height - 5 - ((v ?? 0) / top) * (height - 8);
  const points = values.map((v, i) => `${x(i).toFixed(1)} ${y(v).toFixed(1)}`);
  path(svg, 'area', `M0 ${height - 5} L${points.join(' L')} L${width} ${height - 5} Z`);
  path(svg, 'line', `M${points.join(' L')}`);
  faults.forEach((fault, i) => {
    if (fault > 0) path(svg, 'fault', `M${x(i) - 1.2} ${height - 3.5} h2.4 v3 h-2.4 Z`);
  });
  return svg;
}

function path(svg, name, d) {
  const node = document.createElementNS(SVG, 'path');
  node.setAttribute('class', name);
  node.setAttribute('d', d);
  svg.append(node);
}
