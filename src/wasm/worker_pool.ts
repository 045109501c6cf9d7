/**
 * The workers of an engine, and what is said to them.
 *
 * @module
 */

import { DeviceError } from "../engine/ensemble.ts";
import type { KernelTime } from "../engine/device_profile.ts";
import type { Answer, Order } from "./worker.ts";

/** Workers that all do the same. */
export interface WorkerPool {
  readonly count: number;
  /**
   * Gives each worker an order, after the one before, and waits until all have
   * obeyed; returns the times of each one's kernels.
   *
   * @throws {DeviceError} If one of them fails or dies; from then on no worker can be used.
   */
  ask(order: (worker: number) => Order): Promise<(readonly KernelTime[])[]>;
  /** Called as soon as a worker fails, so that the others can be told. */
  onFailure: (() => void) | undefined;
  destroy(): void;
}

/** Starts workers. */
export function createWorkerPool(count: number): WorkerPool {
  let failure: DeviceError | undefined;
  let rejectAll: (error: DeviceError) => void = () => {};
  function fail(message: string): void {
    failure ??= new DeviceError(
      `a worker of the WebAssembly engine failed: ${message}`,
      { reason: "internal" },
    );
    pool.onFailure?.();
    rejectAll(failure);
  }
  const workers = Array.from({ length: count }, (_, number) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), {
      type: "module",
      name: `biornn ${number}`,
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      fail(event.message);
    });
    return worker;
  });

  function answerOf(worker: Worker): Promise<readonly KernelTime[]> {
    return new Promise((resolve) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
        if (data.failure !== undefined) fail(data.failure);
        else resolve(data.times);
      }, { once: true });
    });
  }

  async function askNow(
    order: (worker: number) => Order,
  ): Promise<(readonly KernelTime[])[]> {
    if (failure !== undefined) throw failure;
    return await new Promise((resolve, reject) => {
      rejectAll = reject;
      Promise.all(workers.map((worker, number) => {
        const answer = answerOf(worker);
        worker.postMessage(order(number));
        return answer;
      })).then(resolve);
    });
  }

  let last: Promise<unknown> = Promise.resolve();
  const pool: WorkerPool = {
    count,
    onFailure: undefined,
    ask(order) {
      const answers = last.then(() => askNow(order));
      last = answers.catch(() => {});
      return answers;
    },
    destroy() {
      fail("it was ended");
      for (const worker of workers) worker.terminate();
    },
  };
  return pool;
}
