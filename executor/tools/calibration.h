// Calibration texts, and what goes with a text model from folder to folder.
#pragma once

#include <string>
#include <vector>

#include "models/labelled_text.h"
#include "neural_engine/compress.h"

namespace neural_engine::tools {

// The texts, --batch_size of them at a time, as inputs, with the tokenizer beside --model.
std::vector<std::vector<Tensor>> calibration_inputs(const LabelledText& texts, const Model& model);

// The tokenizer, the labels and config.json beside `model` are copied beside `output`, where it is another folder and
// does not have them.
void copy_text_files(const std::string& model, const std::string& output);

// --config, or what flags say, or the default.
Recipe recipe_from_flags();

// --model and --output name distinct files, and --output ends in .ne or .onnx.
void check_output();

}  // namespace neural_engine::tools
