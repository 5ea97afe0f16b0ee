// Each script offers the verbs, then the chosen verb's options and their values where there are only a few;
// files elsewhere. Tested by the shells themselves (tests/install_test.py).
#include "cli/completion.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "cli/option_table.h"

namespace fye {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between = " ") {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

// Every character of `special` gets `by` before it.
std::string escaped(const std::string& text, std::string_view special, std::string_view by) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += by;
    out += c;
  }
  return out;
}

// Inside single quotes of a POSIX shell: the quote is closed, escaped, and opened again.
std::string in_quotes(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out;
}

// --- bash

std::string bash_words(const CLI::App& app) {
  std::vector<std::string> words;
  for (const OptionRow& row : option_rows(app)) words.insert(words.end(), row.names.begin(), row.names.end());
  return joined(words);
}

// "    'up:--format'|'up:-f') values='png jpg' ;;"
std::string bash_values(const Place& place) {
  std::string out;
  for (const OptionRow& row : option_rows(*place.app)) {
    if (row.names.empty() || row.value.empty()) continue;
    std::vector<std::string> cases;
    for (const std::string& name : row.names)
      cases.push_back(fmt::format("'{}:{}'", joined(place.words), name));
    out += fmt::format("    {}) {} ;;\n", joined(cases, "|"),
                       row.choices.empty() ? std::string("files=1")
                                           : fmt::format("values='{}'", in_quotes(joined(row.choices))));
  }
  return out;
}

// --- zsh

std::string zsh_description(const std::string& text) { return in_quotes(escaped(text, "[]\\", "\\")); }

// What _arguments does with a value: "(png jpg)", or files.
std::string zsh_action(const OptionRow& row) {
  return row.choices.empty() ? "_files" : fmt::format("({})", in_quotes(joined(row.choices)));
}

std::string zsh_spec(const OptionRow& row) {
  const std::string value = in_quotes(escaped(row.value, ":", "\\"));
  if (row.names.empty()) return fmt::format("'*:{}:{}'", value, zsh_action(row));
  const std::string after =
      fmt::format("[{}]{}", zsh_description(row.description),
                  row.value.empty() ? std::string() : fmt::format(":{}:{}", value, zsh_action(row)));
  // An option may be given again where it takes many values; else its other names go away with it.
  const std::string before = row.many ? "*" : fmt::format("({})", joined(row.names));
  if (row.names.size() == 1) return fmt::format("'{}'{}'{}'", before, row.names[0], after);
  return fmt::format("'{}'{{{}}}'{}'", before, joined(row.names, ","), after);
}

// A function for what may follow the place's words; one that has verbs below it hands over to theirs.
std::string zsh_function(const Place& place) {
  const std::string name = joined({"_fye", joined(place.words, "_")}, place.words.empty() ? "" : "_");
  const auto below = place.app->get_subcommands({});
  std::string specs, verbs, cases;
  bool positional = false;
  for (const OptionRow& row : option_rows(*place.app)) {
    // Several positional arguments are one "the rest": which of them is a file is not the shell's business.
    if (row.names.empty() && (std::exchange(positional, true) || !below.empty())) continue;
    specs += " \\\n    " + zsh_spec(row);
  }
  if (below.empty()) return fmt::format("{}() {{\n  _arguments -s -S{}\n}}\n", name, specs);
  for (const CLI::App* verb : below) {
    verbs += fmt::format("    '{}:{}'\n", verb->get_name(),
                         in_quotes(escaped(verb->get_description(), ":\\", "\\")));
    cases += fmt::format("      {0}) {1}_{0} ;;\n", verb->get_name(), name);
  }
  return fmt::format(R"({}() {{
  local curcontext=$curcontext state line
  local -a verbs
  verbs=(
{}  )
  _arguments -C -s -S{} \
    '1:verb:->verb' \
    '*::argument:->rest'
  case $state in
    verb) _describe verb verbs ;;
    rest) case $words[1] in
{}    esac ;;
  esac
}}
)",
                     name, verbs, specs, cases);
}

// --- fish

std::string fish_line(const OptionRow& row, const std::string& when) {
  if (row.names.empty()) return {};
  std::string line = fmt::format("complete -c fye -n '{}'", when);
  for (const std::string& name : row.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!row.choices.empty())
    line += fmt::format(" -x -a '{}'", escaped(joined(row.choices), "\\'", "\\"));
  else if (!row.value.empty())
    line += " -r";
  return line + fmt::format(" -d '{}'\n", escaped(row.description, "\\'", "\\"));
}

// When the words of the place have been typed, and none of the verbs below it yet.
std::string fish_condition(const Place& place) {
  std::vector<std::string> parts;
  for (const std::string& word : place.words) parts.push_back("__fish_seen_subcommand_from " + word);
  const auto below = verbs_of(*place.app);
  if (!below.empty()) parts.push_back("not __fish_seen_subcommand_from " + joined(below));
  return joined(parts, "; and ");
}

}  // namespace

std::string bash_completion(const Program& program) {
  std::vector<std::string> known;
  std::string places, values;
  for (const Place& place : places_of(program.app)) {
    const std::string words = joined(place.words);
    places += fmt::format("    '{}') verbs='{}' options='{}' ;;\n", words, joined(verbs_of(*place.app)),
                          bash_words(*place.app));
    values += bash_values(place);
    for (const std::string& verb : verbs_of(*place.app)) known.push_back(fmt::format("'{} {}'", words, verb));
  }
  return fmt::format(R"(# bash completion for fye; made from its option table, don't edit
_fye() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} place= verbs= options= values= files= word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$place $word" in {}) place=${{place:+$place }}$word ;; esac
  done
  case $place in
{}  esac
  case $place:$previous in
{}  esac
  if [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ -z $files && $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -z $files && -n $verbs ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$current"))
  else
    compopt -o filenames 2>/dev/null
    local IFS=$'\n'
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -F _fye fye
)",
                     joined(known, "|"), places, values);
}

std::string zsh_completion(const Program& program) {
  std::string out = "#compdef fye\n# made from fye's option table, don't edit\n";
  for (const Place& place : places_of(program.app)) out += zsh_function(place);
  return out + "_fye \"$@\"\n";
}

std::string fish_completion(const Program& program) {
  std::string out = "# fish completion for fye; made from its option table, don't edit\n";
  for (const Place& place : places_of(program.app)) {
    const std::string when = fish_condition(place);
    for (const OptionRow& row : option_rows(*place.app)) out += fish_line(row, when);
    for (const CLI::App* verb : place.app->get_subcommands({}))
      out += fmt::format("complete -c fye -f -n '{}' -a {} -d '{}'\n", when, verb->get_name(),
                         escaped(verb->get_description(), "\\'", "\\"));
  }
  return out;
}

}  // namespace fye
