import type { NodeInProcess } from '../harness/node-in-process.js';
import type { NodeProcess } from '../harness/node-process.js';
import { FAULTS_IN_PROCESS, FAULTS_OF_PROCESSES } from './injected/faults.js';
import type { RunPlan } from './run.js';
import { worldInProcess, worldOfProcesses } from './world.js';

/** A second or two long, so that many of them can be tried. */
export const SHORT_RUN: RunPlan<NodeInProcess> = {
  createWorld: worldInProcess,
  faults: FAULTS_IN_PROCESS,
  count: 3,
  longestMs: 400,
};

/** With a node that is a process, which can be killed. `main` is its program; by default, what is built. */
export const runOfProcesses = (main?: string): RunPlan<NodeProcess> => ({
  createWorld: () => worldOfProcesses(main),
  faults: FAULTS_OF_PROCESSES,
  count: 5,
  longestMs: 1_500,
});
