import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const COMPILER = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

/** './x.js' may be the file ./x.ts. */
export async function resolve(specifier, context, next) {
  const isOurs =
    /^(\.{1,2}\/|file:).*\.js$/.test(specifier) && !context.parentURL?.includes('/node_modules/');
  if (!isOurs) return next(specifier, context);
  const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
  return (await exists(source))
    ? { url: source.href, format: 'module', shortCircuit: true }
    : next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transformFile(fileURLToPath(url), COMPILER);
  return { format: 'module', source: code, shortCircuit: true };
}

async function exists(url) {
  return access(url).then(
    () => true,
    () => false,
  );
}
