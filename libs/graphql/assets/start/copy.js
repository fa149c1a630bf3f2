// Queries to take away.
import { tag } from './dom.js';

export function queryButtons(query) {
  const link = tag(
    'a',
    { class: 'button', href: `/graphiql?query=${encodeURIComponent(query)}` },
    'Open in GraphiQL',
  );
  return tag('div', { class: 'buttons' }, copyButton('Copy query', query), copyButton('Copy curl', curl(query)), link);
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
