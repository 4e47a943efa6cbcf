// The page of `kiln diff --format html` in a browser: search, fold, keyboard, a narrow screen, no scripts, what is read aloud.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { rmSync } from "node:fs";
import { after, before, test } from "node:test";

import { everything, hostile, launch, makeReport, secret } from "./report.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser, report;

before(async () => {
  report = makeReport(everything.prepare, everything.change);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  rmSync(report.directory, { recursive: true, force: true });
});

// Opens the page; `check` must not leave an error in the console, nor may the page ask for anything else.
async function open(options, check) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = [];
  page.on("console", (message) => errors.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== report.url) errors.push(`asked for ${request.url()}`);
  });
  await page.goto(report.url);
  await check(page);
  assert.deepEqual(errors, []);
  await context.close();
}

const visible = (page, selector) => page.locator(`${selector}:visible`).count();

test("the report shows what was changed, as text, and no secret", () =>
  open({}, async (page) => {
    assert.ok((await visible(page, ".environment")) >= 2);
    assert.ok((await visible(page, ".object.created")) >= 1);
    assert.ok((await visible(page, ".object.changed")) >= 2);
    const text = await page.locator("body").textContent();
    assert.ok(text.includes("Secret/") && text.includes("ConfigMap/"), "objects have names");
    assert.ok(text.includes(hostile), "markup is text");
    assert.equal(await page.evaluate(() => window.harmed), undefined);
    assert.equal(await page.locator("img").count(), 0);
    const source = await page.content();
    assert.ok(!source.includes(secret) && !source.includes(Buffer.from(secret).toString("base64")));
  }));

test("a search leaves the objects that fit", () =>
  open({}, async (page) => {
    const all = await visible(page, ".object");
    const query = page.getByRole("searchbox");
    await query.fill("configmap notice");
    const found = await visible(page, ".object");
    assert.ok(found >= 1 && found < all, `${found} of ${all}`);
    for (const text of await page.locator(".object:visible").allTextContents()) {
      assert.match(text, /notice/i);
    }
    const status = page.getByRole("status");
    assert.equal(await status.textContent(), found === 1 ? "1 object" : `${found} objects`);
    await query.fill("nothing is called like this");
    assert.equal(await visible(page, ".object"), 0);
    assert.equal(await visible(page, ".environment"), 0);
    assert.equal(await status.textContent(), "0 objects");
    await query.fill("");
    assert.equal(await visible(page, ".object"), all);
  }));

test("a search unfolds what it finds", () =>
  open({}, async (page) => {
    await page.getByRole("button", { name: "Fold all", exact: true }).click();
    assert.equal(await visible(page, ".row"), 0);
    await page.getByRole("searchbox").fill("cpu");
    assert.ok((await visible(page, ".row")) > 0);
  }));

test("environments and objects fold, one by one and together", () =>
  open({}, async (page) => {
    await page.getByRole("button", { name: "Unfold all", exact: true }).click();
    const foldable = await page.locator("details").count();
    assert.equal(await page.locator("details[open]").count(), foldable);
    await page.getByRole("button", { name: "Fold all", exact: true }).click();
    assert.equal(await page.locator("details[open]").count(), 0);
    const first = page.locator("details.environment").first();
    await first.locator("> summary").click();
    assert.equal(await page.locator("details[open]").count(), 1);
    await first.locator("details.object > summary").first().click();
    assert.ok((await visible(page, ".rows")) === 1);
    await first.locator("> summary").click();
    assert.equal(await visible(page, ".rows"), 0);
  }));

test("keys lead from object to object, to the search and back", () =>
  open({}, async (page) => {
    const focused = (property) => page.evaluate((name) => document.activeElement[name], property);
    await page.keyboard.press("/");
    assert.equal(await focused("id"), "query");
    await page.keyboard.type("j/k");
    assert.equal(await page.getByRole("searchbox").inputValue(), "j/k", "letters are letters while typing");
    await page.keyboard.press("Escape");
    assert.equal(await page.getByRole("searchbox").inputValue(), "");
    assert.notEqual(await focused("id"), "query");

    await page.keyboard.press("j");
    const first = await focused("textContent");
    assert.equal(await focused("tagName"), "SUMMARY");
    await page.keyboard.press("j");
    assert.notEqual(await focused("textContent"), first);
    await page.keyboard.press("k");
    assert.equal(await focused("textContent"), first);
    await page.keyboard.press("k");
    assert.equal(await focused("textContent"), first, "there is nothing before the first");
    const isOpen = () => page.evaluate(() => document.activeElement.parentElement.open);
    const before = await isOpen();
    await page.keyboard.press("Enter");
    assert.equal(await isOpen(), !before);
  }));

test("the tab key leads through the page, and one sees where", () =>
  open({}, async (page) => {
    const seen = new Set();
    for (let count = 0; count < 6; count++) {
      await page.keyboard.press("Tab");
      seen.add(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, "none");
    }
    for (const name of ["query", "open", "close", "SUMMARY"]) assert.ok(seen.has(name), name);
  }));

for (const colorScheme of ["light", "dark"]) {
  test(`a screen of 400 px is wide enough (${colorScheme})`, () =>
    open({ viewport: { width: 400, height: 800 }, colorScheme }, async (page) => {
      await page.getByRole("button", { name: "Unfold all", exact: true }).click();
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(widths[0] <= widths[1], `${widths[0]} px of content on ${widths[1]} px`);
      const cut = await page.evaluate(() =>
        [...document.querySelectorAll("main *, header *")]
          .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().right > innerWidth + 1)
          .map((one) => one.outerHTML.slice(0, 80)),
      );
      assert.deepEqual(cut, [], "nothing is cut off");
      const sizes = await page.evaluate(() =>
        [...document.querySelectorAll("code, pre, .row, .tag, summary, p")].map((one) =>
          parseFloat(getComputedStyle(one).fontSize),
        ),
      );
      assert.ok(Math.min(...sizes) >= 12, `text of ${Math.min(...sizes)} px`);
    }));
}

test("without scripts nothing is missing", () =>
  open({ javaScriptEnabled: false }, async (page) => {
    assert.ok((await visible(page, ".environment")) >= 2);
    assert.ok((await page.locator("body").textContent()).includes("notice"));
    assert.equal(await page.getByRole("searchbox").count(), 0, "what does nothing is not shown");
    const environment = page.locator("details.environment").first();
    const rows = await environment.locator(".object:visible").count();
    await environment.locator("> summary").click();
    assert.notEqual(await environment.locator(".object:visible").count(), rows);
  }));

for (const colorScheme of ["light", "dark"]) {
  test(`it can be read by everyone (${colorScheme})`, async () => {
    // The page lets no script run but its own.
    const context = await browser.newContext({ bypassCSP: true, colorScheme });
    const page = await context.newPage();
    await page.goto(report.url);
    await page.getByRole("button", { name: "Unfold all", exact: true }).click();
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => globalThis.axe.run());
    const faults = found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)}`);
    assert.deepEqual(faults, []);
    await context.close();
  });
}
