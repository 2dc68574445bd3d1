#include <filesystem>

#include "compressor/quantize/converter.h"
#include "save/onnx.h"

namespace neural_engine {

Model convert(const PreparedModel& prepared, std::vector<OpReport>* report) {
  const PreparedModel::Impl& impl = prepared.impl();
  if (report != nullptr) report->clear();
  Converter converter(
      impl, {.settings = impl.settings, .smooth = impl.recipe.smooth, .bias_correction = impl.recipe.bias_correction});
  return Model(converter.run(report));
}

void save(const Model& model, const std::string& path) {
  if (std::filesystem::path(path).extension() == ".onnx") {
    save_onnx(model.graph(), path);
  } else {
    model.save(path);
  }
}

}  // namespace neural_engine
