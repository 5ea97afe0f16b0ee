// Tested by cli/compare_report_test.cc.
#include "cli/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace fye {
namespace {

using Values = std::map<std::string_view, Score>;

std::string number(double value, const Metric& column) {
  if (!std::isfinite(value)) return "identical";
  const int digits = column.unit == "dB" || std::abs(value) >= 2 ? 3 : 5;
  return fmt::format("{:.{}f}", value, digits);
}

std::string cell(const Scores& scores, const Metric& column) {
  if (const auto found = scores.of_picture.find(column.name); found != scores.of_picture.end())
    return number(found->second.value, column);
  for (const auto& [name, error] : scores.missing) {
    if (name == column.name && is_not_installed(error)) return "not installed";
  }
  return "-";
}

std::string cell_of_original(const Scores& scores, const Metric& column) {
  const auto found = scores.of_original.find(column.name);
  return found == scores.of_original.end() ? "" : number(found->second.value, column);
}

std::string cell(const std::map<std::string_view, Mean>& means, const Metric& column, size_t all) {
  const auto found = means.find(column.name);
  if (found == means.end()) return "";
  const std::string value = number(found->second.value, column);
  return size_t(found->second.n) == all ? value : fmt::format("{} (n {})", value, found->second.n);
}

// Lines of cells, the first one left-aligned, each column as wide as its widest cell.
using Line = std::vector<std::string>;

std::string aligned(const std::vector<Line>& lines) {
  std::vector<size_t> widths(lines[0].size());
  for (const Line& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const Line& line : lines) {
    text += fmt::format("{:<{}}", line[0], widths[0]);
    for (size_t i = 1; i < line.size(); ++i) text += fmt::format("  {:>{}}", line[i], widths[i]);
    text += '\n';
  }
  return text;
}

Line line_of(std::string name, std::span<const Metric> columns,
             const std::function<std::string(const Metric&)>& text) {
  Line line{std::move(name)};
  for (const Metric& column : columns) line.push_back(text(column));
  return line;
}

Line titles(std::span<const Metric> columns) {
  return line_of("", columns, [](const Metric& column) {
    return column.unit.empty() ? std::string(column.name) : fmt::format("{} {}", column.name, column.unit);
  });
}

bool any_alone(std::span<const Metric> columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Metric& column) { return column.needs == Needs::nothing; });
}

std::string key_of_original(const Metric& column) { return fmt::format("{}_original", column.name); }

Json json_number(const Values& values, const Metric& column) {
  const auto found = values.find(column.name);
  return found == values.end() || !std::isfinite(found->second.value) ? Json(nullptr)
                                                                      : Json(found->second.value);
}

// Every value a row can have, in the order of JSON and CSV: visit(key, column, which of the row's two sets).
template <class Visit>
void for_each_value(std::span<const Metric> columns, Visit visit) {
  for (const Metric& column : columns) {
    visit(std::string(column.name), column, &Scores::of_picture);
    if (column.needs == Needs::nothing) visit(key_of_original(column), column, &Scores::of_original);
  }
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

std::string table_of(std::span<const ComparedRow> rows, std::span<const Metric> columns) {
  std::vector<Line> lines{titles(columns)};
  if (!rows.empty() && any_alone(columns)) {
    lines.push_back(line_of(rows[0].original, columns,
                            [&](const Metric& column) { return cell_of_original(rows[0].scores, column); }));
  }
  for (const ComparedRow& row : rows) {
    lines.push_back(
        line_of(row.file, columns, [&](const Metric& column) { return cell(row.scores, column); }));
  }
  return aligned(lines);
}

std::string table_of(const ComparedFolders& folders, std::span<const Metric> columns) {
  std::vector<Line> lines{titles(columns)};
  std::vector<Scores> all;
  for (const ComparedRow& row : folders.rows) {
    lines.push_back(
        line_of(row.file, columns, [&](const Metric& column) { return cell(row.scores, column); }));
    all.push_back(row.scores);
  }
  const auto add_means = [&](const std::string& name, Values Scores::*of) {
    const auto found = means(all, of);
    lines.push_back(
        line_of(name, columns, [&](const Metric& column) { return cell(found, column, all.size()); }));
  };
  add_means(fmt::format("mean of {}", all.size()), &Scores::of_picture);
  if (any_alone(columns)) add_means("mean of the originals", &Scores::of_original);
  return aligned(lines);
}

Json json_of(const ComparedRow& row, std::span<const Metric> columns) {
  Json json = {{"file", row.file}};
  for_each_value(columns, [&](const std::string& key, const Metric& column, Values Scores::*of) {
    json[key] = json_number(row.scores.*of, column);
  });
  json["identical"] = row.scores.identical ? Json(*row.scores.identical) : Json(nullptr);
  return json;
}

Json json_of(const ComparedFolders& folders, std::span<const Metric> columns) {
  std::vector<Scores> all;
  Json rows = Json::array(), failed = Json::array();
  for (const ComparedRow& row : folders.rows) {
    rows.push_back(json_of(row, columns));
    all.push_back(row.scores);
  }
  for (const auto& [file, why] : folders.failed) failed.push_back({{"file", file}, {"error", why}});
  Json mean = Json::object(), count = Json::object();
  for_each_value(columns, [&](const std::string& key, const Metric& column, Values Scores::*of) {
    const auto found = means(all, of);
    const auto at = found.find(column.name);
    mean[key] = at == found.end() ? Json(nullptr) : Json(at->second.value);
    count[key] = at == found.end() ? 0 : at->second.n;
  });
  return {{"originals", folders.originals},
          {"pictures", folders.pictures},
          {"mean", mean},
          {"n", count},
          {"rows", rows},
          {"without_partner", folders.alone},
          {"failed", failed}};
}

std::string csv_of(std::span<const ComparedRow> rows, std::span<const Metric> columns) {
  std::string text = "original,file";
  for_each_value(columns, [&](const std::string& key, const Metric&, auto) { text += "," + key; });
  text += ",identical\n";
  for (const ComparedRow& row : rows) {
    text += csv_text(row.original) + "," + csv_text(row.file);
    for_each_value(columns, [&](const std::string&, const Metric& column, Values Scores::*of) {
      const auto& values = row.scores.*of;
      const auto found = values.find(column.name);
      text += found == values.end() ? "," : fmt::format(",{}", found->second.value);
    });
    text += row.scores.identical ? (*row.scores.identical ? ",true\n" : ",false\n") : ",\n";
  }
  return text;
}

}  // namespace fye
