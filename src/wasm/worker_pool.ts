/**
 * The workers of an engine, and what is said to them.
 *
 * @module
 */

import type { KernelTime } from "../engine/device_profile.ts";
import { DeviceError } from "../engine/ensemble.ts";
import type { Answer, Order } from "./worker.ts";

type Times = readonly KernelTime[];

/** Workers that all do the same. */
export class WorkerPool {
  /** Called as soon as a worker fails, so that the others can be told. */
  onFailure: () => void = () => {};
  readonly #workers: readonly Worker[];
  #failure: DeviceError | undefined;
  #reject: (error: DeviceError) => void = () => {};
  #last: Promise<unknown> = Promise.resolve();

  constructor(count: number) {
    this.#workers = Array.from({ length: count }, (_, number) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), {
        type: "module",
        name: `biornn ${number}`,
      });
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        this.#fail(event.message);
      });
      return worker;
    });
  }

  /**
   * Gives each worker an order, after the one before, and waits until all have
   * obeyed; returns the times of each one's kernels.
   *
   * @throws {DeviceError} If one of them fails or dies; from then on none can be used.
   */
  ask(order: (worker: number) => Order): Promise<Times[]> {
    const answers = this.#last.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return Promise.all(
        this.#workers.map((worker, number) =>
          new Promise<Times>((resolve, reject) => {
            this.#reject = reject;
            worker.onmessage = ({ data }: MessageEvent<Answer>) => {
              if (data.failure === undefined) resolve(data.times);
              else this.#fail(data.failure);
            };
            worker.postMessage(order(number));
          })
        ),
      );
    });
    this.#last = answers.catch(() => {});
    return answers;
  }

  destroy(): void {
    this.#fail("it was ended");
    for (const worker of this.#workers) worker.terminate();
  }

  #fail(message: string): void {
    this.#failure ??= new DeviceError(
      `a worker of the WebAssembly engine failed: ${message}`,
      { reason: "internal" },
    );
    this.onFailure();
    this.#reject(this.#failure);
  }
}
