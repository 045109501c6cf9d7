/**
 * Config files and what `configparser` of Python 3.11 makes of them: the values
 * of all keys by section; null where reading one raises an error.
 *
 * @module
 */

/** A config file that configparser takes. */
export interface GoodCase {
  readonly name: string;
  readonly text: string;
  readonly expected: readonly (readonly [
    section: string,
    key: string,
    value: string | null,
  ])[];
}

/** Config files that configparser takes. */
export const GOOD_CASES: readonly GoodCase[] = [
  {
    name: "spaces around both delimiters",
    text: "[a]\nx = 1\ny:2\nz :  3 = 4\n",
    expected: [
      ["a", "x", "1"],
      ["a", "y", "2"],
      ["a", "z", "3 = 4"],
    ],
  },
  {
    name: "first delimiter wins",
    text: "[a]\nx: y = z\nu = v : w\n",
    expected: [
      ["a", "u", "v : w"],
      ["a", "x", "y = z"],
    ],
  },
  {
    name: "keys in any case",
    text: "[a]\nRNN_Size = 5\n",
    expected: [
      ["a", "rnn_size", "5"],
    ],
  },
  {
    name: "continuation lines",
    text: "[a]\nx = {\n  'a': 1,\n   # comment\n\n  'b': 2\n  }\ny = 3\n",
    expected: [
      ["a", "x", "{\n'a': 1,\n\n'b': 2\n}"],
      ["a", "y", "3"],
    ],
  },
  {
    name: "continuation with blank lines at the end",
    text: "[a]\nx = 1\n  2\n\n\ny = 3",
    expected: [
      ["a", "x", "1\n2"],
      ["a", "y", "3"],
    ],
  },
  {
    name: "no inline comments",
    text: "[a]\nx = 1 ; no comment\ny = 2 # none\n",
    expected: [
      ["a", "x", "1 ; no comment"],
      ["a", "y", "2 # none"],
    ],
  },
  {
    name: "comment lines",
    text: "# top\n; other\n[a]\n   # indented\nx = 1\n  ; inside\n  2\n",
    expected: [
      ["a", "x", "1\n2"],
    ],
  },
  {
    name: "default section",
    text:
      "[DEFAULT]\nbase = /data\nx = 0\n[a]\nx = 1\n[b]\ny = %(base)s/y\n[DEFAULT]\nlate = 9",
    expected: [
      ["a", "base", "/data"],
      ["a", "late", "9"],
      ["a", "x", "1"],
      ["b", "base", "/data"],
      ["b", "late", "9"],
      ["b", "x", "0"],
      ["b", "y", "/data/y"],
    ],
  },
  {
    name: "interpolation",
    text: "[a]\nhome = /h\np = %(HOME)s/%(home)s\nq = 100%%\nr = %(p)s%%\n",
    expected: [
      ["a", "home", "/h"],
      ["a", "p", "/h//h"],
      ["a", "q", "100%"],
      ["a", "r", "/h//h%"],
    ],
  },
  {
    name: "interpolation of continuation",
    text: "[a]\nhome = one\n   two\np = <%(home)s>\n",
    expected: [
      ["a", "home", "one\ntwo"],
      ["a", "p", "<one\ntwo>"],
    ],
  },
  {
    name: "quotes stay",
    text: '[a]\nx = "quoted"\ny = \'q\'\nz = ""\n',
    expected: [
      ["a", "x", '"quoted"'],
      ["a", "y", "'q'"],
      ["a", "z", '""'],
    ],
  },
  {
    name: "slashes are no comment",
    text: "[a]\n//x = 1\ny = //z\n",
    expected: [
      ["a", "//x", "1"],
      ["a", "y", "//z"],
    ],
  },
  {
    name: "section with junk after",
    text: "[a] ; junk\nx = 1\n[b]c]\ny=2",
    expected: [
      ["a", "x", "1"],
      ["b]c", "y", "2"],
    ],
  },
  {
    name: "empty values",
    text: "[a]\nx =\ny = \nz:\n",
    expected: [
      ["a", "x", ""],
      ["a", "y", ""],
      ["a", "z", ""],
    ],
  },
  {
    name: "header resets continuation",
    text: "[a]\nx = 1\n[b]\n  y = 2\n  z = 3\n     4\n",
    expected: [
      ["a", "x", "1"],
      ["b", "y", "2"],
      ["b", "z", "3\n4"],
    ],
  },
  {
    name: "indented options",
    text: "[a]\n  x = 1\n  y = 2\nz = 3\n   cont = 4\n",
    expected: [
      ["a", "x", "1"],
      ["a", "y", "2"],
      ["a", "z", "3\ncont = 4"],
    ],
  },
  {
    name: "section inside a value",
    text: "[a]\nx = 1\n  [b]\ny = 2\n",
    expected: [
      ["a", "x", "1\n[b]"],
      ["a", "y", "2"],
    ],
  },
  {
    name: "carriage returns",
    text: "[a]\r\nx = 1\r\n  2\r\ny = 3\r",
    expected: [
      ["a", "x", "1\n2"],
      ["a", "y", "3"],
    ],
  },
  {
    name: "other white space",
    text: "[a]\n\u00a0x\u2003=\u3000 1\u00a0\n\u000by = 2\f\n",
    expected: [
      ["a", "x", "1"],
      ["a", "y", "2"],
    ],
  },
  {
    name: "tabs",
    text: "[a]\n\tx\t=\t1\n\t\t2\n",
    expected: [
      ["a", "x", "1\n2"],
    ],
  },
  {
    name: "dunder names",
    text:
      "[__proto__]\n__proto__ = 1\nconstructor = 2\n[constructor]\nx = null\ny = true\nz = 007\n",
    expected: [
      ["__proto__", "__proto__", "1"],
      ["__proto__", "constructor", "2"],
      ["constructor", "x", "null"],
      ["constructor", "y", "true"],
      ["constructor", "z", "007"],
    ],
  },
  {
    name: "unicode",
    text: "[\u00e4]\nGR\u00dcSSE = \u6f22\u5b57 \ud83d\ude00 = \u00e9\n",
    expected: [
      ["\u00e4", "gr\u00fcsse", "\u6f22\u5b57 \ud83d\ude00 = \u00e9"],
    ],
  },
  {
    name: "brackets as key",
    text: "[a]\n[x = 3\n[] = 4\n[]] \ny=1",
    expected: [
      ["a", "[]", "4"],
      ["a", "[x", "3"],
      ["]", "y", "1"],
    ],
  },
  {
    name: "key with spaces",
    text: "[a]\nthe key of = 1\n",
    expected: [
      ["a", "the key of", "1"],
    ],
  },
  {
    name: "percent in section and key",
    text: "[50%]\n%x = 1\n",
    expected: [
      ["50%", "%x", "1"],
    ],
  },
  {
    name: "unused bad default",
    text: "[DEFAULT]\nnote = 50%\n[a]\nx = 1",
    expected: [
      ["a", "note", null],
      ["a", "x", "1"],
    ],
  },
  {
    name: "nested interpolation ten deep",
    text:
      "[a]\nk0 = %(k1)s\nk1 = %(k2)s\nk2 = %(k3)s\nk3 = %(k4)s\nk4 = %(k5)s\nk5 = %(k6)s\nk6 = %(k7)s\nk7 = %(k8)s\nk8 = %(k9)s\nk9 = %(k10)s\nk10 = end\n",
    expected: [
      ["a", "k0", "end"],
      ["a", "k1", "end"],
      ["a", "k10", "end"],
      ["a", "k2", "end"],
      ["a", "k3", "end"],
      ["a", "k4", "end"],
      ["a", "k5", "end"],
      ["a", "k6", "end"],
      ["a", "k7", "end"],
      ["a", "k8", "end"],
      ["a", "k9", "end"],
    ],
  },
];

