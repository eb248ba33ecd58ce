/** Parts of the program whose packages a server does without, so that an installed holdfast has them only when asked for. */

import { readFileSync } from 'node:fs';

/** A package is not installed. The message says how to install it. */
class PackageMissing extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'PackageMissing';
  }
}

/** Loads what needs the package. Throws `PackageMissing`, in which `part` begins the sentence. */
export async function loadWith<T>(name: string, part: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    throw new PackageMissing(
      `${part} needs the package ${name}, which a server does without: run "npm i ${name}@${findVersion(name)}" in the folder where holdfast is installed (with -g where it is installed globally), and try again.`,
      { cause },
    );
  }
}

/** The version that holdfast was developed with. */
function findVersion(name: string): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { devDependencies } = JSON.parse(text) as { devDependencies: Readonly<Record<string, string>> };
  return devDependencies[name] ?? 'latest';
}
