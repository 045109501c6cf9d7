/**
 * `deno task bench:plot FILE.json FILE.svg`: draws what `bench:scaling --out` wrote.
 *
 * @module
 */

import { print, runCommand } from "../src/cli/run_command.ts";
import { InputError } from "../src/files/input_error.ts";
import { readTextFile } from "../src/files/read.ts";
import { writeFileWhole } from "../src/files/write.ts";
import { loadFont } from "../src/viz/font.ts";
import { renderSvg } from "../src/viz/render_svg.ts";
import type { Scaling } from "./scaling.ts";
import { scalingFigure } from "./scaling_figure.ts";

const HELP = `Draws the scaling curves.

Usage: deno task bench:plot FILE.json FILE.svg

FILE.json is what deno task bench:scaling --out FILE.json wrote.`;

function parse(text: string, path: string): Scaling {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if ((value as Partial<Scaling> | undefined)?.format !== "biornn-scaling/1") {
    throw new InputError(
      `Cannot read "${path}": it is no file of bench:scaling --out`,
    );
  }
  return value as Scaling;
}

if (import.meta.main) {
  await runCommand({
    help: HELP,
    flags: { boolean: [], string: [], list: [] },
    async run({ positional: [from, to] }) {
      if (from === undefined || to === undefined) {
        throw new InputError(
          "Cannot draw: FILE.json and FILE.svg must be named",
        );
      }
      const text = await readTextFile(from, { what: "the measurements" });
      const figure = scalingFigure(parse(text, from));
      await writeFileWhole(
        to,
        await renderSvg(figure, { font: await loadFont() }),
      );
      print(figure.caption);
      return 0;
    },
  });
}
