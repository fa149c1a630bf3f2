// The import rules of the layout, as data and one pure check. `check-boundaries.mjs` applies it to the tree.

/** Which layers a layer may import. A feature never imports a feature, an adapter never an adapter. */
export const LAYERS = {
  'layer:app': ['layer:cli', 'layer:feature', 'layer:domain', 'layer:adapter', 'layer:core'],
  'layer:cli': ['layer:feature', 'layer:domain', 'layer:adapter', 'layer:core'],
  'layer:feature': ['layer:domain', 'layer:adapter', 'layer:core'],
  'layer:domain': ['layer:core'],
  'layer:adapter': ['layer:core'],
  'layer:core': [],
  'layer:test': ['layer:cli', 'layer:feature', 'layer:domain', 'layer:adapter', 'layer:core'],
};

/** Packages with only one home. */
export const HOMES = {
  kafkajs: ['event-log'],
  '@grpc/grpc-js': ['ingest', 'observer'],
  '@grpc/reflection': ['observer'],
  'grpc-health-check': ['observer'],
  '@grpc/proto-loader': ['observer'],
  re2js: ['query'],
  '@clickhouse/client': ['column-store'],
  chdb: ['embedded-clickhouse'],
  '@nestjs/core': ['graphql'],
  '@nestjs/common': ['graphql'],
  mercurius: ['graphql'],
  graphql: ['graphql'],
  zod: ['platform'],
  pino: ['platform'],
  'prom-client': ['platform'],
  commander: ['cli'],
};

/** Libraries that may import nothing of the workspace even though their layer could. */
const ALONE = new Set(['model', 'simulator', 'platform']);

export function packageOf(specifier) {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

/** Module specifiers of a source text, static and dynamic. */
export function importsOf(source) {
  const found = [];
  for (const m of source.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^;'"`]*?from\s*['"]([^'"]+)['"]|import\s*\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g,
  )) {
    found.push(m[1] ?? m[2] ?? m[3]);
  }
  return found;
}

/**
 * Problems of one file. `project` and `projects` carry {name, tag, deps}; `isTest` is true for specs and test kits.
 */
export function problemsOf({ path, source, project, projects, isTest }) {
  const problems = [];
  const say = (text) => problems.push(`${path}: ${text}`);
  for (const specifier of importsOf(source)) {
    if (specifier.startsWith('.')) continue;
    const name = packageOf(specifier);
    if (name.startsWith('@flowledger/')) {
      const target = projects.get(name);
      if (target === undefined) say(`imports ${name}, which does not exist`);
      else if (specifier !== name && !isTest) say(`imports ${specifier}: only the public surface ${name}`);
      else if (target.tag === 'layer:test' && !isTest && project.tag !== 'layer:test')
        say(`imports ${name}: only tests may`);
      else if (!isTest && !LAYERS[project.tag].includes(target.tag))
        say(`${project.tag} may not import ${target.tag} (${name})`);
      else if (!isTest && ALONE.has(project.short))
        say(`${project.short} may import nothing of the workspace (${name})`);
      else if (!isTest && !project.deps.includes(name))
        say(`imports ${name} without a dependency in package.json`);
    } else if (HOMES[name] !== undefined && !isTest && !HOMES[name].includes(project.short)) {
      say(`${name} may only be imported in ${HOMES[name].join(', ')}`);
    }
  }
  if (!isTest && project.short !== 'platform' && /\bprocess\.env\b/.test(source))
    say('reads process.env outside platform');
  return problems;
}
