// libvips: started once, narrowed to what fye reads; its objects owned, its errors as one line. Inside this
// room only.
#pragma once

#include <vips/vips.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace fye {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using ImageRef = std::unique_ptr<VipsImage, Unref>;
using RegionRef = std::unique_ptr<VipsRegion, Unref>;
using SourceRef = std::unique_ptr<VipsSource, Unref>;

// Starts libvips on the first call: one thread per operation, no cache, and no loader but those of PNG, JPEG,
// WebP and TIFF. Thread-safe. Fails if libvips can't start or is older than 8.13 (no way to block loaders).
Status start_vips();

// What libvips said last, one line without its function names; clears it. libvips keeps one text for the
// whole process, so two failures at the same moment may share a reason (never a result).
std::string vips_reason();

}  // namespace fye
