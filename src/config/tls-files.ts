// The certificates that a policy names for the traffic port: found, loaded, held against their keys.
import { createHash, type X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import type { Certificate, Tls } from '../rollout/entrance.ts';
import { certificatesIn, keyIn, type PemProblem, placeOfFile, readPem } from './pem-files.ts';
import { type Finding, type Path, valueFinding } from './finding.ts';
import { isFileName } from './tls-schema.ts';

export type TlsFiles = {
  /** Absolute paths, each once. */
  readonly files: readonly string[];
  /** What stands for the content of each file, in the same order. */
  readonly digests: readonly string[];
  readonly findings: readonly Finding[];
  /** Null where the policy has no `tls`, or one with findings. */
  readonly tls: Tls | null;
};

type Named = { readonly name: string; readonly path: Path };
type Mention = { readonly cert: Named; readonly key: Named; readonly clientCa: Named | null };
type Content = Awaited<ReturnType<typeof readPem>>;

const fileName = z.custom<string>(isFileName);
const entrySketch = z.object({ cert: fileName, key: fileName, clientCa: fileName.optional() });
const tlsSketch = z.object({ tls: z.union([entrySketch, z.array(z.unknown())]) });

/** Loads every named file, relative to the folder of the policy; also where the policy is wrong in other places. */
export async function loadTlsFiles(tree: unknown, folder: string): Promise<TlsFiles> {
  const mentions = findMentions(tree);
  const names = mentions.flatMap(({ cert, key, clientCa }) => [cert, key, ...(clientCa === null ? [] : [clientCa])]);
  const contents = new Map<string, Content>();
  for (const { name } of names) {
    if (!contents.has(name)) contents.set(name, await readPem(placeOfFile(name, folder)));
  }
  const read = mentions.map((mention, index) => readMention(mention, index, contents));
  const findings = read.flatMap((each) => each.findings);
  const [first, ...others] = read.flatMap(({ certificate }) => certificate ?? []);
  return {
    files: [...new Set([...contents.keys()].map((name) => resolve(placeOfFile(name, folder))))],
    digests: [...contents].map(
      ([name, content]) => `${name}: ${content.ok ? digestOf(content.text) : content.problem}`,
    ),
    findings,
    tls:
      first === undefined || findings.length > 0
        ? null
        : { certificates: [first, ...others], clientCa: read[0]?.clientCa ?? null },
  };
}

function findMentions(tree: unknown): Mention[] {
  const tls = tlsSketch.safeParse(tree).data?.tls;
  if (tls === undefined) return [];
  const entries = Array.isArray(tls) ? tls : [tls];
  return entries.flatMap((entry, index) => {
    const sketch = entrySketch.safeParse(entry).data;
    if (sketch === undefined) return [];
    const at = Array.isArray(tls) ? ['tls', index] : ['tls'];
    const { cert, key, clientCa } = sketch;
    return [
      {
        cert: { name: cert, path: [...at, 'cert'] },
        key: { name: key, path: [...at, 'key'] },
        clientCa: clientCa === undefined ? null : { name: clientCa, path: [...at, 'clientCa'] },
      },
    ];
  });
}

type ReadMention = {
  readonly findings: readonly Finding[];
  readonly certificate: Certificate | null;
  readonly clientCa: string | null;
};

function readMention(
  { cert, key, clientCa }: Mention,
  index: number,
  contents: ReadonlyMap<string, Content>,
): ReadMention {
  const understood = <T extends { readonly ok: true }>({ name }: Named, parse: (text: string) => T | PemProblem) => {
    const content = contents.get(name)!;
    return content.ok ? parse(content.text) : content;
  };
  const chain = understood(cert, certificatesIn);
  const secret = understood(key, keyIn);
  const authorities = clientCa === null ? null : understood(clientCa, certificatesIn);
  const findings: Finding[] = [];
  if (!chain.ok) findings.push(finding(cert, chain));
  if (!secret.ok) findings.push(finding(key, secret));
  if (authorities?.ok === false) findings.push(finding(clientCa!, authorities));
  if (authorities !== null && index > 0) findings.push(finding(clientCa!, notFirst));
  if (!chain.ok || !secret.ok) return { findings, certificate: null, clientCa: null };
  const [leaf] = chain.certificates;
  const problem = leaf.checkPrivateKey(secret.key) ? unusable(chain.text, secret.text) : notItsKey;
  if (problem !== null) findings.push(finding(problem === notItsKey ? key : cert, problem));
  return {
    findings,
    certificate: {
      names: hostNamesOf(leaf),
      cert: chain.text,
      key: secret.text,
      fromMs: Date.parse(leaf.validFrom),
      untilMs: Date.parse(leaf.validTo),
    },
    clientCa: authorities?.ok === true ? authorities.text : null,
  };
}

const notItsKey: PemProblem = {
  ok: false,
  problem: 'is not the key of the certificate in cert',
  hint: 'the first certificate in cert must be the one that the key was made for',
};

const notFirst: PemProblem = {
  ok: false,
  problem: 'is not read here',
  hint: 'write clientCa in the first entry; it holds for every name',
};

/** What only the TLS library knows: a key that is too short, an algorithm that it does not take. */
function unusable(cert: string, key: string): PemProblem | null {
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    const reason = (error as { reason?: string }).reason ?? 'it is refused';
    return { ok: false, problem: `cannot be used: ${reason}`, hint: 'make a new key and certificate' };
  }
}

/** The host names that a certificate is for, `*.` before those whose first label is open; without any, its common name. */
function hostNamesOf({ subjectAltName = '', subject }: X509Certificate): string[] {
  const names = Array.from(subjectAltName.matchAll(/(?:^|, )DNS:([^,"]+)/g), ([, name]) => name!.toLowerCase());
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(subject)?.[1];
  return common === undefined ? [] : [common.toLowerCase()];
}

function finding({ path }: Named, { problem, hint }: PemProblem): Finding {
  return valueFinding(path, problem, hint);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
