// The Merkle map of checkpoints (LOG-14) and the registers that stand in it (LOG-10).

import { ascending, digestOf, hex, sha256, text } from "./bytes.js";

const EMPTY = new Uint8Array(32);
const LEAF = text("xom/1/merkle-leaf\0");
const BRANCH = text("xom/1/merkle-branch\0");

/** The root of `items`, pairs of a key and a value of 32 bytes each; no key stands there twice. */
export async function merkleRoot(items) {
  return subtree([...items].sort(([one], [other]) => ascending(one, other)), 0);
}

async function subtree(items, depth) {
  if (items.length === 0) return EMPTY;
  if (items.length === 1) return sha256(LEAF, ...items[0]);
  const isRight = ([key]) => (key[depth >> 3] >> (7 - (depth & 7))) & 1;
  const middle = items.findIndex(isRight);
  const cut = middle < 0 ? items.length : middle;
  const sides = [items.slice(0, cut), items.slice(cut)];
  const [left, right] = await Promise.all(sides.map((side) => subtree(side, depth + 1)));
  return sha256(BRANCH, left, right);
}

/** The kinds of LOG-10 and, of a body, what each names: register kind and subjects. */
const REGISTERS = {
  profile: ({ rev, ...fields }) => ["profile", PROFILE_FIELDS.filter((name) => name in fields).map(text)],
  vote: (body) => ["vote", [digestOf(body.poll[0])]],
  "poll-close": (body) => ["poll-close", [digestOf(body.poll[0])]],
  reaction: (body) => ["reaction", [digestOf(body.target[0])]],
  repost: (body) => ["repost", [digestOf(body.target[0])]],
  edit: (body) => ["edit", [digestOf(body.target[0])]],
  follow: (body) => ["follow", [body.subject]],
  unfollow: (body) => ["follow", [body.subject]],
  block: (body) => ["block", [body.subject]],
  record: async (body) => ["record", [await sha256(text(`${body.kind}\0${body.key}`))]],
};

/** BODY-1. */
const PROFILE_FIELDS = ["username", "name", "bio", "avatar", "header", "fields", "locked", "bot"];

/** The digests of the registers that a body writes. */
export async function registersOf(author, kind, body) {
  const [register, subjects] = (await REGISTERS[kind]?.(body)) ?? [null, []];
  const digest = (subject) => sha256(text("xom/1/register\0"), author, text(`${register}\0`), subject);
  return Promise.all(subjects.map(digest));
}

/** What a checkpoint above `entries` of one log commits to (LOG-8), where no other log of the identity has erases. */
export async function checkpointItems(author, entries) {
  const erased = new Set(entries.filter(({ kind }) => kind === "erase").map(erases).filter(Boolean));
  const items = new Map();
  for (const { id, kind, body } of entries) {
    if (erased.has(hex(id)) && !FIXED.has(kind)) continue;
    const keys = await registersOf(author, kind, body);
    for (const key of keys) {
      const held = items.get(hex(key));
      const rank = [body.rev, id];
      if (!held || outranks(rank, held.rank)) items.set(hex(key), { key, rank });
    }
    if (keys.length === 0) items.set(hex(id), { key: id, rank: [0, id] });
  }
  return [...items.values()].map(({ key, rank: [, id] }) => [key, id]);

  function erases({ body }) {
    const [entry, whose] = body.target;
    return ascending(whose, author) === 0 ? hex(digestOf(entry)) : null;
  }
}

/** LOG-12: kinds that can't be erased. */
const FIXED = new Set(["erase", "checkpoint", "log-open"]);

const outranks = ([rev, id], [otherRev, otherId]) => rev > otherRev || (rev === otherRev && ascending(id, otherId) > 0);
