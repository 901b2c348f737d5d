// The vectors of `spec/`, read by an implementation that shares no line with the one that wrote them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { decode, didBytes, hex, unhex } from "./bytes.js";
import { Log } from "./log.js";
import { merkleRoot, registersOf } from "./merkle.js";

async function vectors(file, wanted) {
  const path = new URL(`../../spec/vectors/${file}.json`, import.meta.url);
  const all = JSON.parse(await readFile(path, "utf8")).vectors.filter(wanted);
  assert.ok(all.length > 0, `${file} has vectors of this kind`);
  return all;
}

test("LOG-14 the roots of maps", async () => {
  for (const { name, items, root } of await vectors("merkle", ({ is, rule }) => is === "merkle-map" && !rule)) {
    assert.equal(hex(await merkleRoot(items.map((item) => item.map(unhex)))), root, name);
  }
});

test("LOG-10 the registers of bodies", async () => {
  for (const vector of await vectors("registers", ({ registers, rule }) => registers && !rule)) {
    const digests = await registersOf(didBytes(vector.author), vector.is, decode(unhex(vector.cbor)));
    assert.deepEqual(digests.map(hex), vector.registers.map(([, , digest]) => digest), vector.name);
  }
});

test("LOG-9 runs are taken where they are valid, and refused by the same rule where not", async () => {
  for (const vector of await vectors("runs", () => true)) {
    const log = new Log(didBytes(vector.author), unhex(vector.key), vector.network, unhex(vector.log));
    log.entries.length = vector.height;
    if (vector.height > 0) log.entries[vector.height - 1] = { id: unhex(vector.head) };
    const bytes = (part) => (part === null ? null : unhex(part));
    const run = vector.entries.map((parts) => parts.map(bytes));
    if (vector.rule !== null) {
      await assert.rejects(log.take(vector.height, run), { rule: vector.rule }, vector.name);
      continue;
    }
    const taken = await log.take(vector.height, run);
    assert.equal(taken.length, vector.accepted, vector.name);
    const dropped = taken.filter(({ parts, body }) => parts[3] !== null && body === null);
    assert.deepEqual(dropped.map(({ seq }) => seq), vector.body_mismatches, vector.name);
  }
});
