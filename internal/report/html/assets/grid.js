// Any other table: columns and rows of text.

function startGrid(section, data) {
  const text = (cell) => (typeof cell === "string" ? cell : (cell.lead ? cell.lead + " " : "") + cell.text);
  const columns = data.columns.map((c, n) => ({
    name: c.name, right: c.right, class: c.tree ? "pre" : c.code ? "mono" : "",
    cell: (row) => gridCell(row[n]),
    compare: data.fixed || c.name === "" ? undefined : (a, b) => text(a[n]).localeCompare(text(b[n]), "en", { numeric: true }),
  }));
  let table = null, filter = null;
  if (data.rows.length > 15) {
    const lower = data.rows.map((row) => row.map(text).join("\n").toLowerCase());
    const count = el("p", { class: "count", role: "status", "aria-live": "polite" });
    filter = (value) => {
      const words = value.toLowerCase().split(/\s+/).filter(Boolean);
      const found = data.rows.filter((_, i) => words.every((w) => lower[i].includes(w)));
      table.set(found);
      count.textContent = number(found.length) + " of " + number(data.rows.length) + " rows";
    };
    const input = el("input", { type: "search", autocomplete: "off", on: { input: (e) => filter(e.target.value) } });
    section.append(el("form", { class: "filters", role: "search", on: { submit: (e) => e.preventDefault() } },
      el("label", { class: "search" }, el("span", {}, "Search"), input)), count);
  }
  table = new PagedTable(section, { caption: data.caption, columns });
  if (filter) filter("");
  else table.set(data.rows);
}

function gridCell(cell) {
  if (typeof cell === "string") return cell;
  const out = [cell.lead ? [el("span", { class: "policy" }, cell.lead), cell.text ? ": " : ""] : "",
    cell.tone ? el("span", { class: "tone-" + cell.tone }, cell.text) : cell.text];
  for (const more of cell.more || []) out.push(el("div", {}, gridCell(more)));
  return out;
}
