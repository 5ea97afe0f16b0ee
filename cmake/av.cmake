# fye-av: the helper that demuxes, decodes, encodes and muxes films, the only program of fye that links FFmpeg (Debian's build
# is GPL, and a demuxer belongs in a sandbox). fye itself talks to it over a socket and shared memory (src/video).
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
fye_room(av USES fye_video PkgConfig::FFMPEG PkgConfig::SECCOMP)
add_executable(fye-av ${CMAKE_SOURCE_DIR}/src/av/fye_av_main.cc)
target_link_libraries(fye-av PRIVATE fye_av)
set_target_properties(fye-av PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
