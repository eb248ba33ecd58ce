/**
 * Lets the conformance suite load on Node 20, whose `fs` has no `globSync`. The suite imports it for a command that we
 * never give. A module's named imports can only be mended while it is loaded, hence the hook.
 */

import { register } from 'node:module';

const asModule = (source) => `data:text/javascript,${encodeURIComponent(source)}`;

const FS = asModule("export * from 'node:fs'; export { default, readdirSync as globSync } from 'node:fs';");

register(
  asModule(`export const resolve = (name, context, next) =>
    name === 'fs' && context.parentURL?.includes('/@modelcontextprotocol/conformance/')
      ? { url: ${JSON.stringify(FS)}, shortCircuit: true }
      : next(name, context);`),
);
