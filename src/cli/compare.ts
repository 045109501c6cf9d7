/**
 * `deno task compare`: trains the arms of an experiment, its biological network and those of
 * null models, in one run, and draws all.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { formatFindings } from "../analysis/tables.ts";
import type { Flags } from "../compat/cli.ts";
import { NULL_MODEL_NAMES } from "../connectome/nulls/null_model.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { plural } from "../text/words.ts";
import { drawResults } from "../viz/draw_results.ts";
import { prepareFolder } from "../viz/write_figures.ts";
import { choiceOf, readLabelled } from "./flags.ts";
import { print, runCommand, warn } from "./run_command.ts";
import { shownPath } from "./shell.ts";
import { trainConfig, TRAINING_HELP } from "./train.ts";

const HELP =
  `Trains an experiment with its biological network and with null models, and draws all.

  deno task compare CONFIG.ini --null_models degrees regions --set net.match=spectral_radius

All arms train side by side. Each has a results folder in the config's path_to_results: bio, and one by
the name of each null model; the figures, statistics and report are in figs beside them. A comparison
that was stopped goes on with --resume. Of a config whose net_name or null_model is a list its own arms
are compared; of several connectomes each with its own null models, in a folder of figs by its name.

  --null_models NAME …      what the biological network is compared with; default permute; there are
                            ${NULL_MODEL_NAMES.slice(0, 7).join(", ")},
                            ${NULL_MODEL_NAMES.slice(7).join(", ")}
  and all flags of deno task train, which its --help lists

  --help                    this text`;

async function compare(flags: Flags): Promise<number> {
  const named = flags.list.null_models?.map((name) =>
    choiceOf(name, "null_models", NULL_MODEL_NAMES)
  );
  return await trainConfig(flags, {
    settings(arms) {
      if (named === undefined && arms.length > 1) return {};
      const models = new Set(["none", ...named ?? ["permute"]]);
      return {
        "net.random_w": "False",
        "net.null_model": JSON.stringify([...models]),
      };
    },
    done: (arms, seconds) => draw(arms, flags, seconds),
  });
}

/** Arms that answer one question: null models are compared with the network of their own connectome. */
function comparisonsOf(arms: readonly Experiment[]) {
  const groups = Map.groupBy(arms, ({ net }) => net.name);
  return groups.size < arms.length && groups.size > 1
    ? [...groups].map(([folder, arms]) => ({ folder, arms }))
    : [{ folder: "", arms }];
}

async function draw(
  arms: readonly Experiment[],
  { boolean }: Flags,
  seconds: number,
): Promise<void> {
  const start = performance.now();
  const figures = join(dirname(arms[0]!.paths.results), "figs");
  for (const { folder, arms: compared } of comparisonsOf(arms)) {
    const directory = join(figures, folder);
    await prepareFolder(directory);
    const trained = await readLabelled(
      compared.map(({ paths }) => paths.results),
      compared.map(({ arm }) => arm!),
    );
    const drawn = await drawResults(trained, {
      directory,
      overwrite: boolean.overwrite === true || boolean.resume === true,
    });
    warn(drawn.warnings);
    print(...formatFindings(drawn.comparisons));
  }
  print(
    `Done in ${
      (seconds + (performance.now() - start) / 1000).toFixed(1)
    } s. The figures are in ${shownPath(figures)}, ${
      plural(arms.length, "results folder")
    } beside them`,
  );
}

if (import.meta.main) {
  await runCommand({
    help: HELP,
    more: TRAINING_HELP,
    onlyLogs: true,
    run: compare,
  });
}
