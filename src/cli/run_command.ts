/**
 * What all commands share: flags, `--help`, and one sentence for bad input.
 *
 * @module
 */

import { type FlagNames, type Flags, parseFlags } from "../compat/cli.ts";
import { InputError, RetryError } from "../files/input_error.ts";
import { systemReason } from "../files/read.ts";
import { printable } from "../text/words.ts";

/** A command of the program. */
export interface Command {
  /** The whole text of `--help`. */
  readonly help: string;
  /** Its flags; `help` is added. */
  readonly flags: FlagNames;
  /** Does the work and returns the exit code. */
  readonly run: (flags: Flags) => Promise<number>;
}

/**
 * Runs a command and ends the process: 0 done, 1 failed or to be tried again, 2 bad input.
 * Bad input ({@linkcode InputError}, unknown flags) is told in one sentence;
 * any other error is a fault of the program and shows its stack.
 */
export async function runCommand(command: Command): Promise<never> {
  Deno.exit(await exitCode(command));
}

/** What V8 says where an array is too large for it or for the machine. */
const OUT_OF_MEMORY =
  /^(?:Array buffer allocation failed|Invalid (?:typed array|array buffer) length)/;

async function exitCode(command: Command): Promise<number> {
  try {
    const flags = parseFlags(Deno.args, {
      ...command.flags,
      boolean: [...command.flags.boolean, "help"],
    });
    if (flags.boolean.help) {
      print(command.help);
      return 0;
    }
    return await command.run(flags);
  } catch (error) {
    if (error instanceof SyntaxError && error.message.startsWith("-")) {
      printError(`error: ${error.message}; --help lists the flags`);
      return 2;
    }
    if (error instanceof InputError) {
      printError(`error: ${error.message}`);
      return error instanceof RetryError ? 1 : 2;
    }
    if (error instanceof RangeError && OUT_OF_MEMORY.test(error.message)) {
      printError(
        `error: this takes more memory than there is (${error.message}); use fewer neurons or trials`,
      );
      return 1;
    }
    // `| head` has seen enough; 128 + SIGPIPE, as other programs end there.
    if (error instanceof Deno.errors.BrokenPipe) return 141;
    throw error;
  }
}

/** Writes lines to standard output; names in them can't steer the terminal. */
export function print(lines: string): void {
  try {
    writeAll(Deno.stdout, lines);
  } catch (error) {
    const reason = systemReason(error, { path: "output", verb: "write" });
    if (error instanceof Deno.errors.BrokenPipe || reason === undefined) {
      throw error;
    }
    throw new RetryError(`Cannot write to standard output: ${reason}`, {
      cause: error,
    });
  }
}

/** Writes lines to standard error; names in them can't steer the terminal. */
export function printError(lines: string): void {
  try {
    writeAll(Deno.stderr, lines);
  } catch {
    // Nobody is left to be told.
  }
}

function writeAll(to: typeof Deno.stdout, lines: string): void {
  const text = lines.split("\n").map(printable).join("\n");
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let done = 0; done < bytes.length;) {
    done += to.writeSync(bytes.subarray(done));
  }
}
