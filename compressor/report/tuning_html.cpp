#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "compressor/report/tuning_report.h"

namespace neural_engine {

namespace {

constexpr const char* kStyle =
    "body{font:14px sans-serif;max-width:70em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{padding:.15em .6em;border-bottom:1px solid #ddd;text-align:right}td.t,th.t{text-align:left}"
    "tr.best{background:#e6f4e6;font-weight:bold}.int8{background:#cfe8cf}.fp32{background:#f6d5c9}"
    ".bf16{background:#f3eecb}.bar{background:#c66;height:.8em;display:inline-block}svg{border:1px solid #ddd}";

std::string escaped(const std::string& text) {
  std::string result;
  for (char each : text) {
    switch (each) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += each;
    }
  }
  return result;
}

double megabytes(size_t bytes) { return static_cast<double>(bytes) / 1e6; }

// ---- the front

struct Point {
  double x, y;
  std::string title, color;
};

// Trials as dots: cost to the right, value upwards, the goal as a line.
void plot(std::ostream& out, const std::string& axis, std::vector<Point> points, double needed, double best_value) {
  constexpr double kWidth = 480, kHeight = 260, kEdge = 30;
  double right = 0, low = needed, high = std::max(needed, best_value);
  for (const Point& each : points) {
    right = std::max(right, each.x);
    low = std::min(low, each.y);
    high = std::max(high, each.y);
  }
  right = right > 0 ? right * 1.05 : 1;
  const double room = std::max((high - low) * 0.08, 1e-6);
  low -= room;
  high += room;
  const auto x = [&](double value) { return kEdge + value / right * (kWidth - 2 * kEdge); };
  const auto y = [&](double value) { return kHeight - kEdge - (value - low) / (high - low) * (kHeight - 2 * kEdge); };
  out << "<svg width='" << kWidth << "' height='" << kHeight << "'><line x1='" << kEdge << "' x2='" << kWidth - kEdge
      << "' y1='" << y(needed) << "' y2='" << y(needed) << "' stroke='#c66' stroke-dasharray='4'/><text x='" << kEdge
      << "' y='" << y(needed) - 4 << "' font-size='11' fill='#c66'>goal " << needed << "</text><text x='"
      << kWidth - kEdge << "' y='" << kHeight - 8 << "' font-size='11' text-anchor='end'>" << axis << ", 0 to " << right
      << "</text>";
  for (const Point& each : points) {
    out << "<circle cx='" << x(each.x) << "' cy='" << y(each.y) << "' r='5' fill='" << each.color << "' opacity='.75'>"
        << "<title>" << escaped(each.title) << "</title></circle>";
  }
  out << "</svg>\n";
}

void front(std::ostream& out, const TuneResult& result) {
  std::vector<Point> by_time, by_size;
  const auto add = [&](double value, const Cost& cost, const std::string& title, const std::string& color) {
    by_time.push_back({cost.latency_ms, value, title, color});
    by_size.push_back({megabytes(cost.weight_bytes), value, title, color});
  };
  add(result.baseline.value, result.baseline_cost, "fp32", "#333");
  for (const Trial& trial : result.trials) {
    add(trial.evaluation.value, trial.cost, "trial " + std::to_string(trial.number) + ": " + trial.what,
        trial.number == result.best ? "#060"
        : trial.met                 ? "#6a6"
                                    : "#c99");
  }
  out << "<h2>Accuracy against cost</h2><p>Black: fp32. Green: meets the goal, the dark one is the result. Red: misses "
         "it. Hover for names.</p>\n";
  plot(out, "ms", by_time, result.needed, result.baseline.value);
  plot(out, "MB of weights", by_size, result.needed, result.baseline.value);
}

// ---- tables

void summary(std::ostream& out, const TuneResult& result, const TuningTitle& title) {
  out << "<h1>Tuning of " << escaped(title.model) << "</h1><p>" << escaped(title.metric) << " on "
      << escaped(title.data) << ", strategy " << escaped(title.strategy) << ", seed " << title.seed
      << ". fp32: " << result.baseline.value << "; goal: " << result.needed << ". " << result.trials.size()
      << " trials; " << escaped(result.ended) << ".</p>\n";
  if (result.best == 0) {
    out << "<p><b>No trial met the goal.</b></p>\n";
    return;
  }
  const Trial& best = result.trials[static_cast<size_t>(result.best) - 1];
  out << "<p><b>Trial " << best.number << "</b>: " << escaped(best.what) << ". " << escaped(title.metric) << " "
      << best.evaluation.value << " (" << std::showpos << best.evaluation.value - result.baseline.value
      << std::noshowpos;
  if (best.evaluation.margin > 0) out << " &plusmn; " << best.evaluation.margin << ", 95 % of paired predictions";
  out << "), " << result.baseline_cost.latency_ms << " &rarr; " << best.cost.latency_ms << " ms, weights "
      << megabytes(result.baseline_cost.weight_bytes) << " &rarr; " << megabytes(best.cost.weight_bytes)
      << " MB.</p>\n";
}

void sensitivities(std::ostream& out, const TuneResult& result) {
  if (result.sensitivities.empty()) return;
  const double most = std::max(result.sensitivities.front().error, 1e-30);
  out << "<h2>What 8 bits do to each operation</h2><p>Error of the model's results, as a part of their mean square, "
         "when "
         "this operation alone is int8.</p><table><tr><th class=t>operation<th class=t>type<th>error<th "
         "class=t></tr>\n";
  for (const Sensitivity& each : result.sensitivities) {
    out << "<tr><td class=t>" << escaped(each.name) << "<td class=t>" << each.type << "<td>" << std::scientific
        << std::setprecision(2) << each.error << std::defaultfloat
        << "<td class=t><span class=bar style='width:" << std::round(300 * std::sqrt(each.error / most))
        << "px'></span></tr>\n";
  }
  out << "</table>\n" << std::setprecision(5);
}

void operations(std::ostream& out, const TuneResult& result) {
  if (result.operations.empty()) return;
  out << "<h2>The result, operation by operation</h2><p>Signal to quantization noise of its worst operand; ranges as "
         "calibrated, of what was seen.</p><table><tr><th class=t>operation<th class=t>type<th class=t>precision<th>dB"
         "<th class=t>detail</tr>\n";
  for (const OpReport& each : result.operations) {
    out << "<tr><td class=t>" << escaped(each.name) << "<td class=t>" << each.type << "<td class='t " << each.precision
        << "'>" << each.precision << "<td>" << std::setprecision(3) << each.sqnr_db << "<td class=t>"
        << escaped(each.detail) << "</tr>\n";
  }
  out << "</table>\n" << std::setprecision(5);
}

void trials(std::ostream& out, const TuneResult& result) {
  out << "<h2>Trials</h2><table><tr><th>#<th "
         "class=t>what<th>value<th>difference<th>rows<th>ms<th>MB<th>score<th>seconds"
         "<th class=t>in fp32</tr>\n";
  for (const Trial& trial : result.trials) {
    out << "<tr" << (trial.number == result.best ? " class=best" : "") << "><td>" << trial.number << "<td class=t>"
        << escaped(trial.what) << "<td>" << trial.evaluation.value << "<td>" << std::showpos
        << trial.evaluation.value - result.baseline.value << std::noshowpos;
    if (trial.evaluation.margin > 0) out << " &plusmn; " << trial.evaluation.margin;
    out << "<td>" << trial.evaluation.rows << (trial.evaluation.stopped ? " (given up)" : "") << "<td>"
        << trial.cost.latency_ms << "<td>" << megabytes(trial.cost.weight_bytes) << "<td>" << trial.score << "<td>"
        << trial.seconds << "<td class=t>";
    for (const std::string& name : trial.fallbacks) out << escaped(name) << " ";
    out << "</tr>\n";
  }
  out << "</table>\n";
}

}  // namespace

std::string tuning_html(const TuneResult& result, const TuningTitle& title) {
  std::ostringstream out;
  out << std::setprecision(5) << "<!doctype html><html><head><meta charset=utf-8><title>Tuning report</title><style>"
      << kStyle << "</style></head><body>\n";
  summary(out, result, title);
  front(out, result);
  sensitivities(out, result);
  operations(out, result);
  trials(out, result);
  out << "<p>A trial that was given up early could not have met the goal: at 99.9 % confidence at each look, from the "
         "rows that changed. Each trial's recipe is in report.json.</p></body></html>\n";
  return out.str();
}

}  // namespace neural_engine
