/**
 * The program of a worker of the engine.
 *
 * @module
 */

import type { KernelTime } from "../engine/device_profile.ts";
import { type OwnOrder, work } from "./work.ts";

/** The times of its kernels, where they are timed; or what went wrong. */
export type Answer = KernelTime[] | string;

self.addEventListener("message", (event) => {
  const { data } = event as MessageEvent<OwnOrder>;
  let answer: Answer;
  try {
    answer = work(data);
  } catch (error) {
    answer = String(error);
  }
  (self as unknown as Pick<Worker, "postMessage">).postMessage(answer);
});
