// Flags that several commands read.
#pragma once

#include <gflags/gflags.h>

#include "neural_engine/session.h"

DECLARE_string(model);
DECLARE_string(inputs);
DECLARE_string(output);
DECLARE_string(output_dir);
DECLARE_string(expect);
DECLARE_double(rtol);
DECLARE_double(atol);
DECLARE_string(cases);
DECLARE_string(text);
DECLARE_string(text_file);
DECLARE_string(data);
DECLARE_string(metric);
DECLARE_double(target);
DECLARE_int32(max_length);
DECLARE_int32(batch_size);
DECLARE_int32(seq_len);
DECLARE_string(shapes);
DECLARE_int32(seed);
DECLARE_int32(iterations);
DECLARE_int32(warmup);
DECLARE_int32(threads);
DECLARE_string(precision);
DECLARE_string(max_memory);
DECLARE_int32(instances);
DECLARE_int32(cores_per_instance);
DECLARE_bool(json);
DECLARE_bool(optimize);
DECLARE_string(signature);
DECLARE_bool(explain);
DECLARE_bool(roofline);
DECLARE_bool(operators);
DECLARE_bool(graph);
DECLARE_bool(passes);
DECLARE_string(trace);
DECLARE_string(calibration);
DECLARE_string(config);
DECLARE_string(approach);
DECLARE_string(observer);
DECLARE_int32(samples);
DECLARE_int32(pad_multiple);
DECLARE_string(with);
DECLARE_int32(rows);
DECLARE_double(min_cosine);
DECLARE_string(mask_input);
DECLARE_string(max_loss);
DECLARE_string(objective);
DECLARE_string(strategy);
DECLARE_double(timeout);
DECLARE_int32(max_trials);
DECLARE_string(report);
DECLARE_string(journal);

namespace neural_engine::tools {

// --optimize and --signature.
LoadOptions load_options();
// A number of bytes, or of KiB, MiB, GiB or TiB with a K, M, G or T behind it; empty: 0. UsageError for another text.
size_t parse_bytes(const std::string& flag, const std::string& text);
// --threads, --precision and --max_memory; UsageError for a precision that there is not.
SessionOptions session_options();
// Prints what became of --precision, to standard error.
void print_notes(const Session& session);

}  // namespace neural_engine::tools
