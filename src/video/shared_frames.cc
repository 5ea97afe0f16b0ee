// Tested by video/channel_test.cc.
#include "video/shared_frames.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fye {
namespace {

constexpr size_t kPage = 4096;

size_t stride_of(size_t slot_bytes) { return (slot_bytes + kPage - 1) / kPage * kPage; }

Error no_memory(size_t bytes) {
  return resource_error(fmt::format("no {} MB of shared memory for frames: {}", (bytes + 999'999) / 1'000'000,
                                    std::strerror(errno)));
}

Result<uint8_t*> map(int fd, size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return no_memory(bytes);
  return static_cast<uint8_t*>(memory);
}

}  // namespace

SharedFrames::SharedFrames(Descriptor file, uint8_t* memory, int slots, size_t slot_bytes)
    : file_(std::move(file)),
      memory_(memory),
      slots_(slots),
      slot_bytes_(slot_bytes),
      stride_(stride_of(slot_bytes)) {}

SharedFrames::SharedFrames(SharedFrames&& other) noexcept
    : file_(std::move(other.file_)),
      memory_(std::exchange(other.memory_, nullptr)),
      slots_(other.slots_),
      slot_bytes_(other.slot_bytes_),
      stride_(other.stride_) {}

SharedFrames::~SharedFrames() {
  if (memory_) munmap(memory_, stride_ * size_t(slots_));
}

Result<SharedFrames> SharedFrames::create(int slots, size_t slot_bytes) {
  const size_t bytes = stride_of(slot_bytes) * size_t(slots);
  Descriptor file(memfd_create("fye frames", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ftruncate(file.get(), off_t(bytes)) != 0 ||
      fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return no_memory(bytes);
  auto memory = map(file.get(), bytes);
  if (!memory) return memory.error();
  return SharedFrames(std::move(file), *memory, slots, slot_bytes);
}

Result<SharedFrames> SharedFrames::open(Descriptor file, int slots, size_t slot_bytes) {
  const size_t bytes = stride_of(slot_bytes) * size_t(slots);
  struct stat info;
  if (slots < 1 || fstat(file.get(), &info) != 0 || size_t(info.st_size) < bytes)
    return internal_error("the shared memory for frames is too small");
  auto memory = map(file.get(), bytes);
  if (!memory) return memory.error();
  return SharedFrames(std::move(file), *memory, slots, slot_bytes);
}

std::span<uint8_t> SharedFrames::slot(int slot) const {
  return {memory_ + stride_ * size_t(slot), slot_bytes_};
}

}  // namespace fye
