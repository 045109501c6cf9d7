/**
 * All tasks, by name. A new task is a new file and a line here.
 *
 * @module
 */

import { contextDecision } from "./context_decision.ts";
import { matchToSample } from "./match_to_sample.ts";
import { memoryCapacity } from "./memory_capacity.ts";
import { nbackMem } from "./n_back.ts";
import { picLatentMem, picMem } from "./pictures.ts";
import { seqMem } from "./seq_mem.ts";
import type { Task } from "./task.ts";

/**
 * The tasks by their names in the config (`task_name`). A program that has a
 * task of its own gives `readExperiment()` a map with one more.
 *
 * @example
 * ```ts
 * import { createStream, TASKS } from "@biornn/biornn";
 *
 * const task = TASKS.get("seq_mem")!;
 * const parameters = { pattern_length: 3, nr_of_trials: 100 };
 * task.steps(parameters); // 7
 * const stream = createStream({ seed: 1, purpose: "trials" });
 * task.generate(parameters, { stream }).inputs; // 100 trials × 7 time steps × 2 numbers
 * ```
 */
export const TASKS: ReadonlyMap<string, Task> = new Map(
  [
    ...[seqMem, nbackMem, picLatentMem, picMem],
    ...[matchToSample, contextDecision, memoryCapacity],
  ].map((task) => [task.name, task]),
);
