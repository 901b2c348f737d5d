// Requests that a machine thinks up from the description, sent to a real node: no fault of ours, and every answer as
// described. The share of operations that were called is printed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

import { call, get, home, scratch } from "../browser/home.js";

const PROGRAM = process.env.XOM_SCHEMATHESIS ?? new URL("../../target/schemathesis/bin/schemathesis", import.meta.url).pathname;
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/** What would end the run or take the node's voice away: keys, devices, and streams without end. */
const LEFT_OUT = "^/(phrase|passphrase|unlock|identity/|guardians|recoveries|devices|backup|erasures|events|export|compact)";
const EXAMPLES = "6";
/** The generator is seeded, so that what fails once fails again. */
const SEED = "20261129";

test("no request makes the node answer otherwise than it says", async (t) => {
  const node = await home(t, "lan");
  await call(node, "/api/v1/statuses", { status: "xin chào" });
  const description = await get(node, "/api/xom/v1/openapi.json");
  const args = [
    "run", `${node.origin}/api/xom/v1/openapi.json`, "--url", `${node.origin}/api/xom/v1`,
    "--header", `Authorization: Bearer ${node.token}`, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
    "--mode", "all", "--max-examples", EXAMPLES, "--seed", SEED, "--workers", "1",
    "--suppress-health-check", "all", "--generation-database", "none", "--no-color",
    "--exclude-path-regex", LEFT_OUT, "--request-timeout", "60",
  ];
  // Where it runs it leaves what it remembers.
  const running = spawn(PROGRAM, args, { cwd: await scratch(t), stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => running.kill());
  const said = [];
  for (const stream of [running.stdout, running.stderr]) stream.setEncoding("utf8").on("data", (text) => said.push(text));
  const [code] = await once(running, "close");
  const report = said.join("");
  assert.equal(code, 0, report.slice(-20_000));
  const operations = Object.entries(description.paths)
    .flatMap(([path, item]) => Object.keys(item).map((method) => ({ path, method })));
  const called = operations.filter(({ path }) => !new RegExp(LEFT_OUT).test(path));
  const [, count] = report.match(/(\d+) generated/) ?? [];
  assert.ok(Number(count) > 10 * called.length, report.slice(-2_000));
  t.diagnostic(`${count} requests`);
  t.diagnostic(`${called.length} of ${operations.length} operations were called`);
  assert.ok(called.length * 2 > operations.length);
  const { uptime_secs } = await get(node, "/api/xom/v1/status");
  assert.ok(uptime_secs > 0, "the same node still answers");
});
