/**
 * Programs that train a problem and are measured against others: the interface,
 * biornn's own engines, and several at once.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import type { Engine, Ensemble } from "../src/engine/ensemble.ts";
import type { GridProblem } from "./grid_problem.ts";
import { epochFlop, spread } from "./measure.ts";
import type { EpochHistory } from "../src/engine/ensemble.ts";

/** Losses of some epochs, [epochs][models]. */
export interface Losses {
  readonly trainLoss: readonly (readonly number[])[];
  readonly validateLoss: readonly (readonly number[])[];
}

/** Some epochs of all models. */
export interface Round extends Losses {
  readonly seconds: number;
  /** Time of all processor cores together. */
  readonly cpuSeconds: number;
}

/** What a contestant's speed depends on. */
export interface ContestantFacts {
  /** Of the library, and of what it is built on. */
  readonly version: string;
  readonly device: string;
  /** Threads of the processor that compute; null where it is not known. */
  readonly threads: number | null;
  /** Which kernels compute matrix products. */
  readonly blas: string;
  /** Work of an epoch as the contestant counts it. */
  readonly epochFlop: number;
}

/** A program that has trained its warm-up epochs and waits for its turn. */
export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly facts: ContestantFacts;
  /** The first epoch, with whatever is compiled and allocated once. */
  readonly warmup: Round;
  /** Trains one more round. */
  round(): Promise<Round>;
  /** Frees what the contestant holds. */
  stop(): Promise<void>;
}

/** Puts the models on the device, in as many ensembles as its memory plan says, and trains the first epoch. */
export async function startOurs(
  engine: Engine,
  { name, title, threads, problem: { spec, size }, epochs }: {
    readonly name: string;
    readonly title: string;
    readonly threads: number | null;
    readonly problem: GridProblem;
    /** Epochs of a round. */
    readonly epochs: number;
  },
): Promise<Contestant> {
  const { groups, createEnsemble } = engine.plan(size);
  const ensembles: Ensemble[] = [];

  /** Trains one ensemble after the other. */
  async function train(count: number): Promise<Losses> {
    const losses = { trainLoss: rows(count), validateLoss: rows(count) };
    for (const [i, group] of groups.entries()) {
      const some = lossesOf(await ensembles[i]!.train(count));
      for (const name of ["trainLoss", "validateLoss"] as const) {
        for (let epoch = 0; epoch < count; epoch++) {
          for (const [place, model] of group.entries()) {
            losses[name][epoch]![model] = some[name][epoch]![place]!;
          }
        }
      }
    }
    return losses;
  }

  const stopwatch = startStopwatch();
  for (const group of groups) {
    const runs = group.map((model) => spec.runs[model]!);
    ensembles.push(await createEnsemble(runs));
  }
  const warmup = { ...await train(1), ...stopwatch() };
  return {
    name,
    title,
    facts: {
      version: `Deno ${Deno.version.deno}`,
      device: engine.description,
      threads,
      blas: engine.kind === "webgpu" ? "WGSL" : "WebAssembly",
      epochFlop: epochFlop(spec),
    },
    warmup,
    async round() {
      const stopwatch = startStopwatch();
      return { ...await train(epochs), ...stopwatch() };
    },
    stop() {
      for (const ensemble of ensembles) ensemble.destroy();
      engine.destroy();
      return Promise.resolve();
    },
  };
}

/** A row for each epoch. */
function rows(epochs: number): number[][] {
  return Array.from({ length: epochs }, () => []);
}

