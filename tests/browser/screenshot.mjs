// Makes docs/images/diff-report.png.

import { rmSync } from "node:fs";
import { join } from "node:path";

import { launch, makeReport, root, usual } from "./report.mjs";

const report = makeReport(usual.prepare, usual.change);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1100, height: 760 }, colorScheme: "light" });
await page.goto(report.url);
await page.locator("details.environment").first().locator("> summary").click();
await page.screenshot({ path: join(root, "docs/images/diff-report.png") });
await browser.close();
rmSync(report.directory, { recursive: true, force: true });
