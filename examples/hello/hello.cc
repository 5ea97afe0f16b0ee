// hello IN OUT [MODEL]: the library without the command line - reads a picture, makes it larger, writes it.
#include <cstdio>
#include <string>

#include "fye/fye.h"

// Every step gives a value or an error that says what is wrong and what to do.
int fail(const fye::Error& error) {
  std::fprintf(stderr, "hello: %s\n", error.text().c_str());
  return static_cast<int>(error.code);
}

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) return fail(fye::usage_error("usage: hello IN OUT [MODEL]"));

  const auto small = fye::Picture::read(argv[1]);
  if (!small) return fail(small.error());

  const auto model = fye::Model::load(argc == 4 ? argv[3] : "");
  if (!model) return fail(model.error());

  fye::Options options;  // a deadline, numbers, threads, memory: fye/fye.h
  auto upscaler = fye::Upscaler::create(*model, options);
  if (!upscaler) return fail(upscaler.error());

  const auto large = upscaler->run(*small);  // again and again, for as many pictures as you like
  if (!large) return fail(large.error());

  const auto lost = large->picture.write(argv[2]);
  if (!lost) return fail(lost.error());
  for (const std::string& sentence : *lost) std::printf("%s\n", sentence.c_str());

  const fye::Pixels from = small->pixels(), to = large->picture.pixels();
  std::printf("%dx%d -> %dx%d by %s in %s, %.0f ms\n", from.width, from.height, to.width, to.height,
              model->name().c_str(), large->report.numbers.c_str(), large->report.run_ms);
}
