// fye up IN -o OUT
#include "cli/up_jobs.h"
#include "cli/up_many.h"
#include "cli/up_one.h"
#include "cli/up_options.h"
#include "cli/verb.h"

namespace fye {
namespace {

Status up(const UpOptions& options) {
  const auto request = request_of(options);
  if (!request) return request.error();
  if (request->many) return up_many(options, *request);
  return up_one(options, {request->inputs[0], request->output, request->by_option});
}

}  // namespace

Run add_up(CLI::App& app) {
  auto options = std::make_shared<UpOptions>();
  add_up_options(app, *options);
  app.footer(
      R"(Metadata (ICC, EXIF, XMP), transparency and 16 bit are kept where the output format can; what is lost is said.

Of many files, one that fails does not stop the others (exit code 3). What was done is noted in the output folder's
.fye-manifest.jsonl; the same call again does only what is left, or has changed. Ctrl-C finishes what was begun and stops, a second
one stops at once.

The short options -i -o -s -t -m -n -g -j -x -f -v mean what they mean to realesrgan-ncnn-vulkan and its relatives.

Examples:
  fye up small.jpg -o big.png               # three times as large
  fye up small.jpg -o big.jpg -s 2          # twice as large
  fye up scan.tif -o big.tif --numbers f32  # in floating point
  fye up huge.png -o huger.png --mem 1G     # by rows, within 1 GB
  fye up photos -o big                      # a folder; --recursive with all below it
  fye up 'photos/*.png' -o big -f webp      # a pattern
  fye up photos -o big --dry-run            # how long will it take?
  cat small.png | fye up - | cat >big.png   # from stdin to stdout
  fye up frame.png -o big.png --deadline 40ms # as good as 40 ms allow
  fye up a.png -o b.png -m net.onnx --net-scale 4 --range 0..1 --colour rgb --pre none)");
  return [options] { return up(*options); };
}

}  // namespace fye
