// What is read out of CLI11, and what man pages and completions make of the worst that an option's text may
// hold.
#include "cli/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/completion.h"
#include "cli/manual.h"

namespace fye {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Declares every kind of option that verbs have.
struct Everything {
  std::string text, chosen = "png", named;
  std::vector<std::string> files, many;
  int number = 0, hidden = 0;
  bool flag = false;
  void add(CLI::App& app) {
    app.add_option("IN OUT", files, "files")->required();
    app.add_option("-t,--text", text, "any text");
    app.add_option("--format", chosen, "of the file")
        ->check(CLI::IsMember({"png", "jpg"}))
        ->capture_default_str();
    app.add_option("-s,--scale", number, "how often")->check(CLI::Range(1, 16));
    app.add_option("--plan", named, "a plan")->type_name("FILE")->group("Others");
    app.add_option("--on", many, "again and again");
    app.add_flag("-q,--quiet", flag, "say nothing");
    app.add_option("--secret", hidden, "not for people")->group("");
  }
};

const OptionRow& row(const std::vector<OptionRow>& rows, const std::string& name) {
  for (const OptionRow& row : rows)
    for (const std::string& each : row.names)
      if (each == name) return row;
  ADD_FAILURE() << "no option " << name;
  return rows.front();
}

TEST(OptionTable, SaysWhatCliKnows) {
  CLI::App app;
  Everything everything;
  everything.add(app);
  const auto rows = option_rows(app);
  EXPECT_THAT(rows.front().names, IsEmpty());
  EXPECT_EQ(rows.front().value, "IN OUT");
  EXPECT_TRUE(rows.front().required);
  EXPECT_TRUE(rows.front().many);
  EXPECT_THAT(row(rows, "--text").names, ElementsAre("-t", "--text"));
  EXPECT_EQ(row(rows, "-t").value, "TEXT");
  EXPECT_THAT(row(rows, "--format").choices, ElementsAre("png", "jpg"));
  EXPECT_EQ(row(rows, "--format").usual, "png");
  EXPECT_EQ(row(rows, "--scale").range, "1..16");
  EXPECT_EQ(row(rows, "--scale").value, "SCALE");
  EXPECT_EQ(row(rows, "--plan").value, "FILE");
  EXPECT_EQ(row(rows, "--plan").group, "Others");
  EXPECT_TRUE(row(rows, "--on").many);
  EXPECT_EQ(row(rows, "--quiet").value, "");
  EXPECT_EQ(row(rows, "--help").value, "");
  for (const OptionRow& each : rows) EXPECT_THAT(each.names, Not(testing::Contains("--secret")));
}

TEST(OptionTable, FooterHasTwoHalves) {
  CLI::App app;
  app.footer("Some words,\nand more.\n\nExamples:\n  fye a\n  fye b  # why");
  EXPECT_EQ(footer_of(app).text, "Some words,\nand more.");
  EXPECT_THAT(footer_of(app).examples, ElementsAre("fye a", "fye b  # why"));
  app.footer("No examples.");
  EXPECT_EQ(footer_of(app).text, "No examples.");
  EXPECT_THAT(footer_of(app).examples, IsEmpty());
}

// Texts that mean something to a shell or to roff, as description, choice and example.
struct Worst {
  Program program;
  Everything everything;
  std::string value;
  Worst() {
    program.app.name("fye");
    const std::string text =
        ".it's [a] \"b\" $(touch fye_ran_it) `c` \\d {e} f:g\n'.h\n.so /etc/passwd\n-- %s * ? ~ ! # & | ; < "
        ">";
    CLI::App* verb = program.app.add_subcommand("verb", text);
    everything.add(*verb);
    verb->add_option("--worst", value, text)->check(CLI::IsMember({"it's", "$(touch fye_ran_it)", "a:b"}));
    verb->footer(text + "\n\nExamples:\n  fye verb '.x' \\\n  .so y");
    program.runs.emplace_back(verb, [] { return Status(); });
  }
};

// Whether `command FILE` accepts the text; true where there is no such command.
bool accepted(const std::string& command, const std::string& text) {
  const auto file = std::filesystem::temp_directory_path() / ("fye_script_" + std::to_string(getpid()));
  std::ofstream(file) << text;
  const std::string program = command.substr(0, command.find(' '));
  const int status = std::system(
      ("command -v " + program + " >/dev/null || exit 0; " + command + " " + file.string() + " >/dev/null")
          .c_str());
  std::filesystem::remove(file);
  return status == 0;
}

TEST(Completion, ShellsReadTheWorst) {
  const Worst worst;
  EXPECT_TRUE(accepted("bash -n", bash_completion(worst.program)));
  EXPECT_TRUE(accepted("zsh -n", zsh_completion(worst.program)));
  EXPECT_TRUE(accepted("fish --no-execute", fish_completion(worst.program)));
  // Reading it runs nothing of it.
  const auto file = std::filesystem::temp_directory_path() / "fye_ran_it";
  std::filesystem::remove(file);
  EXPECT_TRUE(accepted("cd \"${TMPDIR:-/tmp}\"; bash", bash_completion(worst.program)));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Manual, NothingBecomesARequest) {
  const Worst worst;
  const std::string page = manual_of_verb(*worst.program.runs.front().first);
  EXPECT_THAT(page, Not(HasSubstr("\n.so")));
  EXPECT_THAT(page, Not(HasSubstr("\n'.")));
  EXPECT_THAT(page, HasSubstr("\n\\&.so"));
  EXPECT_THAT(page, HasSubstr("\\ed"));
  EXPECT_THAT(page, Not(HasSubstr("secret")));
  EXPECT_TRUE(accepted("groff -man -ww -b -z -Tutf8", page));
}

}  // namespace
}  // namespace fye
