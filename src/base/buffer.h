// Buffer: owned, 64-byte aligned bytes with slack at the end for kernels that load whole vectors.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace fye {

// One cache line and one AVX-512 vector; loads may run this far past the last byte asked for.
inline constexpr size_t kAlignment = 64;
inline constexpr size_t kSlack = 256;

class Buffer {
 public:
  Buffer() = default;
  // Zero-filled. Throws std::bad_alloc.
  explicit Buffer(size_t bytes) : size_(bytes) {
    const size_t rounded = (bytes + kSlack + kAlignment - 1) / kAlignment * kAlignment;
    void* memory = std::aligned_alloc(kAlignment, rounded);
    if (!memory) throw std::bad_alloc();
    std::memset(memory, 0, rounded);
    data_.reset(static_cast<std::byte*>(memory));
  }

  size_t size() const { return size_; }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data_.get());
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_.get());
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0;
};

}  // namespace fye
