#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace neural_engine {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  int get() const { return value_; }

 private:
  int value_;
};

[[noreturn]] void fail_errno(const std::string& path, const char* what) {
  fail(Code::kIo, "cannot ", what, " \"", path, "\": ", std::strerror(errno));
}

Descriptor open_for_reading(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer; the check for a regular file then refuses it.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail_errno(path, "open");
  return file;
}

size_t size_of_regular(int descriptor, const std::string& path) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) fail_errno(path, "read the status of");
  if (!S_ISREG(status.st_mode)) fail(Code::kIo, "\"", path, "\" is not a regular file");
  return static_cast<size_t>(status.st_size);
}

std::vector<std::string> components_of(const std::string& location) {
  std::vector<std::string> result;
  for (size_t begin = 0; begin <= location.size();) {
    const size_t end = std::min(location.find('/', begin), location.size());
    result.push_back(location.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

// An archive may give a file from elsewhere a second name in the model's folder, and nothing tells which name was
// first.
void refuse_hard_links(int descriptor, const std::string& location) {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) fail_errno(location, "read the status of");
  if (!S_ISREG(status.st_mode) || status.st_nlink <= 1) return;
  fail(Code::kInvalidModel, "location \"", location, "\" is one of ", status.st_nlink,
       " hard links to its file, expected a file of its own (a copy will do)");
}

void check_location(const std::string& location) {
  const auto refuse = [&](const char* what) {
    fail(Code::kInvalidModel, "location \"", location, "\" ", what, ", expected a path below the model's folder");
  };
  if (location.empty()) refuse("is empty");
  if (location.find('\0') != std::string::npos) fail(Code::kInvalidModel, "a location holds a zero byte");
  if (location.front() == '/') refuse("is absolute");
  for (const std::string& component : components_of(location)) {
    if (component.empty()) refuse("has an empty component");
    if (component == "..") refuse("leaves the folder by \"..\"");
  }
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  return map(open_for_reading(path).get(), path);
}

std::shared_ptr<const MappedFile> MappedFile::open_below(const std::string& folder, const std::string& location) {
  check_location(location);
  const std::string root = folder.empty() ? "." : folder;
  Descriptor at(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (at.get() < 0) fail_errno(root, "open");
  // One component at a time and none through a link, so that no name leaves the folder however the tree changes
  // meanwhile.
  const std::vector<std::string> components = components_of(location);
  for (size_t i = 0; i < components.size(); ++i) {
    const bool last = i + 1 == components.size();
    const int kind = last ? O_NONBLOCK : O_DIRECTORY;
    Descriptor next(::openat(at.get(), components[i].c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | kind));
    if (next.get() < 0) {
      struct stat status;
      if (::fstatat(at.get(), components[i].c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) {
        fail(Code::kInvalidModel, "location \"", location, "\" passes through a symbolic link, expected a plain file");
      }
      fail_errno(root + "/" + location, "open");
    }
    at = std::move(next);
  }
  refuse_hard_links(at.get(), location);
  return map(at.get(), root + "/" + location);
}

std::shared_ptr<const MappedFile> MappedFile::map(int descriptor, const std::string& path) {
  const size_t size = size_of_regular(descriptor, path);
  void* data = nullptr;
  if (size > 0) {  // mmap refuses an empty range
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) fail_errno(path, "map");
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(data, size), Unmap());
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(data_, size_);
}

void MappedFile::Unmap::operator()(const MappedFile* file) const noexcept { delete file; }

void MappedFile::release(std::span<const std::byte> part) const noexcept {
  static const uintptr_t page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t from = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t begin = (from + page - 1) / page * page, end = (from + part.size()) / page * page;
  // Advice: when the system does not take it, memory stays as it was.
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

const MappedFile* MappedFile::of(const std::shared_ptr<const void>& owner) noexcept {
  return std::get_deleter<Unmap>(owner) != nullptr ? static_cast<const MappedFile*>(owner.get()) : nullptr;
}

std::string read_file(const std::string& path, size_t limit) {
  const Descriptor file = open_for_reading(path);
  const size_t size = size_of_regular(file.get(), path);
  if (size > limit) {
    fail(Code::kInvalidData, "\"", path, "\" holds ", size, " bytes, at most ", limit, " are expected");
  }
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.get(), bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno(path, "read");
    if (got == 0) break;  // shortened meanwhile
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace neural_engine
