// Files mapped for reading.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace neural_engine {

// A regular file mapped read-only and private. Tensors that view it (Tensor::share) take the shared pointer as their
// owner. The caller must not truncate the file while it is mapped: the system then ends the process on an access.
class MappedFile {
 public:
  // Follows symbolic links in `path`, as open() does. Error(kIo) when the file cannot be opened, is not a regular file
  // or cannot be mapped.
  static std::shared_ptr<const MappedFile> open(const std::string& path);

  // `location` is a relative path below `folder`, as a file names another file. Refused (kInvalidModel): an absolute
  // path, "..", an empty component, any symbolic link from the folder on, and a file that has further hard links.
  static std::shared_ptr<const MappedFile> open_below(const std::string& folder, const std::string& location);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const noexcept { return {static_cast<const std::byte*>(data_), size_}; }
  size_t size() const noexcept { return size_; }

  // Takes the whole pages of a part of bytes() out of the process's resident memory; the next access reads them again
  // from the file (or, most likely, from the system's cache of it). May be called while others read.
  void release(std::span<const std::byte> part) const noexcept;

  // The file that an owner of tensors is; nullptr when it is something else.
  static const MappedFile* of(const std::shared_ptr<const void>& owner) noexcept;

 private:
  // A type of its own, by which of() knows its owners.
  struct Unmap {
    void operator()(const MappedFile* file) const noexcept;
  };

  ~MappedFile();
  MappedFile(void* data, size_t size) : data_(data), size_(size) {}
  static std::shared_ptr<const MappedFile> map(int descriptor, const std::string& path);

  void* data_;
  size_t size_;
};

// The whole file in memory; at most `limit` bytes, else Error(kInvalidData).
std::string read_file(const std::string& path, size_t limit = SIZE_MAX);

// The folder of a path: "a/b" of "a/b/c", "." of "c".
std::string folder_of(const std::string& path);

}  // namespace neural_engine
