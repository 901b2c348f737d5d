// A TypeScript client is one command away: it is generated from the description of a running node, and used on it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { home } from "../browser/home.js";

const HERE = new URL(".", import.meta.url).pathname;
/** Below the packages, so that what is generated is found by them and never committed. */
const FOLDER = join(HERE, "node_modules/.xom-client");
const COMPILER = {
  strict: true, noEmit: true, skipLibCheck: true, target: "es2022", module: "nodenext", lib: ["es2022", "dom"],
  allowImportingTsExtensions: true, types: [],
};

const run = (program, ...args) => promisify(execFile)(process.execPath, [program, ...args], { cwd: FOLDER });

/** Checks the types of a program; an error holds what is wrong. */
async function check(name, source) {
  await writeFile(join(FOLDER, name), source);
  const settings = { compilerOptions: COMPILER, files: ["globals.d.ts", name] };
  await writeFile(join(FOLDER, "tsconfig.json"), JSON.stringify(settings));
  await run(join(HERE, "node_modules/typescript/bin/tsc"), "--project", ".").catch(({ stdout }) => {
    throw new Error(stdout);
  });
}

test("a client that is generated from the description", async (t) => {
  const node = await home(t, "lan");
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  t.after(() => rm(FOLDER, { recursive: true, force: true }));
  await writeFile(join(FOLDER, "package.json"), '{ "type": "module" }');
  await writeFile(join(FOLDER, "globals.d.ts"), "declare const process: { argv: string[] };\n");
  const generate = join(HERE, "node_modules/openapi-typescript/bin/cli.js");
  await run(generate, `${node.origin}/api/xom/v1/openapi.json`, "--output", "api.d.ts");
  const source = await readFile(join(HERE, "client.ts"), "utf8");

  await t.test("its types fit the program, and find a mistake", async () => {
    await check("client.ts", source);
    const mistaken = source.replace("page.records", "page.recods");
    assert.notEqual(mistaken, source);
    await assert.rejects(check("client.ts", mistaken), /recods/);
  });

  await t.test("the program runs on the node that described itself", async () => {
    // A version of node that runs TypeScript as it is; of the types nothing is left then.
    const binary = join(HERE, "node_modules/node/bin/node");
    const { stdout } = await promisify(execFile)(binary, ["client.ts", node.origin, node.token], { cwd: HERE });
    const said = JSON.parse(stdout);
    assert.match(said.did, /^did:xom:/);
    assert.equal(said.username, "lan");
    assert.deepEqual(said.keys, ["item-3", "item-2", "item-1"]);
    assert.ok(said.mine && said.chain >= 1 && said.in_sync);
    assert.equal(said.problem, "/api/docs#error-invalid");
  });
});
