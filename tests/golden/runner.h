#pragma once

// The golden runner: compares this program with numbers that the original implementations gave.
//
// To add a kind, write tests/golden/<folder>_kinds.cpp (the build picks it up) after this pattern:
//
//   #include "tests/golden/runner.h"
//
//   namespace ldm::golden {
//   namespace {
//
//   void run_res_block(Case& c) {
//     if (c.config().value("dims", 2) != 2) c.skip("dims");         // A value that we do not know yet.
//     ResBlock block({.in_channels = c.config().at("channels"), ...});
//     c.load_weights(block);                                         // Strict; also sets train or eval mode.
//     c.expect("y", block.forward(c.input("x"), c.input("emb")));    // Gradients follow by themselves.
//   }
//
//   void add_nn_kinds(KindTable& kinds) { kinds.add("res_block", run_res_block); }
//   const RegisterKinds kRegistered(add_nn_kinds);
//
//   }  // namespace
//   }  // namespace ldm::golden
//
// What a function need not do: read files, choose tolerances, compare gradients (inputs with a stored grad.*
// require grad; after the function the runner forms the loss from the probe.* tensors and checks grad.* and
// gradw.*). An output that is not expected by then counts as UNSUPPORTED. A thrown usage error counts as
// SKIP(kind:message), any other exception as FAIL. SKIP and UNSUPPORTED must stand in pending.txt.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tests/golden/case.h"

namespace ldm::golden {

using KindFn = std::function<void(Case&)>;

class KindTable {
 public:
  // Throws when the kind is there already.
  void add(std::string_view kind, KindFn run);
  const KindFn* find(const std::string& kind) const;

 private:
  std::map<std::string, KindFn> kinds_;
};

// All kinds that files of this program registered.
KindTable& kind_table();

// A file-scope object of this type registers the kinds of its file before main.
struct RegisterKinds {
  explicit RegisterKinds(void (*add)(KindTable&)) { add(kind_table()); }
};

struct RunnerOptions {
  std::vector<std::filesystem::path> roots;  // Walked for folders with a case.json, flat or nested.
  std::vector<std::filesystem::path>
      data;                       // Where base_case, vocab/ and reference/keys are looked up after the roots.
  std::filesystem::path pending;  // The list of what may be skipped.
  std::string device = "cpu";
  std::filesystem::path markdown;  // Where a table of the kinds is written; empty: nowhere.
  int full_size_threads = 1;       // Threads of full-size cases; the others run on one.
  std::string filter;              // Only cases whose name or kind contains this.
  // Modules compute with the kernels of inference (ldm/kernels); cases that train are left out.
  bool inference = false;
  bool list = false;         // Print names and kinds, run nothing.
  bool check_stale = false;  // Fail on entries of the pending list that excuse nothing.
};

// Runs the cases, prints one line each and a summary. Returns the exit code: 0 when nothing failed.
int run(const RunnerOptions& options);

}  // namespace ldm::golden
