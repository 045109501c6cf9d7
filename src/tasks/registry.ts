/**
 * All tasks, by name. A new task is a new file and a line here.
 *
 * @module
 */

import { nbackMem } from "./nback_mem.ts";
import { picLatentMem } from "./pic_latent_mem.ts";
import { picMem } from "./pic_mem.ts";
import { seqMem } from "./seq_mem.ts";
import type { Task } from "./task.ts";

/**
 * The tasks by their names in the config (`task_name`).
 *
 * @example
 * ```ts
 * import { TASKS } from "./src/tasks/registry.ts";
 *
 * TASKS.get("seq_mem")?.steps({ pattern_length: 3 }); // 7
 * ```
 */
export const TASKS: ReadonlyMap<string, Task> = new Map(
  [seqMem, nbackMem, picLatentMem, picMem].map((task) => [task.name, task]),
);
