#pragma once

namespace neural_engine::tools {

// `run --text` and `run --text_file`: one line per text: label, score, text.
int run_text();

}  // namespace neural_engine::tools
