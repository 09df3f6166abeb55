// The page: its data is read once, and each section is started with its own.

startTheme();
const pageData = JSON.parse(document.getElementById("data").textContent);
const starts = { items: startItems, table: startGrid, chart: startChart, graphs: startGraphs };
for (const section of document.querySelectorAll("section[data-kind]")) {
  starts[section.dataset.kind](section, pageData[section.id]);
}
document.documentElement.dataset.ready = "yes";
