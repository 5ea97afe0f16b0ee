// Hostile texts and made-up measurements, for tests of reports.
#pragma once

#include <rapidcheck.h>

#include <string>
#include <vector>

#include "execute/testing_graphs.h"
#include "graph/units.h"
#include "plan/testing_problems.h"
#include "report/report.h"

namespace fye::testing {

// Pieces that mean something in HTML, scripts, JSON, paths or terminals, between arbitrary bytes.
inline rc::Gen<std::string> hostile_text() {
  const std::vector<std::string> pieces = {
      "</script>", "<script>alert(1)</script>", "<!--", "-->", "<img src=x onerror=alert(1)>", "\"", "'", "\" onload=\"x", "&lt;",
      "&amp;", "&#39;", "]]>", "{{data}}", "}}", "\\u003c", "\\", "\n", "\r\n", std::string(1, '\0'), "\xff", "\xed\xa0\x80",
      "\xe2\x80\xae", "\xe2\x80\xa8", "\xc3\xa9", "javascript:", "data:text/html,", "../", "\x1b[31m", "__proto__", "%00", "a"};
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(
                          rc::gen::oneOf(rc::gen::elementOf(pieces), rc::gen::string<std::string>())),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const std::string& part : parts) text += part;
                        return text;
                      });
}

inline Model small_model() {
  Model model{.name = "small", .graph = small_abpn(3, 12), .conventions = {.scale = 3}, .calib = {}};
  model.graph.sha256 = "abc";
  model.calib = made_up_calib(model.graph);
  return model;
}

inline Plan plan_on(const Graph& graph, const std::vector<std::string>& on) {
  Plan plan{.graph_sha256 = graph.sha256, .steps = {}};
  const std::vector<Unit> units = units_of(graph);
  for (size_t u = 0; u < units.size(); ++u)
    plan.steps.push_back({.units = {units[u].name}, .processor = on[u % on.size()], .reason = {}});
  return plan;
}

// A frame whose rows add up.
inline FrameTrace frame_of(const Graph& graph, double unit_ms, int entry = 0) {
  FrameTrace frame;
  frame.entry = entry;
  for (const Unit& unit : units_of(graph)) frame.units[unit.name] = unit_ms;
  frame.hand_overs = {{"input", 0.5}};
  frame.moving = 0.25, frame.around = 0.125, frame.waiting = 0.0625, frame.rest = 0;
  frame.ms = unit_ms * double(frame.units.size()) + 0.9375;
  return frame;
}

}  // namespace fye::testing
