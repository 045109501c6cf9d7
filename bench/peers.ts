/**
 * The programs that biornn is compared with, the Pythons that can run them, and
 * a peer as a process that waits for its turn: it trains a round for each line
 * it is sent, and answers with a line of JSON.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Contestant, ContestantFacts, Round } from "./contestant.ts";

/** One way to train the same models in Python. */
export interface PeerProgram {
  readonly name: string;
  /** What it does, for the table. */
  readonly title: string;
  readonly library: "torch" | "jax";
  readonly script: string;
  readonly flags: readonly string[];
  /** Runs on a GPU only, or is worth its compile time on a GPU only. */
  readonly needsGpu: boolean;
}

const TORCH = { library: "torch", script: "elman_torch.py" } as const;
const JAX = { library: "jax", script: "elman_jax.py" } as const;

/** All peers. */
export const PEERS: readonly PeerProgram[] = [
  {
    ...TORCH,
    name: "sequential",
    title: "PyTorch, nn.RNN, one model after the other",
    flags: ["--variant", "sequential"],
    needsGpu: false,
  },
  {
    ...TORCH,
    name: "loader",
    title: "PyTorch, the same with a DataLoader",
    flags: ["--variant", "loader"],
    needsGpu: false,
  },
  {
    ...TORCH,
    name: "captured",
    title: "PyTorch, nn.RNN as CUDA graphs, one model after the other",
    flags: ["--variant", "captured"],
    needsGpu: true,
  },
  {
    ...TORCH,
    name: "bmm",
    title: "PyTorch, bmm over models, backward by hand",
    flags: ["--variant", "bmm"],
    needsGpu: false,
  },
  {
    ...TORCH,
    name: "graphs",
    title: "PyTorch, the same as CUDA graphs",
    flags: ["--variant", "graphs"],
    needsGpu: true,
  },
  {
    ...TORCH,
    name: "compile",
    title: "PyTorch, the same through torch.compile",
    flags: ["--variant", "compile"],
    needsGpu: true,
  },
  {
    ...JAX,
    name: "jax",
    title: "JAX, vmap over models of a scan",
    flags: ["--unroll", "1"],
    needsGpu: false,
  },
  {
    ...JAX,
    name: "jax-unrolled",
    title: "JAX, vmap over models, time steps unrolled",
    flags: ["--unroll", "all"],
    needsGpu: true,
  },
];

/** A Python and what it can import. */
export interface Python {
  readonly executable: string;
  readonly torch: LibraryFound | null;
  readonly jax: LibraryFound | null;
}

/** A library of a Python. */
export interface LibraryFound {
  readonly version: string;
  /** Whether it sees a GPU. */
  readonly gpu: boolean;
}

const PROBE = `
import json, sys
def torch_found():
    import torch
    return {"version": torch.__version__, "gpu": torch.cuda.is_available()}
def jax_found():
    import jax
    return {"version": jax.__version__, "gpu": jax.default_backend() != "cpu"}
def attempt(find):
    try:
        return find()
    except Exception:
        return None
print(json.dumps({"executable": sys.executable, "torch": attempt(torch_found), "jax": attempt(jax_found)}))
`;

/** Environment of all peers: one thread, and the same kernels everywhere; a GPU's memory is shared. */
export function peerEnvironment(
  { threads, coreType }: {
    readonly threads: number;
    /** Kernels of OpenBLAS, e.g. "Haswell" for AVX2; undefined: its own choice. */
    readonly coreType: string | undefined;
  },
): Record<string, string> {
  const count = String(threads);
  return {
    OMP_NUM_THREADS: count,
    OPENBLAS_NUM_THREADS: count,
    MKL_NUM_THREADS: count,
    PYTHONDONTWRITEBYTECODE: "1",
    XLA_PYTHON_CLIENT_PREALLOCATE: "false",
    ...(coreType === undefined ? {} : { OPENBLAS_CORETYPE: coreType }),
    // The same choice for MKL, which PyTorch's own packages come with.
    ...(coreType === "Haswell" ? { MKL_ENABLE_INSTRUCTIONS: "AVX2" } : {}),
  };
}

/** Asks a Python what it has; undefined where there is none. */
export async function probePython(
  command: string,
): Promise<Python | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, {
      args: ["-c", PROBE],
      env: peerEnvironment({ threads: 1, coreType: undefined }),
      stdout: "piped",
      stderr: "null",
    }).output();
    if (!success) return undefined;
    return JSON.parse(new TextDecoder().decode(stdout)) as Python;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

/** A peer and the Python that runs it. */
export interface RunnablePeer {
  readonly program: PeerProgram;
  readonly python: string;
  /** Name of the program, with the library's version where several Pythons have the library. */
  readonly name: string;
}

/**
 * Which peers can run. With several Pythons, each runs every peer it can where
 * `every` is set, else the first that can.
 */
export function runnablePeers(
  pythons: readonly Python[],
  { names, every }: {
    /** Names of peers; undefined: all that can run. */
    readonly names: readonly string[] | undefined;
    readonly every: boolean;
  },
): RunnablePeer[] {
  const peers: RunnablePeer[] = [];
  for (const program of PEERS) {
    if (names !== undefined && !names.includes(program.name)) continue;
    const able = pythons.filter((python) => {
      const found = python[program.library];
      return found !== null && (!program.needsGpu || found.gpu);
    });
    for (const python of every ? able : able.slice(0, 1)) {
      const version = python[program.library]?.version;
      peers.push({
        program,
        python: python.executable,
        name: able.length > 1 && every
          ? `${program.name} (${program.library} ${version})`
          : program.name,
      });
    }
  }
  return peers;
}

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
