#pragma once

#include <map>
#include <string>

namespace ldm::golden {

// What became of the cases of each kind, for docs/parity.md.
class Summary {
 public:
  // error: the largest relative error of the case's comparisons, tolerance: the one it was held against.
  void passed(const std::string& kind, double error, double tolerance);
  void failed(const std::string& kind);
  void skipped(const std::string& kind);

  // One row a kind and one for all: cases passed of all, worst error, and the tolerance of that comparison.
  std::string markdown() const;

 private:
  struct Row {
    int passed = 0, total = 0;
    double error = 0.0, tolerance = 0.0;
  };
  std::map<std::string, Row> rows_;
};

}  // namespace ldm::golden
