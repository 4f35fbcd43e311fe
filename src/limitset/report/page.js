"use strict";
/* Draws the charts, copies tables. No request, no eval. */
(function () {
  var specs = JSON.parse(document.getElementById("charts").textContent);

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
      var text = csv(document.getElementById(button.dataset.table));
      var done = function () { copied(button); };
      if (!navigator.clipboard) { copyByHand(text); done(); return; }
      navigator.clipboard.writeText(text).then(done, function () { copyByHand(text); done(); });
    });
  });
})();
