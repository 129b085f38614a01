import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// Jest turns TypeScript into JavaScript for what it loads itself. A thread that the product starts loads its modules
// by itself.
if (!isMainThread) register('./typescript.mjs', import.meta.url);
