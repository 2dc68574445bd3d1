// Files of texts, with labels and without.
#include "models/labelled_text.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace neural_engine {
namespace {

class LabelledTextTest : public ::testing::Test {
 protected:
  ~LabelledTextTest() override { std::filesystem::remove(path); }
  void write(const std::string& content) { std::ofstream(path, std::ios::binary) << content; }
  std::string error_of(bool labelled) const {
    try {
      labelled ? read_labelled_text(path) : read_texts(path, kAllRows);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  const std::string path = ::testing::TempDir() + "labelled_text_test.tsv";
};

TEST_F(LabelledTextTest, ReadsAsManyRowsAsAsked) {
  write("label\ttext\n3\tone\n1\ttwo\n2\tthree\n");
  EXPECT_EQ(read_labelled_text(path).texts.size(), 3u);
  const LabelledText two = read_labelled_text(path, 2);
  EXPECT_EQ(two.labels, (std::vector<double>{3, 1}));
  EXPECT_EQ(two.texts, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(read_texts(path, 1).labels, std::vector<double>{3});
}

TEST_F(LabelledTextTest, CalibrationNeedsNoLabels) {
  write("text1\ttext2\na\tb\n");
  const LabelledText found = read_texts(path, kAllRows);
  EXPECT_TRUE(found.labels.empty());
  EXPECT_EQ(found.pairs, std::vector<std::string>{"b"});
  EXPECT_NE(error_of(/*labelled=*/true).find("expected the columns label and text"), std::string::npos);
}

TEST_F(LabelledTextTest, NamesWhatIsWrong) {
  write("label\ttext\n3\tone\nx\ttwo\n");
  EXPECT_NE(error_of(true).find("line 3: label \"x\" is not a number"), std::string::npos);
  EXPECT_NE(error_of(false).find("line 3: label \"x\" is not a number"), std::string::npos);
  write("label\ttext\n3\n");
  EXPECT_NE(error_of(true).find("line 2: 1 columns found, the header has 2"), std::string::npos);
  write("text\n");
  EXPECT_NE(error_of(false).find("has no rows"), std::string::npos);
  write("words\nx\n");
  EXPECT_NE(error_of(false).find("expected the columns text"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
