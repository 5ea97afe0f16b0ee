// hello MODEL.onnx IN OUT: the library without the command line - reads a picture, makes it larger, writes
// it.
#include <cstdio>

#include "image/file.h"
#include "runtime/model.h"
#include "runtime/upscale.h"

// Every step gives a value or an error that says what is wrong and what to do.
int fail(const fye::Error& error) {
  std::fprintf(stderr, "hello: %s\n", error.text().c_str());
  return static_cast<int>(error.code);
}

int main(int argc, char** argv) {
  if (argc != 4) return fail(fye::usage_error("usage: hello MODEL.onnx IN OUT"));

  const auto model = fye::load_model(argv[1]);
  if (!model) return fail(model.error());

  const auto small = fye::read_picture(argv[2]);
  if (!small) return fail(small.error());

  fye::ThreadPool threads;  // as many as there are cores
  fye::UpscaleOptions options;
  options.numbers = model->calib ? fye::Numbers::int8 : fye::Numbers::f32;
  auto upscaler = fye::Upscaler::create(*model, options, threads);
  if (!upscaler) return fail(upscaler.error());

  const auto large = upscaler->run(*small);  // again and again, for as many pictures as you like
  if (!large) return fail(large.error());

  const auto lost = fye::write_picture(large->picture, argv[3]);
  if (!lost) return fail(lost.error());
  for (const std::string& sentence : *lost) std::printf("%s\n", sentence.c_str());

  std::printf("%dx%d -> %dx%d in %.0f ms\n", small->width, small->height, large->picture.width,
              large->picture.height, large->report.run_ms);
  return 0;
}
