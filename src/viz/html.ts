/**
 * HTML from texts that nobody vouches for.
 *
 * @module
 */

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

/** A text as it stands between tags, or between the quotes of an attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign]!)
    .replace(CONTROL, "\ufffd");
}

/** Characters that no HTML may hold; line ends and tabs may stand in a config. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g;

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
 *
 * @example
 * ```ts
 * import { html } from "./src/viz/html.ts";
 *
 * html`<p>${"<script>"}</p>`.html; // "<p>&lt;script&gt;</p>"
 * ```
 */
export function html(
  strings: TemplateStringsArray,
  ...parts: readonly Part[]
): Html {
  return {
    html: strings.map((text, i) => {
      const part = parts[i];
      return part === undefined ? text : text + render(part);
    }).join(""),
  };
}

/**
 * A value as JSON that can stand in a `script` element: nothing in it can end
 * the element or begin a comment.
 */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/** A program as it can stand in a `script` element. */
export function scriptCode(code: string): string {
  return code.replace(/<(?=\/script|!--|script)/gi, "\\x3c");
}

const DOI = /https:\/\/doi\.org\/[\w./()-]*\w/g;

/** A text with its DOIs as links. */
export function withLinks(text: string): Html {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: address, index } of text.matchAll(DOI)) {
    parts.push(
      text.slice(end, index),
      html`<a href="${address}" rel="noreferrer">${address}</a>`,
    );
    end = index + address.length;
  }
  parts.push(text.slice(end));
  return html`${parts}`;
}
