/**
 * What all commands share: flags, `--help`, one sentence for bad input, and signals.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import { type Flags, parseFlags } from "../compat/cli.ts";
import { DeviceError } from "../engine/ensemble.ts";
import { InputError, RetryError } from "../files/input_error.ts";
import { systemReason } from "../files/read.ts";
import { printable } from "../text/words.ts";
import { flagsOf } from "./flags.ts";

export interface Command {
  /** The whole text of `--help`, which declares the flags too, see {@linkcode flagsOf}. */
  readonly help: string;
  /** Another text that declares flags of it. */
  readonly more?: string;
  /** The help on what else stands there; default `help`. */
  readonly helpOn?: (flags: Flags) => string;
  /** What it prints is a log of its work, which counts as done also where nobody could read it. */
  readonly onlyLogs?: boolean;
  /** Does the work and returns the exit code. */
  readonly run: (flags: Flags) => Promise<number>;
}

/**
 * Runs a command and ends the process: 0 done, 1 failed or to be tried again, 2 bad input.
 * Bad input ({@linkcode InputError}, unknown flags) and a device that fails are told in one sentence;
 * any other error is a fault of the program and shows its stack.
 */
export async function runCommand(command: Command): Promise<never> {
  Deno.exit(withLostOutput(await exitCode(command), command));
}

/** The exit code, where output was for nobody. */
function withLostOutput(code: number, { onlyLogs }: Command): number {
  const error = lost.get(Deno.stdout);
  const isLog = onlyLogs && !Deno.args.includes("--help");
  if (error === undefined || isLog || code !== 0) return code;
  // `| head` has seen enough; 128 + SIGPIPE, as other programs end there.
  if (error instanceof Deno.errors.BrokenPipe) return 141;
  const reason = systemReason(error, { path: "-", verb: "write" });
  printError(
    `error: Cannot write to standard output: ${reason ?? String(error)}`,
  );
  return 1;
}

/** What V8 says where an array is too large for it or for the machine. */
const OUT_OF_MEMORY =
  /^(?:Array buffer allocation failed|Invalid (?:typed array|array buffer) length)/;

async function exitCode(
  { help, more = "", helpOn = () => help, run }: Command,
): Promise<number> {
  try {
    const flags = parseFlags(Deno.args, flagsOf(`${help}\n${more}`));
    if (!flags.boolean.help) return await run(flags);
    print(helpOn(flags));
    return 0;
  } catch (error) {
    const [code, said] = sentenceOf(error as Error);
    printError(`error: ${said}`);
    return code;
  }
}

/** The exit code of an error, and what is said of it. */
function sentenceOf(error: Error): [code: number, said: string] {
  const { message } = error;
  if (error instanceof SyntaxError && message.startsWith("-")) {
    return [2, `${message}; --help lists the flags`];
  }
  if (error instanceof RetryError || error instanceof DeviceError) {
    return [1, message];
  }
  if (error instanceof InputError) return [2, message];
  if (error instanceof RangeError && OUT_OF_MEMORY.test(message)) {
    return [
      1,
      `this takes more memory than there is (${message}); use fewer neurons or trials`,
    ];
  }
  if (
    error instanceof Error && "code" in error &&
    systemReason(error, { path: ".", verb: "read" }) !== undefined
  ) return [1, message];
  throw error;
}

/** Writes lines to standard output; names in them can't steer the terminal. */
export function print(...lines: readonly string[]): void {
  for (const line of lines) writeAll(Deno.stdout, shown(line));
}

/** Writes lines to standard error; names in them can't steer the terminal. */
export function printError(...lines: readonly string[]): void {
  for (const line of lines) writeAll(Deno.stderr, shown(line));
}

/** Writes a warning a line to standard error. */
export function warn(warnings: readonly string[]): void {
  printError(...warnings.map((warning) => `warning: ${warning}`));
}

/** Writes text to standard error as it is, to move the cursor. */
export function writeLog(text: string): void {
  writeAll(Deno.stderr, text);
}

function shown(lines: string): string {
  return `${lines.split("\n").map(printable).join("\n")}\n`;
}

/** Outputs that are gone, and why: a pipe whose reader has ended, a log on a full disk. No work is lost by that. */
const lost = new Map<typeof Deno.stdout, unknown>();

function writeAll(to: typeof Deno.stdout, text: string): void {
  if (lost.has(to)) return;
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) {
      done += to.writeSync(bytes.subarray(done));
    }
  } catch (error) {
    lost.set(to, error);
  }
}

/** Exit codes of a training stopped by Ctrl-C or a scheduler: 128 + the signal's number. */
const INTERRUPTED = { SIGHUP: 129, "Ctrl-C": 130, SIGTERM: 143 } as const;

/** Milliseconds; `deno task` passes on what a scheduler sends to all processes, so that one signal arrives twice. */
const ONE_SIGNAL = 1000;

/**
 * Ctrl-C, or a scheduler's SIGTERM, ends the epoch under way; a second one
 * ends at once. The signal's reason is the exit code.
 */
export function stopOnSignals(onStop: (name: string) => void): {
  readonly signal: AbortSignal;
  /** Ends this, so that another training can begin. */
  readonly release: () => void;
} {
  const controller = new AbortController();
  let first = 0;
  const stop = (name: keyof typeof INTERRUPTED) => () => {
    if (controller.signal.aborted) {
      if (performance.now() - first < ONE_SIGNAL) return;
      Deno.exit(INTERRUPTED[name]);
    }
    first = performance.now();
    controller.abort(INTERRUPTED[name]);
    onStop(name);
  };
  const listeners = new Map<Deno.Signal, () => void>([
    ["SIGINT", stop("Ctrl-C")],
  ]);
  if (Deno.build.os !== "windows") {
    listeners.set("SIGTERM", stop("SIGTERM"));
    // Deno takes back what `nohup` has set, so that it has to be set again.
    listeners.set("SIGHUP", isDetached() ? () => {} : stop("SIGHUP"));
  }
  for (const [name, listen] of listeners) Deno.addSignalListener(name, listen);
  return {
    signal: controller.signal,
    release() {
      // The program ends soon, and the same signal may be on its way once more.
      if (controller.signal.aborted) return;
      for (const [name, listen] of listeners) {
        Deno.removeSignalListener(name, listen);
      }
    },
  };
}

/** Whether all that is read and written are files, as under `nohup`, which is to outlive its terminal. */
function isDetached(): boolean {
  try {
    return !Deno.stdin.isTerminal() &&
      [1, 2].every((output) => fstatSync(output).isFile());
  } catch {
    return false;
  }
}
