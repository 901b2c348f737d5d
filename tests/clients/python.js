// The clients that are written in Python: where they are installed, and running them.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The folder that `tests/clients/install` fills. */
export const INSTALLED = process.env.XOM_CLIENTS ?? new URL("../../target/clients", import.meta.url).pathname;

/** A program of the virtual environment. */
export const program = (name) => join(INSTALLED, "venv", "bin", name);

/** Starts a program with a home of its own; it ends with the test. */
export function run(t, folder, name, args, more = {}) {
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: tmpdir(), LANG: "C.UTF-8", PYTHONUTF8: "1", ...more.env };
  const running = spawn(program(name), args, { cwd: more.cwd ?? folder, env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(running, "close");
  t.after(async () => {
    running.kill("SIGKILL");
    await ended.catch(() => {});
  });
  const said = { out: "", error: "" };
  running.stdout.setEncoding("utf8").on("data", (text) => (said.out += text));
  running.stderr.setEncoding("utf8").on("data", (text) => (said.error += text));
  running.stdin.on("error", () => {});
  return {
    said,
    say: (line) => running.stdin.write(`${line}\n`),
    /** Waits for the end; answers what was said, or throws it where the program failed. */
    async end() {
      running.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${code}: ${said.out}${said.error}`);
      return said.out;
    },
    /** Waits for the end; answers its code. */
    async code() {
      running.stdin.end();
      const [code] = await ended;
      return code;
    },
  };
}
