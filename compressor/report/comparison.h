// Two models of one origin, run side by side: how far each layer of the one is from the other's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compressor/calibrate/padding.h"
#include "neural_engine/model.h"
#include "neural_engine/session.h"

namespace neural_engine {

struct LayerError {
  std::string name;     // of the nodes that make the values
  double sqnr_db = 0;   // of the reference's values to the difference; 200: none
  double cosine = 1;    // of all values as one vector
  double max_abs = 0;   // largest difference
  double mean_abs = 0;  // mean magnitude of the reference
};

class Comparison {
 public:
  // Layers are nodes of one name in both graphs whose first results are f32.
  Comparison(const Model& reference, const Model& other, const std::string& mask_input, const SessionOptions& options);

  struct Outputs {
    std::vector<Tensor> reference, other;
  };
  // Runs both; the models' own outputs are returned. Error(kInvalidData) when a layer has another shape in the other.
  Outputs run(std::span<const Tensor> inputs);
  // In the order in which the reference computes them; over all runs so far.
  std::vector<LayerError> layers() const;

 private:
  struct Layer {
    std::string name;
    TokenAxes axes;
    size_t reference_output = 0, other_output = 0;
    double reference_squares = 0, other_squares = 0, products = 0, difference_squares = 0;
    double max_abs = 0, sum_abs = 0;
    int64_t count = 0;
  };
  void accumulate(Layer& layer, const Tensor& a, const Tensor& b) const;

  PaddingMask mask_;
  std::vector<Layer> layers_;
  size_t reference_outputs_ = 0, other_outputs_ = 0;
  std::unique_ptr<Session> reference_, other_;
};

}  // namespace neural_engine
