import { drill } from './run-drill.js';

drill({ seed: 1, mirror: 'draft_order' });
