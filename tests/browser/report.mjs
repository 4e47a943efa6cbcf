// A report to look at: a repository whose environments change in every way that a report shows, and the page that kiln makes of
// the difference.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

const kiln = process.env.KILN ?? join(root, "target/debug/kiln");

// What must never be on a page.
export const secret = "hunter2-do-not-show";
// What must be on the page as text.
export const hostile = "<img src=x onerror=window.harmed=1></script><script>window.harmed=1</script>";

const edit = (file, change) => writeFileSync(file, change(readFileSync(file, "utf8")));

const replaceIn = (file, from, to) =>
  edit(file, (text) => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${file} has no ${from}`);
    return changed;
  });

const addResource = (file, name) => replaceIn(file, /^resources:\n( *)- /m, `resources:\n$1- ${name}\n$1- `);

// Makes a repository with an example, lets two functions prepare and change it, and returns the page about the change. The
// caller removes its directory. The functions get the directory of the example.
export function makeReport(prepare, change) {
  const directory = mkdtempSync(join(tmpdir(), "kiln-report-"));
  const work = join(directory, "transparenta");
  cpSync(join(root, "examples/transparenta"), work, { recursive: true });
  rmSync(join(work, "rendered"), { recursive: true, force: true });
  const git = (...words) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...words], { cwd: work });
  prepare(work);
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "--message", "before");

  change(work);
  const page = join(directory, "report.html");
  const html = execFileSync(kiln, ["diff", "HEAD", "--no-merge-base", "--format", "html", "-q"], {
    cwd: work,
    maxBuffer: 64 << 20,
  });
  writeFileSync(page, html);
  return { directory, page, url: pathToFileURL(page).href };
}

// Everything that a report can show, and what it must not show.
export const everything = {
  prepare(work) {
    const [base, overlay] = [join(work, "k8s/base"), join(work, "k8s/overlays/dev")];
    writeFileSync(join(base, "notice.yaml"), notice("plain", "short", "2"));
    addResource(join(base, "kustomization.yaml"), "notice.yaml");
    writeFileSync(join(overlay, "login.yaml"), secretObject("nobody"));
    addResource(join(overlay, "kustomization.yaml"), "login.yaml");
  },
  change(work) {
    const [base, overlay] = [join(work, "k8s/base"), join(work, "k8s/overlays/dev")];
    writeFileSync(join(overlay, "login.yaml"), secretObject(secret));
    writeFileSync(join(base, "notice.yaml"), notice(`'${hostile}'`, "unbroken".repeat(40), "two"));
    writeFileSync(join(base, "greeting.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: greeting\ndata:\n  hello: world\n");
    addResource(join(base, "kustomization.yaml"), "greeting.yaml");
    for (const file of filesWithLimits(work)) replaceIn(file, /cpu: .*/, 'cpu: "3"');
  },
};

// What a pull request is about on most days.
export const usual = {
  prepare() {},
  change(work) {
    const base = join(work, "k8s/base/kustomization.yaml");
    replaceIn(base, /newTag: .*/, "newTag: 91d0c74e6a1f3b58270cc9de41b7f5832e6a9d0f");
    replaceIn(base, "QUERY_CACHE_TTL_SECONDS=3600", "QUERY_CACHE_TTL_SECONDS=900");
    const prod = join(work, "k8s/overlays/prod/kustomization.yaml");
    replaceIn(prod, "count: 2", "count: 3");
    replaceIn(prod, "  - server-poddisruptionbudget.yaml\n", "");
  },
};

function notice(page, token, line) {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: notice\ndata:\n  page: ${page}\n  token: ${token}\n  ` +
    `lines: |\n    one\n    ${line}\n    three\n`;
}

function secretObject(value) {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  password: ${value}\n`;
}

function filesWithLimits(work) {
  const listed = execFileSync("grep", ["-rl", "cpu: ", join(work, "k8s/base")], { encoding: "utf8" });
  return listed.trim().split("\n");
}

// The browser: the one that CHROMIUM names, one of the system, or the one that playwright has installed.
export function launch() {
  const known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = process.env.CHROMIUM ?? known.find((path) => existsSync(path));
  // In a container there is no user namespace to put a sandbox into.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args });
}
