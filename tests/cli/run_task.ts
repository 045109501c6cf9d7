/**
 * Runs a task of `deno.json` as a user does: the same program with the same
 * permissions, in a process of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import denoConfig from "../../deno.json" with { type: "json" };

/** Where `deno.json` is. */
const ROOT = new URL("../../", import.meta.url).pathname;

/** What a task did. */
export interface TaskResult {
  /** Exit code, or the signal that ended it, e.g. "SIGKILL". */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A task under way. */
export interface RunningTask {
  readonly child: Deno.ChildProcess;
  readonly result: Promise<TaskResult>;
}

/** Which variables the task sees beyond those of this process. */
export interface TaskOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a task. */
export function startTask(
  name: keyof typeof denoConfig.tasks,
  args: readonly string[],
  { env = {} }: TaskOptions = {},
): RunningTask {
  const command = denoConfig.tasks[name].command.split(" ");
  const start = command.findIndex((word) => !/^\w+=/.test(word));
  const settings = command.slice(0, start).map((word) => word.split("="));
  const [program, ...words] = command.slice(start);
  if (program !== "deno" || /["'$&|;]/.test(words.join(" "))) {
    throw new SyntaxError(`Cannot run task ${name}: it is no plain command`);
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: [...words, ...args],
    cwd: ROOT,
    env: {
      NO_COLOR: "1",
      INIT_CWD: ROOT,
      ...Object.fromEntries(settings),
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const result = child.output().then(({ code, signal, stdout, stderr }) => ({
    code: signal ?? code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  }));
  return { child, result };
}

/** Runs a task to its end. */
export function runTask(
  name: keyof typeof denoConfig.tasks,
  args: readonly string[],
  options: TaskOptions = {},
): Promise<TaskResult> {
  return startTask(name, args, options).result;
}

/** Asserts exit code 2, nothing on standard output, and one sentence on standard error. */
export function assertRefused(result: TaskResult, sentence: RegExp): void {
  assert.equal(result.code, 2, result.stderr);
  assert.equal(result.stdout, "");
  const lines = errorLines(result);
  assert.equal(lines.length, 1, result.stderr);
  assert.match(lines[0]!, sentence);
}

/** Asserts that of each of these arguments. */
export async function assertRefuses(
  name: keyof typeof denoConfig.tasks,
  cases: readonly (readonly [args: readonly string[], sentence: RegExp])[],
): Promise<void> {
  for (const [args, sentence] of cases) {
    assertRefused(await runTask(name, args), sentence);
  }
}

/** The lines of standard error that a task itself wrote, without Deno's own about JSR. */
export function errorLines({ stderr }: TaskResult): string[] {
  return stderr.split("\n").filter((line) =>
    line !== "" && !/^(?:Download|Warning|Task) /.test(line)
  );
}
