// CLI11 keeps the checks of an option as text at the end of its type's name: "TEXT:{png,jpg}", "INT in [1 -
// 16]".
#include "cli/option_table.h"

#include <algorithm>
#include <sstream>

namespace fye {
namespace {

// Names of C++ types, which CLI11 puts where no other name was given.
constexpr const char* kTypes[] = {"TEXT", "INT", "UINT", "FLOAT", "BOOLEAN", "INT64", "UINT64"};

// The part of `text` between the first `from` and the next `to` after it; empty if they are not there.
std::string between(const std::string& text, char from, char to) {
  const size_t begin = text.find(from);
  const size_t end = begin == std::string::npos ? begin : text.find(to, begin);
  return end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

// "1 - 16" as "1..16".
std::string range_of(const std::string& type) {
  std::string range = between(type, '[', ']');
  if (const size_t dash = range.find(" - "); dash != std::string::npos) range.replace(dash, 3, "..");
  return range;
}

std::string value_of(const CLI::Option& option, const std::string& type) {
  if (option.get_expected_max() == 0 || option.get_items_expected_max() == 0) return {};
  const std::string name = type.substr(0, type.find_first_of(": "));
  const bool of_type = std::find(std::begin(kTypes), std::end(kTypes), name) != std::end(kTypes);
  if (!of_type && !name.empty() && name[0] != '{' && name[0] != '[') return name;
  const auto& longs = option.get_lnames();
  std::string made = longs.empty() ? "value" : longs.front();
  std::transform(made.begin(), made.end(), made.begin(), [](unsigned char c) { return std::toupper(c); });
  return made;
}

OptionRow row_of(const CLI::Option& option) {
  OptionRow row;
  const std::string type = option.get_type_name();
  row.choices = split(between(type, '{', '}'), ',');
  row.range = range_of(type);
  row.description = option.get_description();
  row.usual = option.get_default_str();
  row.group = option.get_group();
  row.required = option.get_required();
  row.many = option.get_items_expected_max() > 1;
  if (option.get_positional()) {
    row.value = option.get_name(true);
    return row;
  }
  for (const std::string& name : option.get_snames()) row.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) row.names.push_back("--" + name);
  row.value = value_of(option, type);
  return row;
}

void add_places(const CLI::App& app, const std::vector<std::string>& words, std::vector<Place>& places) {
  places.push_back({words, &app});
  for (const CLI::App* below : app.get_subcommands({})) {
    std::vector<std::string> longer = words;
    longer.push_back(below->get_name());
    add_places(*below, longer, places);
  }
}

}  // namespace

std::vector<Place> places_of(const CLI::App& app) {
  std::vector<Place> places;
  add_places(app, {}, places);
  return places;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* below : app.get_subcommands({})) names.push_back(below->get_name());
  return names;
}

std::vector<OptionRow> option_rows(const CLI::App& app) {
  std::vector<OptionRow> rows;
  for (const bool positional : {true, false})
    for (const CLI::Option* option : app.get_options())
      // A group without a name is hidden from --help.
      if (option->get_positional() == positional && !option->get_group().empty())
        rows.push_back(row_of(*option));
  return rows;
}

Footer footer_of(const CLI::App& app) {
  Footer footer;
  const std::string all = app.get_footer();
  const std::string title = "Examples:\n";
  const size_t at = all.find(title);
  footer.text = all.substr(0, at);
  while (!footer.text.empty() && footer.text.back() == '\n') footer.text.pop_back();
  if (at == std::string::npos) return footer;
  for (const std::string& line : split(all.substr(at + title.size()), '\n'))
    footer.examples.push_back(line.substr(std::min(line.size(), line.find_first_not_of(' '))));
  return footer;
}

}  // namespace fye
