// The certificates, keys and authorities that versions name for their servers: found, loaded, held against each other.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { z } from 'zod';
import { certificatesIn, keyIn, type PemProblem, placeOfFile, readPem } from './pem-files.ts';
import { type Finding, keyFinding, type Path, valueFinding } from './finding.ts';
import type { PemTexts } from './server-tls-schema.ts';
import { isFileName } from './tls-schema.ts';

export type ServerTlsFiles = {
  /** Absolute paths, each once. */
  readonly files: readonly string[];
  /** What stands for the content of each file, in the same order as their names were found. */
  readonly digests: readonly string[];
  readonly findings: readonly Finding[];
  /** Of the files that could be read. */
  readonly texts: PemTexts;
};

type Content = Awaited<ReturnType<typeof readPem>>;
type Contents = ReadonlyMap<string, Content>;
type Mention = {
  readonly path: Path;
  readonly tls: z.output<typeof tlsSketch>;
  readonly hasSecureServer: boolean;
};

const fileName = z.custom<string>(isFileName).optional().catch(undefined);
const tlsSketch = z.object({ ca: fileName, cert: fileName, key: fileName });
const versionSketch = z.object({ tls: tlsSketch, servers: z.unknown() });
const policySketch = z.object({
  rollouts: z.array(z.object({ versions: z.record(z.string(), z.unknown()) }).catch({ versions: {} })).catch([]),
});

/** Loads every named file, relative to the folder of the policy; also where the policy is wrong in other places. */
export async function loadServerTls(tree: unknown, folder: string): Promise<ServerTlsFiles> {
  const mentions = findMentions(tree);
  const contents = new Map<string, Content>();
  for (const name of mentions.flatMap(({ tls: { ca, cert, key } }) => [ca, cert, key])) {
    if (name !== undefined && !contents.has(name)) contents.set(name, await readPem(placeOfFile(name, folder)));
  }
  const read = [...contents];
  return {
    files: [...new Set(read.map(([name]) => resolve(placeOfFile(name, folder))))],
    digests: read.map(([name, content]) => `${name}: ${content.ok ? digestOf(content.text) : content.problem}`),
    findings: mentions.flatMap((mention) => findIn(mention, contents)),
    texts: Object.fromEntries(read.flatMap(([name, content]) => (content.ok ? [[name, content.text]] : []))),
  };
}

function findMentions(tree: unknown): Mention[] {
  const { rollouts } = policySketch.safeParse(tree).data ?? { rollouts: [] };
  return rollouts.flatMap(({ versions }, index) =>
    Object.entries(versions).flatMap(([name, version]) => {
      const sketch = versionSketch.safeParse(version).data;
      if (sketch === undefined) return [];
      const hasSecureServer = /https:\/\//i.test(JSON.stringify(sketch.servers) ?? '');
      return [{ path: ['rollouts', index, 'versions', name, 'tls'], tls: sketch.tls, hasSecureServer }];
    }),
  );
}

function findIn({ path, tls: { ca, cert, key }, hasSecureServer }: Mention, contents: Contents): Finding[] {
  const found: Finding[] = [];
  const read = <T extends { ok: true }>(at: 'ca' | 'cert' | 'key', name: string | undefined, parse: Parse<T>) => {
    if (name === undefined) return null;
    const content = contents.get(name)!;
    const result = content.ok ? parse(content.text) : content;
    if (result.ok) return result;
    found.push(valueFinding([...path, at], result.problem, result.hint));
    return null;
  };
  read('ca', ca, certificatesIn);
  const chain = read('cert', cert, certificatesIn);
  const secret = read('key', key, keyIn);
  if (chain !== null && secret !== null && !chain.certificates[0].checkPrivateKey(secret.key)) {
    const hint = 'the first certificate in cert must be the one that the key was made for';
    const problem = 'is not the key of the certificate in cert';
    found.push(valueFinding([...path, 'key'], problem, hint));
  }
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    found.push(keyFinding([...path, has], `needs ${lacks}, which is missing`, `add ${lacks}`));
  }
  if (!hasSecureServer) {
    found.push(keyFinding(path, 'is for https servers, of which there are none', 'write https:// in servers'));
  }
  return found;
}

type Parse<T> = (text: string) => T | PemProblem;

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
