import { drill } from './run-drill.js';

drill({ seed: 3, mirror: 'move' });
