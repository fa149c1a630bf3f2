import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { AppError } from '@flowledger/platform';

interface Page {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  readonly policy: string;
}

const HTML = 'text/html; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const JS = 'text/javascript; charset=utf-8';
const SVG = 'image/svg+xml';

/** Nothing from elsewhere, nothing inline, no framing. */
export const STRICT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** GraphiQL's editor writes style attributes and carries its fonts as data URLs. Scripts stay our own. */
const IDE_POLICY = STRICT_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").concat(
  "; font-src 'self' data:",
);

const assets = new URL('../../assets/', import.meta.url);
const require = createRequire(import.meta.url);

/** Serves the start page and the bundled GraphiQL from memory; nothing of them comes from another host. */
export function registerStaticPages(server: FastifyInstance): void {
  for (const page of loadPages()) {
    server.get(page.path, (_request, reply) =>
      reply
        .header('content-type', page.type)
        .header('content-security-policy', page.policy)
        .header('cache-control', 'no-cache')
        .send(page.body),
    );
  }
  server.get('/graphiql/', (_request, reply) => reply.redirect('/graphiql'));
}

function loadPages(): readonly Page[] {
  const own = (path: string, type: string, file: string, policy = STRICT_POLICY): Page => ({
    path,
    type,
    policy,
    body: readFileSync(new URL(file, assets)),
  });
  const bundled = (name: string, type: string, packageName: string, file: string): Page => ({
    path: `/graphiql/${name}`,
    type,
    policy: IDE_POLICY,
    body: readPackageFile(packageName, file),
  });
  const scripts = readdirSync(new URL('start/', assets)).filter((name) => name.endsWith('.js'));
  return [
    own('/', HTML, 'start/index.html'),
    own('/start/start.css', CSS, 'start/start.css'),
    ...scripts.map((name) => own(`/start/${name}`, JS, `start/${name}`)),
    own('/favicon.svg', SVG, 'start/favicon.svg'),
    own('/graphiql', HTML, 'graphiql/index.html', IDE_POLICY),
    own('/graphiql/page.js', JS, 'graphiql/page.js', IDE_POLICY),
    own('/graphiql/page.css', CSS, 'graphiql/page.css', IDE_POLICY),
    bundled('react.js', JS, 'react', 'umd/react.production.min.js'),
    bundled('react-dom.js', JS, 'react-dom', 'umd/react-dom.production.min.js'),
    bundled('graphiql.js', JS, 'graphiql', 'graphiql.min.js'),
    bundled('graphiql.css', CSS, 'graphiql', 'graphiql.min.css'),
  ];
}

/** By the package's manifest, because a browser bundle is not part of what a package exports to Node. */
function readPackageFile(packageName: string, file: string): Buffer {
  try {
    return readFileSync(join(dirname(require.resolve(`${packageName}/package.json`)), file));
  } catch (cause) {
    throw new AppError('NOT_FOUND', `read ${file} of the installed package ${packageName}`, {
      retry: false,
      cause,
    });
  }
}
