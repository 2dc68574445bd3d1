#include "base/mapped_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace neural_engine {
namespace {

class MappedFileTest : public ::testing::Test {
 protected:
  MappedFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "neural_engine_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    write("a.bin", "hello");
  }
  ~MappedFileTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& contents) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << contents;
  }

  std::string folder_;
};

TEST_F(MappedFileTest, MapsBytes) {
  const auto file = MappedFile::open(folder_ + "/a.bin");
  EXPECT_EQ(file->size(), 5u);
  EXPECT_EQ(std::to_integer<char>(file->bytes()[1]), 'e');
  write("empty.bin", "");
  EXPECT_EQ(MappedFile::open(folder_ + "/empty.bin")->size(), 0u);
}

TEST_F(MappedFileTest, RefusesWhatIsNoFile) {
  EXPECT_THROW(MappedFile::open(folder_), Error);
  EXPECT_THROW(MappedFile::open(folder_ + "/none"), Error);
  EXPECT_THROW(MappedFile::open("/dev/null"), Error);
}

TEST_F(MappedFileTest, OpensBelowAFolderOnly) {
  std::filesystem::create_directory(folder_ + "/sub");
  write("sub/b.bin", "b");
  std::filesystem::create_symlink("a.bin", folder_ + "/link");
  EXPECT_EQ(MappedFile::open_below(folder_, "sub/b.bin")->size(), 1u);
  for (const char* location :
       {"", "/etc/passwd", "../x", "sub/../a.bin", "sub//b.bin", "sub/", "link", "none", "sub"}) {
    EXPECT_THROW(MappedFile::open_below(folder_, location), Error) << location;
  }
  std::filesystem::create_hard_link(folder_ + "/a.bin", folder_ + "/sub/c.bin");
  EXPECT_THROW(MappedFile::open_below(folder_, "sub/c.bin"), Error);
  EXPECT_EQ(MappedFile::open(folder_ + "/sub/c.bin")->size(), 5u);  // named by the user, not by a file
}

TEST_F(MappedFileTest, ReadsWholeFiles) {
  EXPECT_EQ(read_file(folder_ + "/a.bin"), "hello");
  EXPECT_THROW(read_file(folder_ + "/a.bin", 3), Error);
}

TEST(FolderOf, IsWhatDirnameSays) {
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
  EXPECT_EQ(folder_of("c"), ".");
  EXPECT_EQ(folder_of("/c"), "/");
}

}  // namespace
}  // namespace neural_engine
