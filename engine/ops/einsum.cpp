#include "ops/einsum.h"

#include <algorithm>
#include <map>

namespace neural_engine {

namespace {

constexpr int kEllipsis = '.';

// The subscripts of one operand as characters, an ellipsis as kEllipsis.
std::string terms_of(const std::string& equation, const std::string& part) {
  std::string terms;
  for (size_t i = 0; i < part.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(part[i]))) {
      terms += part[i];
    } else if (part.compare(i, 3, "...") == 0 && terms.find(char{kEllipsis}) == std::string::npos) {
      terms += char{kEllipsis};
      i += 2;
    } else {
      fail(Code::kInvalidModel, "equation \"", equation, "\" has \"", part.substr(i, 1), "\" in \"", part,
           "\", expected letters and at most one \"...\"");
    }
  }
  return terms;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// Without "->": the ellipsis, then the letters that occur once, in alphabetical order.
std::string implicit_output(const std::vector<std::string>& terms) {
  std::map<char, int> uses;
  for (const std::string& each : terms) {
    for (const char c : each) ++uses[c];
  }
  std::string output;
  if (uses.count(char{kEllipsis})) output += char{kEllipsis};
  for (const auto& [c, count] : uses) {
    if (count == 1 && c != kEllipsis) output += c;
  }
  return output;
}

class Numbering {
 public:
  Numbering(int ellipsis_dims, EinsumEquation* result) : ellipsis_dims_(ellipsis_dims), result_(result) {
    // The ellipsis' dimensions come first: they are numbered alike in all operands, aligned at the right.
    result_->subscripts = ellipsis_dims;
  }

  int letter(char c) {
    const auto [it, added] = letters_.emplace(c, result_->subscripts);
    if (added) ++result_->subscripts;
    return it->second;
  }
  bool knows(char c) const { return letters_.count(c) != 0; }
  void append_ellipsis(int64_t dims, std::vector<int>* to) const {
    for (int64_t i = ellipsis_dims_ - dims; i < ellipsis_dims_; ++i) to->push_back(static_cast<int>(i));
  }

 private:
  int ellipsis_dims_;
  EinsumEquation* result_;
  std::map<char, int> letters_;
};

int64_t dims_of_ellipsis(const std::string& equation, const std::string& terms, int64_t rank) {
  const bool ellipsis = terms.find(char{kEllipsis}) != std::string::npos;
  const int64_t letters = static_cast<int64_t>(terms.size()) - (ellipsis ? 1 : 0);
  if (ellipsis ? rank < letters : rank != letters) {
    fail(Code::kInvalidModel, "equation \"", equation, "\" names ", letters, " dimensions of an operand of rank ",
         rank);
  }
  return rank - letters;
}

}  // namespace

EinsumEquation parse_einsum(const std::string& equation, const std::vector<int64_t>& ranks) {
  std::string text;
  std::copy_if(equation.begin(), equation.end(), std::back_inserter(text), [](char c) { return c != ' '; });
  const size_t arrow = text.find("->");
  std::vector<std::string> terms;
  for (const std::string& part : split(text.substr(0, arrow), ',')) terms.push_back(terms_of(equation, part));
  if (terms.size() != ranks.size()) {
    fail(Code::kInvalidModel, "equation \"", equation, "\" has ", terms.size(), " operands, ", ranks.size(), " found");
  }
  const std::string output =
      arrow == std::string::npos ? implicit_output(terms) : terms_of(equation, text.substr(arrow + 2));

  int64_t widest = 0;
  for (size_t i = 0; i < terms.size(); ++i) {
    widest = std::max(widest, dims_of_ellipsis(equation, terms[i], ranks[i]));
  }
  EinsumEquation result;
  Numbering numbering(static_cast<int>(widest), &result);
  for (size_t i = 0; i < terms.size(); ++i) {
    std::vector<int>& subscripts = result.inputs.emplace_back();
    for (const char c : terms[i]) {
      if (c == kEllipsis) {
        numbering.append_ellipsis(dims_of_ellipsis(equation, terms[i], ranks[i]), &subscripts);
      } else {
        subscripts.push_back(numbering.letter(c));
      }
    }
  }
  for (const char c : output) {
    if (c == kEllipsis) {
      numbering.append_ellipsis(widest, &result.output);
      continue;
    }
    if (!numbering.knows(c) || std::count(output.begin(), output.end(), c) > 1) {
      fail(Code::kInvalidModel, "equation \"", equation, "\": the output's \"", c, "\" ",
           numbering.knows(c) ? "occurs twice" : "is no subscript of an operand");
    }
    result.output.push_back(numbering.letter(c));
  }
  return result;
}

void infer_einsum(InferContext& context) {
  std::vector<int64_t> ranks;
  DType dtype = DType::kUndefined;
  for (int i = 0; i < context.num_inputs(); ++i) {
    context.require_dtype(i, {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kS64, DType::kS32,
                              DType::kS16, DType::kS8, DType::kU64, DType::kU32, DType::kU16, DType::kU8});
    if (dtype == DType::kUndefined) dtype = context.dtype(i);
    if (context.dtype(i) != DType::kUndefined && context.dtype(i) != dtype) {
      context.invalid("input ", i, " has dtype ", to_string(context.dtype(i)), ", input 0 has ", to_string(dtype));
    }
    if (!context.shape(i)) return context.set_unknown(0, dtype);
    ranks.push_back(static_cast<int64_t>(context.shape(i)->size()));
  }
  const EinsumEquation equation = parse_einsum(context.attr<std::string>("equation"), ranks);
  // A subscript's size: of all dimensions that carry it, 1 spreads over any other.
  std::vector<SymShape> sizes(static_cast<size_t>(equation.subscripts), SymShape{Dim(1)});
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    const SymShape& shape = *context.shape(static_cast<int>(i));
    for (size_t d = 0; d < shape.size(); ++d) {
      SymShape& size = sizes[static_cast<size_t>(equation.inputs[i][d])];
      size = *broadcast(context, size, SymShape{shape[d]});
    }
  }
  SymShape output;
  for (const int subscript : equation.output) output.push_back(sizes[static_cast<size_t>(subscript)][0]);
  context.set(0, dtype, std::move(output));
}

}  // namespace neural_engine
