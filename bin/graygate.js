#!/usr/bin/env node
// Starts graygate from a checkout (src/*.ts) or from a package (dist/*.js). Old syntax on purpose: a Node that is too old must get this far.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    'graygate needs Node.js 24 or newer; this is ' +
      process.versions.node +
      '. Run it with npx or an npm script, which use the Node.js in node_modules/.bin\n',
  );
  process.exit(2);
} else {
  void import('node:fs').then(function (fs) {
    var source = new URL('../src/main.ts', import.meta.url);
    return import(fs.existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
  });
}
