// fye compare A B
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <new>
#include <optional>

#include "base/file.h"
#include "base/threads.h"
#include "cli/compare_folders.h"
#include "cli/compare_report.h"
#include "cli/interrupt.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/side_by_side.h"
#include "cli/verb.h"
#include "image/file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr int kGap = 6;  // white pixels between pictures side by side

struct CompareFlags {
  std::vector<std::string> files;
  int shave = 0;
  std::string scores, csv, beside, crop, threads;
  bool all = false, json = false;
};

std::string names_of_all() {
  std::string names;
  for (const Metric& metric : metrics()) names += fmt::format("{}{}", names.empty() ? "" : ", ", metric.name);
  return names;
}

// In the order of the table.
Result<std::vector<Metric>> chosen_rows(const CompareFlags& options) {
  std::vector<std::string> asked;
  for (size_t from = 0; !options.scores.empty() && from <= options.scores.size();) {
    const size_t comma = std::min(options.scores.find(',', from), options.scores.size());
    asked.push_back(options.scores.substr(from, comma - from));
    if (!find_metric(asked.back())) {
      return usage_error(fmt::format("--score {}: there is no score of that name", asked.back()),
                         "there are " + names_of_all());
    }
    from = comma + 1;
  }
  std::vector<Metric> chosen;
  for (const Metric& metric : metrics()) {
    const bool named = std::find(asked.begin(), asked.end(), metric.name) != asked.end();
    if (options.all || named || (asked.empty() && metric.quick)) chosen.push_back(metric);
  }
  return chosen;
}

// score(i) for every i, on all threads; memory that runs out is that pair's error.
std::vector<Result<Scores>> score_all(size_t count, ThreadPool& pool,
                                      const std::function<Result<Scores>(size_t)>& score) {
  std::vector<Result<Scores>> results(count, internal_error("not scored"));
  Progress progress("comparing");
  std::atomic<size_t> done = 0;
  pool.parallel_for(int64_t(count), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      try {
        results[i] = score(size_t(i));
      } catch (const std::bad_alloc&) {
        results[i] = resource_error("not enough memory for these pictures", "give fewer --threads");
      }
      progress.update(double(++done) / double(count));
    }
  });
  return results;
}

// One note for each score that is missing somewhere, however many pictures lack it.
void note_missing(std::span<const ComparedRow> rows) {
  std::map<std::pair<std::string_view, std::string>, std::vector<std::string>> files;
  for (const ComparedRow& row : rows) {
    for (const auto& [name, error] : row.scores.missing) files[{name, error.text()}].push_back(row.file);
  }
  for (const auto& [key, missing] : files) {
    const bool everywhere = missing.size() == rows.size() && rows.size() > 1;
    const std::string more = missing.size() > 1 ? fmt::format(" and {} more", missing.size() - 1) : "";
    const std::string where = everywhere ? "" : fmt::format("{}{}: ", missing[0], more);
    spdlog::warn("note: {}{}: {}", where, key.first, key.second);
  }
}

// A score that was asked for by name has to be there; --all takes what there is.
Status check_nothing_missing(const CompareFlags& options, std::span<const ComparedRow> rows) {
  const auto lacks = [](const ComparedRow& row) { return !row.scores.missing.empty(); };
  if (options.scores.empty() || std::none_of(rows.begin(), rows.end(), lacks)) return {};
  return Error{ErrorCode::partial, "not every score that was asked for could be had", ""};
}

Status write_csv(const CompareFlags& options, std::span<const ComparedRow> rows, std::span<const Metric> columns) {
  if (options.csv.empty()) return {};
  const FinishWriting uninterrupted;
  return write_file(options.csv, csv_of(rows, columns));
}

