/**
 * Vega and Vega-Lite: the modules that draw here, and the builds of both and
 * of vega-embed that draw in a browser.
 *
 * @module
 */

export * as vega from "npm:vega@6.4.0";
export { compile, type TopLevelSpec } from "npm:vega-lite@6.5.0";

/** The scripts of a page that draws: Vega, Vega-Lite, vega-embed. */
export async function browserBuilds(): Promise<string[]> {
  const files = [
    ["npm:vega@6.4.0", "vega.min.js"],
    ["npm:vega-lite@6.5.0", "vega-lite.min.js"],
    ["npm:vega-embed@7.3.0", "vega-embed.min.js"],
  ] as const;
  // Only what is imported somewhere has a place.
  await import("npm:vega-embed@7.3.0");
  return await Promise.all(files.map(([name, file]) =>
    // The builds lie beside the modules.
    Deno.readTextFile(new URL(file, import.meta.resolve(name)))
  ));
}
