// fye_resize_tool in.png out.png WIDTH HEIGHT: matlab_bicubic on a file, for tests/oracle/quality_oracle.py
// alone.
#include <cstdio>
#include <cstdlib>

#include "image/file.h"
#include "image/resize.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: fye_resize_tool IN OUT WIDTH HEIGHT\n");
    return 1;
  }
  const int width = std::atoi(argv[3]), height = std::atoi(argv[4]);
  const auto picture = fye::read_picture(argv[1]);
  if (!picture || picture->bits != 8 || width < 1 || height < 1) {
    std::fprintf(stderr, "%s\n",
                 picture ? "needs an 8-bit picture and sizes >= 1" : picture.error().text().c_str());
    return 2;
  }
  const auto written = fye::write_picture(fye::matlab_bicubic(*picture, width, height), argv[2]);
  if (!written) std::fprintf(stderr, "%s\n", written.error().text().c_str());
  return written ? 0 : 2;
}
