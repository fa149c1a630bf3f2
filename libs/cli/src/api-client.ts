import { AppError } from '@flowledger/platform';

interface GraphqlAnswer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string; readonly hint?: string };
  }[];
}

/** Asks a running Flowledger one GraphQL query; an answer with errors is a fault that carries the first error's text. */
export async function graphql<Data>(
  url: string,
  token: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<Data> {
  let answer: GraphqlAnswer<Data>;
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    answer = (await response.json()) as GraphqlAnswer<Data>;
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', `ask ${url}/graphql`, { retry: true, cause });
  }
  const [error] = answer.errors ?? [];
  if (error !== undefined) {
    const hint = error.extensions?.hint === undefined ? '' : ` (${error.extensions.hint})`;
    throw new AppError('INVALID_ARGUMENT', `${error.extensions?.code ?? 'ERROR'}: ${error.message}${hint}`, {
      retry: false,
    });
  }
  if (answer.data === undefined || answer.data === null)
    throw new AppError('INTERNAL', 'answer without data', { retry: false });
  return answer.data;
}
