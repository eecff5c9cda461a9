// Which graygate this is. A file of its own, so that saying it loads nothing else.
import { createRequire } from 'node:module';

/** The version in package.json, one folder up from the source and from the built file alike. */
export const graygateVersion: string = (createRequire(import.meta.url)('../package.json') as { version: string })
  .version;
