// What a row opens to: every rule that spoke, what stood against it, how it ended,
// and what goes with it.

function itemDetails(rows, i) {
  const row = rows.rows[i];
  const grid = el("div", { class: "detail-grid" });
  grid.append(block("Version", facts([
    ["package", rows.names[row[PACKAGE]]], ["version", row[WHOLE] ? "the whole package" : row[VERSION]], ["id", row[ID] || ""],
    ["tags", (row[TAGS] || []).join(", ")], ["created", stamp(row[CREATED])], ["updated", stamp(row[UPDATED])],
  ])));
  grid.append(block("Asked for by", ruleList(rows.rulesOf(row[RULES]))));
  const lost = rows.rulesOf(row[OVERRULED]);
  if (lost.length > 0) grid.append(block("Against it", ruleList(lost)));
  if (row[NOTE]) grid.append(block("Stopped by the guard " + rows.notes[row[NOTE]].code, el("p", {}, rows.notes[row[NOTE]].detail)));
  if (row[OUTCOME] || row[DETAIL]) {
    grid.append(block("How it ended", facts([
      ["outcome", row[OUTCOME] ? rows.words[row[OUTCOME]] : ""], ["because", row[DETAIL] ? rows.words[row[DETAIL]] : ""], ["GitHub's request", row[REQUEST]],
    ])));
  }
  const unit = unitOf(rows, i);
  if (unit.length > 1) grid.append(block("Goes together, whole or not at all", unitTree(rows, unit, i)));
  return grid;
}

function block(heading, content) {
  return el("div", {}, el("h3", {}, heading), content);
}

function facts(pairs) {
  return el("dl", {}, pairs.filter(([, value]) => value).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function ruleList(rules) {
  return el("ul", {}, rules.map((r) => el("li", {}, el("span", { class: "policy" }, ruleName(r)), " asks to " + r.action + ": ", r.reason,
    el("div", { class: "more" }, [r.severity && r.severity + " severity", r.mode === "observe" && "only observes"].filter(Boolean).join(", ")))));
}

// unitOf finds the rows of the same unit: they stand side by side in the data.
function unitOf(rows, i) {
  const same = (j) => rows.rows[j] && rows.rows[j][PACKAGE] === rows.rows[i][PACKAGE] && rows.rows[j][UNIT] === rows.rows[i][UNIT];
  let from = i, to = i;
  while (same(from - 1)) from--;
  while (same(to + 1)) to++;
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}

function unitTree(rows, unit, current) {
  const line = (j) => {
    const row = rows.rows[j];
    const name = short(row[VERSION]) + ((row[TAGS] || []).length > 0 ? " (" + row[TAGS].join(", ") + ")" : "");
    return [j === current ? el("strong", { class: "mono" }, name) : el("span", { class: "mono" }, name), " ", chip(rows.status(row), statusTones[rows.status(row)])];
  };
  const shown = unit.slice(1, 40);
  const rest = unit.length > 40 ? el("li", { class: "more" }, "and " + (unit.length - 40) + " more") : "";
  return el("ul", { class: "unit" }, el("li", {}, line(unit[0]), el("ul", { class: "unit" }, shown.map((j) => el("li", {}, line(j))), rest)));
}
