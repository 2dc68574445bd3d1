// Hugging Face folders: config.json and model.safetensors of encoders of BERT's kind, as a graph; no export step.
#pragma once

#include <string>

#include "ir/graph.h"

namespace neural_engine {

// The folder may hold modules.json of sentence-transformers: the output "sentence_embedding" comes first then, pooled
// and normalized as the modules say. Error(kUnsupported) for another kind of model, head or setting, and for a tensor
// that the graph would not use; kInvalidModel for a folder that contradicts itself.
Graph load_hugging_face(const std::string& folder);

}  // namespace neural_engine
