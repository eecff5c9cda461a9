// The keys of TLS on the traffic port: one certificate, or a list of them. What the files hold is checked in tls-files.ts.
import { z } from 'zod';
import { accepted, refusedUnseen, type Reading } from './reading.ts';
import { mapping, someOf, written } from './schema-kit.ts';

const tlsForm = 'a mapping with cert and key, or a list of them';

const fileHint = 'write the name of a PEM file, relative to the policy file';

/** The name of a PEM file. The text of a key in its place is refused without being shown. */
export function pemFile(expected: string) {
  return written(readFileName, expected);
}

const certificateSchema = mapping(
  {
    cert: pemFile('the file of the certificate'),
    key: pemFile('the file of its private key'),
    clientCa: pemFile('the file of the authorities that clients must be signed by').optional(),
  },
  tlsForm,
);

/** Always read as a list; the first is for clients that name no host, or one that no certificate has. */
export const tlsSchema = z.union([certificateSchema.transform((only) => [only]), someOf(certificateSchema, tlsForm)], {
  error: () => tlsForm,
});

/** Whether a value can be the name of a file, and is not the text of a key. */
export function isFileName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/[\n\0]|-----BEGIN/.test(value);
}

function readFileName(value: unknown): Reading<string> {
  if (isFileName(value)) return accepted(value);
  return refusedUnseen('is not the name of a file', fileHint);
}
