// Man pages by man(7): what --help says, in its sections. Tested by cli/option_table_test.cc and by man
// itself (tests/install_test.py).
#include "cli/manual.h"

#include <fmt/format.h>

#include <cctype>
#include <sstream>

#include "base/version.h"
#include "cli/option_table.h"

namespace fye {
namespace {

// Text that roff prints as it is: its escape character, hyphens that can be copied, and no line that looks
// like one of its requests.
std::string plain(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_begins = c == '\n';
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) c = char(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string heading(const std::string& page, const std::string& name, const std::string& summary) {
  return fmt::format(".TH {} 1 \"\" \"fye {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n", page, kVersion,
                     plain(name), plain(summary));
}

// Lines as they are, paragraphs where the text has an empty line.
std::string paragraphs(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out += line.empty() ? ".PP\n" : plain(line) + "\n";
  return out;
}

std::string choices_text(const OptionRow& row) {
  std::string text;
  for (const std::string& choice : row.choices) text += (text.empty() ? "" : ", ") + choice;
  return text;
}

std::string entry(const OptionRow& row) {
  std::string title;
  for (const std::string& name : row.names)
    title += fmt::format("{}\\fB{}\\fR", title.empty() ? "" : ", ", plain(name));
  if (!row.value.empty()) title += fmt::format("{}\\fI{}\\fR", title.empty() ? "" : " ", plain(row.value));
  if (row.many) title += " ...";
  std::string notes;
  if (row.required) notes += " Required.";
  if (!row.choices.empty()) notes += fmt::format(" One of: {}.", choices_text(row));
  if (!row.range.empty()) notes += fmt::format(" Within {}.", row.range);
  if (!row.usual.empty()) notes += fmt::format(" Default: {}.", row.usual);
  const bool sentence_ends = row.description.ends_with('.') || notes.empty();
  return fmt::format(".TP\n{}\n{}{}{}\n", title, plain(row.description), sentence_ends ? "" : ".",
                     plain(notes));
}

std::string options(const CLI::App& app) {
  std::string out, group;
  for (const OptionRow& row : option_rows(app)) {
    if (row.group != group) {
      group = row.group;
      if (group != "Options" && group != "Positionals") out += fmt::format(".SS {}\n", plain(group));
    }
    out += entry(row);
  }
  return out;
}

std::string examples(const Footer& footer) {
  std::string out;
  for (const std::string& line : footer.examples) out += plain(line) + "\n";
  return out.empty() ? out : ".EX\n" + out + ".EE\n";
}

std::string section(const std::string& title, const std::string& text) {
  return text.empty() ? text : ".SH " + title + "\n" + text;
}

// "fye models install [OPTIONS] NAME".
std::string synopsis(const Place& place, const std::string& name) {
  std::string out = fmt::format("\\fB{}\\fR [\\fIOPTIONS\\fR]", plain(name));
  for (const OptionRow& row : option_rows(*place.app))
    if (row.names.empty())
      out += fmt::format(" {}\\fI{}\\fR{}{}", row.required ? "" : "[", plain(row.value),
                         row.many ? " ..." : "", row.required ? "" : "]");
  return out + "\n";
}

}  // namespace

std::string manual_of_verb(const CLI::App& verb) {
  std::string out =
      heading("FYE\\-" + upper(verb.get_name()), "fye-" + verb.get_name(), verb.get_description());
  std::string above, below;  // of the verb itself; of what is below it: "install" of "models"
  for (const Place& place : places_of(verb)) {
    std::string name = "fye " + verb.get_name();
    for (const std::string& word : place.words) name += " " + word;
    const Footer footer = footer_of(*place.app);
    above += (above.empty() ? "" : ".br\n") + synopsis(place, name);
    if (place.words.empty())
      below += section("DESCRIPTION", paragraphs(footer.text)) + section("OPTIONS", options(verb)) +
               section("EXAMPLES", examples(footer));
    else
      below +=
          section(plain(upper(name)), plain(place.app->get_description()) + "\n" + options(*place.app) +
                                          ".PP\n" + paragraphs(footer.text) + ".PP\n" + examples(footer));
  }
  return out + ".SH SYNOPSIS\n" + above + below + ".SH SEE ALSO\n\\fBfye\\fR(1)\n";
}

std::string manual_of_program(const Program& program) {
  const Footer footer = footer_of(program.app);
  std::string summary = program.app.get_description();
  if (summary.starts_with("fye ")) summary.erase(0, 4);
  if (summary.ends_with('.')) summary.pop_back();
  std::string out = heading("FYE", "fye", summary);
  out += ".SH SYNOPSIS\n\\fBfye\\fR \\fIVERB\\fR [\\fIOPTIONS\\fR] ...\n.SH VERBS\n";
  std::string pages;
  for (const auto& [verb, run] : program.runs) {
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", plain(verb->get_name()), plain(verb->get_description()));
    pages += fmt::format("{}\\fBfye\\-{}\\fR(1)", pages.empty() ? "" : ",\n", plain(verb->get_name()));
  }
  out += section("OPTIONS", options(program.app)) + section("NOTES", paragraphs(footer.text));
  return out + section("EXAMPLES", examples(footer)) + ".SH SEE ALSO\n" + pages + "\n";
}

}  // namespace fye
