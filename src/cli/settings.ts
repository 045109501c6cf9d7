/**
 * The flags that stand in for keys of a config: `--seed` and others, and `--set`
 * for any key.
 *
 * @module
 */

import type { Flags } from "../compat/cli.ts";
import type { ExperimentOverrides } from "../experiment/read.ts";
import { InputError } from "../files/input_error.ts";
import { quote } from "../text/words.ts";

/** `--set section.key=value`; of a key that stands twice the last counts. */
function readSettings(
  settings: readonly string[],
): Record<string, string> {
  return Object.fromEntries(settings.map((setting) => {
    const equals = setting.indexOf("=");
    if (equals < 1) {
      throw new InputError(
        `Cannot use --set ${
          quote(setting)
        }: it must be section.key=value, e.g. net.random_w=True`,
      );
    }
    return [setting.slice(0, equals).trim(), setting.slice(equals + 1)];
  }));
}

/** What the flags that training commands share put in place of a config's values. */
export function readOverrides(
  { string, list }: Flags,
): ExperimentOverrides & { readonly set: Record<string, string> } {
  const { path_to_results, path_to_network, seed, epochs, iterations } = string;
  return {
    ...(path_to_results === undefined
      ? {}
      : { pathToResults: path_to_results }),
    ...(path_to_network === undefined
      ? {}
      : { pathToNetwork: path_to_network }),
    ...(seed === undefined ? {} : { seed }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(iterations === undefined ? {} : { iterations }),
    set: readSettings(list.set ?? []),
  };
}
