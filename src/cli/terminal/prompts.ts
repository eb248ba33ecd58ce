/** Questions to a person at a terminal. What is secret is not shown while it is typed. */

import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

export interface Dialogue {
  tell(line: string): void;
  /** Enter alone answers with the fallback. Asks again while `complaintAbout` finds fault with the answer. */
  ask(question: string, fallback: string | null, complaintAbout?: Complaint): Promise<string>;
  /** Null: the person wants to keep what is there. */
  askSecret(question: string, isKept: boolean): Promise<string | null>;
  confirm(question: string, fallback: boolean): Promise<boolean>;
  choose<T extends string>(question: string, choices: Readonly<Record<T, string>>, fallback: T): Promise<T>;
}

export type Complaint = (answer: string) => string | null;

/** Thrown when the person leaves in the middle (Ctrl-C, or the end of input). */
export class DialogueLeft extends Error {
  constructor() {
    super('the person left');
    this.name = 'DialogueLeft';
  }
}

/** `close` gives the terminal back. */
export function terminalDialogue(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): Dialogue & { close(): void } {
  let muted = false;
  const screen = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!muted) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: screen, terminal: true });
  const leaving = new AbortController();
  lines.once('SIGINT', () => leaving.abort());
  lines.once('close', () => leaving.abort());
  const read = async (question: string): Promise<string> => {
    try {
      return (await lines.question(question, { signal: leaving.signal })).trim();
    } catch (error) {
      if (leaving.signal.aborted) throw new DialogueLeft();
      throw error;
    }
  };
  return { ...questions(read, output, (on) => (muted = on)), close: () => lines.close() };
}

function questions(
  read: (question: string) => Promise<string>,
  output: NodeJS.WriteStream,
  mute: (on: boolean) => void,
): Dialogue {
  const tell = (line: string): void => void output.write(`${line}\n`);
  const ask: Dialogue['ask'] = async (question, fallback, complaintAbout = () => null) => {
    for (;;) {
      const answer =
        (await read(`${question}${fallback === null ? '' : ` [${fallback}]`}: `)) || (fallback ?? '');
      const complaint = complaintAbout(answer);
      if (complaint === null) return answer;
      tell(`  ${complaint}`);
    }
  };
  return {
    tell,
    ask,
    askSecret: async (question, isKept) => {
      for (;;) {
        output.write(`${question}${isKept ? ' [Enter keeps the one that is there]' : ''} (not shown): `);
        mute(true);
        const answer = await read('').finally(() => mute(false));
        output.write('\n');
        if (answer !== '') return answer;
        if (isKept) return null;
        tell('  It is needed.');
      }
    },
    confirm: async (question, fallback) => {
      const answer = await ask(`${question} (y/n)`, fallback ? 'y' : 'n', (given) =>
        /^(?:y|yes|n|no)$/i.test(given) ? null : 'Please answer y or n.',
      );
      return /^y/i.test(answer);
    },
    choose: async (question, choices, fallback) => {
      const names = Object.keys(choices) as (keyof typeof choices)[];
      tell(question);
      for (const [at, name] of names.entries()) tell(`  ${at + 1}  ${choices[name]}`);
      const answer = await ask('Which', String(names.indexOf(fallback) + 1), (given) =>
        names[Number(given) - 1] === undefined ? `A number from 1 to ${names.length}.` : null,
      );
      return names[Number(answer) - 1] ?? fallback;
    },
  };
}
