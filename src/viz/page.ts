/**
 * One HTML file with everything: it works offline and from a mail, as all
 * that it needs is inside, and may load nothing from elsewhere. What it is made
 * of: HTML from texts that nobody vouches for, tables, figures that the browser
 * draws.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  drawable,
  type Figure,
  FIGURE_PIXELS,
  type Json,
  type Spec,
} from "./figure.ts";
import { browserBuilds } from "./render.ts";
import css from "./report.css" with { type: "text" };
import script from "./report_page.js" with { type: "text" };

/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters that no HTML may hold; line ends and tabs may stand in a config. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

/** A text as it stands between tags, or between the quotes of an attribute. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!)
    .replace(CONTROL, "\ufffd");
}

/** What may stand in a template. */
export type Part = Html | string | number | readonly Part[];

function render(part: Part): string {
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  return "html" in part ? part.html : part.map(render).join("");
}

/**
 * A template whose inserted texts are escaped; only what is {@linkcode Html}
 * already is taken as it is.
 */
export function html(
  strings: TemplateStringsArray,
  ...parts: readonly Part[]
): Html {
  return { html: String.raw({ raw: strings }, ...parts.map(render)) };
}

const DOI = /(https:\/\/doi\.org\/[\w./()-]*\w)/;

/** A text with its DOIs as links. */
export function withLinks(text: string): Html {
  return html`${
    text.split(DOI).map((part, i) =>
      i % 2 === 0 ? part : html`<a href="${part}" rel="noreferrer">${part}</a>`
    )
  }`;
}

/** Texts as points of a list. */
export function list(texts: readonly Part[], style = ""): Html {
  const points = texts.map((text) => html`<li>${text}</li>`);
  return style === ""
    ? html`<ul>${points}</ul>`
    : html`<ul class="${style}">${points}</ul>`;
}

/** What is shown on a click. */
export function fold(summary: string, content: Part): Html {
  return html`<details class="fold"><summary>${summary}</summary>${content}</details>`;
}

/** Stands in a cell that has nothing to say. */
export const NONE = "–";