/** Config files that configparser refuses, at once or when the value is read, and the line that is wrong. */
export const BAD_CASES: readonly {
  readonly name: string;
  readonly text: string;
  readonly line: number;
}[] = [
  {
    name: "eleven deep",
    text:
      "[a]\nk0 = %(k1)s\nk1 = %(k2)s\nk2 = %(k3)s\nk3 = %(k4)s\nk4 = %(k5)s\nk5 = %(k6)s\nk6 = %(k7)s\nk7 = %(k8)s\nk8 = %(k9)s\nk9 = %(k10)s\nk10 = %(k11)s\nk11 = end\n",
    line: 2,
  },
  { name: "no section", text: "x = 1\n", line: 1 },
  { name: "duplicate section", text: "[a]\nx=1\n[a]\ny=2\n", line: 3 },
  { name: "duplicate key", text: "[a]\nx=1\nX=2\n", line: 3 },
  {
    name: "duplicate key in default",
    text: "[DEFAULT]\nx=1\n[DEFAULT]\nx=2\n",
    line: 4,
  },
  { name: "no delimiter", text: "[a]\nx\n", line: 2 },
  { name: "empty key", text: "[a]\n= 1\n", line: 2 },
  { name: "lonely percent", text: "[a]\nx = 50%\n", line: 2 },
  { name: "percent with a letter", text: "[a]\nx = %d\n", line: 2 },
  { name: "reference without s", text: "[a]\nx = %(y)\ny=1\n", line: 2 },
  { name: "empty reference", text: "[a]\nx = %()s\n", line: 2 },
  { name: "unknown reference", text: "[a]\nx = %(y)s\n", line: 2 },
  { name: "loop", text: "[a]\nx = %(y)s\ny = %(x)s\n", line: 2 },
  { name: "unclosed header", text: "[a\nx=1\n", line: 1 },
];
