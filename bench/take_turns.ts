/**
 * Measures contestants in turn, so that whatever else the machine does
 * disturbs all of them alike.
 *
 * @module
 */

import {
  joinLosses,
  type LossDifference,
  lossDifference,
} from "./contestant.ts";
import type { Contestant, ContestantFacts, Losses } from "./contestant.ts";

/** What one contestant did. */
export interface Measured {
  readonly name: string;
  readonly title: string;
  readonly facts: ContestantFacts;
  /** Start, compilation and the first epoch. */
  readonly warmupSeconds: number;
  /** Seconds of each round. */
  readonly seconds: readonly number[];
  /** Time of all processor cores together, of each round. */
  readonly cpuSeconds: readonly number[];
  /** Billions of floating-point operations a second, of each round. */
  readonly gflops: readonly number[];
  /** Speed of the first contestant over this one's, of each round. */
  readonly ratio: readonly number[];
  /** From the first contestant's losses; its own from themselves are 0. */
  readonly lossDifference: LossDifference;
}

/** How to measure. */
export interface TakeTurnsOptions {
  readonly rounds: number;
  /** Epochs of a round. */
  readonly epochs: number;
  /** Is told how far it is. */
  readonly onRound?: (done: number) => void;
}

/**
 * Lets every contestant train a round, then every one the next.
 *
 * @throws {RangeError} If two contestants count the work of an epoch differently.
 */
export async function takeTurns(
  contestants: readonly Contestant[],
  { rounds, epochs, onRound }: TakeTurnsOptions,
): Promise<Measured[]> {
  const seconds = contestants.map((): number[] => []);
  const cpuSeconds = contestants.map((): number[] => []);
  const losses = contestants.map(({ warmup }): Losses[] => [warmup]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const answer = await contestant.round();
      seconds[i]?.push(answer.seconds);
      cpuSeconds[i]?.push(answer.cpuSeconds);
      losses[i]?.push(answer);
    }
    onRound?.(round + 1);
  }
  const flop = contestants[0]?.facts.epochFlop ?? 0;
  const reference = joinLosses(losses[0] ?? []);
  return contestants.map(({ name, title, facts, warmup }, i) => {
    if (facts.epochFlop !== flop) {
      throw new RangeError(
        `Cannot compare: ${name} counts ${facts.epochFlop} operations an epoch, not ${flop}`,
      );
    }
    const own = seconds[i] ?? [];
    return {
      name,
      title,
      facts: factsOnly(facts),
      warmupSeconds: warmup.seconds,
      seconds: own,
      cpuSeconds: cpuSeconds[i] ?? [],
      gflops: own.map((s) => flop * epochs / s / 1e9),
      ratio: own.map((s, round) => s / (seconds[0]?.[round] ?? NaN)),
      lossDifference: lossDifference(reference, joinLosses(losses[i] ?? [])),
    };
  });
}

/** Without the losses that a peer sends along. */
function factsOnly(
  { version, device, threads, blas, epochFlop }: ContestantFacts,
): ContestantFacts {
  return { version, device, threads, blas, epochFlop };
}
