/**
 * Finds a Python for the tests that hold biornn against other programs.
 *
 * @module
 */

/**
 * The first Python 3 that has some modules: the one on the PATH, or the system's.
 *
 * Nothing is imported, which takes seconds with some.
 */
export async function findPython(
  ...modules: readonly string[]
): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    try {
      const { success } = await new Deno.Command(python, {
        args: [
          "-c",
          "import sys, importlib.util as u; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))",
          ...modules,
        ],
      }).output();
      if (success) return python;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}
