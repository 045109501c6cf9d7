/**
 * `--set`, which stands in for any key of a config.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { quote } from "../text/words.ts";

/** `--set section.key=value`; of a key that stands twice the last counts. */
export function readSettings(
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
