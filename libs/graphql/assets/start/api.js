import { byId } from './dom.js';

/** Asks this server one query; rejects with the error's text. Shows the form for a token when one is needed. */
export async function ask(query, variables, signal) {
  const response = await fetch('/graphql', {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      ...authorization(),
    },
    body: JSON.stringify({ query, variables }),
  });
  byId('token-form').hidden = response.status !== 401;
  const answer = await response.json();
  if (answer.errors?.length > 0 || !answer.data) {
    const [error] = answer.errors ?? [{ message: `status ${response.status}` }];
    throw new Error([error.message, error.extensions?.hint].filter(Boolean).join(': '));
  }
  return answer.data;
}

/** The header that carries the token given on this page. */
export function authorization() {
  const token = sessionStorage.getItem('flowledger-token');
  return token === null ? {} : { authorization: `Bearer ${token}` };
}
