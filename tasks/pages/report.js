"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") !== "descending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const rows = [...table.tBodies[0].rows].map((row, at) => ({ row, at, value: value(row) }));
      rows.sort((a, b) => {
        // What was not measured comes last either way.
        if (a.value === "" || b.value === "") return (a.value === "") - (b.value === "") || a.at - b.at;
        const apart = isNaN(a.value) || isNaN(b.value) ? a.value.localeCompare(b.value) : a.value - b.value;
        return (descending ? -apart : apart) || a.at - b.at;
      });
      table.tBodies[0].append(...rows.map((each) => each.row));
    });
  });
}
