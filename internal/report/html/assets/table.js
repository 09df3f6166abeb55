// A table of any length that is shown a page at a time, so that a hundred
// thousand rows cost what a hundred do. Sorting is by the buttons in its head.

const printedRows = 1000;

class PagedTable {
  // columns: {name, right, class, cell(row), compare(a, b)}; compare may be left
  // out. details(row), if given, is what a row opens to.
  constructor(host, { caption, columns, details }) {
    this.columns = columns;
    this.details = details;
    this.order = [];
    this.page = 0;
    this.size = 100;
    this.sorted = { column: -1, down: false };
    this.body = el("tbody");
    this.heads = columns.map((c, i) => this.head(c, i));
    const table = el("table", { class: "rows" }, el("caption", {}, caption), el("thead", {}, el("tr", {}, this.heads)), this.body);
    this.scroll = el("div", { class: "scroll" }, table);
    this.pager = el("div", { class: "pager" });
    append(host, [this.scroll, this.pager]);
    addEventListener("beforeprint", () => this.draw(0, printedRows));
    addEventListener("afterprint", () => this.show());
  }

  head(column, i) {
    const props = { scope: "col", class: column.right ? "right" : undefined };
    if (column.name === "") return el("td"); // a column without a name has no head
    if (!column.compare) return el("th", props, column.name);
    return el("th", props, el("button", { type: "button", class: "sort", on: { click: () => this.sortBy(i) } }, column.name));
  }

  // The first click sorts up, the second down, the third is the order of before.
  sortBy(i) {
    const s = this.sorted;
    if (s.column !== i) this.sorted = { column: i, down: false };
    else this.sorted = s.down ? { column: -1, down: false } : { column: i, down: true };
    this.heads.forEach((th, j) => {
      if (j === this.sorted.column) th.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    });
    this.set(this.given);
  }

  // given holds the rows to show, in their own order.
  set(given) {
    this.given = given;
    this.order = given;
    const { column, down } = this.sorted;
    if (column >= 0) {
      const compare = this.columns[column].compare;
      this.order = given.slice().sort(down ? (a, b) => compare(b, a) : compare);
    }
    this.page = 0;
    this.show();
  }

  show() {
    this.page = Math.min(this.page, Math.max(0, Math.ceil(this.order.length / this.size) - 1));
    this.draw(this.page * this.size, this.size);
    this.drawPager();
  }

  draw(from, count) {
    const rows = [];
    for (let i = from; i < Math.min(from + count, this.order.length); i++) rows.push(this.row(this.order[i]));
    if (count >= printedRows && this.order.length > count) {
      const text = "The first " + number(count) + " of " + number(this.order.length) + " rows are printed; filter to print others.";
      rows.push(el("tr", {}, el("td", { colspan: this.columns.length, class: "muted" }, text)));
    }
    this.body.replaceChildren(...rows);
  }

  row(r) {
    const tr = el("tr");
    for (const c of this.columns) {
      const td = el("td", { class: [c.right ? "right" : "", c.class || ""].join(" ").trim() || undefined });
      append(td, [c.cell(r, td, () => this.toggle(r, tr, td))]);
      tr.append(td);
    }
    return tr;
  }

  // toggle opens or closes what belongs to a row; the button in it says which.
  toggle(r, tr, td) {
    const open = tr.nextSibling && tr.nextSibling.classList.contains("details");
    td.querySelector("button").setAttribute("aria-expanded", String(!open));
    if (open) tr.nextSibling.remove();
    else tr.after(el("tr", { class: "details" }, el("td", { colspan: this.columns.length }, this.details(r))));
  }

  drawPager() {
    const pages = Math.ceil(this.order.length / this.size);
    this.pager.hidden = this.order.length <= 50;
    const go = (label, to, name) => el("button", {
      type: "button", disabled: to < 0 || to >= pages, on: { click: () => this.goTo(to, name) }, "data-go": name,
    }, label);
    const sizes = el("select", { on: { change: (e) => { this.size = Number(e.target.value); this.show(); } } },
      [50, 100, 250, 500].map((n) => el("option", { value: n, selected: n === this.size }, n)));
    this.pager.replaceChildren(
      el("label", {}, el("span", {}, "Rows on a page"), sizes),
      el("span", {}, "Page " + number(this.page + 1) + " of " + number(Math.max(1, pages))),
      go("First", this.page === 0 ? -1 : 0, "first"), go("Previous", this.page - 1, "previous"),
      go("Next", this.page + 1, "next"), go("Last", this.page === pages - 1 ? -1 : pages - 1, "last"));
  }

  goTo(page, name) {
    this.page = page;
    this.show();
    this.scroll.scrollIntoView({ block: "start" });
    const again = this.pager.querySelector('[data-go="' + name + '"]');
    (again.disabled ? this.pager.querySelector("button:not(:disabled)") : again).focus({ preventScroll: true });
  }
}
