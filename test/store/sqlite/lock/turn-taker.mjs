/** A process with a turnstile, driven by its parent. Runs the built program: a plain node can't run TypeScript. */

import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { socketTurnstile } from '../../../../dist/store/sqlite/lock/fair-lock.js';

const { path, limits } = JSON.parse(process.argv[2]);
const turnstile = socketTurnstile(path, limits);
let leave = () => {};
let asked;

const commands = {
  /** Takes the turn and keeps it. `waited`: whether it had to be asked of somebody. */
  async enter() {
    const turn = turnstile.enter();
    leave = await turn;
    return { waited: turn instanceof Promise };
  },
  leave() {
    leave();
  },
  /** Until this process is somebody's client: only a client always has to ask. */
  async join() {
    for (;;) {
      const turn = turnstile.enter();
      (await turn)();
      if (turn instanceof Promise) return;
      await pause(2);
    }
  },
  /** Asks for the first turn of a spin. */
  ask() {
    asked = turnstile.enter();
  },
  /** So many turns, always asking for the next before giving one back. Writes its name in each. */
  async spin({ name, turns, log }) {
    let next = asked;
    for (let turn = 0; turn < turns; turn += 1) {
      const done = await next;
      appendFileSync(log, name);
      next = turn + 1 < turns ? turnstile.enter() : undefined;
      done();
    }
  },
  async close() {
    await turnstile.close();
    await turnstile.close();
  },
  /** No more orders: nothing but the turnstile is left. */
  forget() {
    setImmediate(() => process.disconnect());
  },
};

process.on('message', async ({ id, command, ...rest }) => {
  process.send({ id, answer: await commands[command](rest) });
});
