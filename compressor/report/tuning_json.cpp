#include <nlohmann/json.hpp>

#include "compressor/report/tuning_report.h"

namespace neural_engine {

namespace {

using Json = nlohmann::ordered_json;

Json cost_json(const Cost& cost) {
  return {{"latency_ms", cost.latency_ms}, {"weight_bytes", cost.weight_bytes}, {"peak_bytes", cost.peak_bytes}};
}

Json trial_json(const Trial& trial) {
  return {{"number", trial.number},
          {"what", trial.what},
          {"value", trial.evaluation.value},
          {"difference_margin_95", trial.evaluation.margin},
          {"rows", trial.evaluation.rows},
          {"given_up_early", trial.evaluation.stopped},
          {"met", trial.met},
          {"cost", cost_json(trial.cost)},
          {"score", trial.score},
          {"seconds", trial.seconds},
          {"fallbacks", trial.fallbacks},
          {"recipe", trial.recipe.yaml()}};
}

}  // namespace

std::string tuning_json(const TuneResult& result, const TuningTitle& title) {
  Json report = {{"model", title.model},
                 {"data", title.data},
                 {"metric", title.metric},
                 {"strategy", title.strategy},
                 {"seed", title.seed},
                 {"fp32", {{"value", result.baseline.value}, {"cost", cost_json(result.baseline_cost)}}},
                 {"needed", result.needed},
                 {"ended", result.ended},
                 {"best", result.best == 0 ? Json() : Json(result.best)},
                 {"trials", Json::array()},
                 {"sensitivities", Json::array()},
                 {"operations", Json::array()}};
  for (const Trial& trial : result.trials) report["trials"].push_back(trial_json(trial));
  for (const Sensitivity& each : result.sensitivities) {
    report["sensitivities"].push_back({{"name", each.name}, {"type", each.type}, {"relative_error", each.error}});
  }
  for (const OpReport& each : result.operations) {
    report["operations"].push_back({{"name", each.name},
                                    {"type", each.type},
                                    {"precision", each.precision},
                                    {"sqnr_db", each.sqnr_db},
                                    {"detail", each.detail}});
  }
  // Names in a model may be any bytes.
  return report.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace neural_engine
