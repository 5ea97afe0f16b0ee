#include "cli/nearest.h"

#include <algorithm>
#include <numeric>

namespace fye {
namespace {

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* sub : app.get_subcommands(nullptr)) names.push_back(sub->get_name());
  return names;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string nearest_name(const CLI::App& app, const std::vector<std::string>& not_understood) {
  std::vector<std::string> names = names_of(app);
  if (const CLI::App* parent = app.get_parent()) {
    for (std::string& name : names_of(*parent)) names.push_back(std::move(name));
  }
  std::string best;
  int least = 0;
  for (const std::string& word : not_understood) {
    const std::string typed = word.substr(0, word.find('='));
    for (const std::string& name : names) {
      const int distance = edit_distance(typed, name);
      const int allowed = std::max(static_cast<int>(name.size()) / 3, 1);
      if (distance > allowed || (!best.empty() && distance >= least)) continue;
      best = name;
      least = distance;
    }
  }
  return best;
}

}  // namespace fye