// The original comes last: the eye reads from worse to better.
Status write_side_by_side(const CompareFlags& options, const std::vector<Picture>& pictures) {
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

Status compare_pictures(const CompareFlags& options, std::span<const Metric> columns, ThreadPool& pool) {
  std::vector<Picture> pictures;
  for (const std::string& file : options.files) {
    auto picture = read_picture(file);
    if (!picture) return picture.error();
    pictures.push_back(*std::move(picture));
  }
  const auto scored = score_all(pictures.size() - 1, pool, [&](size_t i) {
    return compare_pair(pictures[0], pictures[i + 1], options.shave, columns);
  });
  std::vector<ComparedRow> rows;
  for (size_t i = 0; i < scored.size(); ++i) {
    const std::string& file = options.files[i + 1];
    if (!scored[i])
      return Error{scored[i].error().code, file + ": " + scored[i].error().what, scored[i].error().hint};
    rows.push_back({options.files[0], file, *scored[i]});
  }
  note_missing(rows);
  if (!options.beside.empty()) {
    if (const Status written = write_side_by_side(options, pictures); !written) return written;
  }
  if (const Status written = write_csv(options, rows, columns); !written) return written;
  if (!options.json) {
    fmt::print("{}", table_of(rows, columns));
  } else if (rows.size() == 1) {
    fmt::print("{}\n", json_of(rows[0], columns).dump(2));
  } else {
    Json json = Json::array();
    for (const ComparedRow& row : rows) json.push_back(json_of(row, columns));
    fmt::print("{}\n", json.dump(2));
  }
  return check_nothing_missing(options, rows);
}

Result<Scores> compare_files(const fs::path& original, const fs::path& picture, int shave,
                             std::span<const Metric> columns) {
  const auto a = read_picture(original);
  if (!a) return a.error();
  const auto b = read_picture(picture);
  if (!b) return b.error();
  auto scores = compare_pair(*a, *b, shave, columns);
  if (!scores) return Error{scores.error().code, picture.string() + ": " + scores.error().what, ""};
  return scores;
}

Result<ComparedFolders> compare_two_folders(const CompareFlags& options, const std::string& pictures,
                                            std::span<const Metric> columns, ThreadPool& pool) {
  const auto matched = match_folders(options.files[0], pictures);
  if (!matched) return matched.error();
  const auto scored = score_all(matched->pairs.size(), pool, [&](size_t i) {
    return compare_files(matched->pairs[i].first, matched->pairs[i].second, options.shave, columns);
  });
  ComparedFolders folders{options.files[0], pictures, {}, {}, {}};
  for (const fs::path& file : matched->alone) folders.alone.push_back(file.string());
  for (size_t i = 0; i < scored.size(); ++i) {
    const auto& [original, picture] = matched->pairs[i];
    if (scored[i]) {
      folders.rows.push_back({original.string(), picture.string(), *scored[i]});
    } else {
      folders.failed.emplace_back(picture.string(), scored[i].error().what);
    }
  }
  if (folders.rows.empty()) return scored[0].error();
  return folders;
}

// What was left out, on stderr by name; an error if anything was.
Status report_left_out(std::span<const ComparedFolders> all) {
  size_t alone = 0, failed = 0;
  for (const ComparedFolders& folders : all) {
    for (const std::string& file : folders.alone) spdlog::warn("note: {}: has no partner", file);
    for (const auto& [file, why] : folders.failed) spdlog::warn("note: {}", why);
    alone += folders.alone.size();
    failed += folders.failed.size();
  }
  if (alone + failed == 0) return {};
  return Error{ErrorCode::partial,
               fmt::format("partly done: {} without a partner, {} that could not be scored", alone, failed),
               ""};
}

Status compare_folders(const CompareFlags& options, std::span<const Metric> columns, ThreadPool& pool) {
  if (!options.beside.empty())
    return usage_error("--side-by-side takes pictures, not folders", "give one picture of each folder");
  std::vector<ComparedFolders> all;
  std::vector<ComparedRow> rows;
  for (size_t i = 1; i < options.files.size(); ++i) {
    auto folders = compare_two_folders(options, options.files[i], columns, pool);
    if (!folders) return folders.error();
    rows.insert(rows.end(), folders->rows.begin(), folders->rows.end());
    all.push_back(*std::move(folders));
  }
  note_missing(rows);
  if (const Status written = write_csv(options, rows, columns); !written) return written;
  Json json = Json::array();
  for (const ComparedFolders& folders : all) {
    if (options.json) {
      json.push_back(json_of(folders, columns));
    } else {
      fmt::print("{}{}", &folders == &all[0] ? "" : "\n", table_of(folders, columns));
    }
  }
  if (options.json) fmt::print("{}\n", (json.size() == 1 ? json[0] : json).dump(2));
  if (const Status complete = report_left_out(all); !complete) return complete;
  return check_nothing_missing(options, rows);
}

Status compare(const CompareFlags& options) {
  if (options.files.size() < 2)
    return usage_error("two pictures are needed", "write: fye compare original.png other.png");
  const auto columns = chosen_rows(options);
  if (!columns) return columns.error();
  int threads = 0;
  if (!options.threads.empty()) {
    const auto count = parse_threads("--threads", options.threads);
    if (!count) return count.error();
    threads = *count;
  }
  const auto folders = std::count_if(options.files.begin(), options.files.end(), [](const std::string& file) {
    std::error_code ignored;
    return fs::is_directory(file, ignored);
  });
  if (folders != 0 && size_t(folders) != options.files.size())
    return usage_error("a folder can't be compared with a picture", "give pictures alone or folders alone");
  ThreadPool pool(threads);
  return folders ? compare_folders(options, *columns, pool) : compare_pictures(options, *columns, pool);
}

}  // namespace

Run add_compare(CLI::App& app) {
  auto options = std::make_shared<CompareFlags>();
  CompareFlags& o = *options;
  app.add_option(
      "A B", o.files,
      "the original and one or more pictures of the same size; or folders, whose pictures are matched "
      "by their names without extension");
  CLI::Option* all = app.add_flag("--all", o.all, "every score there is");
  app.add_option("--score", o.scores, "only these scores: NAME or NAME,NAME")->excludes(all);
  app.add_option("--shave", o.shave, "pixels left out on each side; papers use the scale")
      ->check(CLI::Range(0, 65535));
  app.add_option("--csv", o.csv, "also write the scores as CSV")->type_name("FILE");
  app.add_option("--side-by-side", o.beside, "also write the pictures in a row, the original last");
  app.add_option("--crop", o.crop, "part to show side by side: WxH (the middle) or WxH+X+Y");
  app.add_option("--threads,-j", o.threads, "processor cores to use, all by default");
  app.add_flag("--json", o.json, "print JSON; an array if there are several pictures or folders");
  app.footer(
      R"(psnr_y and ssim_y are on BT.601 luma, psnr_rgb on all three channels, ssim_grey and ms_ssim on rounded grey. lpips_alex
(lower is better) has to be installed once: fye models install lpips. piqe (lower is better), iqam_4, iqam_8 and
boundary_step_8 look at one picture alone; the original's stand beside them, for noise improves them too. Equal
pictures have no PSNR: the table says "identical", JSON null. Alpha is ignored. Exit code 3: some pictures had no
partner or could not be scored; they are named.

Examples:
  fye compare original.png upscaled.png --shave 3
  fye compare original.png bicubic.png fye.png --all --json
  fye compare originals/ upscaled/ --score psnr_y,piqe --csv scores.csv
  fye compare original.png bicubic.png fye.png --side-by-side row.png --crop 300x300)");
  return [options] { return compare(*options); };
}

}  // namespace fye
