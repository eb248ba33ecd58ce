#!/usr/bin/env node
/**
 * Starts the command line where Node can run it. This file alone is read by every Node: it imports nothing before it has looked at
 * the version, because an older Node meets syntax and exports that it does not know and says only that. For the same reason it awaits nothing here.
 */

const NEEDED_MAJOR = 20;
const NEEDED_MINOR = 12;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > NEEDED_MAJOR || (major === NEEDED_MAJOR && minor >= NEEDED_MINOR)) {
  void import('./command-line.js');
} else {
  console.error(
    `Holdfast needs Node ${NEEDED_MAJOR}.${NEEDED_MINOR} or newer, and this is Node ${process.versions.node}: install a newer one from https://nodejs.org.`,
  );
  process.exitCode = 1;
}

export {};
