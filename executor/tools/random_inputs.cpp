#include "executor/tools/random_inputs.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <sstream>

#include "base/dtype.h"
#include "executor/tools/command.h"
#include "ir/graph.h"

namespace neural_engine::tools {

namespace {

bool contains(const std::string& haystack, const char* needle) { return haystack.find(needle) != std::string::npos; }

Shape parse_shape(const std::string& list) {
  Shape shape;
  std::stringstream words(list);
  for (std::string word; std::getline(words, word, 'x');) {
    size_t used = 0;
    try {
      shape.push_back(std::stoll(word, &used));
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || used != word.size() || shape.back() < 0)
      throw UsageError{"--shapes: \"" + list + "\" is not like 1x128"};
  }
  return shape;
}

// The smallest table that the value indexes, followed through ops that keep the elements; 0 when it indexes none.
int64_t index_bound(const Graph& graph, ValueId value, std::set<ValueId>& seen) {
  int64_t bound = 0;
  if (!seen.insert(value).second) return 0;
  const auto consider = [&](int64_t other) {
    if (other > 0 && (bound == 0 || other < bound)) bound = other;
  };
  for (NodeId user : graph.value(value).users) {
    const Node& node = graph.node(user);
    if (node.is("Gather") && node.input(1) == value) {
      const Facts& table = graph.value(node.inputs[0]).facts;
      const int64_t axis = node.attr<int64_t>("axis");
      if (table.shape && axis >= 0 && axis < static_cast<int64_t>(table.shape->size())) {
        const Dim& dim = (*table.shape)[static_cast<size_t>(axis)];
        if (dim.known()) consider(dim.value());
      }
    }
    const bool keeps = (node.def->flags & kView) || node.is("Cast") || node.is("Clip") || node.is("Slice") ||
                       node.is("Split") || node.is("Gather") || node.is("Concat");
    if (!keeps || node.input(0) != value) continue;
    for (ValueId output : node.outputs) {
      if (output != kNoValue) consider(index_bound(graph, output, seen));
    }
  }
  return bound;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : engine_(seed) {}

  Tensor make(const Graph& graph, ValueId id, const Shape& shape) {
    const Value& input = graph.value(id);
    Tensor tensor(input.facts.dtype, shape);
    if (input.facts.dtype == DType::kBool || contains(input.name, "mask")) return fill(tensor, 1);
    if (is_floating(input.facts.dtype)) return fill_normal(tensor);
    if (contains(input.name, "type")) return fill(tensor, 0);
    std::set<ValueId> seen;
    const int64_t bound = std::max<int64_t>(index_bound(graph, id, seen), 2);
    const int64_t last = shape.empty() ? 1 : std::max<int64_t>(shape.back(), 1);
    const bool positions = contains(input.name, "position");
    return fill_with(tensor, [&](int64_t i) { return positions ? i % last % bound : below(bound); });
  }

 private:
  // Not std::uniform_int_distribution: its results differ between standard libraries.
  int64_t below(int64_t bound) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(bound)); }
  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }

  template <class Value>
  Tensor fill_with(Tensor tensor, const Value& value) {
    dispatch_dtype(tensor.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<T>()[i] = static_cast<T>(value(i));
    });
    return tensor;
  }
  Tensor fill(Tensor tensor, int value) {
    return fill_with(std::move(tensor), [&](int64_t) { return value; });
  }
  // Box and Muller's transform.
  Tensor fill_normal(Tensor tensor) {
    return fill_with(std::move(tensor), [&](int64_t) {
      const double radius = std::sqrt(-2 * std::log(uniform()));
      return static_cast<float>(radius * std::cos(2 * M_PI * uniform()));
    });
  }

  std::mt19937_64 engine_;
};

}  // namespace

std::vector<Shape> input_shapes(const Model& model, const InputSizes& sizes) {
  std::map<std::string, Shape> given;
  std::stringstream words(sizes.shapes);
  for (std::string word; std::getline(words, word, ',');) {
    const size_t equals = word.rfind('=');
    if (equals == std::string::npos) throw UsageError{"--shapes: \"" + word + "\" is not like name=1x128"};
    given[word.substr(0, equals)] = parse_shape(word.substr(equals + 1));
  }
  std::vector<Shape> shapes;
  for (const TensorInfo& input : model.inputs()) {
    if (const auto it = given.find(input.name); it != given.end()) {
      shapes.push_back(it->second);
      given.erase(it);
      continue;
    }
    if (!input.has_rank) throw UsageError{"input \"" + input.name + "\" declares no shape: give one with --shapes"};
    Shape shape = input.shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] >= 0) continue;
      const std::string& symbol = input.dim_names[axis];
      const bool batch = contains(symbol, "batch") || (axis == 0 && !contains(symbol, "seq"));
      shape[axis] = batch ? sizes.batch_size : sizes.seq_len;
    }
    shapes.push_back(std::move(shape));
  }
  if (!given.empty()) throw UsageError{"--shapes: the model has no input \"" + given.begin()->first + "\""};
  return shapes;
}

std::vector<Tensor> random_inputs(const Model& model, const std::vector<Shape>& shapes, uint64_t seed) {
  Generator generator(seed);
  std::vector<Tensor> inputs;
  const Graph& graph = model.graph();
  for (size_t i = 0; i < shapes.size(); ++i) inputs.push_back(generator.make(graph, graph.inputs()[i], shapes[i]));
  return inputs;
}

}  // namespace neural_engine::tools
