
"use strict";
(() => {
  const form = document.getElementById("search");
  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const environments = [...document.querySelectorAll(".environment")];
  const objects = [...document.querySelectorAll(".object")];
  const texts = new Map(objects.map((one) => [one, one.textContent.toLowerCase()]));
  const names = new Map(environments.map((one) => [one, one.querySelector("h2").textContent.toLowerCase()]));
  const wasOpen = new Map([...environments, ...objects].map((one) => [one, one.open]));
  form.hidden = false;

  const search = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const environment of environments) {
      let any = false;
      for (const object of environment.querySelectorAll(".object")) {
        const text = names.get(environment) + " " + texts.get(object);
        const hit = words.every((word) => text.includes(word));
        object.classList.toggle("out", !hit);
        any = any || hit;
        count += hit ? 1 : 0;
        if (words.length === 0) { object.open = wasOpen.get(object); } else if (hit) { object.open = true; }
      }
      environment.classList.toggle("out", words.length > 0 && !any);
      environment.open = words.length === 0 ? wasOpen.get(environment) : any;
    }
    found.textContent = words.length === 0 ? "" : count === 1 ? "1 object" : count + " objects";
  };
  query.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());

  const fold = (open) => {
    for (const one of [...environments, ...objects]) { if (!one.classList.contains("out")) { one.open = open; } }
  };
  document.getElementById("open").addEventListener("click", () => fold(true));
  document.getElementById("close").addEventListener("click", () => fold(false));

  const stops = () => [...document.querySelectorAll(".environment > summary, details.object > summary, div.object")]
    .filter((one) => one.offsetParent !== null);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) { return; }
    const typing = event.target === query;
    if (event.key === "Escape") { query.value = ""; search(); query.blur(); return; }
    if (typing) { return; }
    if (event.key === "/") { event.preventDefault(); query.focus(); query.select(); return; }
    const step = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
    if (step === 0) { return; }
    const all = stops();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({ block: "nearest" }); }
  });
})();
