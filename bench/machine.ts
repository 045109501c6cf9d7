/**
 * What a measurement depends on beside the program: the machine and its load.
 *
 * @module
 */

/** The machine a benchmark ran on. */
export interface Machine {
  readonly cpu: string;
  /** Cores this process may use. */
  readonly cores: number;
  readonly system: string;
  readonly deno: string;
}

/** Describes the machine. */
export async function describeMachine(): Promise<Machine> {
  return {
    cpu: await cpuName(),
    cores: navigator.hardwareConcurrency,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    deno: Deno.version.deno,
  };
}

async function cpuName(): Promise<string> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
  } catch {
    return Deno.build.arch;
  }
}

/** Processes that wanted to run in the last minute; undefined where the system does not tell. */
export function load(): number | undefined {
  try {
    const minute = Deno.loadavg()[0] as number;
    return Deno.build.os === "windows" ? undefined : minute;
  } catch {
    return undefined;
  }
}
