// What a file begins like: a film's container, without any demuxer.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace fye {

// Extensions, lower case with dot, of the containers that films are written to.
std::span<const std::string_view> film_extensions();

bool has_film_extension(const std::filesystem::path& path);

// `head`: the first bytes of a file, 400 are enough. True for Matroska and WebM, MP4 and QuickTime, AVI, MPEG
// transport and programme streams, Ogg, FLV, ASF, MXF, NUT, IVF, YUV4MPEG2.
bool begins_as_film(std::span<const unsigned char> head);

// By its first bytes; where they say nothing and are no picture's either, by its extension. False if it can't
// be read or is no regular file.
bool looks_like_film(const std::filesystem::path& path);

}  // namespace fye
