// The page: whatever texts say, they stay texts; the policy names exactly what is on the page. Browsers see to the rest
// (tests/report_browser_test.py).
#include "report/page.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <regex>

#include "quant/base64.h"
#include "report/page_files.h"
#include "report/testing_report.h"

namespace fye {
namespace {

using testing::hostile_text;

// What a browser makes of a text that escape_html() wrote (HTML standard, 13.5: the five references that it uses).
std::string unescaped(std::string text) {
  for (const auto& [reference, character] : {std::pair{"&lt;", "<"}, std::pair{"&gt;", ">"}, std::pair{"&quot;", "\""},
                                             std::pair{"&#39;", "'"}, std::pair{"&amp;", "&"}})
    text = std::regex_replace(text, std::regex(reference), character);
  return text;
}

bool valid(const std::string& text) {
  try {
    return !Json(text).dump().empty();  // throws at bytes that are no UTF-8
  } catch (const Json::exception&) {
    return false;
  }
}

RC_GTEST_PROP(Page, ATextStaysAText, ()) {
  const std::string text = *hostile_text();
  const std::string escaped = escape_html(text);
  RC_ASSERT(escaped.find_first_of("<>\"'") == std::string::npos);
  RC_ASSERT(escaped.find('\0') == std::string::npos);
  RC_ASSERT(valid(escaped));
  if (valid(text) && text.find('\0') == std::string::npos) RC_ASSERT(unescaped(escaped) == text);
}

RC_GTEST_PROP(Page, TheIslandIsTheDataAndNothingElse, ()) {
  const std::string text = *hostile_text(), key = *hostile_text();
  const Json data = {{"a", text}, {"list", {1.5, nullptr, text, {{"b", text}}}}};
  const std::string island = json_island(data);
  RC_ASSERT(island.find_first_of("<>&") == std::string::npos);
  const Json back = Json::parse(island);
  if (valid(text)) RC_ASSERT(back == data);
  // An object's keys are texts as well.
  Json keyed;
  keyed[key] = 1;
  RC_ASSERT(json_island(keyed).find_first_of("<>&") == std::string::npos);
}

// The elements of the page, counted by how they begin: hostile texts add none.
int count_of(const std::string& text, const std::string& what) {
  int count = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

RC_GTEST_PROP(Page, HostileNamesAddNoElements, ()) {
  const std::string text = *hostile_text();
  const Json calm = {{"title", "title"}}, wild = {{"title", text}, {"more", text}};
  const std::vector<PagePicture> calm_pictures = {{"a", "b", 2, 1, "image/webp", "bytes"}};
  const std::vector<PagePicture> wild_pictures = {{text, text, 2, 1, "image/webp", "bytes"}};
  const std::string before = page_of(calm, calm_pictures), after = page_of(wild, wild_pictures);
  for (const char* what : {"<", ">", "<script", "</script", "<img", "\"", "'"}) {
    if (std::string_view(what) == "\"") continue;  // JSON has its own
    RC_ASSERT(count_of(after, what) >= count_of(before, what));
    const int in_island = count_of(json_island(wild), what) - count_of(json_island(calm), what);
    RC_ASSERT(count_of(after, what) == count_of(before, what) + in_island);
  }
}

TEST(Page, ValuesAreNotTakenForPlacesOfTheTemplate) {
  const std::string page = page_of({{"title", "{{script}} {{data}}"}}, {});
  EXPECT_NE(page.find("<title>{{script}} {{data}}</title>"), page.npos);
}

// Each inline element's digest stands in the policy, taken here from the page as it is.
TEST(Page, ThePolicyNamesWhatIsThere) {
  const std::string page = page_of({{"title", "t"}}, {});
  EXPECT_EQ(count_of(page, "<style>"), 1);
  EXPECT_EQ(count_of(page, "<script>"), 2);  // and the data, which is no script
  EXPECT_EQ(count_of(page, "<script"), 3);
  EXPECT_NE(page.find("<script>" + std::string(kPageCharts.text) + "</script>"), page.npos);
  EXPECT_NE(page.find("<script>" + std::string(kPageScript.text) + "</script>"), page.npos);
  EXPECT_NE(page.find("<style>" + std::string(kPageStyle.text) + "</style>"), page.npos);
  const std::string policy = content_policy();
  EXPECT_EQ(count_of(policy, "'sha256-"), 3);
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_EQ(policy.find("http"), policy.npos);
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-"));
  // 32 bytes as base64.
  const std::regex digest("'sha256-([A-Za-z0-9+/]{43}=)'");
  for (std::sregex_iterator it(policy.begin(), policy.end(), digest), end; it != end; ++it)
    EXPECT_EQ(from_base64((*it)[1].str()).value_or(std::vector<uint8_t>()).size(), 32u);
}

TEST(Page, OurPartIsSmallAndHasTheLicenceOfWhatItCarries) {
  EXPECT_NE(kPageCharts.text.find("MIT License"), kPageCharts.text.npos);
  EXPECT_NE(kPageCharts.text.find("Chart.js v3."), kPageCharts.text.npos);
  EXPECT_LT(page_bytes({{"title", ""}}, {}), 260'000u);
}

TEST(Page, PicturesAreInItAndNotCounted) {
  std::vector<PagePicture> pictures = {{"input", "a picture", 3, 2, "image/webp", std::string(1000, 'x')}};
  const Json nothing = Json::object();
  const std::string page = page_of(nothing, pictures);
  EXPECT_NE(page.find("src=\"data:image/webp;base64,eHh4"), page.npos);
  EXPECT_EQ(page.size(), page_bytes(nothing, pictures) + 1336);  // 4 characters for 3 bytes, padded
}

}  // namespace
}  // namespace fye
