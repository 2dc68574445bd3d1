// Which part of an epilogue oneDNN takes over, and how the versions of its API say so.
#pragma once

#include <dnnl.hpp>

#include "kernels/epilogue.h"

namespace neural_engine::onednn {

// The part of an epilogue that goes into the primitive; the rest is done by a kernel of ours.
struct Takeover {
  bool bias = false;  // the first op, as the primitive's own bias
  size_t ops = 0;     // leading ops that the primitive does, the bias among them
};

// What may be tried, most first: unary ops that the library knows and operands of one value per column or in all. Full
// operands are left out: it reads them with C's strides, which need not be theirs.
Takeover most_to_take(const Epilogue& epilogue);

// The attributes for the ops taken, for `n` columns.
dnnl::primitive_attr attributes(const Epilogue& epilogue, const Takeover& takes, int64_t n);

}  // namespace neural_engine::onednn
