// The drawings of a package: a search among them when there are many.

const drawingsAtOnce = 12;

function startGraphs(section) {
  const drawings = [...section.querySelectorAll(".drawing")];
  if (drawings.length < 3) return;
  let limit = drawingsAtOnce, words = [];
  const count = el("span", { role: "status", "aria-live": "polite" });
  const more = el("button", { type: "button", on: { click: () => { limit += drawingsAtOnce * 4; show(); } } }, "Show more");
  const show = () => {
    const found = drawings.filter((d) => words.every((w) => d.dataset.text.toLowerCase().includes(w)));
    const shown = new Set(found.slice(0, limit));
    for (const d of drawings) d.hidden = !shown.has(d);
    count.textContent = number(shown.size) + " of " + number(found.length) + " drawings";
    more.hidden = found.length <= limit;
  };
  const input = el("input", { type: "search", placeholder: "tag or digest", autocomplete: "off", on: { input: (e) => {
    words = e.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    show();
  } } });
  const bar = el("form", { class: "filters", role: "search", "aria-label": "Search the drawings", on: { submit: (e) => e.preventDefault() } },
    el("label", { class: "search" }, el("span", {}, "Search"), input));
  drawings[0].parentElement.before(bar, el("p", { class: "count" }, count, more));
  addEventListener("beforeprint", () => drawings.forEach((d) => { d.hidden = false; }));
  addEventListener("afterprint", show);
  show();
}
