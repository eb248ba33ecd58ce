import { drill } from './run-drill.js';

drill({ seed: 2, mirror: 'draft_order' });
