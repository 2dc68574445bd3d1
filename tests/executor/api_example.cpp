#include <cstdio>
#include <vector>

#include "neural_engine/session.h"

int main(int, char** argv) {
  using namespace neural_engine;
  const Model model = Model::load(argv[1]);
  Session session(model, {.threads = 2});

  // input_ids, attention_mask, token_type_ids: [batch, sequence]
  const Tensor ids = Tensor::of<int64_t>({1, 4}, {2, 17, 42, 3});
  const Tensor mask = Tensor::of<int64_t>({1, 4}, {1, 1, 1, 1});
  const Tensor types = Tensor::of<int64_t>({1, 4}, {0, 0, 0, 0});
  const std::vector<Tensor> outputs = session.run(std::vector{ids, mask, types});
  std::printf("%s has %lld elements\n", model.outputs()[0].name.c_str(), static_cast<long long>(outputs[0].elems()));
}