/** Measures from now to each call of what it returns. */
function startStopwatch(): () => { seconds: number; cpuSeconds: number } {
  const began = performance.now();
  const used = cpuUsage();
  return () => {
    const { user, system } = cpuUsage(used);
    return {
      seconds: (performance.now() - began) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
  };
}

/**
 * Several contestants that train a part of the models each, all at the same
 * time, as one: its time is that of all together.
 */
export function together(
  parts: readonly {
    readonly contestant: Contestant;
    /** Numbers of its models. */
    readonly models: readonly number[];
  }[],
  { name, title }: { readonly name: string; readonly title: string },
): Contestant {
  const [first] = parts as [typeof parts[0]];
  const sum = (of: (contestant: Contestant) => number) =>
    parts.reduce((total, { contestant }) => total + of(contestant), 0);
  const join = (answers: readonly Round[], seconds: number): Round => {
    const losses = (of: "trainLoss" | "validateLoss") =>
      answers[0]![of].map((_, epoch) => {
        const row: number[] = [];
        for (const [part, { models }] of parts.entries()) {
          for (const [place, model] of models.entries()) {
            row[model] = answers[part]![of][epoch]![place]!;
          }
        }
        return row;
      });
    return {
      trainLoss: losses("trainLoss"),
      validateLoss: losses("validateLoss"),
      seconds,
      cpuSeconds: answers.reduce((total, each) => total + each.cpuSeconds, 0),
    };
  };
  const { facts } = first.contestant;
  const warmups = parts.map(({ contestant }) => contestant.warmup);
  return {
    name,
    title,
    facts: {
      ...facts,
      threads: facts.threads && facts.threads * parts.length,
      epochFlop: sum(({ facts }) => facts.epochFlop),
    },
    warmup: join(warmups, Math.max(...warmups.map(({ seconds }) => seconds))),
    async round() {
      const began = performance.now();
      const answers = await Promise.all(
        parts.map(({ contestant }) => contestant.round()),
      );
      return join(answers, (performance.now() - began) / 1000);
    },
    async stop() {
      for (const { contestant } of parts) await contestant.stop();
    },
  };
}

/** Losses of an ensemble as the peers give them, [epochs][models]. */
export function lossesOf(history: EpochHistory): Losses {
  const rows = (values: Float64Array) =>
    Array.from(
      { length: history.epochs },
      (_, epoch) =>
        Array.from(
          { length: history.models },
          (_, model) => values[model * history.epochs + epoch] as number,
        ),
    );
  return {
    trainLoss: rows(history.trainLoss),
    validateLoss: rows(history.validateLoss),
  };
}

/** Epoch after epoch, in one. */
export function joinLosses(parts: readonly Losses[]): Losses {
  return {
    trainLoss: parts.flatMap((part) => part.trainLoss),
    validateLoss: parts.flatMap((part) => part.validateLoss),
  };
}

/** How far apart two programs' losses are, relative to the larger one. */
export interface LossDifference {
  /** The largest of the first {@linkcode EXACT_EPOCHS} epochs, over all models. */
  readonly first: number;
  /** The median over the models, of the last epoch that both have. */
  readonly last: number;
}

/**
 * So long the losses of all models must agree. In some networks rounding errors
 * grow a hundredfold an epoch (relu with RMSprop; single precision is then as
 * far from double as two programs in single precision are from each other).
 */
export const EXACT_EPOCHS = 4;

/**
 * How far apart two programs' losses are, over the epochs and models that both
 * have; Infinity where a loss is no number.
 *
 * @throws {RangeError} If they have no epoch or no model in common.
 */
export function lossDifference(a: Losses, b: Losses): LossDifference {
  const epochs = Math.min(a.trainLoss.length, b.trainLoss.length);
  const byEpoch = Array.from({ length: epochs }, (_, epoch) => [
    ...differences(a.trainLoss[epoch], b.trainLoss[epoch]),
    ...differences(a.validateLoss[epoch], b.validateLoss[epoch]),
  ]);
  const last = byEpoch.at(-1);
  if (last === undefined || last.length === 0) {
    throw new RangeError("Cannot compare losses: no epoch in common");
  }
  return {
    first: Math.max(...byEpoch.slice(0, EXACT_EPOCHS).flat()),
    last: spread(last).median,
  };
}

/** The relative difference of each model's loss. */
function differences(
  ours: readonly number[] = [],
  theirs: readonly number[] = [],
): number[] {
  const models = Math.min(ours.length, theirs.length);
  return Array.from({ length: models }, (_, model) => {
    const [x, y] = [ours[model] as number, theirs[model] as number];
    if (x === y) return 0;
    const difference = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
    return Number.isNaN(difference) ? Infinity : difference;
  });
}
