"use strict";
/* Draws the charts, copies tables and texts, filters lists. No request, no eval. */
(function () {
  var charts = document.getElementById("charts");
  var specs = charts ? JSON.parse(charts.textContent) : {};

  function say(box, words) {
    box.textContent = words;
    box.classList.add("missing");
  }

  document.querySelectorAll(".chart").forEach(function (box) {
    var spec = specs[box.dataset.chart];
    vegaEmbed(box, spec, {
      ast: true,
      actions: false,
      renderer: "svg",
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
    }).then(
      function () { box.dataset.drawn = "yes"; },
      function (error) { say(box, "This chart could not be drawn (" + error.message + "). Its data are in the table below."); }
    );
  });

  function cellText(cell) {
    var full = cell.querySelector(".full");
    var text = (full || cell).textContent.trim();
    /* a spreadsheet would run a cell that begins like this */
    if (!cell.classList.contains("number") && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }

  function csv(table) {
    return Array.from(table.rows, function (row) {
      return Array.from(row.cells, cellText).join(",");
    }).join("\n");
  }

  function copied(button) {
    var before = button.textContent;
    button.textContent = "Copied";
    setTimeout(function () { button.textContent = before; }, 1500);
  }

  function copyByHand(text) {
    var area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  document.querySelectorAll("button.copy").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var text = button.dataset.table
        ? csv(document.getElementById(button.dataset.table))
        : button.parentElement.querySelector(".take").textContent;
      var done = function () { copied(button); };
      if (!navigator.clipboard) { copyByHand(text); done(); return; }
      navigator.clipboard.writeText(text).then(done, function () { copyByHand(text); done(); });
    });
  });

  /* one of a group, and all groups, must fit */
  document.querySelectorAll(".filters").forEach(function (box) {
    var count = document.getElementById(box.id + "-count");
    var entries = Array.from(document.querySelectorAll("[data-kinds]"));
    box.hidden = false;

    function wanted() {
      return Array.from(box.querySelectorAll(".group"), function (group) {
        return Array.from(group.querySelectorAll("[aria-pressed=true]"), function (one) { return one.dataset.kind; });
      }).filter(function (group) { return group.length; });
    }

    function show() {
      var groups = wanted();
      entries.forEach(function (entry) {
        var kinds = entry.dataset.kinds.split(" ");
        entry.hidden = !groups.every(function (group) {
          return group.some(function (kind) { return kinds.indexOf(kind) >= 0; });
        });
      });
      document.querySelectorAll("section.block").forEach(function (section) {
        var own = section.querySelectorAll("[data-kinds]"), folded = section.querySelector("details");
        if (own.length && folded && groups.length) folded.open = true;
        if (own.length) section.hidden = !section.querySelector("[data-kinds]:not([hidden])");
      });
      var shown = new Set(entries.filter(function (entry) { return !entry.hidden; }).map(function (entry) {
        return entry.querySelector(".title").textContent;
      }));
      count.textContent = groups.length ? shown.size + " shown" : "";
    }

    box.querySelectorAll(".kind").forEach(function (button) {
      button.addEventListener("click", function () {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
        show();
      });
    });
  });
})();
