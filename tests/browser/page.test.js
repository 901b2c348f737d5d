// What every page keeps to: our own origin, no script, every width, every eye.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

import { browser, card, press, watch } from "./browser.js";
import { home, post } from "./home.js";

const PICTURE = new URL("fixtures/field.png", import.meta.url).pathname;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Fills a node with one of everything that a page shows, and answers the paths of its pages. */
async function furnish(chromium, node) {
  const first = await post(node, `Long: ${"nospaces".repeat(60)} https://example.org/${"a/".repeat(90)}`);
  await post(node, "an answer", { in_reply_to_id: first.id });
  await post(node, "hidden", { spoiler_text: "a warning", language: "vi" });
  await post(node, "Which? #poll", { poll: { options: ["this", "that one, which is longer"], expires_in: 3600 } });
  const page = await chromium.owner(node);
  await page.getByRole("textbox", { name: "New post" }).fill("from my window");
  await page.locator("form.composer summary").click();
  await page.getByLabel("Picture, sound or video").setInputFiles(PICTURE);
  await press(page, page.getByRole("button", { name: "Post", exact: true }));
  await press(page, card(page, "from my window").getByRole("button", { name: "Boost" }));
  const own = [`/statuses/${first.id}`, `/statuses/${first.id}/copies`, `/accounts/${first.account.id}/history`];
  return ["/", "/public", "/notifications", "/devices", "/keys", "/tags/poll", ...own, `/@${node.did}`];
}

/** Opens everything on a page that can be opened. */
async function unfold(page) {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    for (const toggle of document.querySelectorAll(".toggle")) toggle.checked = true;
  });
}

test("the page", async (t) => {
  const [chromium, alice] = await Promise.all([browser(t), home(t, "alice")]);
  const paths = await furnish(chromium, alice);

  await t.test("asks no other origin, runs no script and breaks no policy", async () => {
    const page = await chromium.owner(alice);
    const seen = watch(page, alice.origin);
    for (const path of paths) {
      const answer = await page.goto(alice.origin + path, { waitUntil: "networkidle" });
      const policy = answer.headers()["content-security-policy"];
      assert.match(policy, /default-src 'none'/);
      assert.doesNotMatch(policy, /script-src|unsafe/);
      const scripts = await page.evaluate(() => {
        const handlers = [...document.querySelectorAll("*")].flatMap((e) => e.getAttributeNames());
        return [...document.scripts].map((s) => s.outerHTML).concat(handlers.filter((name) => name.startsWith("on")));
      });
      assert.deepEqual(scripts, [], path);
    }
    assert.deepEqual(seen, []);
  });

  for (const width of [320, 360, 768, 1200]) {
    await t.test(`does not scroll sideways at ${width} px`, async () => {
      const page = await chromium.owner(alice, { viewport: { width, height: 740 } });
      for (const path of paths) {
        await page.goto(alice.origin + path);
        for (const open of [false, true]) {
          if (open) await unfold(page);
          const [inner, outer] = await page.evaluate(() => [
            document.documentElement.scrollWidth,
            document.documentElement.clientWidth,
          ]);
          assert.ok(inner <= outer, `${path}: ${inner} px in ${outer} px`);
        }
      }
    });
  }

  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1200]) {
      await t.test(`is accessible in ${colorScheme} at ${width} px`, async () => {
        // The policy forbids the checker, too.
        const options = { bypassCSP: true, colorScheme, viewport: { width, height: 900 } };
        const page = await chromium.owner(alice, options);
        const stranger = await chromium.visitor(options);
        const axe = await readFile(AXE, "utf8");
        for (const [visitor, path] of [...paths.map((path) => [page, path]), [page, "/statuses/1"], [stranger, "/"]]) {
          await visitor.goto(alice.origin + path, { waitUntil: "networkidle" });
          await visitor.evaluate(axe);
          for (const open of [false, true]) {
            if (open) await unfold(visitor);
            assert.deepEqual(await findings(visitor), [], `${path}${open ? " unfolded" : ""}`);
          }
        }
      });
    }
  }
});

/** What the checker finds, a line each. */
async function findings(page) {
  return page.evaluate(async () => {
    const { violations } = await window.axe.run();
    return violations.flatMap((rule) => rule.nodes.map((n) => `${rule.id} ${n.target.join(" ")}: ${n.failureSummary}`));
  });
}
