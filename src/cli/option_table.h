// The options of a verb as rows, read out of its CLI::App: what man pages and completions are printed from.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace fye {

struct OptionRow {
  std::vector<std::string> names;    // as they are typed: "-o", "--output"; empty: a positional argument
  std::string value;                 // what follows the name, or stands at the place: "FILE"; empty: a flag
  std::vector<std::string> choices;  // the only values; empty: any
  std::string range;                 // "1..16"; may be empty
  std::string description, usual, group;  // usual: what holds without it; may be empty
  bool required = false, many = false;
};

// An app and those below it, each with the words that lead there: {}, {"up"}, ..., {"models", "install"}.
struct Place {
  std::vector<std::string> words;
  const CLI::App* app;
};
std::vector<Place> places_of(const CLI::App& app);

// Of the app's subcommands, by name.
std::vector<std::string> verbs_of(const CLI::App& app);

// Positional arguments first, then the options in the order they were declared.
std::vector<OptionRow> option_rows(const CLI::App& app);

// A footer's two halves: what is said, and the lines below "Examples:".
struct Footer {
  std::string text;
  std::vector<std::string> examples;
};
Footer footer_of(const CLI::App& app);

}  // namespace fye
