// Charts. The numbers are in a table below each as well.

const lineColors = ["--accent", "--bad", "--good", "--doubt", "--muted"];

function startChart(section, data) {
  const host = el("div", { class: "chart", role: "img", "aria-label": data.about + " The table below has the numbers." });
  section.append(host);
  let plot = null;
  const draw = () => {
    if (plot) plot.destroy();
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue(name).trim();
    const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
    plot = new uPlot({
      width: Math.max(280, host.clientWidth), height: 280, cursor: { drag: { x: false, y: false } },
      series: [{ label: data.xName, value: (_, x) => (x === null ? "" : stamp(x).slice(0, 10)) }, ...data.series.map((s, i) => ({
        label: s.name, stroke: color(lineColors[i % lineColors.length]), width: 2, dash: i >= lineColors.length ? [6, 4] : undefined,
        paths: s.bars ? uPlot.paths.bars({ size: [0.8, 40] }) : undefined, fill: s.bars ? color(lineColors[i % lineColors.length]) : undefined,
        points: { show: data.x.length < 60 && !s.bars }, value: (_, v) => (v === null ? "" : number(v)),
      }))],
      axes: [{ ...axis, values: (_, ticks) => ticks.map((t) => stamp(t).slice(5, 10)) }, { ...axis, size: 64, values: (_, ticks) => ticks.map(number) }],
      scales: { x: { range: (_, min, max) => (data.series.some((s) => s.bars) ? [min - 43200, max + 43200] : [min, max]) }, y: { range: (_, min, max) => [Math.min(0, min), Math.max(1, max * 1.05)] } }, tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "UTC"),
    }, [data.x, ...data.series.map((s) => s.values)], host);
  };
  draw();
  themeListeners.push(draw);
  addEventListener("resize", draw);
  const head = [data.xName, ...data.series.map((s) => s.name)];
  const rows = data.x.map((x, i) => [stamp(x).slice(0, 10), ...data.series.map((s) => number(s.values[i]))]);
  const numbers = el("div");
  section.append(el("details", {}, el("summary", {}, "The numbers"), numbers));
  startGrid(numbers, { caption: data.about, columns: head.map((name, i) => ({ name, right: i > 0 })), rows });
}
