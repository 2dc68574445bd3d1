#include <cstdio>

#include <neural_engine/text.h>

int main(int, char** argv) {
  neural_engine::TextClassifier classifier = neural_engine::TextClassifier::load(argv[1]);
  const neural_engine::Classification answer = classifier.classify("a chess game for the terminal");
  std::printf("%s %.3f\n", answer.name.c_str(), answer.score);
}