/** A table that is scrolled where it does not fit. */
export function table(
  { label, caption = "", head, body }: {
    /** What a screen reader says. */
    readonly label: string;
    readonly caption?: Part;
    /** Rows. */
    readonly head: Part;
    readonly body: Part;
  },
): Html {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${label}">
      <table>
        ${caption === ""
          ? ""
          : html`<caption>${caption}</caption>`}<thead>${head}</thead><tbody>${body}</tbody>
      </table>
    </div>
  `;
}

/** A column of numbers: its title, and what it has in a row. */
export type Column<Row> = readonly [
  title: string,
  of: (row: Row) => string | number,
];

/** A table of numbers, a header a row. */
export function numberTable<Row>(
  rows: readonly Row[],
  { header, heading, groups, corner = "", ...about }: {
    readonly label: string;
    readonly caption?: Part;
    /** Above the headers. */
    readonly corner?: string;
    readonly header: (row: Row) => string;
    /** Stands above rows that have it in common. */
    readonly heading?: (row: Row) => string;
    /** Columns, and the title that some have in common. */
    readonly groups: readonly (readonly [
      title: string,
      columns: readonly Column<Row>[],
    ])[];
  },
): Html {
  const columns = groups.flatMap(([, own]) => own);
  const titles = groups.map(([title, own]) =>
    html`<th scope="colgroup" colspan="${own.length}">${title}</th>`
  );
  const empty = html`<td></td>`;
  return table({
    ...about,
    head: html`${
      groups.some(([title]) => title !== "")
        ? html`<tr>${empty}${titles}</tr>`
        : ""
    }<tr>${corner === "" ? empty : html`<th scope="col">${corner}</th>`}${
      columns.map(([title]) =>
        html`<th scope="col" class="number">${title}</th>`
      )
    }</tr>`,
    body: rows.map((row, i) => {
      const above = heading?.(row);
      return html`${
        above === undefined || (i > 0 && above === heading!(rows[i - 1]!))
          ? ""
          : html`
            <tr class="heading">
              <th scope="rowgroup" colspan="${columns.length + 1}">${above}</th>
            </tr>
          `
      }<tr><th scope="row">${header(row)}</th>${
        columns.map(([, of]) => html`<td class="number">${of(row)}</td>`)
      }</tr>`;
    }),
  });
}

/** A column as its values, or as `[value, count, value, count, …]` where that is shorter. */
function packColumn(values: readonly Json[]) {
  const runs: Json[] = [];
  for (const value of values) {
    const last = runs.length - 2;
    if (last >= 0 && runs[last] === value) {
      runs[last + 1] = (runs[last + 1] as number) + 1;
    } else runs.push(value, 1);
  }
  return runs.length < values.length ? { runs } : { values };
}

/** A table as columns; fields that a row lacks are null. */
function packTable(rows: readonly Spec[]) {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = keys.map((key) =>
    [key, packColumn(rows.map((row) => row[key] ?? null))] as const
  );
  return { rows: rows.length, columns: Object.fromEntries(columns) };
}

/**
 * A figure's specification and its data as JSON that can stand in a `script`
 * element: nothing in it can end the element or begin a comment.
 */
function packFigure({ name, spec }: Figure): string {
  const { datasets = {}, ...rest } = drawable(spec);
  const tables = Object.entries(datasets as Record<string, Spec[]>).map(
    ([key, rows]) => [key, packTable(rows)] as const,
  );
  return JSON.stringify({
    name,
    spec: rest,
    tables: Object.fromEntries(tables),
  }).replaceAll("<", "\\u003c");
}

/** A program as it can stand in a `script` element. */
function scriptCode(code: string): string {
  return code.replace(/<(?=\/script|!--|script)/gi, "\\x3c");
}

const GALLERY_NOTE =
  `Lines: solid for training, dashed for validation data, with a band: mean ± standard deviation over runs, or median and quartiles where the scale is logarithmic; faint lines: single runs; dotted: what a network reaches that has learned nothing. Epochs are numbered from 0; the first is left out, unless it is the only one; where one is left, circles stand for lines, and bars for bands.`;

/** What a page says, from above. */
interface Content {
  readonly title: string;
  /** Below the title. */
  readonly lead: Part;
  readonly findings: Part;
  /** One sentence each. */
  readonly warnings: readonly string[];
  /** Those without content are left out. */
  readonly sections: readonly (readonly [id: string, name: string, Part])[];
}

/**
 * Makes a page; figures are packed one by one, so that not all are in memory.
 * Only the scripts that are put in here can run in it, whatever labels and
 * other texts say: a policy in its head names them by checksum and forbids all
 * else, and all connections.
 */
export function startPage() {
  type Facts = Pick<Figure, "section" | "title" | "caption" | "width">;
  const figures: (Facts & { readonly index: number })[] = [];
  const packed: string[] = [];
  return {
    add(figure: Figure) {
      const { section, title, caption, width } = figure;
      const index = figures.length;
      figures.push({ index, section, title, caption, width });
      packed.push(packFigure(figure));
    },
    /** The figures of a section that were added, each with a place that the page's script fills. */
    figuresOf(section: Figure["section"]): Part {
      const own = figures.filter((figure) => figure.section === section);
      if (own.length === 0) return "";
      // In a gallery, captions that differ in the combination alone are for screen readers.
      const small = own.length > 1 &&
        own.every(({ width }) => width <= FIGURE_PIXELS[85]);
      return html`${
        small ? html`<p class="lead">${GALLERY_NOTE}</p>` : ""
      }<div class="${small ? "gallery" : "stack"}">${
        own.map(({ index, caption, title, width }) =>
          html`
            <figure aria-label="${title}">
              <div class="plot" id="figure-${index}" data-index="${index}"
                style="--width:${width}px" aria-busy="true"></div>
              <figcaption>${caption}</figcaption>
            </figure>
          `
        )
      }</div>`;
    },
    /** The text of an HTML file. */
    async finish(content: Content): Promise<string> {
      const scripts = [...await browserBuilds(), script].map(scriptCode);
      const hashes = scripts.map((code) =>
        `'sha256-${createHash("sha256").update(code).digest("base64")}'`
      );
      // Vega makes functions of its expressions, which is what 'unsafe-eval' allows.
      const policy = `default-src 'none'; script-src 'unsafe-eval' ${
        hashes.join(" ")
      }; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
      return [
        `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="biornn">
<title>${escapeHtml(content.title)}</title>
<style>${css}</style>
</head>
<body>
${bodyOf(content, figures.length).html}
`,
        // An element a figure: the page reads those alone that it draws.
        ...packed.map((json, i) =>
          `<script type="application/json" id="data-${i}">${json}</script>\n`
        ),
        ...scripts.map((code) => `<script>${code}</script>\n`),
        "</body>\n</html>\n",
      ].join("");
    },
  };
}

function bodyOf(
  { title, lead, findings, warnings, sections }: Content,
  figures: number,
): Html {
  const filled = sections.filter(([, , content]) => content !== "");
  return html`
    <header>
      <h1>${title}</h1>
      ${lead}
      <button id="draw-all"
        hidden>Draw all ${figures} figures, e.g. for a print</button>
      <nav aria-label="Sections">
        ${list(
          filled.map(([id, name]) => html`<a href="#${id}">${name}</a>`),
        )}
      </nav>
    </header>
    <main>
    <noscript><p class="warnings">The figures are drawn by the browser: switch on JavaScript for this file, or open the SVG files beside it.</p></noscript>
    ${findings}
    ${warningList(warnings)}
    ${filled.map(([id, name, content]) =>
      html`<section id="${id}"><h2>${name}</h2>${content}</section>`
    )}
    </main>
    <footer>Made by biornn. Nothing in this file is loaded from elsewhere. Click a legend's entry to see it alone; the menu at a figure's corner saves it as SVG or PNG.</footer>
  `;
}

export function warningList(warnings: readonly string[]): Part {
  return warnings.length === 0 ? "" : html`
    <section class="warnings"
      aria-label="Left out"><strong>Left out or to be noted</strong>${list(
        warnings,
      )}</section>
  `;
}
