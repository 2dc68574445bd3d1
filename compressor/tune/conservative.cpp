// From f32 upwards: one type of operation after the other becomes int8 and stays so while the goal is met. Of a type
// that misses it, halves are tried, and halves of these.
#include "compressor/tune/tuner.h"

namespace neural_engine {

namespace {

// The greatest gain first.
constexpr TargetKind kOrder[] = {TargetKind::kLinear, TargetKind::kAttention, TargetKind::kMatMul,
                                 TargetKind::kEmbedding, TargetKind::kResidual};

void quantize_what_holds(Tuner& tuner, Configuration& accepted, std::span<const size_t> units) {
  if (units.empty()) return;
  Configuration candidate = accepted;
  for (size_t unit : units) candidate.choices[unit] = 0;
  if (tuner.evaluate(candidate).met) {
    accepted = candidate;
    return;
  }
  if (units.size() == 1) return;
  quantize_what_holds(tuner, accepted, units.first(units.size() / 2));
  quantize_what_holds(tuner, accepted, units.subspan(units.size() / 2));
}

}  // namespace

void tune_conservative(Tuner& tuner) {
  const Space& space = tuner.space();
  Configuration accepted = space.all(space.f32());
  for (TargetKind kind : kOrder) {
    std::vector<size_t> units;
    for (size_t i = 0; i < space.units().size(); ++i) {
      if (space.units()[i].kind == kind) units.push_back(i);
    }
    quantize_what_holds(tuner, accepted, units);
  }
}

}  // namespace neural_engine
