// fye compare A B
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/parse.h"
#include "cli/side_by_side.h"
#include "cli/verb.h"
#include "image/file.h"
#include "quality/table.h"

namespace fye {
namespace {

constexpr int kGap = 6;  // white pixels between pictures side by side

struct Options {
  std::vector<std::string> files;
  int shave = 0;
  std::string beside, crop;
  bool json = false;
};

struct Row {
  std::string file;
  std::map<std::string_view, Score> scores;  // without those that can't be had
  bool identical = false;
};

Result<Row> row_of(const Picture& original, const Picture& picture, const std::string& file, int shave) {
  Row row{file, {}, true};
  std::optional<Error> last;
  for (const Metric& metric : metrics()) {
    const auto score = metric.score(original, picture, shave);
    if (score) {
      row.scores[metric.name] = *score;
      row.identical = row.identical && score->identical;
    } else {
      last = score.error();
    }
  }
  if (row.scores.empty()) {
    last->what = file + ": " + last->what;
    return *last;
  }
  if (last) spdlog::warn("note: {}: {}", file, last->text());
  return row;
}

Json json_of(const Row& row) {
  Json json = {{"file", row.file}};
  for (const Metric& metric : metrics()) {
    const auto found = row.scores.find(metric.name);
    const bool number = found != row.scores.end() && std::isfinite(found->second.value);
    json[std::string(metric.name)] = number ? Json(found->second.value) : Json(nullptr);
  }
  json["identical"] = row.identical;
  return json;
}

void print_table(const std::vector<Row>& rows) {
  size_t widest = 4;
  for (const Row& row : rows) widest = std::max(widest, row.file.size());
  fmt::print("{:<{}}", "", widest);
  for (const Metric& metric : metrics()) {
    const std::string title =
        metric.unit.empty() ? std::string(metric.name) : fmt::format("{} {}", metric.name, metric.unit);
    fmt::print("  {:>12}", title);
  }
  fmt::print("\n");
  for (const Row& row : rows) {
    fmt::print("{:<{}}", row.file, widest);
    for (const Metric& metric : metrics()) {
      const auto found = row.scores.find(metric.name);
      if (found == row.scores.end()) {
        fmt::print("  {:>12}", "-");
      } else if (!std::isfinite(found->second.value)) {
        fmt::print("  {:>12}", "identical");
      } else {
        fmt::print("  {:>12.{}f}", found->second.value, metric.unit == "dB" ? 3 : 5);
      }
    }
    fmt::print("\n");
  }
}

// The original comes last: the eye reads from worse to better.
Status write_side_by_side(const Options& options, const std::vector<Picture>& pictures) {
  std::vector<Picture> row;
  for (size_t i = 1; i <= pictures.size(); ++i) {
    const Picture& picture = pictures[i % pictures.size()];
    if (options.crop.empty()) {
      row.push_back(picture);
      continue;
    }
    const auto crop = parse_crop("--crop", options.crop);
    if (!crop) return crop.error();
    auto part = cropped(picture, *crop);
    if (!part) return part.error();
    row.push_back(*std::move(part));
  }
  const FinishWriting uninterrupted;
  const auto written = write_picture(side_by_side(row, kGap), options.beside);
  if (!written) return written.error();
  return {};
}

Status compare(const Options& options) {
  if (options.files.size() < 2)
    return usage_error("two pictures are needed", "write: fye compare original.png other.png");
  std::vector<Picture> pictures;
  for (const std::string& file : options.files) {
    auto picture = read_picture(file);
    if (!picture) return picture.error();
    pictures.push_back(*std::move(picture));
  }
  std::vector<Row> rows;
  for (size_t i = 1; i < pictures.size(); ++i) {
    auto row = row_of(pictures[0], pictures[i], options.files[i], options.shave);
    if (!row) return row.error();
    rows.push_back(*std::move(row));
  }
  if (!options.beside.empty()) {
    if (const Status written = write_side_by_side(options, pictures); !written) return written;
  }
  if (!options.json) {
    print_table(rows);
  } else if (rows.size() == 1) {
    fmt::print("{}\n", json_of(rows[0]).dump(2));
  } else {
    Json json = Json::array();
    for (const Row& row : rows) json.push_back(json_of(row));
    fmt::print("{}\n", json.dump(2));
  }
  return {};
}

}  // namespace

Run add_compare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  Options& o = *options;
  app.add_option("A B", o.files, "the original, and one or more pictures of the same size");
  app.add_option("--shave", o.shave, "pixels left out on each side; papers use the scale")
      ->check(CLI::Range(0, 65535));
  app.add_option("--side-by-side", o.beside, "also write the pictures in a row, the original last");
  app.add_option("--crop", o.crop, "part to show side by side: WxH (the middle) or WxH+X+Y");
  app.add_flag("--json", o.json, "print JSON; an array if there are several pictures");
  app.footer(
      R"(psnr_y and ssim_y are on BT.601 luma, psnr_rgb on all three channels, ssim_grey on rounded grey. Equal
pictures have no PSNR: the table says "identical", JSON null. Alpha is ignored.

Examples:
  fye compare original.png upscaled.png --shave 3
  fye compare original.png bicubic.png fye.png --json
  fye compare original.png bicubic.png fye.png --side-by-side row.png --crop 300x300)");
  return [options] { return compare(*options); };
}

}  // namespace fye
