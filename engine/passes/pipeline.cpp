#include "passes/pipeline.h"

#include "ir/infer.h"
#include "ir/verify.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

// Each round sees what the one before made possible; real models need three or four.
constexpr int kMaxRounds = 50;

// What removes nodes and decides nothing. Shapes first: every rule after them matches fewer forms when views are merged
// and constants are constants. Merging before dead code, which it makes.
bool clean(Graph& graph, const Evaluator& evaluator, PassReport& report) {
  static const std::vector<Rule> kAlgebra = algebra_rules();
  static const std::vector<Rule> kShape = shape_rules();
  bool changed = false, again = true;
  for (int round = 0; again && round < kMaxRounds; ++round) {
    again = inline_constant_branches(graph, report);
    infer_graph(graph);
    again = apply_rules(graph, kAlgebra, report) || again;
    again = fold_constants(graph, evaluator, report) || again;
    again = ask_inputs_for_shapes(graph, report) || again;
    again = apply_rules(graph, kShape, report) || again;
    again = merge_equal(graph, report) || again;
    again = erase_dead_code(graph, report) || again;
    verify(graph, "the algebra and shape passes");
    changed = changed || again;
  }
  return changed;
}

bool simplify_bodies(Graph& graph, const Evaluator& evaluator, PassReport& report) {
  bool changed = false;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (!graph.alive(id)) continue;
    const Attrs attrs = graph.node(id).attrs;
    for (const auto& [name, value] : attrs.items()) {
      const GraphPtr* body = std::get_if<GraphPtr>(&value);
      if (body == nullptr) continue;
      const int64_t before = report.num_applied();
      auto simplified = std::make_shared<Graph>(**body);
      simplify(*simplified, evaluator, report);
      if (report.num_applied() == before) continue;
      graph.node(id).attrs.set(name, GraphPtr(std::move(simplified)));
      changed = true;
    }
  }
  return changed;
}

// Formulas become ops. Norms and activations first: they are what the products' outputs go through, and hold many uses
// of one value that would look like outside uses to others. Attention before the products, which would take its scales
// in as their own; its layouts before them too, because a projection's result has no other user then. Merging
// projections last: their biases are in.
bool fuse(Graph& graph, PassReport& report) {
  static const std::vector<Rule> kStages[] = {norm_rules(),      activation_rules(),
                                              attention_rules(), attention_layout_rules(),
                                              matmul_rules(),    projection_rules()};
  bool changed = false;
  for (const std::vector<Rule>& rules : kStages) changed = apply_rules(graph, rules, report) || changed;
  verify(graph, "the fusions");
  return changed;
}

}  // namespace

void simplify(Graph& graph, const Evaluator& evaluator, PassReport& report) {
  for (int round = 0; round < kMaxRounds; ++round) {
    bool changed = clean(graph, evaluator, report);
    changed = simplify_bodies(graph, evaluator, report) || changed;
    changed = fuse(graph, report) || changed;
    if (!changed) break;
  }
  graph = graph.compacted();
  infer_graph(graph);
}

}  // namespace neural_engine
