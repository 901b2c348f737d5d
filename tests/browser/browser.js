// A real browser, whose pages report whatever a well-behaved page has no reason to do.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

import { loginLink } from "./home.js";

const EXECUTABLE = process.env.XOM_CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The deadline of every condition. */
export const WAIT_MS_MAX = 20_000;

/** Starts the browser for the tests of one file; answers a maker of contexts. */
export async function browser(t) {
  const running = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });
  t.after(() => running.close());
  return {
    /** A context that nobody has used yet, with one page. */
    async visitor(options = {}) {
      const context = await running.newContext({ locale: "en", reducedMotion: "reduce", ...options });
      context.setDefaultTimeout(WAIT_MS_MAX);
      return context.newPage();
    },
    /** A page on which the node's owner is logged in. */
    async owner(node, options = {}) {
      const page = await this.visitor(options);
      await page.goto(await loginLink(node));
      assert.equal(page.url(), `${node.origin}/`);
      return page;
    },
  };
}

/** Presses a button and waits until the page that answers is there; answers its response. */
export async function press(page, button) {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().isNavigationRequest() && response.status() !== 303),
    button.click(),
  ]);
  await page.waitForLoadState();
  return answer;
}

/** The card of a status by its text. */
export function card(page, text) {
  return page.locator("article.status", { hasText: text });
}

/** Loads a page again and again until something is on it. */
export async function reloadUntil(page, locator) {
  const deadline = Date.now() + WAIT_MS_MAX;
  while ((await locator.count()) === 0) {
    assert.ok(Date.now() < deadline, `not on the page before the deadline: ${locator}`);
    await page.reload();
  }
}

/** Loads a page again and again while something is on it. */
export async function reloadWhile(page, locator) {
  const deadline = Date.now() + WAIT_MS_MAX;
  while ((await locator.count()) > 0) {
    assert.ok(Date.now() < deadline, `still on the page at the deadline: ${locator}`);
    await page.reload();
  }
}

/** Looks again and again until there is something, and answers it. */
export async function until(look) {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < deadline, "not there before the deadline");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Keeps what a page asks for elsewhere, what it runs, and what the browser complains about. */
export function watch(page, origin) {
  const seen = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "data:") seen.push(`asks another origin: ${request.url()}`);
    if (request.resourceType() === "script") seen.push(`loads a script: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) seen.push(`${response.status()}: ${response.url()}`);
  });
  page.on("console", (message) => seen.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => seen.push(`error: ${error.message}`));
  return seen;
}
