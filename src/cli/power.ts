/**
 * `deno task power`: how many iterations a comparison needs.
 *
 * @module
 */

import { MARGIN } from "../analysis/compare.ts";
import { short } from "../analysis/comparison.ts";
import {
  differencePower,
  equivalencePower,
  iterationsFor,
  MOST_ITERATIONS,
  pilotSpread,
  type PowerDesign,
  type Spread,
} from "../analysis/power.ts";
import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { formatTable, plural } from "../text/words.ts";
import {
  countsFlag,
  flagsOnly,
  numberFlag,
  numberOf,
  readLabelled,
} from "./flags.ts";
import { print, runCommand } from "./run_command.ts";
import { userPath } from "./shell.ts";

const HELP =
  `Tells how many iterations it takes to find a difference of minimum losses between
two experiments, or to show that they are equivalent.

  deno task power --results_folders results/bio results/rand
  deno task power --sd 0.3 --combinations 24

  --results_folders A B …  a pilot, whose spread is measured
  --sd S                   or a guess: the standard deviation of the natural logarithm
                           of the loss among runs of a combination; 0.3 is about 30 %
  --correlation R          of the losses of two runs on the same trials; default 0,
                           or the pilot's
  --loss_share P           the loss in % of the baseline's; default 10, or the pilot's
  --combinations N         combinations of the grid that will be learned; default 1, or
                           the pilot's
  --difference P           how much lower in % one label's losses are; default 20
  --margin P               margin of equivalence in % of what is learned; default 10
  --measures N             measures that are compared; default 2 (3 with accuracies)
  --labels N               labels that are compared with the first; default 1
  --power P                chance of success wanted in %; default 80
  --iterations N …         tells the chances of these iterations too
  --help                   this text

Losses are taken for lognormal. The level of the tests is 0.05, divided among the
tests that viz corrects for.`;

/** A spread that is measured or guessed, and where it comes from. */
async function pilotOf({ list, string: { sd } }: Flags) {
  const paths = list.results_folders;
  if ((paths === undefined) === (sd === undefined)) {
    throw new InputError(
      "Cannot plan: give either a pilot with --results_folders or a guess with --sd",
    );
  }
  if (paths === undefined) {
    return {
      sd: numberOf(sd!, "sd", { from: 1e-6, to: 10 }),
      correlation: 0,
      learned: Math.log(10),
      combinations: 1,
      origin: "a guess",
    };
  }
  const folders = paths.map((path) => userPath(path, "the pilot"));
  const pilot = pilotSpread(await readLabelled(folders, folders));
  if (pilot === undefined || Number.isNaN(pilot.learned)) {
    throw new InputError(
      "Cannot measure the spread of the pilot: it takes two runs of a combination that beat the task's baseline",
    );
  }
  return {
    ...pilot,
    origin: `${paths.join(", ")}: ${
      plural(pilot.combinations, "combination")
    } that ${pilot.combinations === 1 ? "was" : "were"} learned`,
  };
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

async function power(flags: Flags): Promise<number> {
  flagsOnly(flags, "Cannot plan");
  const pilot = await pilotOf(flags);
  const count = (name: string, other: number) =>
    numberFlag(flags, name, { from: 1, to: 1000, whole: true }) ?? other;
  const share = (name: string, other: number) =>
    (numberFlag(flags, name, { from: 0.1, to: 99.9 }) ?? other) / 100;
  const spread: Spread = {
    sd: pilot.sd,
    correlation: numberFlag(flags, "correlation", { to: 0.99 }) ??
      pilot.correlation,
    learned: flags.string.loss_share === undefined
      ? pilot.learned
      : -Math.log(share("loss_share", 10)),
  };
  const combinations = count("combinations", pilot.combinations);
  const tests = count("measures", 2) * count("labels", 1);
  const difference = share("difference", 20);
  const margin = share("margin", 100 * MARGIN);
  const wanted = share("power", 80);
  const given = countsFlag(flags, "iterations", [], 9999);
  const all = [{ scope: "over all", combinations, tests }];
  if (combinations > 1) {
    all.push({
      scope: "in one combination",
      combinations: 1,
      tests: tests * combinations,
    });
  }
  const row = (
    what: string,
    chance: (design: PowerDesign) => number,
  ) =>
    all.map(({ scope, ...counts }) => {
      const of = (paired: boolean) => (iterations: number) =>
        chance({ ...spread, ...counts, iterations, paired });
      const least = (paired: boolean) =>
        String(iterationsFor(wanted, of(paired)) ?? `> ${MOST_ITERATIONS}`);
      return [
        `${what}, ${scope}`,
        least(true),
        least(false),
        ...given.map((n) => percent(of(true)(n))),
      ];
    });
  print(
    `Spread (${pilot.origin}): standard deviation ${
      short(spread.sd)
    } of log losses, correlation of pairs ${
      short(spread.correlation)
    }, losses ${percent(Math.exp(-spread.learned))} of the baseline's`,
    ...formatTable([
      [
        `iterations for a chance of ${percent(wanted)}`,
        "in pairs",
        "unpaired",
        ...given.map((n) => `chance of ${n}, in pairs`),
      ],
      ...row(
        `a difference of ${percent(difference)}`,
        (design) => differencePower(design, Math.log(1 - difference)),
      ),
      ...row(
        `equivalence within ${percent(margin)} of what is learned`,
        (design) => equivalencePower(design, margin),
      ),
    ]),
  );
  return 0;
}

if (import.meta.main) {
  await runCommand({ help: HELP, run: power });
}
