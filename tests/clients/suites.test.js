// The suites that toot and Mastodon.py bring along, live against a node. What fails is on a list with its reason, and
// the list may only shrink. With XOM_RELIST=1 the lists are written anew: what passes goes, and what fails without a
// reason stands at the end, for somebody to find it.

import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { home, scratch, xom } from "../browser/home.js";
import { tokenOf } from "./consent.js";
import { INSTALLED, run } from "./python.js";

/** Enough for a suite that makes hundreds of accounts and thousands of requests in a minute. */
const FLAGS = ["--registration", "open", "--registrations-per-hour", "1000", "--requests-per-5-min", "1000000"];
/** The longest that one test may take, seconds: one of them sleeps for 20. */
const TEST_SECS_MAX = 30;
/** How long tests sleep at most where the suite sleeps, until one fails. */
const NAP_SECS_MAX = "1";
/** A reason that begins so stands for a test that passes now and then. */
const UNSTEADY = "unsteady:";
/** What stands where no reason was given yet; it is none. */
const NO_REASON = "?";

test("the suite of toot", async (t) => {
  const node = await home(t, "lan", { flags: FLAGS });
  const origin = near(node);
  await judge(t, "toot", "tests", { XOM_ORIGIN: origin, TOOT_TEST_BASE_URL: origin });
});

// It takes minutes, and so it runs where cases run in their large size.
const isLong = process.env.XOM_LONG || process.env.XOM_RELIST;
test("the suite of Mastodon.py", { skip: !isLong && "runs with --long" }, async (t) => {
  const node = await home(t, "admin", { flags: FLAGS });
  const scope = "read write follow push";
  const replaced = {};
  const people = { _2: null, "": "mastodonpy_test", _3: "mastodonpy_test_2" };
  for (const [mark, username] of Object.entries(people)) {
    const person = username && (await xom(node.data_dir, "account", "add", username));
    const { app, token } = await tokenOf(node, "Mastodon.py test suite", scope, person);
    replaced[`ACCESS_TOKEN${mark}`] = token;
    Object.assign(replaced, { CLIENT_ID: app.client_id, CLIENT_SECRET: app.client_secret });
  }
  await judge(t, "mastodon_py", "tests", { XOM_ORIGIN: near(node), XOM_REPLACED: JSON.stringify(replaced) });
});

/** Suites name the server by a name, not by a number. */
function near(node) {
  return node.origin.replace("127.0.0.1", "localhost");
}

async function judge(t, suite, tests, env) {
  const known = await readKnown(suite);
  const first = await outcomesOf(t, suite, [tests], { ...env, XOM_NAP_SECS_MAX: NAP_SECS_MAX });
  const failed = new Set(Object.keys(first).filter((id) => first[id] === "failed"));
  if (process.env.XOM_RELIST) return writeKnown(suite, known, failed);
  const isUnsteady = (id) => known.get(id)?.startsWith(UNSTEADY);
  const surprising = [...failed].filter((id) => !known.has(id));
  // A test that failed because the machine was busy passes when it has all the time that it wants.
  const again = surprising.length > 0 ? await outcomesOf(t, suite, surprising, env) : {};
  const broken = surprising.filter((id) => again[id] !== "passed");
  const count = (outcome) => Object.values(first).filter((found) => found === outcome).length;
  const passed = count("passed") + surprising.length - broken.length;
  t.diagnostic(`${suite}: ${passed} of ${Object.keys(first).length} pass, ${failed.size} fail, ${count("skipped")} skip`);
  assert.deepEqual(broken, [], "these fail and are not on the list");
  const mended = [...known.keys()].filter((id) => !failed.has(id) && !isUnsteady(id));
  assert.deepEqual(mended, [], "these pass, or are gone; take them off the list");
}

async function outcomesOf(t, suite, tests, env) {
  const folder = await scratch(t);
  const file = join(folder, "outcomes.json");
  const here = new URL(".", import.meta.url).pathname;
  const options = ["-p", "suite", "-o", "addopts=", "-p", "no:cacheprovider", "--timeout", String(TEST_SECS_MAX)];
  const args = ["-m", "pytest", ...options, "-q", "--tb=line", "-p", "no:warnings", ...tests];
  const more = {
    cwd: await sourceOf(suite),
    env: { ...env, PYTHONPATH: `${here}:.`, XOM_SUITE: suite, XOM_OUTCOMES: file, PYTHONDONTWRITEBYTECODE: "1" },
  };
  const pytest = run(t, folder, "python", args, more);
  const code = await pytest.code();
  assert.ok(code === 0 || code === 1, `pytest ended with ${code}: ${pytest.said.out.slice(-4000)}${pytest.said.error}`);
  return JSON.parse(await readFile(file, "utf8"));
}

async function sourceOf(suite) {
  const sources = join(INSTALLED, "sources");
  const found = (await readdir(sources)).filter((name) => name.startsWith(`${suite}-`) && !name.includes(".tar"));
  assert.equal(found.length, 1, `${suite} is not installed: run tests/clients/install`);
  return join(sources, found[0]);
}

/** The tests that are known to fail: a line with a reason stands before those that it is the reason of. */
async function readKnown(suite) {
  const text = await readFile(new URL(`known/${suite}.txt`, import.meta.url), "utf8");
  const known = new Map();
  let reason = "";
  for (const line of text.split("\n").filter(Boolean)) {
    if (line.startsWith("# ")) reason = line.slice(2);
    else if (reason !== NO_REASON) known.set(line, reason);
  }
  return known;
}

async function writeKnown(suite, known, failed) {
  const kept = [...known].filter(([id, reason]) => failed.has(id) || reason.startsWith(UNSTEADY));
  const found = [...failed].filter((id) => !known.has(id)).map((id) => [id, NO_REASON]);
  const lines = [];
  let last = null;
  for (const [id, reason] of [...kept, ...found]) {
    if (reason !== last) lines.push(`# ${reason}`);
    lines.push(id);
    last = reason;
  }
  await writeFile(new URL(`known/${suite}.txt`, import.meta.url), `${lines.join("\n")}\n`);
}
