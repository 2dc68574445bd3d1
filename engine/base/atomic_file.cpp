#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace neural_engine {

namespace {

// A file with a fresh name beside `path`, removed unless it was kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path) {
    const std::string pattern = path + ".XXXXXX";
    name_.assign(pattern.begin(), pattern.end());
    name_.push_back('\0');
    const int descriptor = mkstemp(name_.data());
    if (descriptor < 0) fail(Code::kIo, path, ": cannot create a file beside it: ", std::strerror(errno));
    // mkstemp makes files for the owner only; a file of ours is like any other.
    const mode_t mask = umask(0);
    umask(mask);
    fchmod(descriptor, 0666 & ~mask);
    close(descriptor);
  }
  ~TemporaryFile() {
    if (!kept_) unlink(name_.data());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const char* name() const { return name_.data(); }

  void rename_to(const std::string& path) {
    const int descriptor = open(name(), O_RDONLY | O_CLOEXEC);
    const bool flushed = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0) close(descriptor);
    if (!flushed || std::rename(name(), path.c_str()) != 0)
      fail(Code::kIo, path, ": cannot write: ", std::strerror(errno));
    kept_ = true;
  }

 private:
  std::vector<char> name_;
  bool kept_ = false;
};

}  // namespace

void write_file_atomically(const std::string& path, const std::function<void(std::ostream&)>& write) {
  TemporaryFile temporary(path);
  {
    std::ofstream out(temporary.name(), std::ios::binary | std::ios::trunc);
    if (out) write(out);
    out.close();
    if (!out) fail(Code::kIo, path, ": cannot write: ", std::strerror(errno));
  }
  temporary.rename_to(path);
}

void write_file_atomically(const std::string& path, std::string_view contents) {
  write_file_atomically(
      path, [&](std::ostream& out) { out.write(contents.data(), static_cast<std::streamsize>(contents.size())); });
}

}  // namespace neural_engine
