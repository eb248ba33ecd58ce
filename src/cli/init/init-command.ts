/** `holdfast init` on this machine: its terminal, its pipe, its files. */

import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { LIMITS } from '../../config/config.js';
import { ConfigError } from '../../config/config-error.js';
import { detectTerminal, diagnose } from '../doctor/doctor.js';
import { machineEnvironment } from '../ledger/machine-environment.js';
import { DialogueLeft, terminalDialogue } from '../terminal/prompts.js';
import { type InitOptions, init } from './init.js';

export async function initHere(options: InitOptions): Promise<boolean> {
  const { stdin, stdout } = process;
  const isAsking = stdin.isTTY === true && stdout.isTTY === true && !options.yes;
  const dialogue = isAsking ? terminalDialogue(stdin, stdout) : null;
  try {
    return await init(options, {
      environment: machineEnvironment(),
      dialogue,
      readPiped: () => readPiped(stdin),
      diagnose,
      tell: (line) => console.log(line),
      terminal: detectTerminal(),
      program: { node: process.execPath, script: realpathSync(process.argv[1] ?? '') },
      platform: process.platform,
      home: homedir(),
      folder: process.cwd(),
    });
  } catch (error) {
    if (!(error instanceof DialogueLeft)) throw error;
    console.log('\nLeft. Nothing more was written.');
    return false;
  } finally {
    dialogue?.close();
  }
}

/** All that is piped in; empty at a terminal, and when nobody writes in time. */
async function readPiped(stdin: NodeJS.ReadStream): Promise<string> {
  if (stdin.isTTY) return '';
  const reading = (async () => {
    let text = '';
    for await (const chunk of stdin.setEncoding('utf8')) {
      text += chunk;
      if (text.length > LIMITS.init.piped_chars_max)
        throw new ConfigError('What was piped in is too long for a secret.');
    }
    return text;
  })();
  const over = new AbortController();
  try {
    const late = pause(LIMITS.init.piped_ms, '', { signal: over.signal });
    return await Promise.race([reading, late]);
  } finally {
    over.abort();
    stdin.destroy();
  }
}
