/**
 * The workers of an engine.
 *
 * @module
 */

import type { KernelTime } from "../engine/device_profile.ts";
import { DeviceError } from "../engine/ensemble.ts";
import { type Order, work } from "./work.ts";
import type { Answer } from "./worker.ts";

/** Workers that train one ensemble at a time; or none, where the thread that calls does their work. */
export class WorkerPool {
  /** Whether they need memory that is shared. */
  readonly shared: boolean;
  readonly #workers: readonly Worker[];
  readonly #failed: Int32Array;
  #failure: DeviceError | undefined;
  #reject: (failure: DeviceError) => void = () => {};
  #last: Promise<unknown> = Promise.resolve();

  constructor(count: number) {
    this.shared = count > 0;
    this.#failed = new Int32Array(
      this.shared ? new SharedArrayBuffer(4) : new ArrayBuffer(4),
    );
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

  /** @throws {DeviceError} If a worker has failed or died: none can be used any more. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Gives the order to as many workers as there are places for, after the order
   * before, and waits until all have obeyed; returns the times of each one's
   * kernels.
   *
   * @throws {DeviceError} If one of them fails or dies.
   */
  train(order: Omit<Order, "worker" | "failed">): Promise<KernelTime[][]> {
    const answers = this.#last.then(() => {
      this.check();
      if (!this.shared) return this.#workHere(order);
      return Promise.all(
        order.ensemble.places.map((_, number) =>
          new Promise<KernelTime[]>((resolve, reject) => {
            this.#reject = reject;
            const worker = this.#workers[number]!;
            worker.onmessage = ({ data }: MessageEvent<Answer>) => {
              if (typeof data === "string") this.#fail(data);
              else resolve(data);
            };
            const own = { worker: number, failed: this.#failed };
            worker.postMessage({ ...order, ...own });
          })
        ),
      );
    });
    this.#last = answers.catch(() => {});
    return answers;
  }

  /** Lets the thread see to other things first. */
  async #workHere(
    order: Omit<Order, "worker" | "failed">,
  ): Promise<KernelTime[][]> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return [work({ ...order, worker: 0, failed: this.#failed })];
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
    // The others wait for what the one has left undone.
    Atomics.store(this.#failed, 0, 1);
    this.#reject(this.#failure);
  }
}
