import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The Apache Kafka that tests run against: the newest whose broker runs on Java 17. */
export const KAFKA_VERSION = '4.1.0';

const WORKSPACE = fileURLToPath(new URL('../../../..', import.meta.url));
const CACHE = join(WORKSPACE, 'node_modules', '.cache', 'flowledger-kafka');
const FETCH_LIMIT_MS = 300_000;
const STALE_LOCK_MS = 300_000;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>flowledger</groupId>
  <artifactId>test-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

/** Whether a program answers `argument` with exit code 0. */
export function answers(program: string, argument: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, [argument], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** Directory of the broker's jars, when an earlier run has fetched them. */
export function fetchedKafka(): string | undefined {
  const place = join(CACHE, KAFKA_VERSION);
  return existsSync(place) ? place : undefined;
}

/**
 * Directory with the jars of the pinned Apache Kafka and all it needs. Fetched by Maven the first time, with its progress
 * on standard output; several test files may ask at once. Rejects when Maven fails.
 */
export async function fetchKafka(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const lock = join(CACHE, 'lock');
  const deadline = performance.now() + FETCH_LIMIT_MS;
  for (;;) {
    const fetched = fetchedKafka();
    if (fetched !== undefined) return fetched;
    if (performance.now() > deadline) throw new Error('Apache Kafka was not fetched in time');
    if (takeLock(lock)) break;
    await delay(200);
  }
  try {
    return fetchedKafka() ?? (await runMaven());
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const taken = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - taken > STALE_LOCK_MS) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

async function runMaven(): Promise<string> {
  const project = join(CACHE, `fetch-${process.pid}`);
  const jars = join(project, 'jars');
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'pom.xml'), POM);
  process.stdout.write(`\nfetching Apache Kafka ${KAFKA_VERSION} with Maven (about 45 MB, once)\n`);
  const words = ['--batch-mode', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
  const child = spawn('mvn', [...words, '-DincludeScope=runtime'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n'))
      if (/Copying |BUILD|ERROR/.test(line)) process.stdout.write(`${line}\n`);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    if (code !== 0) throw new Error(`Maven could not fetch Apache Kafka (exit code ${code ?? 'none'})`);
    renameSync(jars, join(CACHE, KAFKA_VERSION));
    return join(CACHE, KAFKA_VERSION);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
