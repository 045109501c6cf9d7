/**
 * The thread of `lock.ts` that gives signs of life: waiting for a device blocks
 * the event loop, so that a timer beside the training would be blocked with it.
 *
 * @module
 */

/** What the thread is told when it starts. */
export interface HeartbeatOrders {
  readonly path: string;
  /** What tells the lock from others of the same name. */
  readonly id: string;
  /** Milliseconds. */
  readonly interval: number;
}

self.addEventListener("message", (event) => {
  const { path, id, interval } = (event as MessageEvent<HeartbeatOrders>).data;
  let file: Deno.FsFile | undefined;
  let text = new Uint8Array();
  setInterval(() => {
    try {
      if (file === undefined) {
        text = Deno.readFileSync(path);
        if (!new TextDecoder().decode(text).includes(id)) return;
        // Once open, it stays this file, even where another one gets its name.
        file = Deno.openSync(path, { write: true });
      }
      file.seekSync(0, Deno.SeekMode.Start);
      file.writeSync(text);
    } catch {
      // A disk that is full or away for a while: the training has its own sentence for it.
    }
  }, interval);
});
