// A plan is a word in book.json: one letter a unit, so that a page of them shows which units move first.
#include <fmt/format.h>

#include <map>
#include <set>

#include "base/json.h"
#include "plan/book.h"
#include "plan/identity.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

struct Optional {
  const char* key;
  std::optional<double> BookEntry::*field;
  double most;
};
// lpf: LPIPS is a sum of weighted squared differences of unit vectors; nothing real reaches 100.
constexpr Optional kOptional[] = {{"measured_ms", &BookEntry::measured_ms, kMostMs},
                                  {"measured_msef", &BookEntry::measured_msef, kMostMsef},
                                  {"lpf", &BookEntry::lpf, 100}};

Result<std::map<char, std::string>> read_letters(const FieldReader& in) {
  const auto json = in.object("processors");
  if (!json) return json.error();
  std::map<char, std::string> letters;
  std::set<std::string> seen;
  for (const auto& [letter, name] : (*json)->items()) {
    if (letter.size() != 1) return in.wrong("processors", fmt::format("\"{}\" is not one letter", letter));
    if (!name.is_string() || name.get_ref<const std::string&>().empty())
      return in.wrong("processors", fmt::format("{} is not a processor's name", name.dump()));
    if (!seen.insert(name.get<std::string>()).second)
      return in.wrong("processors", fmt::format("{} has two letters", name.dump()));
    letters[letter[0]] = name.get<std::string>();
  }
  if (letters.empty()) return in.wrong("processors", "there are none");
  return letters;
}

Result<BookEntry> read_entry(const FieldReader& in, const Json& json, const Book& book,
                             const std::map<char, std::string>& letters) {
  BookEntry entry;
  const auto word = in.text("plan");
  if (!word) return word.error();
  if (word->size() != book.units.size())
    return in.wrong("plan", fmt::format("places {} units; the book has {}", word->size(), book.units.size()));
  for (const char letter : *word) {
    const auto found = letters.find(letter);
    if (found == letters.end())
      return in.wrong("plan", fmt::format("'{}' is none of the book's processors", letter));
    entry.processor.push_back(found->second);
  }
  const auto ms = in.number("ms", 0, kMostMs);
  if (!ms) return ms.error();
  const auto msef = in.number("msef", 0, kMostMsef);
  if (!msef) return msef.error();
  entry.ms = *ms;
  entry.msef = *msef;
  for (const Optional& optional : kOptional) {
    if (!json.contains(optional.key)) continue;
    const auto value = in.number(optional.key, 0, optional.most);
    if (!value) return value.error();
    entry.*optional.field = *value;
  }
  return entry;
}

Status read_units(const FieldReader& in, Book& book) {
  const auto units = in.list("units");
  if (!units) return units.error();
  std::set<std::string> seen;
  for (const Json& name : **units) {
    if (!name.is_string()) return in.wrong("units", fmt::format("{} is not a name", name.dump()));
    book.units.push_back(name.get<std::string>());
    if (!seen.insert(book.units.back()).second)
      return in.wrong("units", fmt::format("\"{}\" is there twice", book.units.back()));
  }
  if (book.units.empty()) return in.wrong("units", "there are none");
  return {};
}

Status read_entries(const FieldReader& in, Book& book) {
  const auto letters = read_letters(in);
  if (!letters) return letters.error();
  const auto entries = in.list("entries");
  if (!entries) return entries.error();
  for (const Json& json : **entries) {
    const FieldReader here = in.inner(fmt::format("entries[{}]", book.entries.size()), json);
    auto entry = read_entry(here, json, book, *letters);
    if (!entry) return entry.error();
    if (!book.entries.empty()) {
      const BookEntry& before = book.entries.back();
      if (!(entry->ms > before.ms))
        return here.wrong("ms",
                          fmt::format("{} is not above the {} of the entry before", entry->ms, before.ms));
      if (!(entry->msef < before.msef))
        return here.wrong(
            "msef", fmt::format("{} is not below the {} of the entry before", entry->msef, before.msef));
    }
    book.entries.push_back(*std::move(entry));
  }
  if (book.entries.empty()) return in.wrong("entries", "there are none");
  return {};
}

}  // namespace

Result<Book> read_book(const std::filesystem::path& path, const std::string& graph_sha256) {
  const auto json = read_json(path);
  if (!json) return json.error();
  const FieldReader in(path, "", *json, "book.json");
  if (auto status = check_head(in, kVersion, graph_sha256); !status) return status.error();
  Book book;
  book.graph_sha256 = (*json)["graph"].get<std::string>();
  auto machine = read_machine(in);
  if (!machine) return machine.error();
  book.machine = *std::move(machine);
  const auto width = in.whole("width", 1, kMostSide);
  if (!width) return width.error();
  const auto height = in.whole("height", 1, kMostSide);
  if (!height) return height.error();
  book.width = *width;
  book.height = *height;
  auto strategy = in.text("strategy");
  if (!strategy) return strategy.error();
  book.strategy = *std::move(strategy);
  if (auto status = read_units(in, book); !status) return status.error();
  if (auto status = read_entries(in, book); !status) return status.error();
  return book;
}

Status write_book(const std::filesystem::path& path, const Book& book) {
  std::map<std::string, char> letters;
  for (const BookEntry& entry : book.entries)
    for (const std::string& processor : entry.processor)
      if (!letters.contains(processor)) {
        if (letters.size() == kLetters.size()) return internal_error("a plan book with too many processors");
        const char letter = kLetters[letters.size()];
        letters[processor] = letter;
      }
  Json json = {
      {"version", kVersion},          {"graph", book.graph_sha256}, {"machine", json_of(book.machine)},
      {"width", book.width},          {"height", book.height},      {"strategy", book.strategy},
      {"processors", Json::object()}, {"units", book.units},        {"entries", Json::array()}};
  for (const auto& [processor, letter] : letters) json["processors"][std::string(1, letter)] = processor;
  for (const BookEntry& entry : book.entries) {
    std::string word;
    for (const std::string& processor : entry.processor) word += letters[processor];
    Json row = {{"plan", word}, {"ms", entry.ms}, {"msef", entry.msef}};
    for (const Optional& optional : kOptional)
      if (const auto& value = entry.*optional.field) row[optional.key] = *value;
    json["entries"].push_back(std::move(row));
  }
  return write_json(path, json);
}

}  // namespace fye
