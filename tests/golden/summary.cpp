#include "tests/golden/summary.h"

#include <cstdio>

namespace ldm::golden {
namespace {

std::string two_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

std::string table_row(const std::string& name, int passed, int total, const std::string& error,
                      const std::string& tolerance) {
  return "| " + name + " | " + std::to_string(passed) + " / " + std::to_string(total) + " | " + error +
         " | " + tolerance + " |\n";
}

}  // namespace

void Summary::passed(const std::string& kind, double error, double tolerance) {
  auto& row = rows_[kind];
  ++row.passed;
  ++row.total;
  if (error >= row.error) {
    row.error = error;
    row.tolerance = tolerance;
  }
}

void Summary::failed(const std::string& kind) { ++rows_[kind].total; }
void Summary::skipped(const std::string& kind) { ++rows_[kind].total; }

std::string Summary::markdown() const {
  std::string out = "| kind | passed / cases | worst relative error | its tolerance |\n|---|---|---|---|\n";
  int passed = 0, total = 0;
  for (const auto& [kind, row] : rows_) {
    const bool any = row.passed > 0;
    out += table_row(kind, row.passed, row.total, any ? two_digits(row.error) : "-",
                     any ? two_digits(row.tolerance) : "-");
    passed += row.passed;
    total += row.total;
  }
  return out + table_row("all", passed, total, "", "");
}

}  // namespace ldm::golden
