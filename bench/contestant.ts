/**
 * A program that trains a problem and is measured against others.
 *
 * @module
 */

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
