/** A thread that plays the sales whose seeds it is sent, one after the other. */

import { parentPort } from 'node:worker_threads';
import { playSale } from './incident-sale.js';

parentPort?.on('message', (seed: number) => {
  // What is thrown here reaches the thread that asked as an error of this one.
  void playSale(seed).then((outcomes) => parentPort?.postMessage(outcomes));
});
