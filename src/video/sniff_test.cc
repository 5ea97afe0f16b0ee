#include "video/sniff.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace fye {
namespace {

using namespace std::string_literals;
namespace fs = std::filesystem;

bool film(const std::string& head) {
  return begins_as_film({reinterpret_cast<const unsigned char*>(head.data()), head.size()});
}

TEST(Sniff, Films) {
  std::string transport(400, '\0');
  transport[0] = transport[188] = transport[376] = 0x47;
  for (const std::string& head : {"\x1A\x45\xDF\xA3\x01\x00"s,
                                  "\0\0\0\x20"
                                  "ftypisom\0\0\2\0"s,
                                  "\0\0\0\x14"
                                  "ftypqt  "s,
                                  "\0\0\0\x08wide\0\0"s, "RIFF\0\0\0\0AVI LIST"s, "OggS\0\2"s, "FLV\x01\x05"s,
                                  "\0\0\1\xBA\x44"s, "YUV4MPEG2 W2 H2\n"s, "DKIF\0\0"s, transport})
    EXPECT_TRUE(film(head)) << head;
}

TEST(Sniff, NoFilms) {
  for (const std::string& head :
       {"\x89PNG\r\n\x1A\n"s, "\xFF\xD8\xFF\xE0"s, "RIFF\0\0\0\0WEBPVP8 "s, "RIFF\0\0\0\0WAVEfmt "s,
        "\0\0\0\x20"
        "ftypavif\0\0\0\0"s,
        "\0\0\0\x20"
        "ftypheic\0\0\0\0"s,
        "II*\0"s, "a text\n"s, ""s, "G"s})
    EXPECT_FALSE(film(head)) << head;
}

RC_GTEST_PROP(Sniff, TakesAnyBytes, (const std::vector<unsigned char>& bytes)) {
  (void)begins_as_film(bytes);
}

class Files : public ::testing::Test {
 protected:
  fs::path folder_ = fs::temp_directory_path() / ("fye_sniff_" + std::to_string(getpid()));
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
};

TEST_F(Files, ContentFirstThenTheName) {
  EXPECT_TRUE(looks_like_film(write("clip.dat", "\x1A\x45\xDF\xA3 more")));
  EXPECT_TRUE(looks_like_film(write("text.mp4", "a text")));
  EXPECT_TRUE(looks_like_film(write("empty.MKV", "")));
  EXPECT_FALSE(looks_like_film(write("text.png", "a text")));
  EXPECT_FALSE(looks_like_film(write("picture.mp4", "\x89PNG\r\n\x1A\n")));
  EXPECT_FALSE(looks_like_film(folder_ / "missing.mp4"));
  EXPECT_FALSE(looks_like_film(folder_));
  fs::create_directory(folder_ / "folder.mp4");
  EXPECT_FALSE(looks_like_film(folder_ / "folder.mp4"));
}

TEST_F(Files, Extensions) {
  for (const std::string_view extension : film_extensions())
    EXPECT_TRUE(has_film_extension("a" + std::string(extension)));
  EXPECT_TRUE(has_film_extension("A.Mp4"));
  EXPECT_FALSE(has_film_extension("a.png"));
  EXPECT_FALSE(has_film_extension("mp4"));
}

}  // namespace
}  // namespace fye
