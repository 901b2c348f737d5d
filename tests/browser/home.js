// A real node with a data folder of its own, on loopback ports that the system chooses.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const BINARY = process.env.XOM_BINARY ?? new URL("../../target/debug/xom", import.meta.url).pathname;
const START_MS_MAX = 60_000;

function environmentOf(folder) {
  return { PATH: process.env.PATH, HOME: folder, TMPDIR: tmpdir() };
}

/** Runs a command on a data folder to its end, and answers the JSON that it prints. */
export async function xom(folder, ...args) {
  const options = { env: environmentOf(folder), maxBuffer: 16 << 20 };
  const { stdout } = await promisify(execFile)(BINARY, [...args, "--json", "--data-dir", folder], options);
  return JSON.parse(stdout);
}

/** A folder for the files of a test; it goes when the test ends. */
export async function scratch(t) {
  const folder = await mkdtemp(join(tmpdir(), "xom-browser-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts a node and answers once it serves; it stops when the test ends. Its words are left for later, so that a
 * login goes to the timeline, unless `confirmed` is false. `flags` are more of those of `xom run`.
 */
export async function home(t, name, { confirmed = true, flags = [] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), `xom-browser-${name}-`));
  const running = { node: null, ended: null };
  t.after(async () => {
    await stop(running);
    await rm(folder, { recursive: true, force: true });
  });
  const node = await start(running, folder, name, "127.0.0.1:0", flags);
  if (confirmed) await call(node, "/api/xom/v1/phrase/postpone");
  const restart = async () => {
    await stop(running);
    await start(running, folder, name, node.http, flags);
  };
  return { ...node, restart };
}

async function start(running, folder, name, http, flags = []) {
  const args = ["run", "--json", "--name", name, "--data-dir", folder];
  const ports = ["--http", http, "--listen", "/ip4/127.0.0.1/tcp/0"];
  const node = spawn(BINARY, [...args, ...ports, ...flags], { env: environmentOf(folder), stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  node.stderr.setEncoding("utf8").on("data", (text) => log.push(text));
  Object.assign(running, { node, ended: once(node, "exit") });
  const greeting = await greetingOf(node, running.ended, log);
  const token = (await readFile(join(folder, "token"), "utf8")).trim();
  return { ...greeting, origin: `http://${greeting.http}`, token };
}

async function stop(running) {
  const { node, ended } = running;
  running.node = null;
  if (node === null) return;
  node.kill("SIGTERM");
  await ended;
}

/** Begins a command that takes its time on a folder of its own; it stops when the test ends. */
export async function begin(t, name, args) {
  const folder = await mkdtemp(join(tmpdir(), `xom-browser-${name}-`));
  const command = spawn(BINARY, [...args, "--data-dir", join(folder, "data")], { env: environmentOf(folder) });
  const log = [];
  command.stderr.setEncoding("utf8").on("data", (text) => log.push(text));
  const ended = once(command, "exit");
  t.after(async () => {
    command.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  return { said: () => log.join("") };
}

/** Starts a node on a folder that is there; it stops when the test ends, or when it is told to. */
export async function homeOn(t, folder) {
  const running = { node: null, ended: null };
  t.after(() => running.node && stop(running));
  const node = await start(running, folder, "unused", "127.0.0.1:0");
  return { ...node, stop: () => stop(running) };
}

/**
 * Starts a machine that joins an offer, in a folder of its own or one that is there; its lines are heard one by one,
 * and it is answered.
 */
export async function joining(t, name, offer, data = null) {
  const folder = await mkdtemp(join(tmpdir(), `xom-browser-${name}-`));
  const args = ["join", offer, "--json", "--name", name, "--data-dir", data ?? join(folder, "data")];
  const ports = ["--http", "127.0.0.1:0", "--listen", "/ip4/127.0.0.1/tcp/0"];
  const node = spawn(BINARY, [...args, ...ports], { env: environmentOf(folder), stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(node, "exit");
  t.after(async () => {
    node.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const lines = createInterface({ input: node.stdout })[Symbol.asyncIterator]();
  return {
    /** What it prints once it serves, with its token. */
    async serving() {
      const greeting = await this.hear();
      const token = (await readFile(join(greeting.data_dir, "token"), "utf8")).trim();
      return { ...greeting, origin: `http://${greeting.http}`, token };
    },
    async hear() {
      const { value, done } = await lines.next();
      if (done) throw new Error("the machine ended before its next line");
      return JSON.parse(value);
    },
    say(line) {
      node.stdin.write(`${line}\n`);
    },
  };
}

/** Another one-time login link. */
export async function loginLink(node) {
  return (await call(node, "/api/xom/v1/login-links")).url;
}

/** Posts by the client API. */
export async function post(node, status, more = {}) {
  return call(node, "/api/v1/statuses", { status, ...more });
}

/** Reads by the client API. */
export function get(node, path) {
  return request(node, path, { method: "GET" });
}

/** Asks for something to be done by the client API. */
export function call(node, path, body) {
  return request(node, path, { method: "POST", body: JSON.stringify(body ?? {}) });
}

async function request(node, path, how) {
  const headers = { authorization: `Bearer ${node.token}`, "content-type": "application/json" };
  const answer = await fetch(node.origin + path, { headers, ...how });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The first line that the node prints. */
async function greetingOf(node, ended, log) {
  const deadline = AbortSignal.timeout(START_MS_MAX);
  const lines = createInterface({ input: node.stdout });
  const line = once(lines, "line", { signal: deadline });
  const first = await Promise.race([line, ended.then(() => null)]);
  if (first === null) throw new Error(`the node ended at its start: ${log.join("")}`);
  return JSON.parse(first[0]);
}
