// Files that appear whole or not at all.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace neural_engine {

// `write` fills a temporary file beside `path`, which is then flushed to the disk and renamed to it. When anything
// fails the temporary file is removed, `path` keeps what it had, and Error(kIo) says why.
void write_file_atomically(const std::string& path, const std::function<void(std::ostream&)>& write);
void write_file_atomically(const std::string& path, std::string_view contents);

}  // namespace neural_engine
