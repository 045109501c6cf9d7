/**
 * A peer as a process that waits for its turn: it trains a round for each line
 * it is sent, and answers with a line of JSON.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Contestant, ContestantFacts, Round } from "./contestant.ts";
import type { RunnablePeer } from "./peer_programs.ts";

/** How to start a peer. */
export interface StartPeerOptions {
  readonly problem: string;
  readonly warmup: number;
  /** Epochs of a round. */
  readonly epochs: number;
  readonly environment: Record<string, string>;
  /** After so many seconds without an answer the peer is given up. */
  readonly timeoutSeconds: number;
}

/**
 * Starts a peer and waits for its warm-up.
 *
 * @throws {Error} If the peer ends or says nothing in time; the message is its own last line.
 */
export async function startPeer(
  { program, python, name }: RunnablePeer,
  options: StartPeerOptions,
): Promise<Contestant> {
  const script = fileURLToPath(
    new URL(`./peers/${program.script}`, import.meta.url),
  );
  const process = new Deno.Command(python, {
    args: [
      script,
      options.problem,
      ...program.flags,
      ...["--warmup", String(options.warmup)],
      ...["--epochs", String(options.epochs)],
      ...["--rounds", "0"],
    ],
    env: options.environment,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = lastLine(process.stderr);
  const lines = process.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough(splitLines()).getReader();
  const input = process.stdin.getWriter();

  async function answer(): Promise<unknown> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), options.timeoutSeconds * 1000);
    });
    const read = await Promise.race([lines.read(), late]);
    clearTimeout(timer);
    if (read === "late") {
      process.kill("SIGKILL");
      throw new Error(
        `${name} gave no answer in ${options.timeoutSeconds} seconds`,
      );
    }
    if (read.value === undefined) {
      throw new Error(`${name} ended: ${await errors}`);
    }
    return JSON.parse(read.value);
  }

  const first = await answer() as ContestantFacts & Round;
  return {
    name,
    title: program.title,
    facts: first,
    warmup: first,
    async round() {
      await input.write(new TextEncoder().encode("go\n")).catch(() => {
        // It has ended; its last words tell why.
      });
      return await answer() as Round;
    },
    async stop() {
      await input.close().catch(() => {
        // It has ended before.
      });
      await process.status;
      await lines.cancel();
      await errors;
    },
  };
}

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) controller.enqueue(part);
    },
  });
}

/** Reads a stream to its end and returns its last line that says something. */
async function lastLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let last = "no message";
  const lines = stream.pipeThrough(
    new TextDecoderStream() as TransformStream<Uint8Array, string>,
  ).pipeThrough(splitLines());
  for await (const line of lines) {
    if (line.trim() !== "") last = line.trim();
  }
  return last;
}
